"""The verdict: hand-computed cases, scipy's own intervals, and properties that any honest answer has."""

from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cooldown.search.statistics.intervals import Interval, mean_interval, welch_interval
from cooldown.search.statistics.verdict import (
    claim_p_value,
    decide,
    holm,
    probability_negative,
    repeats_to_decide,
    tie_band,
    verdicts,
)

numbers = st.floats(-100, 100, width=32)
differences = hnp.arrays(np.float64, st.integers(2, 12), elements=numbers)
losses = hnp.arrays(np.float64, st.tuples(st.integers(2, 6), st.just(3)), elements=st.floats(0, 10, width=16))
FLIPPED = {"a_better": "b_better", "b_better": "a_better", "tie": "tie", "undecided": "undecided"}


def table(**arms: Any) -> dict[str, dict[int, list[float]]]:
    return {arm: {repeat: list(row) for repeat, row in enumerate(np.asarray(rows))} for arm, rows in arms.items()}


def test_a_hand_computed_interval() -> None:
    # Mean 2, standard deviation 1, n 3: error 1/√3, and t(0.975, 2) is 4.302653.
    interval = mean_interval(np.array([1.0, 2.0, 3.0]))
    assert interval.estimate == 2
    assert interval.standard_error == pytest.approx(3**-0.5)
    assert interval.high - 2 == pytest.approx(4.302652729911275 * 3**-0.5)
    assert interval.low + interval.high == pytest.approx(4)


@given(differences)
def test_the_interval_is_scipys(values: Any) -> None:
    assume(np.ptp(values) > 1e-3)
    ours, test = mean_interval(values), scipy.stats.ttest_rel(values, np.zeros_like(values))
    theirs = test.confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9, abs=1e-9)
    one_sided = scipy.stats.ttest_rel(values, np.zeros_like(values), alternative="greater").pvalue
    assert probability_negative(ours) == pytest.approx(one_sided, abs=1e-9)


def test_one_repeat_has_no_interval() -> None:
    with pytest.raises(ValueError, match="needs at least 2 repeats, got 1"):
        mean_interval(np.array([1.0]))


def test_a_hand_computed_tie_band() -> None:
    # Between-seed variances 1 and 4 for a, 0 and 9 for b: means 2.5 and 4.5, pooled 3.5.
    a, b = np.array([[1.0, 2, 3], [0, 2, 4]]), np.array([[5.0, 5, 5], [0, 3, 6]])
    assert tie_band(a, b) == pytest.approx(0.5 * np.sqrt(3.5))
    assert tie_band(a[:, :1], b[:, :1]) == 0


@pytest.mark.parametrize(
    ("low", "high", "decision"),
    [
        (-3, -1.1, "a_better"),
        (1.1, 3, "b_better"),
        (-0.9, 0.9, "tie"),
        (-1, 1, "tie"),
        (-3, -0.9, "undecided"),
        (0.5, 1.5, "undecided"),
        (-2, 2, "undecided"),
        (1, 2, "undecided"),
    ],
)
def test_decisions_for_a_band_of_one(low: float, high: float, decision: str) -> None:
    assert decide(Interval((low + high) / 2, low, high, 1.0, 4, 5), 1.0) == decision


@given(differences, st.floats(0, 100))
def test_the_p_value_is_small_exactly_where_the_interval_decides(values: Any, band: float) -> None:
    interval = mean_interval(values)
    edge = min(abs(end - side) for end in (interval.low, interval.high) for side in (-band, band))
    assume(interval.standard_error == 0 or edge > 1e-6)
    assert (claim_p_value(interval, band) <= 0.05) == (decide(interval, band) != "undecided") or (
        interval.standard_error == 0 and abs(interval.estimate) == band
    )


@given(st.lists(st.floats(0, 0.2), max_size=7))
def test_holm_against_its_definition(p_values: list[float]) -> None:
    """A hypothesis is rejected if it and every smaller one pass their step: in whichever order equals are taken."""
    assume(len(set(p_values)) == len(p_values))
    ranked, accepted = sorted(p_values), set()
    for rank, p in enumerate(ranked):
        if all(ranked[k] <= (1 - 0.95) / (len(ranked) - k) for k in range(rank + 1)):
            accepted.add(p)
    assert holm(p_values) == [p in accepted for p in p_values]


def test_a_hand_computed_holm() -> None:
    # Steps 0.0125, 0.0167, 0.025, 0.05: the third fails, and with it the fourth.
    assert holm([0.04, 0.01, 0.03, 0.015]) == [False, True, False, True]
    assert holm([]) == []


