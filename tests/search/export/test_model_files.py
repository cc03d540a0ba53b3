"""Models in files: loaded in another process, and refused before they are unpickled where that would not do."""

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from patience import PATIENCE
from search_runs import run_in_threads, spec
from taken_home import READ, table_for

import cooldown
from cooldown import tasks
from cooldown.objectives.errors import CooldownWarning, InputError
from cooldown.search.evidence.view import View
from cooldown.search.experiments import Result
from cooldown.search.export import choose, export
from cooldown.search.export.model_file import END, MAGIC, model_bytes, read_model_file
from cooldown.storage import ExperimentRecord


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    """A table of texts, tuned by two arms. Its file is removed by nobody."""
    folder = tmp_path_factory.mktemp("models")
    path = folder / "t.csv"
    table_for("word").to_csv(path, index=False)
    given = spec(task=str(path), target="word", epochs=2, **READ)
    return run_in_threads(f"sqlite:///{folder}/l.db", given, name="t")


@pytest.fixture(scope="module")
def written(record: ExperimentRecord) -> bytes:
    content = export(View(record), "joblib", seeds=2).content
    assert isinstance(content, bytes)
    return content


@pytest.fixture
def file(written: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "model.joblib"
    path.write_bytes(written)
    return path


def changed(file: Path, **fields: Any) -> Path:
    """The file with other fields in what it says of itself."""
    n_pickle, n_document, _ = END.unpack(file.read_bytes()[-END.size :])
    content = file.read_bytes()
    document = json.dumps({**json.loads(content[n_pickle : n_pickle + n_document]), **fields}).encode()
    file.write_bytes(content[:n_pickle] + document + END.pack(n_pickle, len(document), MAGIC))
    return file


def test_fit_best_is_the_winners_config_on_all_rows(record: ExperimentRecord, file: Path) -> None:
    rows = table_for("word").head(20)
    best, result = choose(View(record)), Result(record)
    task = tasks.from_table(record.spec["task"], target="word", **READ)
    expected = task.fitted(best.config, 2, record.spec["seed"]).predict_proba(rows)
    for model in (
        result.fit_best(n_seeds=2),
        result.fit_best(arm=best.study.arm, n_seeds=2),
        cooldown.load_model(file),
    ):
        np.testing.assert_array_equal(model.predict_proba(rows), expected)
    (other,) = {"adam", "momentum+sgdr"} - {best.study.arm}
    assert np.abs(result.fit_best(other).predict_proba(rows) - expected).max() > 1e-6
    with pytest.raises(InputError, match="unknown arm of this experiment 'sgd'"):
        result.fit_best("sgd")


def test_a_result_keeps_the_task_that_was_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    small: dict[str, Any] = {
        "trials": 2,
        "repeats": 2,
        "epochs": 2,
        "finalists": 1,
        "workers": 1,
        "db": tmp_path / "l.db",
    }
    mine = tasks.from_arrays(X, X[:, 0] * 100, name="mine")
    result = cooldown.compare(mine, arms=["adam", "momentum"], **small)
    assert result.fit_best().predict(X).shape == (60,)
    loaded = cooldown.load("mine", db=tmp_path / "l.db")
    with pytest.raises(InputError, match=r"'mine' cannot be loaded .'mine' is an object of a Python program.*task="):
        loaded.fit_best()
    np.testing.assert_array_equal(loaded.fit_best(task=mine).predict(X), result.fit_best().predict(X))
    with pytest.raises(InputError, match="the data of task 'mine' have changed"):
        loaded.fit_best(task=tasks.from_arrays(X, X[:, 1], name="mine"))


@pytest.mark.processes
def test_it_loads_in_another_process(file: Path, tmp_path: Path) -> None:
    rows = table_for("word").head(20)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    # joblib first, which has to find by itself what the file needs.
    code = (
        "import cooldown, joblib, pandas\n"
        f"rows = pandas.read_csv({str(tmp_path / 'rows.csv')!r}, dtype={{'zip': str}})\n"
        "loaders = joblib.load, cooldown.load_model\n"
        f"print([load({str(file)!r}).predict_proba(rows)[:, 1].tolist() for load in loaders])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    for there in json.loads(done.stdout):
        np.testing.assert_allclose(there, cooldown.load_model(file).predict_proba(rows)[:, 1], 1e-12)


def test_a_file_says_what_it_is_without_being_unpickled(
    file: Path, record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joblib, "load", lambda *_: pytest.fail("unpickled"))
    about = read_model_file(file).about
    assert (about.experiment.name, about.experiment.fingerprint) == ("t", View(record).fingerprint)
    assert about.versions["cooldown"]
    n_pickle, n_document, _ = END.unpack(file.read_bytes()[-END.size :])
    document = json.loads(file.read_bytes()[n_pickle : n_pickle + n_document])
    assert document["config"] == choose(View(record)).config.to_json()
    assert [column["name"] for column in document["columns"]][1:3] == ["price", "size"]
    assert (document["task"]["kind"], document["n_seeds"]) == ("classification", 2)


def versions(file: Path, **others: str) -> dict[str, str]:
    return {**read_model_file(file).about.versions, **others}


def test_other_versions_are_told_and_those_that_cannot_work_refused(file: Path) -> None:
    changed(file, versions=versions(file, scipy="1.0.1", numpy="2.0.9"))
    with pytest.warns(CooldownWarning, match=r"was written with numpy 2\.0\.9 \(here is .*\), scipy 1\.0\.1 \(here is"):
        cooldown.load_model(file)
    changed(file, versions={**versions(file), "numpy": "1.26.4"})
    refused = r"numpy 1\.26\.4 \(here is .* cannot be loaded: install what it needs \(pip install 'numpy==1\.26\.4'\)"
    with pytest.raises(InputError, match=refused):
        cooldown.load_model(file)
    changed(file, versions=versions(file, numpy=np.__version__, cooldown="0.0.9"))
    with pytest.raises(InputError, match=r"cooldown 0\.0\.9"):
        cooldown.load_model(file)
    changed(file, versions=versions(file, cooldown=versions(file)["cooldown"]), schema=99)
    with pytest.raises(InputError, match="written by a newer version of Cooldown: its schema is 99"):
        cooldown.load_model(file)


class Harm:
    """What a stranger may write."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_what_is_no_model_is_refused_and_not_unpickled(file: Path, written: bytes, tmp_path: Path) -> None:
    joblib.dump(Harm(tmp_path / "harm"), tmp_path / "stranger.joblib")
    stranger = (tmp_path / "stranger.joblib").read_bytes()
    end = written[-END.size :]
    huge = END.pack(2**63, 2**32 - 1, MAGIC)
    n_pickle, _, _ = END.unpack(end)
    swapped = stranger.ljust(n_pickle, b"\0")[:n_pickle] + written[n_pickle:]
    assert len(stranger) < n_pickle
    documents = [b"{}", b"[" * 5000, b"\xff", b"[]", b"null", b'{"schema": "1"}']
    wrong = [stranger + document + END.pack(len(stranger), len(document), MAGIC) for document in documents]
    for content in (b"", b"x", stranger, written[:-1], written[: len(written) // 2], written + b"\n"):
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"is not a model written by `cooldown export NAME -o model\.joblib`"):
            cooldown.load_model(file)
    for content in (swapped, stranger + end, stranger + huge, written[1:], *wrong):
        file.write_bytes(content)
        with pytest.raises(InputError, match="is damaged"):
            cooldown.load_model(file)
    assert not (tmp_path / "harm").exists()


def test_a_file_that_is_none_or_too_large_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        cooldown.load_model(tmp_path / "none.joblib")
    with pytest.raises(InputError, match="is a folder"):
        cooldown.load_model(tmp_path)
    with (tmp_path / "huge.joblib").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(InputError, match="has more than 1,000 MB"):
        cooldown.load_model(tmp_path / "huge.joblib")


def test_a_pickle_of_something_else_is_told(file: Path, tmp_path: Path) -> None:
    about = json.loads(read_model_file(file).about.model_dump_json())
    file.write_bytes(model_bytes({"a": 1}, about))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="holds a dict, not a fitted Pipeline"):
        cooldown.load_model(file)
    renamed = model_bytes(Gone(), about).replace(b"Gone", b"None")  # type: ignore[arg-type]
    file.write_bytes(renamed)
    with pytest.raises(InputError, match="is damaged"):
        cooldown.load_model(file)
    n_pickle, _, _ = END.unpack(renamed[-END.size :])
    changed(file, sha256=sha256(renamed[:n_pickle]).hexdigest())
    with pytest.raises(InputError, match=r"cannot be loaded \(AttributeError: .*it was written with python"):
        cooldown.load_model(file)


class Gone:
    """A class that a later version does not have."""


def test_a_run_that_reacts_says_what_it_watched(tmp_path: Path) -> None:
    table_for("word").to_csv(tmp_path / "t.csv", index=False)
    ranges = {"strategy.early_stopping": 2}
    given = spec(
        task=str(tmp_path / "t.csv"),
        target="word",
        epochs=3,
        objective="roc_auc",
        ranges=ranges,
        arms=("adam",),
        **READ,
    )
    record = run_in_threads(f"sqlite:///{tmp_path}/l.db", given, name="t")
    made = export(View(record), "joblib")
    assert made.remarks == (
        "the run depends on its held-out loss: it watched a fifth of the rows, and trained on the others",
        "it watched the training loss of these rows, not roc_auc",
    )


def test_a_task_of_ones_own_model_has_no_file(tmp_path: Path) -> None:
    record = run_in_threads(f"sqlite:///{tmp_path}/l.db", spec(task="quadratic"), name="q")
    for format in ("joblib", "onnx"):
        with pytest.raises(InputError, match="task 'quadratic' has a model of its own"):
            export(View(record), format)


def test_the_table_that_changed_is_refused(record: ExperimentRecord) -> None:
    path = Path(record.spec["task"])
    before = path.read_bytes()
    try:
        pd.read_csv(path, dtype=str).head(100).to_csv(path, index=False)
        with pytest.raises(InputError, match="have changed since"):
            export(View(record), "joblib")
    finally:
        path.write_bytes(before)
