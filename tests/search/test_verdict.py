"""The verdict: hand-computed cases, scipy's own intervals, simulations, and properties that any honest answer has."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cooldown.search.statistics.intervals import mean_interval
from cooldown.search.statistics.verdict import Verdict, decide, practically_equal, verdicts

positive = st.floats(0.0625, 8, width=32)
losses = hnp.arrays(np.float64, st.integers(2, 8), elements=positive)
MIRRORED = {"a_better": "b_better", "b_better": "a_better", "tie": "tie", "undecided": "undecided"}


def table(**arms: Any) -> dict[str, dict[int, float]]:
    return {arm: dict(enumerate(np.asarray(values, float).tolist())) for arm, values in arms.items()}


def planted(rng: np.random.Generator, repeats: int, ratio: float, spread: float) -> dict[str, dict[int, float]]:
    """Losses of two arms whose ratio is this but for noise; a repeat is easy or hard for both."""
    split = rng.normal(0, 0.5, repeats)
    a, b = (np.exp(split + rng.normal(0, spread, repeats)) for _ in "ab")
    return table(a=ratio * a, b=b)


def test_a_hand_computed_verdict() -> None:
    # Ratios 1/2, 1/2 and 1/4: log2 of them −1, −1, −2; their mean −4/3, deviation 1/√3, error 1/3.
    (verdict,) = verdicts(table(a=[1, 2, 3], b=[2, 4, 12]), ("a", "b"))
    half = 4.302652729911275 / 3
    assert verdict.ratio == pytest.approx(2 ** (-4 / 3))
    assert (verdict.low, verdict.high) == (pytest.approx(2 ** (-4 / 3 - half)), pytest.approx(2 ** (-4 / 3 + half)))
    assert (verdict.wins, verdict.b_wins, verdict.repeats) == (3, 0, 3)
    assert (verdict.a_loss, verdict.b_loss, verdict.difference) == (2, 6, -4)
    assert verdict.verdict == "undecided"


@given(losses, st.data())
def test_the_interval_is_that_of_scipys_paired_test_of_logarithms(a: Any, data: Any) -> None:
    b = data.draw(hnp.arrays(np.float64, a.shape, elements=positive))
    (verdict,) = verdicts(table(a=a, b=b), ("a", "b"))
    x = np.log(a) - np.log(b)
    if np.ptp(x) < 1e-3:
        return
    test = scipy.stats.ttest_rel(np.log(a), np.log(b))
    for ends, level in (((verdict.low, verdict.high), 0.95), ((verdict.equal_low, verdict.equal_high), 0.9)):
        expected = test.confidence_interval(level)
        np.testing.assert_allclose(np.log(ends), (expected.low, expected.high), atol=1e-9)
    assert verdict.ratio == pytest.approx(scipy.stats.gmean(a / b))
    assert (verdict.verdict in ("a_better", "b_better")) == (test.pvalue < 0.05)


@pytest.mark.parametrize(
    ("low", "high", "decision"),
    [(-3, -0.1, "a_better"), (0.1, 3, "b_better"), (-1, 2, "undecided"), (0, 2, "undecided"), (-1, 0, "undecided")],
)
def test_a_direction_takes_an_interval_on_one_side_of_equality(low: float, high: float, decision: str) -> None:
    assert decide(low, high) == decision


@pytest.mark.parametrize(("low", "high", "equal"), [(-0.1, 0.1, True), (-0.11, 0, False), (0, 0.11, False)])
def test_equality_takes_an_interval_within_the_margin(low: float, high: float, equal: bool) -> None:
    assert practically_equal(low, high, 0.1) is equal


def test_a_direction_and_equality_may_both_hold() -> None:
    x = np.array([0.03, 0.031, 0.029, 0.03])
    (verdict,) = verdicts(table(a=np.exp(x), b=np.ones(4)), ("a", "b"))
    assert (verdict.verdict, verdict.equal) == ("b_better", True)
    assert "excludes equal losses, but the 90 % interval lies within the margin of ±10 %" in verdict.why
    (narrow,) = verdicts(table(a=np.exp(x), b=np.ones(4)), ("a", "b"), margin=0.02)
    assert (narrow.verdict, narrow.equal) == ("b_better", False)
    (tie,) = verdicts(table(a=np.exp(x - 0.03), b=np.ones(4)), ("a", "b"))
    assert (tie.verdict, tie.equal) == ("tie", True)


def test_the_margin_is_as_wide_for_either_arm() -> None:
    (verdict,) = verdicts(table(a=[1.0, 1.1], b=[1.1, 1.0]), margin=0.25)
    assert (verdict.margin_low, verdict.margin_high) == (pytest.approx(0.8), pytest.approx(1.25))


@given(losses, st.data())
def test_swapping_the_arms_inverts_the_ratio_and_mirrors_the_verdict(a: Any, data: Any) -> None:
    b = data.draw(hnp.arrays(np.float64, a.shape, elements=positive))
    (one,), (other,) = verdicts(table(a=a, b=b)), verdicts(table(b=b, a=a))
    assert other.verdict == MIRRORED[one.verdict]
    assert (other.equal, other.wins, other.b_wins) == (one.equal, one.b_wins, one.wins)
    pairs = (("ratio", "ratio"), ("low", "high"), ("equal_low", "equal_high"), ("margin_low", "margin_high"))
    for mine, its in (*pairs, *(pair[::-1] for pair in pairs)):
        assert getattr(other, mine) * getattr(one, its) == pytest.approx(1)
    assert other.difference == pytest.approx(-one.difference)
    assert other.probability_a_better == pytest.approx(1 - one.probability_a_better)
    assert other.repeats_to_decide == one.repeats_to_decide


def close(one: Verdict, other: Verdict, *ignored: str) -> None:
    """The same verdict, up to rounding."""
    for key, value in asdict(one).items():
        its = asdict(other)[key]
        if key in ignored:
            continue
        assert its == (pytest.approx(value, rel=1e-6, abs=1e-9) if isinstance(value, float) else value), key


def apart(verdict: Verdict) -> bool:
    """Whether no end of an interval is so close to what it is compared with that rounding might decide."""
    ends = [verdict.low, verdict.high, verdict.equal_low, verdict.equal_high]
    return all(abs(end / limit - 1) > 1e-6 for end in ends for limit in (1, verdict.margin_low, verdict.margin_high))


@given(hnp.arrays(np.float64, st.tuples(st.just(3), st.integers(2, 6)), elements=positive), st.data())
def test_the_order_of_repeats_is_no_matter(values: Any, data: Any) -> None:
    order = data.draw(st.permutations(range(values.shape[1])))
    both = [verdicts(table(**dict(zip("abc", each, strict=True))), ("a", "b")) for each in (values, values[:, order])]
    for one, other in zip(*both, strict=True):
        if apart(one):
            close(one, other, "repeats_to_decide", "why")


@given(
    hnp.arrays(np.float64, st.tuples(st.just(3), st.integers(2, 6)), elements=positive),
    st.floats(1e-3, 1e3),
)
def test_a_constant_factor_on_all_losses_is_no_matter(values: Any, factor: float) -> None:
    both = [verdicts(table(**dict(zip("abc", each, strict=True))), ("a", "b")) for each in (values, factor * values)]
    for one, other in zip(*both, strict=True):
        # Losses that are equal but for rounding are won by neither.
        if apart(one):
            close(one, other, "difference", "a_loss", "b_loss", "repeats_to_decide", "why", "wins", "b_wins")


@given(losses)
def test_an_arm_ties_with_itself(a: Any) -> None:
    (verdict,) = verdicts(table(a=a, b=a))
    assert (verdict.verdict, verdict.ratio, verdict.probability_a_better) == ("tie", 1, 0.5)
    assert (verdict.wins, verdict.b_wins) == (0, 0)


def test_of_equals_few_are_called_better_and_the_truth_is_covered() -> None:
    """A/A: two tunings of the same arm differ by chance alone."""
    rng, false, covered = np.random.default_rng(0), 0, 0
    for _ in range(1000):
        (verdict,) = verdicts(planted(rng, 5, 1.0, 0.2), ("a", "b"))
        assert verdict.low is not None
        assert verdict.high is not None
        false += verdict.verdict in ("a_better", "b_better")
        covered += verdict.low <= 1 <= verdict.high
    assert false == 1000 - covered
    assert false / 1000 == pytest.approx(0.05, abs=0.02)


def test_a_planted_ratio_is_covered_and_hardly_ever_called_equal() -> None:
    """At the edge of the margin, "practically equal" is false, and said in at most 5 % of experiments."""
    rng, covered, equal = np.random.default_rng(1), 0, 0
    for _ in range(1000):
        (verdict,) = verdicts(planted(rng, 5, 1.1, 0.04), ("a", "b"))
        assert verdict.low is not None
        assert verdict.high is not None
        covered += verdict.low <= 1.1 <= verdict.high
        equal += bool(verdict.equal)
    assert covered / 1000 == pytest.approx(0.95, abs=0.02)
    assert equal / 1000 < 0.07


def test_a_planted_difference_is_found() -> None:
    (verdict,) = verdicts(planted(np.random.default_rng(0), 5, 0.5, 0.02), ("a", "b"))
    assert (verdict.verdict, verdict.equal, verdict.repeats_to_decide) == ("a_better", False, None)
    assert verdict.probability_a_better is not None
    assert verdict.probability_a_better > 0.999
    assert verdict.why == "the 95 % interval excludes equal losses"


def test_one_repeat_is_undecided_and_says_why() -> None:
    for rows in (table(a=[1.0], b=[3.0]), {"a": {0: 1.0, 1: 1.0}, "b": {1: 2.0, 2: 2.0}}):
        (verdict,) = verdicts(rows)
        assert verdict.verdict == "undecided"
        assert verdict.low is verdict.high is verdict.difference is verdict.ratio is verdict.equal is None
        assert (verdict.repeats, verdict.why) == (1, "an interval needs at least 2 repeats of both arms")


def test_only_common_repeats_count() -> None:
    (verdict,) = verdicts({"a": {0: 1.1, 1: 2.1, 2: 3.1}, "b": {1: 5.1, 2: 6.6, 7: 0.1}})
    assert verdict.difference == pytest.approx(-3.25)
    assert verdict.ratio == pytest.approx(np.sqrt(2.1 / 5.1 * 3.1 / 6.6))


def test_a_loss_that_is_not_finite_is_compared_with_nothing() -> None:
    found = {(v.a, v.b): v for v in verdicts(table(a=[1.0, np.inf], b=[1.0, 1.1], c=[2.0, 2.2]))}
    assert found["a", "b"].why == "a test loss is not a finite number"
    assert found["b", "c"].method == "holm"
    assert found["b", "c"].ratio == pytest.approx(0.5)


def test_losses_of_0_and_below_are_compared_by_their_differences() -> None:
    rows = table(a=[0.0, 1.0, 2.0, 1.0], b=[4.0, 5.0, 6.1, 5.0], c=[1.0, 2.0, 2.5, 2.0])
    first, *others = verdicts(rows, ("a", "b"))
    assert {verdict.scale for verdict in (first, *others)} == {"difference"}
    expected = mean_interval(np.array([-4, -4, -4.1, -4]))
    assert (first.ratio, first.low, first.high) == (None, pytest.approx(expected.low), pytest.approx(expected.high))
    assert first.verdict == "a_better"
    # A tenth of the mean absolute loss of the pair, (1 + 5.025) / 2.
    assert first.margin_high == pytest.approx(0.30125)
    assert others[0].difference == pytest.approx(-0.875)


def test_the_primary_pair_stands_first_in_its_own_direction_with_an_interval_of_its_own() -> None:
    rng = np.random.default_rng(1)
    rows = table(**{arm: np.exp(rng.normal(0, 0.1, 4)) for arm in "abcd"})
    first, *others = verdicts(rows, ("c", "a"))
    assert (first.a, first.b, first.primary, first.method) == ("c", "a", True, "t")
    (alone,) = verdicts({arm: rows[arm] for arm in "ca"}, ("c", "a"))
    close(first, alone)
    assert len(others) == 5
    assert not any(verdict.primary for verdict in others)
    assert {verdict.method for verdict in others} == {"tukey"}


def test_the_other_pairs_have_tukeys_intervals() -> None:
    """Those of the textbook: the mean difference ± q · √(mean square of the residuals / repeats)."""
    rng = np.random.default_rng(2)
    values = rng.normal(0, 0.1, (4, 6)) + rng.normal(0, 1, (1, 6))
    residuals = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    error = np.sqrt((residuals**2).sum() / 15 / 6)
    found = verdicts(table(**dict(zip("abcd", np.exp(values), strict=True))), ("a", "b"))
    for verdict in found[1:]:
        assert verdict.low is not None
        assert verdict.ratio is not None
        x = values["abcd".index(verdict.a)] - values["abcd".index(verdict.b)]
        assert np.log(verdict.ratio) == pytest.approx(x.mean())
        half = scipy.stats.studentized_range.ppf(0.95, 4, 15) * error
        assert np.log(verdict.low) == pytest.approx(x.mean() - half, rel=1e-6)


def test_where_arms_miss_repeats_what_is_shown_is_what_holm_decided() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        rows = table(**{arm: np.exp(rng.normal(0.15 * place, 0.2, 5)) for place, arm in enumerate("abcd")})
        del rows["d"][4]
        others = verdicts(rows, ("a", "b"))[1:]
        p_values = {}
        for verdict in others:
            common = sorted(set(rows[verdict.a]) & set(rows[verdict.b]))
            x = np.log([rows[verdict.a][r] / rows[verdict.b][r] for r in common])
            p_values[verdict.a, verdict.b] = scipy.stats.ttest_1samp(x, 0).pvalue
            assert verdict.level is not None
            expected = scipy.stats.ttest_1samp(x, 0).confidence_interval(1 - verdict.level)
            assert (verdict.low, verdict.high) == pytest.approx((np.exp(expected.low), np.exp(expected.high)))
        rejected = set()
        for rank, pair in enumerate(sorted(p_values, key=lambda pair: p_values[pair])):
            if p_values[pair] > 0.05 / (5 - rank):
                break
            rejected.add(pair)
        assert {(v.a, v.b) for v in others if v.verdict in ("a_better", "b_better")} == rejected


def test_a_smaller_level_widens_both_intervals() -> None:
    rows = planted(np.random.default_rng(4), 6, 0.9, 0.1)
    x = np.log([rows["a"][r] / rows["b"][r] for r in range(6)])
    (verdict,) = verdicts(rows, ("a", "b"), level=0.02)
    for ends, level in (((verdict.low, verdict.high), 0.98), ((verdict.equal_low, verdict.equal_high), 0.96)):
        expected = scipy.stats.ttest_1samp(x, 0).confidence_interval(level)
        np.testing.assert_allclose(np.log(ends), (expected.low, expected.high))
    assert verdict.level == 0.02
    assert "the 98 % interval" in verdict.why


def test_pairs_cover_all_arms_once() -> None:
    found = verdicts(table(**{arm: np.ones(2) for arm in "abcde"}))
    assert len({frozenset((verdict.a, verdict.b)) for verdict in found}) == len(found) == 10


def test_two_arms_that_learned_nothing_do_not_tie() -> None:
    """Both are at the cap: their losses are equal, and that says nothing."""
    capped = [0.6931] * 4
    (verdict,) = verdicts(table(a=capped, b=capped), unlearned=("a", "b"))
    assert (verdict.verdict, verdict.equal, verdict.withheld) == ("undecided", False, True)
    assert "neither arm learned" in verdict.why


def test_an_arm_that_learned_beats_one_that_did_not() -> None:
    (verdict,) = verdicts(table(a=[0.1, 0.11, 0.09, 0.1], b=[0.6931] * 4), unlearned=("b",))
    assert verdict.verdict == "a_better"


def test_scores_are_compared_and_decide_nothing() -> None:
    rows, scores = table(a=[1.0, 1.1], b=[1.0, 1.1]), table(a=[0.9, 0.8], b=[0.5, 0.5])
    (verdict,) = verdicts(rows, scores=scores)
    assert verdict.verdict == "tie"
    expected = mean_interval(np.array([0.4, 0.3]))
    assert (verdict.score_difference, verdict.score_low, verdict.score_high) == pytest.approx(
        (expected.estimate, expected.low, expected.high)
    )
    (without,) = verdicts(rows, scores=table(a=[np.nan, 0.8], b=[0.5, 0.5]))
    assert without.score_difference is without.score_low is without.score_high is None


def test_a_withheld_arm_decides_nothing_and_keeps_its_numbers() -> None:
    rows = table(a=[1.0, 1.1, 1.2], b=[5.0, 5.6, 6.1], c=[9.0, 10.1, 10.8])
    found = {(v.a, v.b): v for v in verdicts(rows, ("a", "b"), withheld={"b": "boundary: b is at its edge"})}
    assert [v.verdict for v in found.values()] == ["undecided", "a_better", "undecided"]
    assert [v.withheld for v in found.values()] == [True, False, True]
    assert found["a", "b"].why == "boundary: b is at its edge"
    assert found["a", "b"].difference == pytest.approx(np.mean([-4, -4.5, -4.9]))
    assert found["a", "b"].repeats_to_decide is None


def test_what_more_repeats_would_do_is_said() -> None:
    rows = table(a=np.exp([0.0, 0.9, 0.1, 0.8, 0.3]), b=np.exp([0.2, 0.2, 0.2, 0.2, 0.2]))
    (verdict,) = verdicts(rows, ("a", "b"))
    assert verdict.repeats_to_decide is not None
    more = f"{verdict.repeats_to_decide} repeats ({verdict.repeats_to_decide - 5} more)"
    assert f"if the true difference is as observed, {more} settle it" in verdict.why


def test_losses_of_any_size_below_zero_have_a_forecast() -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0, -1.0])
    for size in (1.0, 8000.0, 1e12):
        rows = table(a=size * (x - 50), b=size * np.full(5, -50.0))
        (verdict,) = verdicts(rows, ("a", "b"))
        assert verdict.scale == "difference"
        assert (
            verdict.repeats_to_decide == verdicts(table(a=x - 50, b=np.full(5, -50.0)), ("a", "b"))[0].repeats_to_decide
        )


def test_the_forecast_is_for_the_level_of_the_next_look() -> None:
    rows = table(a=np.exp([0.0, 0.9, 0.1, 0.8, 0.3]), b=np.exp([0.2, 0.2, 0.2, 0.2, 0.2]))
    same, stricter = (verdicts(rows, ("a", "b"), next_level=level)[0] for level in (None, 0.005))
    assert (same.low, same.high) == (stricter.low, stricter.high)
    assert same.repeats_to_decide is not None
    assert stricter.repeats_to_decide is not None
    assert stricter.repeats_to_decide > same.repeats_to_decide
