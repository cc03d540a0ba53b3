"""Identifiers, constants, and columns that predict the target alone are named; ordinary columns are not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cooldown.objectives import tasks

N = 200
RNG = np.random.default_rng(0)
CLASSES = np.repeat(["a", "b"], N // 2)
NUMBERS = RNG.normal(size=N)


def doubts(target: Any, **columns: Any) -> dict[str, str]:
    table = pd.DataFrame({**columns, "other": RNG.normal(size=N), "y": target})
    task = tasks.from_frame(table, target="y", name="t")
    return {doubt.column: doubt.kind for doubt in task.doubts}


@pytest.mark.parametrize("target", [CLASSES, NUMBERS])
def test_ordinary_columns_are_not_doubted(target: Any) -> None:
    columns = {
        "normal": RNG.normal(size=N),
        "rounded": RNG.normal(50, 10, N).round(1),
        "count": RNG.poisson(3, N),
        "town": RNG.choice(["x", "y", "z"], N),
        "flag": RNG.random(N) < 0.1,
        "street": RNG.choice([f"street {i}" for i in range(90)], N),
        "holes": np.where(RNG.random(N) < 0.3, np.nan, 1.0),
    }
    columns["informative"] = (CLASSES == "b") + RNG.normal(size=N)
    columns["correlated"] = NUMBERS + 0.3 * RNG.normal(size=N)
    assert doubts(target, **columns) == {}


@pytest.mark.parametrize(
    "cells",
    [
        np.arange(N), RNG.permutation(N) + 1000, RNG.choice(10**6, N, replace=False),
        [f"{row:08x}-ab" for row in range(N)], [f"Name {row if row else 1}" for row in range(N)],
    ],
)  # fmt: skip
def test_identifiers(cells: Any) -> None:
    assert doubts(RNG.permutation(CLASSES), id=cells) == {"id": "identifier"}


def test_an_identifier_in_a_table_that_is_sorted_by_class() -> None:
    table = pd.DataFrame({"id": np.arange(N), "x": RNG.normal(size=N), "y": CLASSES})
    (doubt,) = tasks.from_frame(table, target="y", name="t").doubts
    assert doubt.why == "may be an identifier: all 200 values are different, and its order gives y away"


def test_constants() -> None:
    assert doubts(CLASSES, one=np.ones(N), word=["x"] * N) == {"one": "constant", "word": "constant"}


@pytest.mark.parametrize(
    "cells",
    [
        np.where(CLASSES == "a", 0.2, 0.7) + RNG.normal(0, 0.05, N), np.where(CLASSES == "a", "yes", "no"),
        CLASSES == "a", np.where(CLASSES == "a", RNG.choice(["p", "q"], N), "r"), np.where(CLASSES == "a", 1, np.nan),
    ],
)  # fmt: skip
def test_what_predicts_the_classes_alone(cells: Any) -> None:
    order = RNG.permutation(N)
    assert doubts(CLASSES[order], leak=np.asarray(cells, object)[order]) == {"leak": "leak"}


@pytest.mark.parametrize("cells", [3 * NUMBERS + 1, -np.exp(NUMBERS)])
def test_what_predicts_a_number_alone(cells: Any) -> None:
    assert doubts(NUMBERS, leak=cells) == {"leak": "leak"}


def test_categories_that_predict_a_number_alone() -> None:
    groups = RNG.integers(0, 5, N)
    target = groups + 0.01 * RNG.normal(size=N)
    assert doubts(target, leak=[f"g{group}" for group in groups]) == {"leak": "leak"}


@pytest.mark.parametrize("target", [CLASSES, NUMBERS])
def test_test_rows_that_are_rows_to_train_on(target: Any) -> None:
    table = pd.DataFrame({"x": RNG.normal(size=N), "word": RNG.choice(["p", "q", None], N), "y": target})
    table.loc[5, "x"] = np.nan
    test = pd.concat(
        [table.iloc[[5, 7]], table.iloc[20:40].assign(x=2 * table["x"]), table.iloc[[9]].assign(y=target[-9])]
    )
    task = tasks.from_frame(table, target="y", test=test, name="t")
    assert task.n_repeated == 2 + (target[9] == target[-9])
    assert tasks.from_frame(table, target="y", test=test.iloc[2:20], name="t").n_repeated == 0
    assert tasks.from_frame(table, target="y", name="t").n_repeated == 0


def test_rows_of_a_few_categories_repeat_by_nature() -> None:
    table = pd.DataFrame({"a": RNG.integers(0, 3, N), "b": RNG.choice(["p", "q"], N), "y": RNG.permutation(CLASSES)})
    assert tasks.from_frame(table.iloc[:150], target="y", test=table.iloc[150:], name="t").n_repeated == 0


def test_a_table_with_few_rows_and_tasks_without_columns() -> None:
    table = pd.DataFrame({"id": range(12), "y": [0, 1] * 6})
    assert tasks.from_frame(table, target="y", name="t").doubts == ()
    iris = tasks.get("iris")
    assert isinstance(iris, tasks.ArrayTask)
    assert iris.doubts == ()