@given(losses, st.data())
def test_swapping_the_arms_flips_the_answer(a: Any, data: Any) -> None:
    b = data.draw(hnp.arrays(np.float64, a.shape, elements=st.floats(0, 10, width=16)))
    (one,), (other,) = verdicts(table(a=a, b=b)), verdicts(table(b=b, a=a))
    assert other.verdict == FLIPPED[one.verdict]
    assert other.difference == pytest.approx(-one.difference)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))
    assert other.probability_a_better == pytest.approx(1 - one.probability_a_better)
    assert other.repeats_to_decide == one.repeats_to_decide


@given(losses, st.data())
def test_the_order_of_repeats_is_no_matter(a: Any, data: Any) -> None:
    b = data.draw(hnp.arrays(np.float64, a.shape, elements=st.floats(0, 10, width=16)))
    order = data.draw(st.permutations(range(len(a))))
    (one,), (other,) = verdicts(table(a=a, b=b)), verdicts(table(a=a[order], b=b[order]))
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-9)
    if min(abs(abs(end) - one.band) for end in (one.low, one.high)) > 1e-6:
        assert one.verdict == other.verdict


@given(losses)
def test_an_arm_ties_with_itself(a: Any) -> None:
    (verdict,) = verdicts(table(a=a, b=a))
    assert (verdict.verdict, verdict.difference, verdict.probability_a_better) == ("tie", 0, 0.5)


def test_an_arm_hardly_ever_beats_its_equal() -> None:
    """A/A: two tunings of the same arm differ by chance alone, and at most 5 % of verdicts may claim otherwise."""
    rng, claims = np.random.default_rng(0), 0
    for _ in range(400):
        centre = {arm: rng.normal(1, 0.1, size=(5, 1)) for arm in "ab"}
        (verdict,) = verdicts(table(**{arm: centre[arm] + rng.normal(0, 0.05, size=(5, 10)) for arm in "ab"}))
        claims += verdict.verdict in ("a_better", "b_better")
    assert claims <= 0.05 * 400


def test_a_planted_difference_is_found() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.05, size=(2, 5, 10))
    (verdict,) = verdicts(table(a=1 + noise[0], b=2 + noise[1]))
    assert verdict.verdict == "a_better"
    assert verdict.probability_a_better is not None
    assert verdict.probability_a_better > 0.999
    assert verdict.repeats_to_decide is None
    assert "outside the tie band" in verdict.why


def test_one_repeat_is_undecided_and_says_why() -> None:
    (verdict,) = verdicts(table(a=[[1.0, 2.0]], b=[[3.0, 4.0]]))
    assert verdict.verdict == "undecided"
    assert verdict.low is verdict.high is verdict.difference is verdict.band is None
    assert verdict.why == "an interval takes at least 2 repeats of both arms"


def test_only_common_repeats_count() -> None:
    full = {"a": {0: [1.0, 1.2], 1: [2.0, 2.2], 2: [3.0, 3.2]}, "b": {1: [5.0, 5.2], 2: [6.5, 6.7], 7: [0.0, 0.0]}}
    (verdict,) = verdicts(full)
    assert verdict.difference == pytest.approx(-3.25)


def test_the_primary_pair_stands_first_in_its_own_direction_and_uncorrected() -> None:
    rng = np.random.default_rng(1)
    arms = table(**{arm: rng.normal(1, 0.01, size=(4, 3)) for arm in "abcd"})
    found = verdicts(arms, ("c", "a"))
    assert (found[0].a, found[0].b, found[0].primary) == ("c", "a", True)
    assert len(found) == 6
    assert sum(verdict.primary for verdict in found) == 1
    assert not found[0].corrected


def test_holm_takes_back_what_only_many_pairs_decided() -> None:
    # The pair a-b is just decided by itself: |difference| = 1.1 t-widths; with five other pairs it is not.
    row = np.array([0.0, 1.0, 2.0, 3.0])
    shift = 1.1 * scipy.stats.t.ppf(0.975, 3) * np.std(row, ddof=1) / 2
    arms = {"a": row, "b": row.mean() - shift + 0 * row, "c": row + 100, "d": row[::-1] * 3}
    rows = {arm: {r: [v] for r, v in enumerate(values)} for arm, values in arms.items()}
    alone = verdicts({arm: rows[arm] for arm in "ab"})[0]
    among = next(v for v in verdicts(rows, ("c", "d")) if (v.a, v.b) == ("a", "b"))
    assert (alone.verdict, alone.corrected) == ("b_better", False)
    assert (among.verdict, among.corrected) == ("undecided", True)
    assert (among.low, among.high) == (alone.low, alone.high)
    assert "Holm's correction for 5 pairs" in among.why


def test_repeats_to_decide_are_the_fewest_that_would() -> None:
    interval = mean_interval(np.array([0.0, 1.0, 2.0, 3.0, -1.0]))
    needed = repeats_to_decide(interval, 0.0)
    assert needed is not None
    assert needed > interval.repeats

    def half(n: int) -> float:
        deviation = interval.standard_error * interval.repeats**0.5
        return float(scipy.stats.t.ppf(0.975, n - 1) * deviation / n**0.5)

    assert half(needed) < interval.estimate <= half(needed - 1)
    assert repeats_to_decide(interval, interval.estimate) is None


