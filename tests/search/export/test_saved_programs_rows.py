"""Which rows a program with a saved network takes, and what it says of others."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import parity
import pytest
from saved_programs import predict_here, predictions, run_with

from cooldown.storage import ExperimentRecord


@pytest.fixture
def of_table(
    trained: Callable[[str, str], tuple[ExperimentRecord, Path]], tmp_path: Path
) -> tuple[ModuleType, Path, pd.DataFrame]:
    """A program for a table, what it has saved, and new rows, all cells as their texts."""
    pytest.importorskip("optax")
    record, folder = trained("houses", "class")
    config = parity.config("adam", strategies={"epochs": 1})
    program = parity.module(str(parity.written(record, config, "optax").content))
    run_with(program, "--save", tmp_path / "model.npz")
    rows = pd.read_csv(folder / "new_houses.csv", sep=";", dtype=str, keep_default_na=False)
    return program, tmp_path / "model.npz", rows


def test_a_prediction_does_not_depend_on_the_other_rows(
    of_table: tuple[ModuleType, Path, pd.DataFrame], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A code that is all digits is a label also where all codes are, and a boolean where one is missing or spelled in
    another way. How many rows are multiplied at once may change a last digit, which depends on the machine.
    """
    program, saved, rows = of_table
    path = tmp_path / "rows.csv"

    def predicted(some: pd.DataFrame) -> pd.DataFrame:
        some.to_csv(path, index=False, sep=";")
        return pd.read_csv(io.StringIO(predict_here(program, capsys, saved, path)))

    def same(some: pd.DataFrame, others: pd.DataFrame) -> bool:
        labels, shares = some.iloc[:, 0], some.iloc[:, 1:]
        alike = np.allclose(shares, others.iloc[:, 1:], rtol=0, atol=1e-6)
        return list(labels) == list(others.iloc[:, 0]) and alike

    whole = predicted(rows)
    assert len(whole) == len(rows)
    assert set(rows["code"][:2]) == {"07"}
    assert same(predicted(rows[:2]), whole[:2])
    assert same(predicted(rows.assign(code=" " + rows["code"])), whole)
    assert not same(predicted(rows.assign(code="7"))[:2], whole[:2])
    assert same(predicted(rows.assign(garden=rows["garden"].str.lower())), whole)
    known = rows["garden"] != ""
    assert same(predicted(rows[known]), whole[known.to_numpy()])


def test_rows_that_are_none(
    of_table: tuple[ModuleType, Path, pd.DataFrame], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One message each, and no prediction from half of them."""
    program, saved, rows = of_table
    path = tmp_path / "rows.csv"

    def refused(some: pd.DataFrame | str, file: Path = saved) -> str:
        path.write_text(some if isinstance(some, str) else some.to_csv(index=False, sep=";"), encoding="utf-8")
        with pytest.raises(SystemExit) as raised:
            predict_here(program, capsys, file, path)
        return str(raised.value)

    assert refused(rows.drop(columns=["rooms", "code"])) == f"{path}: lacks the columns rooms, code"
    assert "the column 'rooms' should have finite numbers, got many" in refused(rows.assign(rooms="many"))
    assert "the column 'rooms' should have finite numbers, got inf" in refused(rows.assign(rooms="inf"))
    assert refused(rows[:0]) == f"{path}: has no rows"
    assert refused("").startswith(f"{path}: ")
    assert "nothing.npz: has no network of this program (FileNotFoundError" in refused(rows, tmp_path / "nothing.npz")
    other = tmp_path / "other.npz"
    np.savez(other, X=np.zeros(3))
    assert "other.npz: has no network of this program (KeyError" in refused(rows, other)


@pytest.mark.parametrize("format", ["sklearn", "keras"])
def test_a_file_that_cannot_be_written_is_refused_before_training(
    format: str, iris_record: ExperimentRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if format == "keras":
        pytest.importorskip("keras")
    program = parity.module(str(parity.written(iris_record, parity.config("adam"), format).content))
    for name in ("nowhere/model.keras", *(["model.npz"] if format == "keras" else [])):
        with pytest.raises(SystemExit) as raised:
            run_with(program, "--save", tmp_path / name)
        assert raised.value.code == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert ("its folder does not exist" if "/" in name else "should end in .keras") in told.err


def test_a_program_for_arrays_takes_their_columns_in_order(
    iris_record: ExperimentRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers and labels of the user's own; a cell that is missing is taken as the median."""
    text = str(parity.written(iris_record, parity.config("momentum"), "sklearn").content)
    program = parity.module(text)
    monkeypatch.setitem(sys.modules, "exported", program)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(91, 2))
    np.savez(tmp_path / "data.npz", X=X, y=np.array([2.0, 7.0, 10.0])[(X > 0).sum(axis=1)])
    saved, path = tmp_path / "model.joblib", tmp_path / "rows.csv"
    run_with(program, tmp_path / "data.npz", "--save", saved)
    (training, _), _ = program.split(*program.load_arrays(tmp_path / "data.npz"))
    path.write_text(f'\ufefffirst,"second, too"\n0.5,\n0.5,{np.median(training[:, 1])}\n-3,-3\n\n', encoding="utf-8")
    header, cells = predictions(predict_here(program, capsys, saved, path))
    assert header == ["prediction", "probability_2", "probability_7", "probability_10"]
    assert cells[0].tolist() == cells[1].tolist()
    assert cells[2, 0] == "2"
    for rows, message in (
        ("a,b\n1\n", "should have a line of names, then rows of 2 columns"),
        ("", "should have a line of names, then rows of 2 columns"),
        ("a,b\n", "should have a line of names, then rows of 2 columns"),
        ("a,b\n1,x\n", "could not convert string to float: 'x'"),
        ("a,b\n1,inf\n", "should have finite numbers"),
    ):
        path.write_text(rows)
        with pytest.raises(SystemExit, match=message):
            predict_here(program, capsys, saved, path)
