"""What `fit_best` gives of a model of the user's own: what training on all rows makes of it."""

from typing import Any

import numpy as np
import pytest

from cooldown import TrainConfig, compare, tasks
from cooldown.objectives.errors import CooldownWarning, InputError
from cooldown.objectives.problem import evaluate
from cooldown.objectives.random_streams import seeds
from cooldown.objectives.training.engine import fit

ROWS = 40
X = np.random.default_rng(0).normal(size=(ROWS, 3))
CONFIG = TrainConfig.from_json({"optimizer": {"name": "adam", "learning_rate": 0.05}, "batch_size": 8, "epochs": 4})


class Line:
    """A linear regression through the origin."""

    size = 3

    def init(self, rng: np.random.Generator) -> Any:
        return rng.normal(size=3)

    def loss_and_gradient(self, theta: Any, indices: Any) -> Any:
        rows = X[indices].astype(theta.dtype)
        errors = np.einsum("rbp,rp->rb", rows, theta) - rows @ np.array([1, 2, 3], theta.dtype)
        return np.square(errors).mean(axis=1), 2 * np.einsum("rbp,rb->rp", rows, errors) / indices.shape[1]


def of_model() -> tuple[Any, Any]:
    return tasks.from_model(Line(), n_samples=ROWS, name="line"), lambda theta: theta


def of_torch() -> tuple[Any, Any]:
    torch = pytest.importorskip("torch")
    task = tasks.from_torch(lambda: torch.nn.Linear(3, 1), X, X @ [1.0, 2.0, 3.0], name="line", device="cpu")
    return task, lambda module: torch.nn.utils.parameters_to_vector(module.parameters()).detach().numpy()


def of_jax() -> tuple[Any, Any]:
    jax = pytest.importorskip("jax")
    task = tasks.from_jax(
        lambda key: jax.random.normal(key, (3, 1)), lambda weights, rows: rows @ weights, X, X @ [1.0, 2.0, 3.0]
    )
    return task, lambda weights: np.asarray(weights).ravel()


@pytest.mark.parametrize("made", [of_model, of_torch, of_jax])
def test_a_model_of_ones_own_comes_back_trained_on_all_rows(made: Any) -> None:
    task, numbers = made()
    expected = fit(task.problem(np.arange(ROWS), np.array([], int)), CONFIG, seeds(3, "fitted", count=2)).theta
    one, both = task.fitted(CONFIG, 1, 3), task.fitted(CONFIG, 2, 3)
    np.testing.assert_array_equal(numbers(one), expected[0])
    assert len(both) == 2
    for model, theta in zip(both, expected, strict=True):
        np.testing.assert_array_equal(numbers(model), theta)


def test_a_run_that_reacts_watches_rows_that_it_is_not_trained_on() -> None:
    task, _ = of_model()
    early = TrainConfig.from_json(CONFIG.to_json() | {"early_stopping": 1, "epochs": 300})
    watched = task.split(3).test
    problem = task.problem(np.setdiff1d(np.arange(ROWS), watched), watched)
    np.testing.assert_array_equal(task.fitted(early, seed=3), fit(problem, early, seeds(3, "fitted", count=1)).theta[0])


def test_validation_rows_of_ones_own_are_those_that_are_watched() -> None:
    torch = pytest.importorskip("torch")
    target = X @ [1.0, 2.0, 3.0]
    task = tasks.from_torch(
        lambda: torch.nn.Linear(3, 1), X[:30], target[:30], validation=(X[30:], target[30:]), device="cpu"
    )
    early = TrainConfig.from_json(CONFIG.to_json() | {"early_stopping": 1})
    np.testing.assert_array_equal(task.watched_by_fit(early, 0), np.arange(30, 40))
    assert task.watched_by_fit(CONFIG, 0) is None


def test_seeds_that_diverge_are_left_out() -> None:
    class Sometimes(Line):
        def init(self, rng: np.random.Generator) -> Any:
            return np.full(3, rng.choice([1.0, 1e30]))

    task = tasks.from_model(Sometimes(), n_samples=ROWS, name="line", uninformed_loss=1.0)
    with pytest.warns(CooldownWarning, match=r"'line': \d of 8 seeds diverged and are left out; try a learning rate"):
        models = task.fitted(CONFIG, 8)
    assert 0 < len(models) < 8
    losses, _ = evaluate(Line(), np.stack(models), np.arange(ROWS))
    assert np.isfinite(losses).all()
    wild = TrainConfig.from_json({"optimizer": {"name": "sgd", "learning_rate": 1e20}, "epochs": 9})
    with pytest.raises(InputError, match="all 2 seeds diverged, so there is no model; try a learning rate below 1e"):
        task.fitted(wild, 2)
    for n_seeds in (0, 1.5, True):
        with pytest.raises(InputError, match="n_seeds must be a whole number of at least 1"):
            task.fitted(CONFIG, n_seeds)


def test_fit_best_is_the_winner_with_the_experiments_seed(tmp_path: Any) -> None:
    task, _ = of_model()
    small: dict[str, Any] = {"trials": 2, "repeats": 2, "epochs": 2, "finalists": 1, "workers": 1}
    result = compare(task, arms=["sgd", "adam"], db=tmp_path / "l.db", **small)
    for arm in ("sgd", "adam"):
        np.testing.assert_array_equal(
            result.fit_best(arm, n_seeds=2), task.fitted(result.best(arm), 2, result.record.spec["seed"])
        )
