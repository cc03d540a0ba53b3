"""Verdicts of known numbers, for the tests of what is made of them."""

from dataclasses import replace
from typing import Any

from cooldown.search.statistics.verdict import Verdict


def made_verdict(a: str, b: str, decision: Any, **changes: Any) -> Verdict:
    """A verdict on the scale of ratios, with the changes."""
    made = Verdict(
        a=a,
        b=b,
        verdict=decision,
        equal=decision == "tie",
        withheld=False,
        scale="ratio",
        ratio=0.5,
        low=0.25,
        high=0.75,
        equal_low=0.375,
        equal_high=0.625,
        difference=-0.5,
        a_loss=0.25,
        b_loss=0.75,
        margin=0.25,
        margin_low=0.8,
        margin_high=1.25,
        level=0.05,
        method="t",
        score_difference=None,
        score_low=None,
        score_high=None,
        probability_a_better=0.9,
        wins=4,
        b_wins=1,
        repeats=5,
        repeats_to_decide=None,
        primary=False,
        why="",
    )
    return replace(made, **changes)
