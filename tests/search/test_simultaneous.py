"""Decisions about several pairs at once: Tukey's studentized range, and Holm's levels."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from cooldown.search.statistics.intervals import mean_interval
from cooldown.search.statistics.simultaneous import holm_levels, p_value, two_way
from cooldown.search.statistics.tukey import studentized_range_quantile


@pytest.mark.parametrize(("groups", "degrees"), [(2, 1), (2, 4), (3, 2), (3, 8), (5, 4), (5, 16), (8, 133), (20, 19)])
def test_quantiles_are_scipys(groups: int, degrees: int) -> None:
    for probability in (0.9, 0.95, 0.99):
        quantile = studentized_range_quantile(probability, groups, degrees)
        # scipy searches for its own quantile, which takes long.
        assert scipy.stats.studentized_range.cdf(quantile, groups, degrees) == pytest.approx(probability, abs=1e-10)


def test_a_quantile_from_the_table() -> None:
    # The table of any textbook: 5 groups, 16 degrees of freedom, 5 %.
    assert studentized_range_quantile(0.95, 5, 16) == pytest.approx(4.33, abs=0.005)


def test_a_range_is_below_its_quantile_as_often_as_it_says() -> None:
    """Drawn: means of 4 groups in units of an independent estimate of their error, of 6 degrees of freedom."""
    rng = np.random.default_rng(0)
    ranges = np.ptp(rng.normal(size=(40_000, 4)), axis=1) / np.sqrt(rng.chisquare(6, 40_000) / 6)
    for probability in (0.9, 0.95):
        assert np.mean(ranges <= studentized_range_quantile(probability, 4, 6)) == pytest.approx(probability, abs=0.005)


@pytest.mark.parametrize(("probability", "groups", "degrees"), [(0.0, 3, 4), (1.0, 3, 4), (0.95, 1, 4), (0.95, 3, 0)])
def test_what_has_no_quantile_is_refused(probability: float, groups: int, degrees: int) -> None:
    with pytest.raises(ValueError, match="studentized_range_quantile"):
        studentized_range_quantile(probability, groups, degrees)


def test_of_two_arms_tukeys_interval_is_the_paired_t_interval() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 6))
    own, layout = mean_interval(values[0] - values[1]), two_way(values)
    assert layout.half_width(0.05) == pytest.approx((own.high - own.low) / 2)
    assert layout.level_of_one(0.05) == pytest.approx(0.05)


def test_a_hand_computed_layout() -> None:
    # Without the means of arms and repeats ±0.5 are left, and one more with (3 − 1)(2 − 1) = 2 degrees of freedom.
    values = np.array([[0.0, 1.0], [1.0, 3.0], [5.0, 5.0]])
    residuals = np.array([[0.0, 0.0], [-0.5, 0.5], [0.5, -0.5]])
    layout = two_way(values)
    assert (layout.arms, layout.degrees) == (3, 2)
    assert layout.error == pytest.approx(np.sqrt((residuals**2).sum() / 2 / 2))


def test_a_layout_takes_two_of_each() -> None:
    for shape in ((1, 3), (3, 1)):
        with pytest.raises(ValueError, match="at least 2 arms and 2 repeats"):
            two_way(np.zeros(shape))


def test_all_of_tukeys_intervals_hold_at_once() -> None:
    """Five equal arms whose repeats are easy or hard for all: some interval excludes 0 in about 5 % of experiments."""
    rng, false = np.random.default_rng(1), 0
    for _ in range(2000):
        values = rng.normal(0, 1, (1, 5)) + rng.normal(0, 0.3, (5, 5))
        false += np.ptp(values.mean(axis=1)) > two_way(values).half_width(0.05)
    assert false / 2000 == pytest.approx(0.05, abs=0.015)


@given(st.lists(st.floats(0, 0.2), max_size=7, unique=True))
def test_holm_against_its_definition(p_values: list[float]) -> None:
    """A hypothesis is rejected if it and every smaller one pass their step, and only then is it below its level."""
    ranked, rejected = sorted(p_values), set()
    for rank, p in enumerate(ranked):
        if all(ranked[k] <= 0.05 / (len(ranked) - k) for k in range(rank + 1)):
            rejected.add(p)
    levels = holm_levels(p_values, 0.05)
    assert [p <= level for p, level in zip(p_values, levels, strict=True)] == [p in rejected for p in p_values]


def test_hand_computed_levels() -> None:
    # Steps 0.0125, 0.0167, 0.025, 0.05: the third fails, and the fourth is not tested any more.
    assert holm_levels([0.04, 0.01, 0.03, 0.015], 0.05) == pytest.approx([0.025, 0.0125, 0.025, 0.05 / 3])
    assert holm_levels([], 0.05) == []


def test_a_p_value_is_scipys() -> None:
    values = np.array([0.1, 0.4, -0.2, 0.3])
    assert p_value(mean_interval(values)) == pytest.approx(scipy.stats.ttest_1samp(values, 0).pvalue)
    assert (p_value(mean_interval(np.zeros(3))), p_value(mean_interval(np.ones(3)))) == (1, 0)
