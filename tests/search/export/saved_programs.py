"""Tables with missing cells, categories and booleans, and programs that save a network for them and predict."""

import csv
import io
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

N, M = 90, 30

RICH = {"dates": ["day"], "categories": ["code"], "missing": ["elsewhere"]}
"""What has to be said of the table that pandas does not read of itself."""


def houses(n: int, seed: int) -> pd.DataFrame:
    """Missing numbers and labels, a rare town, booleans, labels of which some are all digits."""
    rng = np.random.default_rng(seed)
    size, garden = rng.normal(100, 20, n), rng.random(n) < 0.5
    table = pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.1, np.nan, size),
            "town": rng.choice(["north", "south", "east"], n),
            "garden": np.where(rng.random(n) < 0.1, None, garden),
            "rooms": rng.integers(0, 5, n),
            "code": rng.choice(["07", "w", "x", "y"], n),
            "price": size + 30 * garden + rng.normal(0, 10, n),
            "class": np.where(garden, np.where(size > 100, "a", "b"), "c"),
        }
    )
    table.loc[[3, 5], "town"] = ["nowhere else", None]
    table.loc[:1, "code"] = "07"
    return table


def rich(n: int, seed: int) -> pd.DataFrame:
    """The same with decimal commas, dates, and a mark of the user's own."""
    table = houses(n, seed)
    rng = np.random.default_rng(seed)
    table["size"] = ["?" if size != size else f"{size:.2f} m".replace(".", ",") for size in table["size"]]
    table["garden"] = table["garden"].map({True: "true", False: "FALSE"})
    table.loc[7, "town"] = "elsewhere"
    day = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D")
    return table.assign(day=day.strftime("%d.%m.%Y"))


def new(table: pd.DataFrame) -> pd.DataFrame:
    """In another order, with a town that no training row has, and another column."""
    table.loc[2, "town"] = "in between"
    return table[sorted(table.columns)].assign(note="not a feature")


def read_as(name: str, target: str) -> dict[str, Any]:
    """How a table is read: without the other target."""
    return {"drop": [{"price": "class", "class": "price"}[target]], **(RICH if name == "rich" else {})}


def run_main(path: Path, *arguments: str) -> None:
    """A program run as a script, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(path), *arguments])
        runpy.run_path(str(path), run_name="__main__")


def predictions(text: str) -> tuple[list[str], NDArray[Any]]:
    """The header and the cells of predictions."""
    header, *lines = csv.reader(io.StringIO(text))
    return header, np.array(lines)


def run_with(program: ModuleType, *arguments: Any) -> None:
    """A program with the arguments of a command line, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["script.py", *map(str, arguments)])
        program.main()


def predict_here(program: ModuleType, capsys: pytest.CaptureFixture[str], saved: Path, rows: Path) -> str:
    """What a program prints when it predicts in this process."""
    capsys.readouterr()
    run_with(program, "predict", saved, rows)
    return capsys.readouterr().out
