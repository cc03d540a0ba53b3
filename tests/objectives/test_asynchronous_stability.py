"""Where asynchronous methods are stable on a parabola: exactly where theory says."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cooldown import TrainConfig, train
from cooldown.objectives.problem import Problem


class Parabola:
    """½hθ² for a single parameter."""

    size = 1

    def __init__(self, h: float = 1.0) -> None:
        self.h = h

    def init(self, rng: np.random.Generator) -> NDArray[np.float64]:
        return np.ones(1)

    def loss_and_gradient(self, theta: NDArray[Any], indices: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        del indices
        return 0.5 * self.h * theta[:, 0] ** 2, self.h * theta


def decays(method: dict[str, Any], rate: float, updates: int) -> bool:
    """Whether the parameter is nearer to 0 at the end than in the middle."""
    rows = np.arange(updates)
    problem = Problem(Parabola(), rows, rows[:1], 1.0)
    given = {"optimizer": {"name": "sgd", "learning_rate": rate}, "batch_size": 1, "epochs": 2, "asynchronous": method}
    [[curve]] = train(problem, [TrainConfig.from_json(given)], [0], dtype=np.float64, every_epoch=True)
    first, last = curve.train_loss if len(curve.train_loss) == 2 else (0.0, np.inf)
    return bool(last < first)


@pytest.mark.parametrize("workers", [1, 2, 3, 5, 17, 65])
def test_the_largest_stable_rate_with_stale_gradients(workers: int) -> None:
    """SURVEY's oracle: with the constant staleness τ, ηh < 2 sin(π/(2(2τ + 1)))."""
    bound = 2 * np.sin(np.pi / (2 * (2 * workers - 1)))
    method, updates = {"name": "hogwild", "workers": workers}, 200 * workers
    assert decays(method, 0.98 * bound, updates)
    assert not decays(method, 1.02 * bound, updates)


def elastic(alpha: float, workers: int) -> dict[str, Any]:
    return {"name": "easgd", "workers": workers, "exchange_every": 1, "elasticity": alpha * workers}


@pytest.mark.parametrize("rate", [0.2, 1.0, 1.6, 1.9])
@pytest.mark.parametrize("workers", [1, 3])
def test_the_region_of_stability_of_elastic_averaging(rate: float, workers: int) -> None:
    """The published one of round robin with an exchange before every step: α ≤ (4 − 2η)/(4 − η)."""
    bound = (4 - 2 * rate) / (4 - rate)
    assert decays(elastic(0.97 * bound, workers), rate, 700)
    assert not decays(elastic(1.03 * bound, workers), rate, 700)


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_elastic_averaging_is_stable_where_a_round_shrinks(workers: int) -> None:
    """A round of all workers is a linear map of centre and copies, whose spectral radius decides. With an even number
    of workers it is stable a little beyond the published region.
    """
    rng = np.random.default_rng(workers)
    seen = set()
    for rate, alpha in rng.uniform((0.0, 0.0), (2.0, 1.0), (8, 2)):
        whole = np.eye(workers + 1)
        for i in range(1, workers + 1):
            step = np.eye(workers + 1)
            step[0, [0, i]] = 1 - alpha, alpha
            step[i, [0, i]] = alpha, 1 - alpha - rate
            whole = step @ whole
        radius = np.abs(np.linalg.eigvals(whole)).max()
        if abs(radius - 1) > 0.01:
            seen.add(bool(radius < 1))
            assert decays(elastic(alpha, workers), rate, 500) == (radius < 1), (rate, alpha, radius)
    assert seen == {True, False}
