"""An exported program sees the rows that our evaluation saw: the same split, the same preprocessing."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import parity
import pytest
from search_runs import run_in_threads, spec

from cooldown.objectives import tasks
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.export import export
from cooldown.search.export.selection import choose
from cooldown.search.export.source import Source, collect
from cooldown.storage import ExperimentRecord, StudyRecord


def assert_same_rows(program: Any, task: tasks.Task, reacts: bool, study: StudyRecord) -> None:
    parts, _ = program.prepare(*program.load_data())
    for (X, y), (features, targets) in zip(parts, parity.evaluation_rows(task, reacts, study), strict=True):
        np.testing.assert_allclose(np.asarray(X, float), features, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(np.asarray(y, float), targets, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
@pytest.mark.parametrize("name", ["iris", "digits", "diabetes", "two_moons", "sparse_text", "autoencoder_digits"])
def test_built_in_tasks(name: str, schedule: str, iris_record: ExperimentRecord) -> None:
    task = tasks.get(name)
    text = parity.written(iris_record, parity.config("adam", schedule), "torch", task).content
    assert_same_rows(parity.module(str(text)), task, schedule == "plateau", iris_record.studies[0])


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("target", ["price", "town"])
def test_tables(target: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers, missing cells, categories of which one is rare, truth values, a name that needs quotes."""
    rng = np.random.default_rng(0)
    n = 90
    table = pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.1, np.nan, rng.normal(100, 20, n)),
            'the "town"; or not': rng.choice(["north", "south"], n),
            "town": rng.choice(["a", "b", "c"], n),
            "garden": rng.random(n) < 0.5,
            "price": rng.normal(size=n),
        }
    )
    table.loc[3, 'the "town"; or not'] = "nowhere else"
    table.loc[5, 'the "town"; or not'] = None
    table["rooms"] = pd.array([None if row % 9 == 0 else row % 5 for row in range(n)], dtype="Int64")
    path = tmp_path / f"houses{suffix}"
    if suffix == ".csv":
        # A separator at the end of each line, as some programs write it.
        header, *lines = table.to_csv(index=False, sep=";").splitlines()
        path.write_text("\n".join([header, *(f"{line};" for line in lines)]))
    else:
        table.to_parquet(path, index=False)
    monkeypatch.chdir(tmp_path)
    record = run_in_threads(f"sqlite:///{tmp_path / 'l.db'}", spec(task=path.name, target=target), name="houses")
    # Of the first repeat, whose rows are compared.
    made = export(View(record), "torch", arm=record.studies[0].arm, repeat=record.studies[0].repeat)
    assert made.remarks == ()
    task = tasks.from_table(path.name, target=target)
    # The program runs in any folder.
    monkeypatch.chdir("/")
    assert_same_rows(parity.module(str(made.content)), task, False, choose(View(record)).study)


@pytest.mark.parametrize("format", ["torch", "sklearn"])
def test_arrays_that_are_none(format: str, iris_record: ExperimentRecord, tmp_path: Path) -> None:
    """One message each, and no training on half of them."""
    program = parity.module(str(parity.written(iris_record, parity.config("adam", "cosine"), format).content))
    X, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    path = tmp_path / "data.npz"

    def refused(**arrays: Any) -> str:
        np.savez(path, **arrays)
        with pytest.raises(SystemExit) as raised:
            program.load_arrays(path)
        return str(raised.value)

    assert "X should be (rows, features) and y have as many rows, got (20, 3) and (19,)" in refused(X=X, y=y[1:])
    assert "X should be (rows, features)" in refused(X=y, y=y)
    holes = np.where(np.arange(60).reshape(20, 3) < 7, np.nan, X)
    assert "X should contain only finite numbers, got 7 other values (float64)" in refused(X=holes, y=y)
    assert "X should contain only finite numbers, got 60 other values (<U" in refused(X=X.astype(str), y=y)
    assert "from arrays of numbers or of strings (X.astype(str))" in refused(X=X, y=y.astype(object))
    assert "write it with numpy.savez(path, X=X, y=y)" in refused(x=X, y=y)
    assert "got (20, 3) and ()" in refused(X=X, y=np.array(1))
    assert "one label per row, got shape (20,) with 10 missing" in refused(X=X, y=np.where(y, np.nan, 1.0))
    assert "y should contain one label per row, got shape (20, 2)" in refused(X=X, y=np.stack([y, y], axis=1))
    path.write_bytes(b"")
    with pytest.raises(SystemExit, match=r"numpy\.savez"):
        program.load_arrays(path)
    path.write_text("no arrays")
    with pytest.raises(SystemExit, match=r"numpy\.savez"):
        program.load_arrays(path)
    with pytest.raises(SystemExit, match="No such file"):
        program.load_arrays(tmp_path / "nothing.npz")
    np.savez(path, X=X > 0, y=y[:, None])
    assert program.load_arrays(path)[1].shape == (20,)
    task = tasks.get("diabetes")
    program = parity.module(str(parity.written(iris_record, parity.config("adam", "cosine"), format, task).content))
    assert "y should contain only finite numbers, got 20 other values (<U" in refused(X=X, y=y.astype(str))
    assert "y should contain only finite numbers, got 10 other" in refused(X=X, y=np.where(y, np.nan, 1.0))