def test_pairs_cover_all_arms_once() -> None:
    arms = table(**{arm: np.ones((2, 2)) for arm in "abcde"})
    pairs = {frozenset((verdict.a, verdict.b)) for verdict in verdicts(arms)}
    assert len(pairs) == len(verdicts(arms)) == 10


def test_two_arms_that_learned_nothing_do_not_tie() -> None:
    """Both are at the cap: their losses are equal, and that says nothing."""
    capped = [[0.6931] * 3] * 4
    (verdict,) = verdicts(table(a=capped, b=capped), unlearned=("a", "b"))
    assert verdict.verdict == "undecided"
    assert "neither arm learned" in verdict.why


def test_an_arm_that_learned_beats_one_that_did_not() -> None:
    rng = np.random.default_rng(0)
    (verdict,) = verdicts(table(a=0.1 + rng.normal(0, 0.01, (4, 3)), b=[[0.6931] * 3] * 4), unlearned=("b",))
    assert verdict.verdict == "a_better"


@given(
    hnp.arrays(np.float64, st.integers(2, 9), elements=numbers),
    hnp.arrays(np.float64, st.integers(2, 9), elements=numbers),
)
def test_welchs_interval_is_scipys(a: Any, b: Any) -> None:
    assume(np.ptp(a) > 1e-3 and np.ptp(b) > 1e-3)
    ours, test = welch_interval(a, b), scipy.stats.ttest_ind(a, b, equal_var=False)
    theirs = test.confidence_interval(0.95)
    assert ours.degrees == pytest.approx(test.df)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9, abs=1e-9)


def test_welchs_interval_without_any_spread_is_a_point() -> None:
    interval = welch_interval(np.array([2.0, 2.0]), np.array([1.0, 1.0, 1.0]))
    assert (interval.low, interval.estimate, interval.high) == (1, 1, 1)
    with pytest.raises(ValueError, match="needs at least 2 repeats of both, got 1"):
        welch_interval(np.array([2.0]), np.array([1.0, 1.0]))


def test_arms_without_common_repeats_are_compared_unpaired() -> None:
    rows = {"a": {0: [1.0, 1.2], 1: [1.1, 1.3]}, "b": {2: [5.0, 5.2], 3: [5.5, 5.7], 4: [5.2, 5.2]}}
    (verdict,) = verdicts(rows)
    expected = welch_interval(np.array([1.1, 1.2]), np.array([5.1, 5.6, 5.2]))
    assert (verdict.low, verdict.high) == pytest.approx((expected.low, expected.high))
    assert verdict.verdict == "a_better"


def test_scores_are_compared_and_decide_nothing() -> None:
    rows = table(a=[[1.0, 1.0], [1.0, 1.1]], b=[[1.0, 1.0], [1.0, 1.1]])
    scores = table(a=[[0.9, 0.9], [0.8, 0.8]], b=[[0.5, 0.5], [0.5, 0.5]])
    (verdict,) = verdicts(rows, scores=scores)
    assert verdict.verdict == "tie"
    expected = mean_interval(np.array([0.4, 0.3]))
    assert (verdict.score_difference, verdict.score_low, verdict.score_high) == pytest.approx(
        (expected.estimate, expected.low, expected.high)
    )
    (without,) = verdicts(rows, scores=table(a=[[np.nan, 0.9], [0.8, 0.8]], b=[[0.5, 0.5], [0.5, 0.5]]))
    assert without.score_difference is without.score_low is without.score_high is None


def test_a_withheld_arm_decides_nothing_and_keeps_its_numbers() -> None:
    rows = table(a=[[1.0], [1.1], [1.2]], b=[[5.0], [5.1], [5.1]], c=[[9.0], [9.3], [9.4]])
    found = {(v.a, v.b): v for v in verdicts(rows, ("a", "b"), withheld={"b": "boundary: b is at its edge"})}
    assert [v.verdict for v in found.values()] == ["undecided", "a_better", "undecided"]
    assert found["a", "b"].why == "boundary: b is at its edge"
    assert found["a", "b"].difference == pytest.approx(np.mean([-4, -4, -3.9]))


def test_what_more_repeats_would_do_is_said_as_it_is() -> None:
    rows = {
        "a": {r: [v - 1, v + 1] for r, v in enumerate([0.0, 9.0, 1.0, 8.0, 3.0])},
        "b": {r: [1.0, 1.0] for r in range(5)},
    }
    (verdict,) = verdicts(rows)
    assert verdict.repeats_to_decide is not None
    assert f"about {verdict.repeats_to_decide} repeats (" in verdict.why
