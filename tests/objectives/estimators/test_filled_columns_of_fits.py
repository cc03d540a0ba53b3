"""A fit on sparse rows trains the columns that its rows fill, with the bits of a fit on all columns."""

import pickle
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from cooldown.estimators import ScheduledMLPClassifier
from cooldown.objectives import optimizers
from cooldown.objectives.estimators import _base, _filled

N, D = 60, 2000


def rows(seed: int = 0, n: int = N) -> tuple[Any, Any]:
    """Rows with five filled cells each, one of which tells the class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    filled = np.column_stack([y * 400, rng.integers(0, D // 2, (n, 4)) * 2 + 1])
    X = csr_array((rng.uniform(0.5, 1.5, filled.size), filled.ravel(), np.arange(0, filled.size + 1, 5)), (n, D))
    X.sum_duplicates()
    return X, y


def classifier(**parameters: Any) -> ScheduledMLPClassifier:
    given = {"hidden_layer_sizes": (8,), "epochs": 4, "batch_size": 16, "n_seeds": 2, "random_state": 0, **parameters}
    return ScheduledMLPClassifier(**given)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of columns that fits were narrowed to."""
    seen: list[int] = []
    inner = _filled.filled

    def counted(*arguments: Any) -> Any:
        found = inner(*arguments)
        if found is not None:
            seen.append(found[0].model.X.shape[1])
        return found

    monkeypatch.setattr(_base, "filled", counted)
    return seen


def both(monkeypatch: pytest.MonkeyPatch, **parameters: Any) -> tuple[Any, Any]:
    """A fit, and one that trains all columns."""
    X, y = rows()
    found = classifier(**parameters).fit(X, y)
    with monkeypatch.context() as patch:
        patch.setattr(_base, "filled", lambda *_: None)
        return found, classifier(**parameters).fit(X, y)


SAME = [
    {},
    {"optimizer": "momentum", "batch_norm": True},
    {"optimizer": "rmsprop", "dropout": 0.3, "dtype": "float64"},
    {"early_stopping": 1, "hidden_layer_sizes": ()},
    {"activation": "tanh", "hidden_layer_sizes": (8, 5)},
    {"optimizer": "sgd", "initialization": "zero"},
]


@pytest.mark.parametrize("parameters", SAME)
def test_the_bits_are_those_of_a_fit_on_all_columns(
    parameters: dict[str, Any], narrow: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, whole = both(monkeypatch, **parameters)
    (columns,) = narrow
    assert columns == len(np.unique(rows()[0].indices)) < D / 4
    assert np.array_equal(found._theta, whole._theta)
    assert np.array_equal(found.loss_curve_, whole.loss_curve_)
    assert np.array_equal(found.predict_proba(rows(1)[0]), whole.predict_proba(rows(1)[0]))
    for ours, others in zip(found.layers_, whole.layers_, strict=True):
        assert all(np.array_equal(*each) for each in zip(ours, others, strict=True))


def test_all_columns_are_drawn_only_when_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    found, whole = both(monkeypatch)
    X, unfilled = rows()[0], csr_array((3, D))
    for known in (X, X[:5], unfilled):
        assert np.array_equal(found.predict_proba(known), whole.predict_proba(known))
    assert "_theta" not in vars(found)
    copied = pickle.loads(pickle.dumps(found))
    assert len(pickle.dumps(found)) < len(pickle.dumps(whole)) / 4
    for each in (found, copied):
        assert np.array_equal(each.predict_proba(rows(1)[0]), whole.predict_proba(rows(1)[0]))
        assert np.array_equal(each.predict_proba(X), whole.predict_proba(X))
    assert "_theta" in vars(found)


def test_dense_rows_predict_like_sparse_ones_after_a_fit_on_some_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    found, whole = both(monkeypatch)
    dense = rows(1)[0].toarray()
    assert np.array_equal(found.predict_proba(dense), whole.predict_proba(dense))
    assert np.allclose(found.predict_proba(dense), found.predict_proba(rows(1)[0]))


def test_passes_and_fits_that_follow_begin_where_it_ended(narrow: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = rows(1)
    found, whole = both(monkeypatch, warm_start=True)
    for each in (found, whole):
        each.partial_fit(X, y)
    assert np.array_equal(found._theta, whole._theta)
    passes = classifier()
    for _ in range(4):
        passes.partial_fit(*rows(), classes=[0, 1, 2])
    assert np.array_equal(passes._theta, classifier().fit(*rows())._theta)
    monkeypatch.setattr(_base, "filled", lambda *_: None)
    whole.fit(X, y)
    monkeypatch.undo()
    found.fit(X, y)
    assert np.array_equal(found._theta, whole._theta)
    assert narrow


REACHING = [{"l2": 0.01}, {"weight_decay": 0.1}, {"gradient_noise": 0.01}, {"clip_norm": 1.0}, {"averaging": "ema"}]


@pytest.mark.parametrize("parameters", [*REACHING, {"sam": 0.05}, {"curriculum": "easy_to_hard"}])
def test_what_reaches_every_weight_trains_all_columns(parameters: dict[str, Any], narrow: list[int]) -> None:
    classifier(epochs=1, **parameters).fit(*rows())
    assert not narrow


DELAYED, STIRRING = ["adadelay", "delay_tolerant_adagrad"], ["adamax", "adamw", "lion"]
OTHERS = [
    *DELAYED,
    *STIRRING,
    "muon",
    "nadam",
    "prodigy",
    "radam",
    "schedule_free_adamw",
    "schedule_free_sgd",
    "yellowfin",
]


@pytest.mark.parametrize("name", optimizers.names())
def test_every_rule_has_the_bits_of_a_fit_on_all_columns(
    name: str, narrow: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, whole = both(monkeypatch, optimizer=name, epochs=1)
    assert bool(narrow) == (name not in OTHERS)
    assert np.array_equal(found._theta, whole._theta)
