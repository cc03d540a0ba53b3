"""The forecast: power against scipy and simulation, the number it names, and what may not change it."""

from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cooldown.search.statistics.forecast import power, repeats_to_decide

MARGIN = 0.1
# Ratio and standard deviation, as measured on the built-in tasks: shared/PROTOCOL's table.
EFFECTS = [(1.39, 0.50), (0.99, 0.48), (1.02, 0.23), (1.02, 0.06), (1.09, 0.16), (1 / 1.39, 0.50), (1 / 1.09, 0.16)]
samples = hnp.arrays(np.float64, st.integers(3, 10), elements=st.floats(-2, 2, width=16))


def exactly(effect: float, deviation: float) -> Any:
    """Three repeats with this mean and this standard deviation."""
    return effect + deviation * np.array([-1.0, 0.0, 1.0])


def decided(x: Any, margin: float, level: float, question: bool) -> Any:
    """By scipy's intervals, which rows of x (experiments, repeats) are decided."""
    at = {"df": x.shape[1] - 1, "loc": x.mean(axis=1), "scale": scipy.stats.sem(x, axis=1)}
    low, high = scipy.stats.t.interval(1 - level, **at)
    inner_low, inner_high = scipy.stats.t.interval(1 - 2 * level, **at)
    bound = np.log(1 + margin)
    return (high < 0) | (low > (-bound if question else 0)) | ((inner_low > -bound) & (inner_high < bound))


@pytest.mark.parametrize("question", [True, False])
@pytest.mark.parametrize("level", [0.05, 0.0095])
@pytest.mark.parametrize(
    ("effect", "deviation", "repeats"),
    [(0.33, 0.5, 13), (-0.33, 0.5, 5), (0.0, 0.1, 5), (-0.05, 0.1, 20), (0.02, 0.06, 4), (-0.095, 0.1, 3), (0, 1, 2)],
)
def test_power_against_simulation(effect: float, deviation: float, repeats: int, level: float, question: bool) -> None:
    x = np.random.default_rng(3).normal(effect, deviation, (40_000, repeats))
    share = decided(x, MARGIN, level, question).mean()
    # Four standard errors of a share of a half.
    assert power(effect, deviation, repeats, MARGIN, level, question=question) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize(("effect", "repeats"), [(0.5, 10), (-0.5, 10), (1.2, 5), (0.2, 100), (0.0, 7)])
def test_without_a_margin_it_is_the_power_of_the_t_test(effect: float, repeats: int) -> None:
    limit, shift = scipy.stats.t.isf(0.025, repeats - 1), effect * np.sqrt(repeats)
    exact = scipy.stats.nct.sf(limit, repeats - 1, shift) + scipy.stats.nct.cdf(-limit, repeats - 1, shift)
    assert power(effect, 1.0, repeats, 0.0) == pytest.approx(exact, abs=2e-3)


@pytest.mark.parametrize(("ratio", "deviation"), EFFECTS)
def test_four_of_five_experiments_are_decided_at_the_number_named(ratio: float, deviation: float) -> None:
    effect = float(np.log(ratio))
    number = repeats_to_decide(exactly(effect, deviation), MARGIN)
    assert number is not None
    x = np.random.default_rng(5).normal(effect, deviation, (4000, number))
    share = decided(x, MARGIN, 0.05, question=True).mean()
    # Three standard errors below; above, as much as one repeat is worth, which is little where many are needed.
    assert 0.78 <= share <= (0.84 if number > 12 else 0.9)


@given(samples, st.sampled_from([0.0, 0.1, 0.5]), st.booleans())
def test_the_number_is_the_first_with_enough_power(x: Any, margin: float, question: bool) -> None:
    number = repeats_to_decide(x, margin, question=question)

    def reached(n: int) -> float:
        ordered = np.sort(x)
        return power(float(ordered.mean()), float(ordered.std(ddof=1)), n, margin, question=question)

    if number is None:
        assert reached(1000) < 0.8
    else:
        assert len(x) < number <= 1000
        assert reached(number) >= 0.8
        assert number == len(x) + 1 or reached(number - 1) < 0.8


