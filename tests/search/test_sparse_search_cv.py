"""`ScheduledSearchCV` on sparse rows: they stay sparse from `fit` to `predict`, in every container of scipy's."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.model_selection import cross_val_score

from cooldown.estimators import ScheduledMLPClassifier, ScheduledMLPRegressor, ScheduledSearchCV
from cooldown.objectives.data.sparse_features import FilledColumns

N, D = 90, 300
QUICK = {"seeds": 1, "finalists": 1, "finalist_seeds": 1, "confirm_seeds": 1, "generation": 1}


def rows() -> tuple[Any, Any]:
    """Rows with five filled cells each, one of which tells the class."""
    rng = np.random.default_rng(0)
    y = np.arange(N) % 3
    filled = np.column_stack([y, rng.integers(3, D, (N, 4))])
    X = sparse.csr_array((np.ones(filled.size), filled.ravel(), np.arange(0, filled.size + 1, 5)), (N, D))
    X.sum_duplicates()
    return X, np.array(["a", "b", "c"])[y]


def search(estimator: Any = None, **parameters: Any) -> ScheduledSearchCV:
    given = {"arms": ["adam"], "trials": 1, "repeats": 1, "compare_params": QUICK, "random_state": 0, **parameters}
    return ScheduledSearchCV(estimator or ScheduledMLPClassifier((8,), epochs=20), **given)


@pytest.fixture(scope="module")
def fitted() -> ScheduledSearchCV:
    return search(workers=1).fit(*rows())


def test_sparse_rows_are_searched_and_predicted(fitted: ScheduledSearchCV, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = rows()
    # The columns that two rows fill, of which the network has weights.
    kept = int((np.bincount(X.indices, minlength=D) >= 2).sum())
    assert fitted.best_estimator_.named_steps["network"].n_features_in_ == kept < D
    assert fitted.n_features_in_ == D
    assert fitted.score(X, y) > 0.9
    expected = fitted.predict_proba(X)
    assert np.allclose(fitted.predict_proba(X.toarray()), expected)
    monkeypatch.setattr(sparse.csr_array, "toarray", lambda *_: pytest.fail("made dense"))
    monkeypatch.setattr(FilledColumns, "fit", lambda *_: pytest.fail("fitted again"))
    assert np.array_equal(fitted.predict_proba(X), expected)


@pytest.mark.parametrize("name", ["csr_array", "csc_array", "coo_array", "csr_matrix", "csc_matrix", "coo_matrix"])
def test_every_container_gives_the_same_bits(fitted: ScheduledSearchCV, name: str) -> None:
    X, y = rows()
    held = getattr(sparse, name)(X)
    if name != "csr_array" and name.endswith("array"):
        again = search().fit(held, y)
        assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert np.array_equal(fitted.predict(held), fitted.predict(X))


def test_a_cross_validation_splits_sparse_rows() -> None:
    X, y = rows()
    assert cross_val_score(search(), X, y, cv=2).min() > 0.6


def test_a_regressor_and_weights_take_sparse_rows() -> None:
    X, _ = rows()
    y = np.arange(N) % 3 * 10.0
    weights = np.ones(N)
    weights[-10:] = 0
    found = search(ScheduledMLPRegressor((8,), epochs=30)).fit(X, y, sample_weight=weights)
    assert found.score(X[:-10], y[:-10]) > 0.5


def test_a_search_of_dense_rows_refuses_sparse_ones() -> None:
    X, y = rows()
    dense = search(ScheduledMLPClassifier((), epochs=1)).fit(X.toarray(), y)
    with pytest.raises(TypeError, match="Sparse data was passed for X, but dense data is required"):
        dense.predict(X)
