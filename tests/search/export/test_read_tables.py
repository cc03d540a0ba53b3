"""An exported program reads a table as the search read it, and takes a boolean for its text."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import parity
import pytest
from search_runs import run_in_threads, spec

from cooldown.objectives import tasks
from cooldown.search.evidence.view import View
from cooldown.search.export import export
from cooldown.storage import ExperimentRecord

N = 90


def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    day = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 900, N), unit="D")
    return pd.DataFrame(
        {
            "id": np.arange(N) + 100,
            "price": [f"{value:,.2f} €".translate(str.maketrans(",.", ".,")) for value in rng.uniform(100, 9000, N)],
            "weight": ["?" if value < 0.1 else f"{value:.1f}".replace(".", ",") for value in rng.random(N)],
            "code": [hex(value) for value in rng.integers(0, 255, N)],
            "town": rng.choice(["north ", "south", "n/a", "elsewhere"], N),
            "word": rng.choice(["NA", "b", "c"], N),
            "flag": rng.choice(["true", "FALSE"], N),
            "day": day.strftime("%d.%m.%Y"),
            "label": rng.choice(["yes", "no "], N),
            "amount": rng.normal(size=N),
        }
    )  # fmt: skip


READ = {"drop": ["id"], "dates": ["day"], "categories": ["word"], "missing": ["elsewhere"]}


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ExperimentRecord]:
    """One on the table as a plain file, by its target."""
    folder = tmp_path_factory.mktemp("plain")
    rows().to_csv(folder / "t.csv", index=False, sep=";")

    @cache
    def record(target: str) -> ExperimentRecord:
        given = spec(task=str(folder / "t.csv"), target=target, **READ)
        return run_in_threads(f"sqlite:///{folder}/{target}.db", given, name="t")

    return record


@pytest.mark.parametrize("kind", [".csv", "sep", "utf-16", ".parquet", "index"])
@pytest.mark.parametrize("target", ["label", "amount"])
def test_a_program_reads_a_table_as_the_search_did(
    target: str,
    kind: str,
    experiment: Callable[[str], ExperimentRecord],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("t.csv")
    text = rows().to_csv(index=False, sep=";")
    if kind.startswith(".p") or kind == "index":
        path = Path("t.parquet")
        (rows().set_index("town") if kind == "index" else rows()).to_parquet(path)
    else:
        path.write_text("sep=;\n" * (kind == "sep") + text, encoding="utf-16" if kind == "utf-16" else "utf-8")
    task, given = tasks.from_table(path, target=target, **READ), spec(task=str(path), target=target, **READ)
    # As if it had been the experiment's.
    record = replace(experiment(target), spec=given.to_json(), task_fingerprint=task.fingerprint())
    check(record, task, monkeypatch)


def check(record: ExperimentRecord, task: tasks.ArrayTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's features and targets of the evaluation's rows are those of the task."""
    study = record.studies[0]
    made = export(View(record), "torch", arm=study.arm, repeat=study.repeat)
    monkeypatch.chdir("/")
    program = parity.module(str(made.content))
    X, _ = program.load_data()
    assert X.shape == task.data[0].shape
    found, _ = program.prepare(*program.load_data())
    for (X, y), (features, targets) in zip(found, parity.evaluation_rows(task, False, study), strict=True):
        np.testing.assert_allclose(np.asarray(X, float), features, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(np.asarray(y, float), targets, rtol=1e-12, atol=1e-12)


def test_blanks_and_an_index_in_a_table_that_is_plain_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows()[["town", "amount", "label"]].to_csv("t.csv", index=False)
    record = run_in_threads(f"sqlite:///{tmp_path}/l.db", spec(task="t.csv", target="label"), name="t")
    assert "dtype=str" not in str(export(View(record), "torch").content)
    check(record, tasks.from_table("t.csv", target="label"), monkeypatch)


@pytest.mark.parametrize("optimizer", ["adam", "lion"])
def test_a_fitted_pipeline_takes_booleans_and_their_texts_alike(
    optimizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    flag = rng.random(N) < 0.5
    label = np.where(flag ^ (rng.random(N) < 0.2), "x", rng.choice(["y", "z"], N))
    pd.DataFrame({"flag": flag, "size": rng.normal(size=N), "label": label}).to_csv("t.csv", index=False)
    given = spec(task="t.csv", target="label", arms=(optimizer,))
    record = run_in_threads(f"sqlite:///{tmp_path}/l.db", given, name="t")
    program = parity.module(str(export(View(record), "sklearn", arm=optimizer).content))
    X, _ = program.load_data()
    preprocessor = program.make_preprocessor().fit(X)
    size = X[:, 1]
    found: list[Any] = [
        preprocessor.transform(np.column_stack([np.array(cells, dtype=object), size]))
        for cells in (flag, flag.astype(str), [str(cell).lower() for cell in flag], [f" {cell} " for cell in flag])
    ]
    assert found[0][:, 1:].std() > 0
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