# Of Keras's own tensors.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("format", ["torch", "optax", "keras", "sklearn"])
def test_a_program_tells_that_it_ends_within_its_warm_up(
    format: str, iris_record: ExperimentRecord, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with arrays of fewer rows than it was tuned for."""
    monkeypatch.setattr("sys.argv", ["program.py"])
    for steps, told in ((5, False), (45, True)):
        config = parity.config("adam", "cosine", warmup_steps=steps, strategies={"epochs": 3})
        parity.module(str(parity.written(iris_record, config, format).content)).main()
        assert (f"within its warm-up of {steps} updates" in capsys.readouterr().out) == told


def test_a_table_has_its_own_columns(tmp_path: Path, iris_record: ExperimentRecord) -> None:
    X, y = np.array([["1.5", "a"], ["2", "b"], ["None", "a"], ["", "b"]] * 15), np.arange(60) % 2
    coded = np.column_stack([[1.5, 2, np.nan, np.nan] * 15, np.arange(60) % 2])
    task = tasks.ArrayTask("mixed", "classification", lambda: (coded, y), categorical=(1,))
    program = parity.module(str(parity.written(iris_record, parity.config("adam"), "torch", task).content))
    np.savez(tmp_path / "data.npz", X=X, y=y)
    ((rows, _), _), _ = program.prepare(*program.load_arrays(tmp_path / "data.npz"))
    # Of the number also whether it was missing.
    assert rows.shape == (48, 4)
    np.savez(tmp_path / "data.npz", X=X[:, [0, 1, 1]], y=y)
    with pytest.raises(SystemExit, match="X should have the task's 2 columns, got 3"):
        program.load_arrays(tmp_path / "data.npz")


HOLES = np.where(np.arange(180).reshape(90, 2) % 14 == 0, np.nan, np.random.default_rng(0).normal(size=(90, 2)))
LABELS = np.random.default_rng(1).integers(0, 9, (90, 2)).astype(float)
KINDS = {
    "numbers": (np.nan_to_num(HOLES), {}),
    "numbers as they are": (np.nan_to_num(HOLES), {"standardize": False}),
    "missing numbers": (HOLES, {}),
    "missing numbers as they are": (HOLES, {"standardize": False}),
    "categories": (LABELS, {"categorical": (0, 1)}),
    "both": (np.hstack([LABELS, HOLES]), {"categorical": (0, 1)}),
    "both as they are": (np.hstack([LABELS, HOLES]), {"categorical": (0, 1), "standardize": False}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_columns(kind: str, iris_record: ExperimentRecord, tmp_path: Path) -> None:
    """The programs of all frameworks are clean, and make features of them as the task does; also of new categories."""
    X, settings = KINDS[kind]
    task = tasks.ArrayTask(kind, "regression", lambda: (X, np.arange(90.0)), **settings)
    for format in ("torch", "optax", "keras", "sklearn"):
        text = str(parity.written(iris_record, parity.config("adam"), format, task).content)
        parity.assert_clean(text, tmp_path)
        if format in ("torch", "sklearn"):
            program = parity.module(text)
            fitted = program.fit_preprocessing(X[:60]) if format == "torch" else program.make_model()[:-1].fit(X[:60])
            new = X + np.isin(np.arange(X.shape[1]), task.categorical) * 20 * (np.arange(90) > 80)[:, None]
            found = program.features(fitted, new) if format == "torch" else fitted.transform(new)
            expected = task.preprocessor().fit(X[:60]).transform(new)
            np.testing.assert_allclose(found.astype(float), expected, rtol=1e-12, atol=1e-12)


def test_what_scikit_learn_downloads_is_loaded_by_scikit_learn(iris_record: ExperimentRecord) -> None:
    """With nothing around it: messages of ours have no place in a program of the user's own."""
    task = tasks.get("california_housing")
    assert isinstance(task, tasks.ArrayTask)
    source = Source()
    collect(source, task.load, "load_data")
    assert list(source.functions) == ["load_data"]
    assert "    X, y = fetch_california_housing(return_X_y=True)\n" in source.text
    assert "InputError" not in source.text


def test_a_task_in_memory_needs_arrays(tmp_path: Path) -> None:
    X, y = np.random.default_rng(0).normal(size=(80, 3)), np.arange(80) % 2
    task = tasks.from_arrays(X, y, name="mine")
    given = spec(task="mine")
    record = run_in_threads(f"sqlite:///{tmp_path / 'l.db'}", given, name="mine", task=task)
    with pytest.raises(ValueError, match="the task of 'mine' cannot be loaded"):
        export(View(record), "torch")
    with pytest.warns(UserWarning, match="run it with arrays"):
        text = Result(record).export("torch", task=task)
    with pytest.raises(SystemExit, match="missing data"):
        parity.module(str(text)).load_data()
    np.savez(tmp_path / "data.npz", X=X, y=y)
    assert "test loss" in parity.run_here(str(text), str(tmp_path / "data.npz"))
    other = tasks.from_arrays(X + 1, y, name="mine")
    with pytest.raises(ValueError, match="have changed since 'mine' was started"):
        export(View(record), "torch", task=other)
