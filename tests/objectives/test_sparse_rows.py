"""Sparse rows train what dense ones train, in products and updates of what is filled."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_matrix, csr_array

from cooldown.objectives import TrainConfig, optimizers, tasks, train
from cooldown.objectives.data.sparse_features import FilledColumns
from cooldown.objectives.errors import InputError
from cooldown.objectives.models.initialization import initial
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.probes import probed
from cooldown.objectives.problem import Problem
from cooldown.objectives.random_streams import generator
from cooldown.objectives.training import filled_columns
from cooldown.objectives.training.engine import fit

N, D = 120, 40


def rows_of(columns: int = D, n: int = N) -> tuple[Any, Any]:
    """Rows with five filled cells each, one of which tells the class."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    filled = np.column_stack([y, rng.integers(3, columns, (n, 4))])
    X = csr_array((rng.uniform(0.5, 1.5, filled.size), filled.ravel(), np.arange(0, filled.size + 1, 5)), (n, columns))
    X.sum_duplicates()
    return X, y


def problem_of(X: Any, y: Any, hidden: tuple[int, ...] = (8,), **options: Any) -> Problem:
    model = MLP(X, y, hidden, 3, "cross_entropy", **options)
    return Problem(model, np.arange(90), np.arange(90, N), np.log(3))


