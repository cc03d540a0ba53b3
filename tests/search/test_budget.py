"""Budget curves: what k trials buy in expectation, what they cost, and from which k on one arm is ahead."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.typing import NDArray
from scipy import stats

from cooldown.search.statistics.budget import (
    BudgetCurve,
    Crossover,
    best_so_far,
    budget_curve,
    crossover,
    expected_minimum,
    per_repeat_curves,
)

INF = float("inf")
NAN = float("nan")

Losses = NDArray[np.float64]

losses_or_inf = st_numpy.arrays(np.float64, st.integers(1, 8), elements=st.one_of(st.floats(-100, 100), st.just(INF)))
# Dyadic, so that their sums are exact and an order of summation cannot tip a tie.
dyadic = st.integers(-256, 256).map(lambda n: n / 64)


def pairs_of_curves(elements: st.SearchStrategy[float]) -> st.SearchStrategy[Losses]:
    return st_numpy.arrays(np.float64, st.tuples(st.just(2), st.integers(1, 6), st.integers(1, 6)), elements=elements)


@given(losses_or_inf)
def test_the_expected_minimum_is_the_mean_over_all_subsets(losses: Losses) -> None:
    sizes = range(1, len(losses) + 1)
    expected = [np.mean([min(subset) for subset in combinations(losses, k)]) for k in sizes]
    np.testing.assert_allclose(expected_minimum(losses), expected, rtol=1e-12, atol=1e-12)


def test_the_expected_minimum_by_hand() -> None:
    # Of {1, 2, 4}: pairs {1, 2}, {1, 4}, {2, 4}.
    np.testing.assert_allclose(expected_minimum(np.array([4.0, 1.0, 2.0])), [7 / 3, 4 / 3, 1.0], rtol=1e-15)
    # One trial in three diverged: it is a possible outcome of one trial, not of two.
    np.testing.assert_array_equal(expected_minimum(np.array([INF, 1.0, 1.0])), [INF, 1.0, 1.0])
    np.testing.assert_array_equal(expected_minimum(np.array([INF, INF])), [INF, INF])


@given(losses_or_inf)
def test_the_expected_minimum_runs_from_the_mean_to_the_minimum_and_never_rises(losses: Losses) -> None:
    curve = expected_minimum(losses)
    np.testing.assert_allclose(curve[0], losses.mean(), rtol=1e-12, atol=1e-12)
    assert curve[-1] == losses.min()
    assert (curve[1:] <= curve[:-1]).all()


def test_thousands_of_trials_lose_no_accuracy() -> None:
    n = 5000
    # The ranks themselves: the mean minimum of k of 1…n is (n + 1)/(k + 1), exactly.
    losses = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    curve = expected_minimum(losses)
    np.testing.assert_allclose(curve, (n + 1) / np.arange(2, n + 2), rtol=1e-12)
    assert (np.diff(curve) <= 0).all()
    wild = expected_minimum(np.random.default_rng(1).lognormal(0, 20, n))
    assert np.isfinite(wild).all()
    assert (np.diff(wild) <= 0).all()
    diverged = expected_minimum(np.append(losses, np.full(3, INF)))
    assert np.isinf(diverged[:3]).all()
    assert np.isfinite(diverged[3:]).all()
    np.testing.assert_array_equal(expected_minimum(np.full(n, 0.1)), np.full(n, 0.1))


def test_over_many_studies_the_estimate_is_unbiased() -> None:
    studies, n = 4000, 12
    curves = per_repeat_curves(np.random.default_rng(2).uniform(size=(studies, n)), independent=True)
    truth = 1 / np.arange(2, n + 2)
    errors = curves.std(axis=0, ddof=1) / np.sqrt(studies)
    assert (np.abs(curves.mean(axis=0) - truth) < 4 * errors).all()


def test_best_so_far_by_hand() -> None:
    np.testing.assert_array_equal(best_so_far(np.array([INF, 3.0, 5.0, 2.0, 2.5])), [INF, 3.0, 3.0, 2.0, 2.0])


LOSSES = np.array([[4.0, 1.0, 2.0], [3.0, 6.0, 0.0]])
EVALUATIONS = np.array([[10.0, 20.0, 60.0], [30.0, 40.0, 20.0]])
SECONDS = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
T1 = 12.706204736432095  # the 97.5 % quantile of Student's t with one degree of freedom


@pytest.mark.parametrize(
    ("independent", "expected", "half", "evaluations", "seconds"),
    [
        # Per repeat 7/3, 4/3, 1 and 3, 1, 0; the mean trial takes 30 evaluations and 2 seconds.
        (True, [8 / 3, 7 / 6, 0.5], [1 / 3, 1 / 6, 0.5], [30, 60, 90], [2, 4, 6]),
        # Per repeat 4, 1, 1 and 3, 3, 0.
        (False, [3.5, 2.0, 0.5], [0.5, 1.0, 0.5], [20, 50, 90], [2, 4, 6]),
    ],
)
def test_the_budget_curve_by_hand(
    independent: bool, expected: list[float], half: list[float], evaluations: list[float], seconds: list[float]
) -> None:
    curve = budget_curve(LOSSES, EVALUATIONS, SECONDS, independent)
    # The standard error of two repeats is half their distance.
    np.testing.assert_allclose(curve.expected, expected)
    np.testing.assert_allclose(curve.low, np.maximum(np.array(expected) - T1 * np.array(half), 0))
    np.testing.assert_allclose(curve.high, np.array(expected) + T1 * np.array(half))
    np.testing.assert_array_equal(curve.trials, [1, 2, 3])
    np.testing.assert_allclose(curve.gradient_evaluations, evaluations)
    np.testing.assert_allclose(curve.seconds, seconds)
    assert curve.repeats == 2


def test_an_interval_goes_below_0_only_where_losses_do() -> None:
    losses, ones = np.array([[0.1, 0.2], [0.0, 0.9]]), np.ones((2, 2))
    assert budget_curve(losses, ones, ones, independent=False).low.min() == 0
    assert budget_curve(losses - 0.5, ones, ones, independent=False).low.min() < -0.5


@pytest.mark.parametrize("independent", [True, False])
def test_a_single_repeat_has_a_curve_and_no_interval(independent: bool) -> None:
    curve = budget_curve(LOSSES[:1], EVALUATIONS[:1], SECONDS[:1], independent)
    np.testing.assert_array_equal(curve.expected, per_repeat_curves(LOSSES[:1], independent)[0])
    assert curve.repeats == 1
    assert np.isnan(curve.low).all()
    assert np.isnan(curve.high).all()


def test_where_a_repeat_is_infinite_the_curve_is_too_and_has_no_interval() -> None:
    curve = budget_curve(np.array([[INF, 1.0], [2.0, 3.0]]), np.ones((2, 2)), np.ones((2, 2)), independent=False)
    np.testing.assert_array_equal(curve.expected, [INF, 1.5])
    np.testing.assert_array_equal(np.isnan([curve.low, curve.high]), [[True, False], [True, False]])


@pytest.mark.parametrize("independent", [True, False])
def test_the_interval_is_that_of_scipy(independent: bool) -> None:
    losses = np.random.default_rng(3).normal(size=(5, 7))
    curve = budget_curve(losses, np.ones((5, 7)), np.ones((5, 7)), independent)
    column = per_repeat_curves(losses, independent)[:, 3]
    low, high = stats.ttest_1samp(column, 0.0).confidence_interval(0.95)
    np.testing.assert_allclose([curve.low[3], curve.high[3]], [low, high])


def assert_same_curve(one: BudgetCurve, other: BudgetCurve) -> None:
    for name in ("trials", "expected", "low", "high", "gradient_evaluations", "seconds", "repeats"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=1e-9)


@given(st.data(), pairs_of_curves(st.floats(0, 100)), st.booleans())
def test_the_order_of_the_repeats_does_not_matter(data: st.DataObject, arrays: Losses, independent: bool) -> None:
    losses, costs = arrays
    order = data.draw(st.permutations(range(len(losses))))
    assert_same_curve(
        budget_curve(losses, costs, costs, independent),
        budget_curve(losses[order], costs[order], costs[order], independent),
    )


@given(st.data(), pairs_of_curves(dyadic))
def test_the_order_of_the_pairs_does_not_matter(data: st.DataObject, arrays: Losses) -> None:
    a, b = arrays
    order = data.draw(st.permutations(range(len(a))))
    assert crossover(a[order], b[order]) == crossover(a, b)


@given(st.data(), pairs_of_curves(st.floats(0, 100)))
def test_the_order_of_independent_trials_does_not_matter(data: st.DataObject, arrays: Losses) -> None:
    losses, costs = arrays
    order = data.draw(st.permutations(range(losses.shape[1])))
    assert_same_curve(
        budget_curve(losses, costs, costs, independent=True),
        budget_curve(losses[:, order], costs[:, order], costs[:, order], independent=True),
    )


def test_the_order_of_adaptive_trials_does_matter() -> None:
    costs = np.ones((1, 2))
    curves = [budget_curve(np.array([row]), costs, costs, independent=False) for row in ([1.0, 2.0], [2.0, 1.0])]
    assert curves[0].expected.tolist() == [1.0, 1.0]
    assert curves[1].expected.tolist() == [2.0, 1.0]


@pytest.mark.parametrize(
    ("a", "b", "trials"),
    [
        ([5, 3, 1, 0], [4, 3, 2, 2], 3),  # level at 2, which is not below
        ([9, 5, 5, 1], [8, 6, 4, 4], 4),  # ahead at 2, behind at 3
        ([5, 4, 3, 3], [6, 5, 4, 2], None),  # ahead until the last
        ([5, 4, 3, 2], [4, 3, 2, 1], None),
        ([4, 3, 2, 1], [4, 3, 2, 1], None),
        ([4, 3, 2, 1], [5, 4, 3, 2], 1),
        ([INF, INF, 2, 1], [INF, 4, 3, 2], 3),
        ([4, 3, 2, 1], [INF, INF, 3, 2], 1),
    ],
)
def test_the_crossover_of_one_repeat(a: list[float], b: list[float], trials: int | None) -> None:
    ahead = [k for k, (of_a, of_b) in enumerate(zip(a, b, strict=True), start=1) if of_a < of_b]
    expected = Crossover(trials, None, None, 1, ahead[-1] if ahead else None)
    assert crossover(np.array([a], float), np.array([b], float)) == expected


def test_the_crossover_of_means_and_of_both_interval_ends() -> None:
    # Differences of two repeats, mean m and half-distance h: the interval is m ± 12.7 h.
    means = np.array([2.0, 1.0, -1.0, -1.0, -2.0])
    halves = np.array([0.1, 0.1, 0.1, 0.05, 0.1])
    b = np.full((2, 5), 10.0)
    a = b + np.array([means + halves, means - halves])
    # low: 0.73, −0.27, −2.3, −1.6, −3.3. high: …, 0.27, −0.36, −0.73.
    assert crossover(a, b) == Crossover(trials=3, earliest=2, latest=4, repeats=2, last=5)
    # The other arm is ahead of a at first only, so a smaller budget would have found it ahead.
    assert crossover(b, a) == Crossover(None, None, None, 2, 2)
    assert crossover(b[:, :3], a[:, :3]) == Crossover(None, 1, None, 2, 2)
    assert crossover(b[:, :2], a[:, :2]) == Crossover(1, 1, None, 2, 2)
    assert crossover(b[:, :1], a[:, :1]) == Crossover(1, 1, 1, 2, 1)


def test_the_difference_is_paired() -> None:
    # The repeats differ by far more than the arms do, which alike data and seeds take out.
    b = np.array([[1.0], [5.0], [9.0]])
    assert crossover(b - np.array([[0.1], [0.11], [0.12]]), b) == Crossover(1, 1, 1, 3, 1)


def test_an_infinite_difference_rules_nothing_out() -> None:
    b = np.array([[INF, 3.0], [INF, 4.0]])
    assert crossover(np.array([[1.0, 1.0], [2.0, 2.0]]), b) == Crossover(1, 1, 2, 2, 2)
    assert crossover(np.array([[INF, 1.0], [2.0, 2.0]]), b) == Crossover(2, 1, 2, 2, 2)


@given(pairs_of_curves(st.one_of(dyadic, st.just(INF))).filter(lambda arrays: arrays.shape[1] > 1))
def test_earliest_trials_and_latest_are_in_order_and_hold_to_the_end(arrays: Losses) -> None:
    a, b = arrays
    result = crossover(a, b)
    never = a.shape[1] + 1
    earliest, trials, latest = (never if k is None else k for k in (result.earliest, result.trials, result.latest))
    assert earliest <= trials <= latest
    below = a.mean(axis=0) < b.mean(axis=0)
    assert trials == next((k for k in range(1, never) if below[k - 1 :].all()), never)


@pytest.mark.parametrize("call", [expected_minimum, best_so_far])
@pytest.mark.parametrize(
    ("losses", "rule"),
    [([], "not be empty"), ([[1.0]], r"\(n,\)"), ([1.0, NAN], "got nan"), ([1.0, -INF], "got -inf")],
)
def test_bad_losses_of_a_repeat_raise(call: Any, losses: list[float], rule: str) -> None:
    with pytest.raises(ValueError, match=rf"^{call.__name__}\(losses=...\): .*{rule}"):
        call(np.array(losses))


@pytest.mark.parametrize("independent", [True, False])
@pytest.mark.parametrize(
    ("losses", "rule"),
    [
        (np.ones(3), r"\(repeats, K\)"),
        (np.ones((0, 3)), "not be empty"),
        (np.ones((3, 0)), "not be empty"),
        (np.array([[1.0, NAN]]), "got nan"),
    ],
)
def test_bad_losses_of_an_arm_raise(independent: bool, losses: Losses, rule: str) -> None:
    with pytest.raises(ValueError, match=rf"^per_repeat_curves\(losses=...\): .*{rule}"):
        per_repeat_curves(losses, independent)
    with pytest.raises(ValueError, match=rf"^budget_curve\(losses=...\): .*{rule}"):
        budget_curve(losses, losses, losses, independent)
    with pytest.raises(ValueError, match=rf"^crossover\(a=...\): .*{rule}"):
        crossover(losses, losses)


@pytest.mark.parametrize("name", ["gradient_evaluations", "seconds"])
@pytest.mark.parametrize(
    ("costs", "rule"),
    [
        (np.ones((2, 3)), r"shape of losses, \(2, 2\), got \(2, 3\)"),
        (np.ones(2), r"got \(2,\)"),
        (np.array([[1.0, 1.0], [1.0, -1.0]]), "at least 0, got -1.0"),
        (np.array([[1.0, 1.0], [1.0, NAN]]), "finite and at least 0, got nan"),
        (np.array([[1.0, 1.0], [1.0, INF]]), "finite and at least 0, got inf"),
    ],
)
def test_bad_costs_raise(name: str, costs: Losses, rule: str) -> None:
    arguments = {"gradient_evaluations": np.ones((2, 2)), "seconds": np.ones((2, 2)), name: costs}
    with pytest.raises(ValueError, match=rf"^budget_curve\({name}=...\): .*{rule}"):
        budget_curve(np.ones((2, 2)), independent=True, **arguments)


def test_two_arms_of_different_shape_raise() -> None:
    with pytest.raises(ValueError, match=r"^crossover\(a=..., b=...\): .* got \(2, 3\) and \(3, 3\)"):
        crossover(np.ones((2, 3)), np.ones((3, 3)))
    with pytest.raises(ValueError, match=r"^crossover\(b=...\): .*got nan"):
        crossover(np.ones((1, 1)), np.full((1, 1), NAN))
