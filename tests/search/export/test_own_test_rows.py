"""Exported programs measure the rows of a test set of the user's own, and no others."""

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

N, M = 90, 30


def houses(n: int, seed: int) -> pd.DataFrame:
    """Numbers, missing cells, categories, truth values, a name that needs quotes."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.1, np.nan, rng.normal(100, 20, n)),
            'the "town"; or not': rng.choice(["north", "south"], n),
            "garden": rng.random(n) < 0.5,
            "rooms": rng.integers(0, 5, n),
            "price": rng.normal(size=n),
            "town": rng.choice(["a", "b", "c"], n),
        }
    )
    table.loc[5, 'the "town"; or not'] = None
    return table


def test_table(seed: int) -> pd.DataFrame:
    """In another order, with a town that no training row has, decimals for whole numbers, and an empty column."""
    table = houses(M, seed)
    table.loc[1, 'the "town"; or not'] = "in between"
    table["rooms"] = table["rooms"].astype(float)
    table["garden"] = None
    return table[sorted(table.columns)]


test_table.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize(("first", "second"), [(".csv", ".csv"), (".csv", ".parquet"), (".parquet", ".csv")])
@pytest.mark.parametrize(("target", "schedule"), [("price", "cosine"), ("town", "plateau")])
def test_tables(
    target: str, schedule: str, first: str, second: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for table, path in ((houses(N, 0), Path(f"houses{first}")), (test_table(1), Path(f"new{second}"))):
        if path.suffix == ".csv":
            table.to_csv(path, index=False, sep=";" if path.stem == "new" else ",")
        else:
            table.to_parquet(path, index=False)
    given = {"task": f"houses{first}", "target": target, "test": f"new{second}", "arms": (f"adam+{schedule}",)}
    record = run_in_threads(f"sqlite:///{tmp_path / 'l.db'}", spec(**given, repeats=1), name="houses")
    made = export(View(record), "torch")
    assert made.remarks == ()
    text = str(made.content)
    parity.assert_clean(text, tmp_path)
    task = tasks.from_table(given["task"], target=target, test=given["test"])
    # The program runs in any folder.
    monkeypatch.chdir("/")
    program = parity.module(text)
    reacts = schedule == "plateau"
    parts, _ = program.prepare(*program.load_data())
    assert len(parts[-1][0]) == M
    ours = parity.evaluation_rows(task, reacts, record.studies[0])
    for (X, y), (features, targets) in zip(parts, ours, strict=True):
        np.testing.assert_allclose(np.asarray(X, float), features, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(np.asarray(y, float), targets, rtol=1e-12, atol=1e-12)
    # Another number of test rows would shift what is tested.
    program.N_TEST = M + 1
    with pytest.raises(SystemExit, match=r"new\.\w+: should have the 31 test rows, got 30"):
        program.load_data()


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("schedule", ["constant", "plateau"])
def test_scikit_learn(
    optimizer: str, schedule: str, iris_record: ExperimentRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    X, y = tasks.get("iris").data  # type: ignore[attr-defined]
    turned = np.random.default_rng(0).permutation(150)
    X, y = X[turned], y[turned]
    task = tasks.from_arrays(X[:110], y[:110], test=(X[110:], y[110:]), name="mine")
    made = parity.written(iris_record, parity.config(optimizer, schedule), "sklearn", task)
    text = str(made.content)
    parity.assert_clean(text, tmp_path)
    program = parity.module(text)
    (rows, _), (tested, labels) = program.split(X, y)
    np.testing.assert_array_equal(rows, X[:110])
    np.testing.assert_array_equal(tested, X[110:])
    np.testing.assert_array_equal(labels, y[110:])
    np.savez(tmp_path / "data.npz", X=X, y=y)
    parity.assert_learned(parity.run_here(text, str(tmp_path / "data.npz")))


@pytest.mark.parametrize("format", ["torch", "sklearn"])
def test_arrays_end_with_the_test_rows_and_the_program_says_so(
    format: str, iris_record: ExperimentRecord, tmp_path: Path
) -> None:
    X, y = np.random.default_rng(0).normal(size=(80, 3)), np.arange(80) % 2
    task = tasks.from_arrays(X[:60], y[:60], test=(X[60:], y[60:]), name="mine")
    made = parity.written(iris_record, parity.config("adam", "cosine"), format, task)
    assert made.remarks[-1].endswith("python FILE.py data.npz, whose last 20 rows are the test rows")
    text = str(made.content)
    parity.assert_clean(text, tmp_path)
    assert "the last 20 rows are the test rows" in text.partition('"""\n\n')[0]
    program = parity.module(text)
    with pytest.raises(SystemExit, match="with arrays X and y, the last 20 rows for the test"):
        program.load_data()
    path = tmp_path / "data.npz"
    np.savez(path, X=X[:20], y=y[:20])
    with pytest.raises(SystemExit, match="the last 20 rows are the test rows, which leaves none of 20 to train on"):
        program.load_arrays(path)
    np.savez(path, X=X, y=y)
    assert "test loss" in parity.run_here(text, str(path))


@pytest.mark.parametrize("format", ["optax", "keras"])
def test_the_other_frameworks(format: str, iris_record: ExperimentRecord, tmp_path: Path) -> None:
    pytest.importorskip(format)
    X, y = np.random.default_rng(0).normal(size=(80, 3)), np.arange(80) % 2
    task = tasks.from_arrays(X[:60], y[:60], test=(X[60:], y[60:]), name="mine")
    text = str(parity.written(iris_record, parity.config("adam", "cosine"), format, task).content)
    parity.assert_clean(text, tmp_path)
    ((rows, _), (tested, labels)), _ = parity.module(text).prepare(X, y)
    assert (len(rows), len(tested)) == (60, 20)
    np.testing.assert_array_equal(np.asarray(labels), y[60:])


def test_the_random_states_of_a_drawn_test_set_are_still_told(iris_record: ExperimentRecord) -> None:
    import json

    parts: dict[str, Any] = json.loads(str(export(View(iris_record), "json").content))["splits"]
    assert set(parts) == {"train", "validation", "test", "test_random_state", "validation_random_states"}