def config(optimizer: str = "momentum", **settings: Any) -> TrainConfig:
    return TrainConfig.from_json(
        {"optimizer": {"name": optimizer, "learning_rate": 0.05}, "epochs": 3, "batch_size": 20, **settings}
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hidden", [(), (8,), (8, 5)])
def test_losses_gradients_and_measures_are_those_of_dense_rows(hidden: tuple[int, ...], dtype: Any) -> None:
    X, y = rows_of()
    sparse, dense = (problem_of(rows, y, hidden).differentiable for rows in (X, X.toarray()))
    rng = np.random.default_rng(1)
    theta = np.stack([dense.init(rng) for _ in range(3)]).astype(dtype)
    close = {"rtol": 1e-4, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-10, "atol": 1e-14}
    # Twice, as the second gradient is written over the first.
    for _ in range(2):
        batch = rng.integers(0, N, (3, 7))
        for found, expected in zip(
            sparse.loss_and_gradient(theta, batch), dense.loss_and_gradient(theta, batch), strict=True
        ):
            np.testing.assert_allclose(found, expected, **close)
    for found, expected in zip(sparse.evaluate(theta, np.arange(N)), dense.evaluate(theta, np.arange(N)), strict=True):
        np.testing.assert_allclose(found, expected, **close)


@pytest.mark.parametrize(
    "strategies", [{}, {"batch_norm": True}, {"dropout": 0.3}, {"sam": 0.05}, {"averaging": "ema"}]
)
def test_training_is_that_of_dense_rows_to_rounding(strategies: dict[str, Any]) -> None:
    X, y = rows_of()
    (sparse,), (dense,) = (
        train(problem_of(rows, y), [config(**strategies)], [3], dtype="float64")[0] for rows in (X, X.toarray())
    )
    np.testing.assert_allclose(sparse.held_out_loss, dense.held_out_loss, rtol=1e-6)
    np.testing.assert_allclose(sparse.train_loss, dense.train_loss, rtol=1e-6)


def test_a_replicate_has_the_same_bits_alone_and_with_others() -> None:
    problem = problem_of(*rows_of(columns=2000))
    for optimizer in ("momentum", "adagrad"):
        configs = [config(optimizer), config(optimizer, l2=0.0, clip_norm=1.0)]
        together = train(problem, configs, [0, 1, 2])
        for i, one in enumerate(configs):
            for j, seed in enumerate((0, 1, 2)):
                ((alone,),) = train(problem, [one], [seed])
                assert np.array_equal(alone.train_loss, together[i][j].train_loss)
                assert np.array_equal(alone.held_out_loss, together[i][j].held_out_loss)


IDLE = [name for name in optimizers.names() if optimizers.get(name).idle_without_gradient]


@pytest.mark.parametrize("optimizer", IDLE)
def test_updates_of_what_is_filled_give_the_bits_of_updates_of_all(
    optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    updated: list[int] = []
    problem = problem_of(*rows_of(columns=2000))
    unpack = filled_columns.FilledUpdate.__call__

    def counted(self: Any, theta: Any, *arguments: Any) -> None:
        inner = self._update
        self._update = lambda part, *others: updated.append(part.shape[1]) or inner(part, *others)
        unpack(self, theta, *arguments)
        self._update = inner

    monkeypatch.setattr(filled_columns.FilledUpdate, "__call__", counted)
    found = fit(problem, config(optimizer), [0, 1])
    # 20 rows of 5 cells, 8 hidden units.
    assert max(updated) < 20 * 5 * 8 + 100 < found.theta.shape[1] / 10
    monkeypatch.setattr(filled_columns, "MUCH", 1_000_000)
    whole = fit(problem, config(optimizer), [0, 1])
    assert np.array_equal(found.theta, whole.theta)


@pytest.mark.parametrize("settings", [{"l2": 0.01}, {"gradient_noise": 0.01}, {"weight_decay": 0.1}])
def test_strategies_that_reach_every_weight_do_so(settings: dict[str, Any]) -> None:
    X, y = rows_of(columns=2000)
    (sparse,), (dense,) = (
        train(problem_of(rows, y), [config("sgd", **settings)], [3], dtype="float64")[0] for rows in (X, X.toarray())
    )
    np.testing.assert_allclose(sparse.held_out_loss, dense.held_out_loss, rtol=1e-6)


@pytest.mark.parametrize("strategies", [{}, {"batch_norm": True}, {"early_stopping": 1}])
def test_probes_of_sparse_rows_are_those_of_dense_rows(strategies: dict[str, Any]) -> None:
    X, y = rows_of(columns=300)
    sparse, dense = (probed(problem_of(rows, y), config("adam", **strategies), 0) for rows in (X, X.toarray()))
    assert sparse is not None
    assert dense is not None
    assert np.isfinite(sparse.sharpness)
    assert np.array_equal(sparse.ablation, dense.ablation)
    for name, value in dense.to_json().items():
        assert sparse.to_json()[name] == pytest.approx(value, rel=1e-4), name


def test_a_task_of_sparse_rows_keeps_what_two_rows_fill() -> None:
    X, y = rows_of(columns=500)
    task = tasks.from_arrays(coo_matrix(X), y)
    assert task.is_sparse
    problems = task.search_problems(0, 0, [1, 2])
    model = problems[0].model
    assert isinstance(model, MLP)
    assert problems[1].model is model
    rest = task.split(0, 0, 1).rest
    filled = np.bincount(X[rest].indices, minlength=500) >= 2
    assert model.X.shape == (2 * len(rest), filled.sum())
    # Each column is divided by its largest absolute value among the training rows.
    assert np.abs(model.X[problems[0].train]).max() == 1
    evaluated = task.evaluation_problems(0, 0, [1])[0]
    assert evaluated.differentiable.size == problems[0].differentiable.size


def test_the_fingerprint_of_sparse_rows_is_that_of_their_cells() -> None:
    X, y = rows_of()
    changed = X.copy()
    changed.data[0] += 1
    prints = [tasks.from_arrays(rows, y).fingerprint() for rows in (X, coo_matrix(X), changed, X.toarray())]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_test_rows_of_sparse_rows_are_sparse_too() -> None:
    X, y = rows_of()
    task = tasks.from_arrays(X[:90], y[:90], test=(X[90:], y[90:]))
    assert task.test_rows is not None
    assert np.array_equal(task.test_rows, np.arange(90, N))
    assert task.n_repeated == 0
    assert tasks.from_arrays(X[:90], y[:90], test=(X[:9], y[:9])).n_repeated == 9
    with pytest.raises(InputError, match="X must be a sparse matrix where that of the training rows is one"):
        tasks.from_arrays(X[:90], y[:90], test=(X[90:].toarray(), y[90:]))


def test_sparse_rows_that_cannot_be_used_are_refused() -> None:
    X, y = rows_of()
    bad = X.copy()
    bad.data[7] = np.inf
    with pytest.raises(
        InputError, match=r"must be finite numbers up to 1e\+30, got inf at X\[1, \d+\] \(1 such cells\)"
    ):
        tasks.from_arrays(bad, y)
    with pytest.raises(InputError, match="a sparse matrix must hold numbers"):
        tasks.from_arrays(X.astype(complex), y)
    with pytest.raises(InputError, match="no column is filled in 2 of the 4 training rows"):
        FilledColumns().fit(csr_array(np.eye(4)))


def test_a_fitted_pipeline_takes_sparse_and_dense_rows() -> None:
    X, y = rows_of(columns=300)
    task = tasks.from_arrays(X, y)
    pipeline = task.fitted(replace(config("adam"), epochs=20))
    assert np.allclose(pipeline.predict_proba(X), pipeline.predict_proba(X.toarray()))
    assert (pipeline.predict(X) == y).mean() > 0.9


@pytest.mark.parametrize("scheme", ["auto", "he", "glorot", "poor", "large", "zero"])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_initial_weights_of_some_columns_are_those_of_a_draw_for_all(scheme, batch_norm):
    model = MLP(np.empty((0, 1300)), np.empty(0), (5,), 3, "cross_entropy", batch_norm=batch_norm)
    network = model.architecture
    rngs = [generator(0, "initial weights") for _ in range(3)]
    columns = np.array([0, 1, 3, 511, 512, 700, 1024, 1298])
    whole, everything = initial(network, rngs[0], scheme), initial(network, rngs[1], scheme, np.arange(1300))
    part = initial(network, rngs[2], scheme, columns)
    assert np.array_equal(everything, whole)
    assert np.array_equal(part[: 8 * 5].reshape(8, 5), whole[: 1300 * 5].reshape(1300, 5)[columns])
    assert np.array_equal(part[8 * 5 :], whole[1300 * 5 :])
    assert len({rng.bit_generator.random_raw() for rng in rngs}) == 1, "the stream goes on alike"
