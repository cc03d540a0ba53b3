"""Whether a claim holds: the three words by hand, the rates of wrong ones on planted ties, and several parts."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cooldown.search.statistics.claims import LEVEL, NOT_FINITE, TOO_FEW, Limits, Part, findings, whole
from cooldown.search.statistics.intervals import mean_interval

ABOVE_ONE, BELOW_ONE, ALIKE = Limits(above=1.0), Limits(below=1.0), Limits(1 / 1.1, 1.1)
samples = hnp.arrays(np.float64, st.integers(2, 8), elements=st.floats(-3, 3, width=16))


def part(x: Any, limits: Limits, **more: Any) -> Part:
    return Part("it", np.asarray(x, np.float64), limits, **more)


def word(x: Any, limits: Limits, **more: Any) -> str:
    return findings([part(x, limits, **more)])[0].word


@pytest.mark.parametrize(
    ("x", "limits", "expected"),
    [
        ([0.5, 0.6, 0.55], ABOVE_ONE, "supported"),
        ([-0.5, -0.6, -0.55], ABOVE_ONE, "contradicted"),
        ([-0.5, 0.6, 0.1], ABOVE_ONE, "open"),
        ([-0.5, -0.6, -0.55], BELOW_ONE, "supported"),
        ([0.5, 0.6, 0.55], BELOW_ONE, "contradicted"),
        ([0.01, -0.01, 0.0], ALIKE, "supported"),
        ([0.5, 0.51, 0.52], ALIKE, "contradicted"),
        ([-0.5, -0.51, -0.52], ALIKE, "contradicted"),
        ([0.09, 0.11, 0.10], ALIKE, "open"),
        # Exactly at the limit, without any spread: neither beyond it nor within.
        ([0.0, 0.0, 0.0], ABOVE_ONE, "open"),
    ],
)
def test_the_word_is_where_the_interval_lies(x: Any, limits: Limits, expected: str) -> None:
    assert word(x, limits) == expected


def test_a_quantity_that_is_no_ratio_is_shown_as_it_is() -> None:
    (found,) = findings([part([-31, -30, -32], Limits(below=0.0), ratio=False)])
    interval = mean_interval(np.array([-31.0, -30.0, -32.0]))
    assert (found.word, found.effect, found.low, found.high) == (
        "supported",
        interval.estimate,
        interval.low,
        interval.high,
    )


def test_what_cannot_be_decided_says_why() -> None:
    assert findings([part([0.5], ABOVE_ONE)])[0].why == TOO_FEW
    assert findings([part([0.5, np.inf], ABOVE_ONE)])[0].why == NOT_FINITE
    (found,) = findings([part([0.5, 0.5, 0.5], ABOVE_ONE, withheld="an alarm")])
    assert (found.word, found.why) == ("open", "an alarm")
    assert found.effect == pytest.approx(np.exp(0.5)), "what was measured is shown all the same"


@given(samples)
def test_better_and_worse_mirror_each_other(x: Any) -> None:
    assert word(x, ABOVE_ONE) == word(-x, BELOW_ONE)


@pytest.mark.parametrize("limits", [ABOVE_ONE, BELOW_ONE, ALIKE, Limits(above=2.0)])
@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("repeats", [5, 10])
def test_wrong_words_on_planted_ties_are_rare(limits: Limits, parts: int, repeats: int) -> None:
    """A tie is an effect at a limit of what the claim says; all parts are at theirs."""
    draws = 1500
    tie = np.log(limits.below if np.isfinite(limits.below) else limits.above)
    x = np.random.default_rng(repeats).normal(tie, 0.03, (draws, parts, repeats))
    words = [whole(findings([part(each, limits) for each in of_draw])).word for of_draw in x]
    wrong = np.mean([word != "open" for word in words])
    # Three standard errors of a share of 5 %.
    assert wrong <= LEVEL + 3 * np.sqrt(0.05 * 0.95 / draws)


def test_a_claim_holds_where_all_its_parts_do() -> None:
    good, bad, unclear = ([0.5, 0.6, 0.55], [-0.5, -0.6, -0.55], [-0.5, 0.6, 0.1])

    def words(*parts: Any) -> str:
        return whole(findings([part(x, ABOVE_ONE) for x in parts])).word

    assert words(good, good) == "supported"
    assert words(good, unclear) == "open"
    assert words(unclear, bad) == words(good, bad, unclear) == "contradicted"
