"""Time to target: a censored repeat counts, and the two arms are treated alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cooldown.search.statistics.target import (
    TargetRatio,
    TargetTimes,
    evaluations_to_target,
    target_ratio,
    target_times,
)

INF = float("inf")
BUDGET = 1000.0

times = st.one_of(st.floats(1, BUDGET), st.just(INF))
pairs = st.lists(st.tuples(times, times), min_size=1, max_size=8).map(lambda rows: np.array(rows).T)


@pytest.mark.parametrize(
    ("target", "expected"),
    [(0.95, 10.0), (0.5, 20.0), (0.49, 40.0), (0.4, 40.0), (0.39, INF)],
)
def test_the_first_epoch_at_or_below_the_target_counts(target: float, expected: float) -> None:
    losses = np.array([0.9, 0.5, 0.6, 0.4])
    assert evaluations_to_target(losses, np.array([10.0, 20.0, 30.0, 40.0]), target) == expected


def test_a_diverged_epoch_does_not_reach_the_target_but_an_earlier_one_keeps_its_time() -> None:
    evaluations = np.array([10.0, 20.0, 30.0])
    assert evaluations_to_target(np.array([0.9, np.nan, INF]), evaluations, 0.5) == INF
    assert evaluations_to_target(np.array([np.nan, 0.4, np.nan]), evaluations, 0.5) == 20


@pytest.mark.parametrize(
    ("losses", "evaluations", "target", "rule"),
    [
        ([0.9, 0.5], [10.0], 0.5, "one shape"),
        ([[0.9, 0.5]], [[10.0, 20.0]], 0.5, "one shape"),
        ([0.9, 0.5], [10.0, 20.0], np.nan, "target must be finite"),
        ([0.9, 0.5], [10.0, 10.0], 0.5, "rising"),
        ([0.9, 0.5], [0.0, 10.0], 0.5, "above 0"),
        ([0.9, 0.5], [10.0, np.nan], 0.5, "finite"),
        ([0.9, 0.5], [10.0, INF], 0.5, "finite"),
    ],
)
def test_a_bad_curve_raises(losses: list[float], evaluations: list[float], target: float, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        evaluations_to_target(np.array(losses), np.array(evaluations), target)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([30.0, 10.0, 20.0], TargetTimes(20.0, 3, 3)),
        ([30.0, 10.0, INF], TargetTimes(30.0, 2, 3)),  # not 20, the median of those that got there
        ([INF, 10.0, INF], TargetTimes(None, 1, 3)),
        ([10.0, 20.0, 40.0, INF], TargetTimes(30.0, 3, 4)),
        ([10.0, 20.0, INF, INF], TargetTimes(None, 2, 4)),
        ([INF, INF], TargetTimes(None, 0, 2)),
        ([7.0], TargetTimes(7.0, 1, 1)),
    ],
)
def test_the_median_is_over_all_repeats(values: list[float], expected: TargetTimes) -> None:
    assert target_times(np.array(values)) == expected


@pytest.mark.parametrize("values", [[], [[1.0, 2.0]], [1.0, np.nan], [0.0, 1.0], [-1.0, 1.0]])
def test_bad_times_raise(values: list[float]) -> None:
    bad = np.array(values)
    with pytest.raises(ValueError, match=r"target_times\(times="):
        target_times(bad)
    with pytest.raises(ValueError, match=r"target_ratio\(a="):
        target_ratio(bad, np.array([1.0, 2.0]), BUDGET, BUDGET)
    with pytest.raises(ValueError, match=r"target_ratio\(b="):
        target_ratio(np.array([1.0, 2.0]), bad, BUDGET, BUDGET)


def test_unpaired_repeats_and_bad_budgets_raise() -> None:
    two, three = np.array([1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="paired"):
        target_ratio(two, three, BUDGET, BUDGET)
    for bad in (0.0, -1.0, INF, np.nan):
        with pytest.raises(ValueError, match="budget_a must be finite and above 0"):
            target_ratio(two, two, bad, BUDGET)
        with pytest.raises(ValueError, match="budget_b must be finite and above 0"):
            target_ratio(two, two, BUDGET, bad)


def test_the_ratio_is_the_geometric_mean_by_hand() -> None:
    result = target_ratio(np.array([20.0, 80.0]), np.array([10.0, 10.0]), BUDGET, BUDGET)
    assert result.ratio == pytest.approx(4)  # √(2 · 8)
    assert (result.censored_a, result.censored_b, result.bound) == (0, 0, None)


def test_the_interval_is_that_of_the_paired_t_test_on_logarithms() -> None:
    a, b = np.array([120.0, 300.0, 210.0, 90.0, 150.0]), np.array([100.0, 180.0, 220.0, 40.0, 90.0])
    result = target_ratio(a, b, BUDGET, BUDGET)
    expected = stats.ttest_rel(np.log(a), np.log(b)).confidence_interval(0.95)
    assert (result.low, result.high) == pytest.approx((np.exp(expected.low), np.exp(expected.high)))
    assert result.ratio == pytest.approx(stats.gmean(a / b))


def test_a_censored_repeat_counts_as_its_own_budget_and_says_so() -> None:
    a, b = np.array([20.0, INF]), np.array([10.0, 10.0])
    result = target_ratio(a, b, 80.0, BUDGET)
    assert result.ratio == pytest.approx(4)  # √(2 · 80/10); without the censored repeat it would be 2
    assert (result.censored_a, result.censored_b, result.bound) == (1, 0, "at_least")
    other = target_ratio(b, a, BUDGET, 80.0)
    assert other.ratio == pytest.approx(1 / 4)
    assert (other.censored_a, other.censored_b, other.bound) == (0, 1, "at_most")


@pytest.mark.parametrize("a", [[20.0, INF], [INF, 20.0]])
def test_with_both_censored_the_side_is_unknown(a: list[float]) -> None:
    result = target_ratio(np.array(a), np.array([10.0, INF]), BUDGET, BUDGET)
    assert (result.censored_a, result.censored_b, result.bound) == (1, 1, "unknown")
    assert result.ratio is not None


def test_where_nobody_reached_the_target_there_is_no_ratio() -> None:
    never = np.array([INF, INF, INF])
    assert target_ratio(never, never, 100.0, 200.0) == TargetRatio(None, None, None, 3, 3, "unknown")


def test_one_arm_that_never_got_there_still_bounds_the_ratio() -> None:
    result = target_ratio(np.array([INF, INF]), np.array([10.0, 20.0]), 80.0, 80.0)
    assert result.ratio == pytest.approx(32**0.5)
    assert result.bound == "at_least"


def test_reaching_the_target_with_the_last_evaluation_is_not_censored_and_past_the_budget_is() -> None:
    b = np.array([10.0, 10.0])
    assert target_ratio(np.array([80.0, 20.0]), b, 80.0, 80.0).bound is None
    assert target_ratio(np.array([81.0, 20.0]), b, 80.0, 80.0) == target_ratio(np.array([INF, 20.0]), b, 80.0, 80.0)


def test_one_repeat_has_a_ratio_but_no_interval() -> None:
    result = target_ratio(np.array([20.0]), np.array([10.0]), BUDGET, BUDGET)
    assert result.ratio == pytest.approx(2)
    assert result.low is None
    assert result.high is None


@given(pairs)
def test_swapping_the_arms_inverts_everything(pair: np.ndarray) -> None:
    a, b = pair
    one, other = target_ratio(a, b, BUDGET, 2 * BUDGET), target_ratio(b, a, 2 * BUDGET, BUDGET)
    mirrored = {"at_least": "at_most", "at_most": "at_least", "unknown": "unknown", None: None}
    assert other.bound == mirrored[one.bound]
    assert (other.censored_a, other.censored_b) == (one.censored_b, one.censored_a)
    for mine, its in ((one.ratio, other.ratio), (one.low, other.high), (one.high, other.low)):
        assert (mine is None) == (its is None)
        if mine is not None and its is not None:
            assert mine * its == pytest.approx(1)


@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_repeats_does_not_matter(pair: np.ndarray, random: object) -> None:
    order = list(range(pair.shape[1]))
    random.shuffle(order)  # type: ignore[attr-defined]
    (a, b), (c, d) = pair, pair[:, order]
    one, other = target_ratio(a, b, BUDGET, BUDGET), target_ratio(c, d, BUDGET, BUDGET)
    for mine, its in ((one.ratio, other.ratio), (one.low, other.low), (one.high, other.high)):
        assert mine == (None if its is None else pytest.approx(its))
    assert (one.bound, one.censored_a, one.censored_b) == (other.bound, other.censored_a, other.censored_b)
    assert target_times(pair[0]) == target_times(pair[0][order])


@given(pairs)
def test_a_longer_time_only_ever_raises_what_at_least_bounds(pair: np.ndarray) -> None:
    a, b = pair
    result = target_ratio(a, b, BUDGET, BUDGET)
    # The truth behind a censored time is anything past the budget; a longer budget shows it.
    truth = target_ratio(np.where(np.isinf(a), 5 * BUDGET, a), b, 10 * BUDGET, BUDGET)
    if result.bound == "at_least":
        assert result.ratio is not None
        assert truth.ratio is not None
        assert truth.bound is None
        assert truth.ratio > result.ratio