@given(samples, st.data())
def test_the_order_of_repeats_is_no_matter(x: Any, data: Any) -> None:
    order = data.draw(st.permutations(range(len(x))))
    assert repeats_to_decide(x[order], MARGIN) == repeats_to_decide(x, MARGIN)


@given(samples)
def test_swapping_the_arms_changes_nothing_but_for_the_question(x: Any) -> None:
    assert repeats_to_decide(-x, MARGIN, question=False) == repeats_to_decide(x, MARGIN, question=False)


@given(samples, st.sampled_from([0.25, 4.0, 1024.0]))
def test_without_a_margin_the_unit_is_no_matter(x: Any, factor: float) -> None:
    assert repeats_to_decide(factor * x, 0.0) == repeats_to_decide(x, 0.0)


@given(st.floats(-1, 1), st.floats(0.01, 1), st.integers(2, 100), st.booleans())
def test_power_is_a_probability_and_grows_with_what_counts(
    effect: float, deviation: float, repeats: int, question: bool
) -> None:
    found = power(effect, deviation, repeats, MARGIN, question=question)
    assert 0 <= found <= 1
    assert power(effect, deviation, repeats, 2 * MARGIN, question=question) >= found - 1e-9
    assert power(effect, deviation, repeats, MARGIN, 0.01, question=question) <= found + 1e-9
    assert power(effect, deviation, repeats, MARGIN, question=False) <= found + 1e-9


def test_a_stricter_look_takes_more_repeats() -> None:
    x = exactly(0.33, 0.5)
    numbers = [repeats_to_decide(x, MARGIN, level) for level in (0.05, 0.02, 0.01)]
    assert numbers == sorted(numbers, key=lambda number: number or 0)
    assert len(set(numbers)) == 3


def test_the_question_is_answered_sooner_than_a_direction() -> None:
    # Here a leads by nothing: "not better by the margin" is shown before "practically equal".
    x = exactly(0.02, 0.23)
    asked, pair = repeats_to_decide(x, MARGIN), repeats_to_decide(x, MARGIN, question=False)
    assert asked is not None
    assert pair is not None
    assert asked < pair


def test_where_there_is_no_number() -> None:
    assert repeats_to_decide(np.array([0.1, 0.3]), MARGIN) is None
    assert repeats_to_decide(np.empty(0), MARGIN) is None
    assert repeats_to_decide(exactly(0.0, 1.0), 0.0) is None
    assert repeats_to_decide(exactly(-0.01, 0.48), MARGIN, most=50) is None
    assert repeats_to_decide(exactly(0.33, 0.5), MARGIN, most=3) is None
    assert repeats_to_decide(exactly(0.33, 0.5), MARGIN, most=13) == 13


def test_repeats_without_any_spread() -> None:
    assert repeats_to_decide(np.zeros(3), MARGIN) == 4
    assert repeats_to_decide(np.full(3, -0.2), MARGIN) == 4
    assert repeats_to_decide(np.zeros(3), 0.0) is None
    assert power(0.2, 0.0, 5, MARGIN, question=False) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.array([1.0, np.nan, 2.0]), 0.1), "x must be finite"),
        ((np.array([1.0, np.inf, 2.0]), 0.1), "x must be finite"),
        ((np.array([1e300, -1e300, 0.0]), 0.1), "mean and deviation must be finite"),
        ((np.ones((3, 2)), 0.1), "of shape \\(repeats,\\), got shape \\(3, 2\\)"),
        ((np.ones(4), -0.1), "margin must be a finite share of at least 0, got -0.1"),
        ((np.ones(2), float("nan")), "margin must be a finite share of at least 0, got nan"),
        ((np.ones(4), 0.1, 0.0), "level must be between 0 and 0.5, got 0.0"),
        ((np.ones(4), 0.1, 0.5), "level must be between 0 and 0.5, got 0.5"),
    ],
)
def test_what_is_no_forecast(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        repeats_to_decide(*arguments)


def test_what_has_no_power() -> None:
    with pytest.raises(ValueError, match="needs at least 2 repeats, got 1"):
        power(0.1, 0.2, 1, MARGIN)
    with pytest.raises(ValueError, match=r"deviation at least 0: 0\.1, -0\.2"):
        power(0.1, -0.2, 5, MARGIN)
