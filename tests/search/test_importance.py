"""PED-ANOVA against Optuna's own evaluator, on random studies with every kind of hyperparameter."""

import warnings
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from cooldown.search.statistics.importance import (
    Cells,
    best_share,
    cells_of_choices,
    cells_of_numbers,
    pearson_importance,
)

RANGES: dict[str, BaseDistribution] = {
    "linear": FloatDistribution(-3.0, 5.0),
    "log": FloatDistribution(1e-5, 1.0, log=True),
    "one minus": FloatDistribution(1 - 0.999, 1 - 0.5, log=True),
    "single": FloatDistribution(0.5, 0.5),
    "few": IntDistribution(2, 5),
    "many": IntDistribution(0, 98),
    "one": IntDistribution(3, 3),
    "powers": IntDistribution(1, 1000, log=True),
    "choice": CategoricalDistribution(("a", "b", "c", "d")),
    "switch": CategoricalDistribution((False, True)),
}


def optunas(trials: list[dict[str, Any]], losses: NDArray[np.float64], share: float) -> dict[str, float]:
    study = optuna.create_study()
    for chosen, loss in zip(trials, losses.tolist(), strict=True):
        distributions = {name: RANGES[name] for name in chosen}
        study.add_trial(optuna.create_trial(params=chosen, distributions=distributions, value=loss))
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=share)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return evaluator.evaluate(study)


def cells(name: str, values: list[Any]) -> Cells:
    range_ = RANGES[name]
    if isinstance(range_, CategoricalDistribution):
        return cells_of_choices(values, range_.choices)
    assert isinstance(range_, FloatDistribution | IntDistribution)
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    integer = isinstance(range_, IntDistribution)
    return cells_of_numbers(numbers, range_.low, range_.high, log=range_.log, integer=integer)


def ours(trials: list[dict[str, Any]], losses: NDArray[np.float64], share: float) -> dict[str, float]:
    good = best_share(losses, share)
    names = {name for chosen in trials for name in chosen}
    return {name: pearson_importance(cells(name, [c.get(name) for c in trials]), good) for name in names}


def drawn(rng: np.random.Generator, range_: BaseDistribution) -> Any:
    """A value of a range, often one at its ends or one that is drawn again."""
    if isinstance(range_, CategoricalDistribution):
        return range_.choices[rng.integers(len(range_.choices))]
    assert isinstance(range_, FloatDistribution | IntDistribution)
    at = rng.choice([0.0, 1.0, 0.5, rng.uniform(), rng.beta(8, 3)])
    low, high = (np.log(range_.low), np.log(range_.high)) if range_.log else (range_.low, range_.high)
    value = low + at * (high - low)
    value = float(np.clip(np.exp(value) if range_.log else value, range_.low, range_.high))
    return round(value) if isinstance(range_, IntDistribution) else value


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 300),
    share=st.sampled_from([0.05, 0.1, 0.5, 0.9]),
    kept=st.sampled_from([1.0, 0.7, 0.05]),
    ties=st.booleans(),
)
def test_it_is_optunas(seed: int, n: int, share: float, kept: float, ties: bool) -> None:
    """kept: the share of trials that have a hyperparameter, as in a joint arm."""
    rng = np.random.default_rng(seed)
    trials = [{name: drawn(rng, range_) for name, range_ in RANGES.items() if rng.uniform() <= kept} for _ in range(n)]
    losses = np.array([trial.get("linear", 0) ** 2 + (trial.get("choice") == "b") for trial in trials], np.float64)
    losses += 0.0 if ties else rng.normal(size=n)
    expected = optunas(trials, losses, share)
    measured = ours(trials, losses, share)
    assert measured.keys() == expected.keys()
    for name, value in expected.items():
        assert measured[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name


def test_the_ranges_of_this_test_make_a_difference() -> None:
    """So that agreeing with Optuna is not agreeing on zeros."""
    rng = np.random.default_rng(0)
    trials = [{name: drawn(rng, range_) for name, range_ in RANGES.items()} for _ in range(200)]
    shares = ours(trials, np.array([trial["linear"] for trial in trials]), 0.1)
    assert shares["linear"] > 3 * max(share for name, share in shares.items() if name != "linear")
    assert {name for name, share in shares.items() if share == 0} == {"single", "one"}


def test_cells_by_hand() -> None:
    nan = float("nan")
    whole = cells_of_numbers(np.array([0.0, 1, 2, 3, nan, 98]), 0, 98, integer=True)
    assert (whole.count, whole.ordered) == (50, True)
    # Every other number lies halfway between two cells, and belongs to the lower.
    assert whole.cell.tolist() == [0, 0, 1, 1, -1, 49]
    assert cells_of_numbers(np.array([1.0, 10, 100]), 1, 100, log=True).cell.tolist() == [0, 24, 49]
    assert cells_of_numbers(np.array([7.0, nan]), 7, 7).cell.tolist() == [0, -1]
    choice = cells_of_choices(["b", None, "a"], ("a", "b"))
    assert (choice.cell.tolist(), choice.count, choice.ordered) == ([1, -1, 0], 2, False)


def test_the_best_share_by_hand() -> None:
    losses = np.array([3.0, 1.0, 2.0, 2.0, 5.0])
    assert best_share(losses, 0.2).tolist() == [False, True, False, False, False]
    assert best_share(losses, 0.3).tolist() == [False, True, True, True, False]
    assert best_share(losses, 1.0).all()


def test_where_all_are_good_nothing_matters() -> None:
    tried = cells_of_numbers(np.linspace(0, 1, 20), 0, 1)
    assert pearson_importance(tried, np.full(20, True)) == 0
