"""What is done without scikit-learn, for the sake of its import, is what scikit-learn does: to the last bit."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from cooldown.objectives import tasks
from cooldown.objectives.data import shipped
from cooldown.objectives.data.drawing import drawn
from cooldown.objectives.data.scaling import Scale
from cooldown.objectives.errors import InputError

SHIPPED = ("digits", "iris", "wine", "breast_cancer")


@given(
    counts=st.lists(st.integers(1, 60), min_size=1, max_size=12),
    fraction=st.sampled_from((0.2, 0.25)),
    random_state=st.integers(0, 2**32 - 1),
    stratified=st.booleans(),
)
def test_rows_are_drawn_as_by_train_test_split(
    counts: list[int], fraction: float, random_state: int, stratified: bool
) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    rows = np.arange(5, 5 + len(labels))
    if len(rows) < 2:
        return
    classes = labels if stratified else None
    try:
        expected = train_test_split(rows, test_size=fraction, random_state=random_state, stratify=classes)
    except ValueError:
        with pytest.raises(InputError, match="too few to hold out"):
            drawn(rows, fraction, classes, random_state)
        return
    for got, part in zip(drawn(rows, fraction, classes, random_state), expected, strict=True):
        assert got.tolist() == sorted(part)


@given(
    X=arrays.arrays(
        np.float64,
        st.tuples(st.integers(1, 40), st.integers(1, 5)),
        elements=st.floats(-1e12, 1e12, allow_subnormal=False) | st.sampled_from((0.1, 1 / 3)),
    ),
    fortran=st.booleans(),
)
def test_columns_are_scaled_as_by_the_standard_scaler(X: np.ndarray, fortran: bool) -> None:
    scaler = StandardScaler().fit(X)
    scale = Scale.of(np.asfortranarray(X) if fortran else X)
    np.testing.assert_array_equal(scale.mean, scaler.mean_)
    np.testing.assert_array_equal(scale.variance, scaler.var_)
    np.testing.assert_array_equal(scale.scale, scaler.scale_)
    np.testing.assert_array_equal(scale.transform(X), scaler.transform(X))


def test_a_column_of_equal_rows_is_not_blown_up() -> None:
    assert Scale.of(np.full((7, 1), 0.1)).scale.tolist() == [1.0]


@pytest.mark.parametrize("name", [*SHIPPED, "diabetes", "sparse_text"])
def test_the_features_are_those_of_the_preprocessor(name: str) -> None:
    task = tasks.get(name)
    split = task.split(0, 1, 2)
    rows = np.concatenate([split.train, split.validation])
    expected = task.preprocessor().fit(task.data[0][split.train]).transform(task.data[0][rows])
    np.testing.assert_array_equal(task.problem(split.train, split.validation).model.X, expected)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("found", [True, False], ids=["file", "function"])
def test_shipped_data_are_those_of_scikit_learn(
    name: str, found: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not found:
        monkeypatch.setattr(shipped, "_folder", lambda: tmp_path)
    X, y = tasks.get(name).load()
    expected_X, expected_y = getattr(datasets, f"load_{name}")(return_X_y=True)
    np.testing.assert_array_equal(X, expected_X)
    np.testing.assert_array_equal(y, expected_y)
