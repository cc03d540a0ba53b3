"""Whether a claim holds: pure functions of effects in repeats.

A claim says of each of its parts between which limits an effect lies. The t interval of the effect's mean answers: the
part is supported where the interval lies between the limits, contradicted where it lies beyond one of them, and else
open. Where the effect is exactly at a limit, a wrong word comes at most as often as the interval's error rate says. The
intervals of several parts hold at once (Bonferroni): a claim is contradicted as soon as one part is, and supported
where all are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.intervals import mean_interval

Word = Literal["supported", "contradicted", "open", "not applicable"]

LEVEL = 0.05
"""The error rate of a claim."""

TOO_FEW = "an interval needs at least 2 repeats"
NOT_FINITE = "an effect is not a finite number"


class Limits(NamedTuple):
    """Between which an effect lies, in its own unit, as 1.1 for a ratio."""

    above: float = -np.inf
    below: float = np.inf


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a claim.

    effect: what is measured, in words. x: (repeats,) the effect in each repeat, of a ratio its natural logarithm.
    limits: between which the claim says that it lies. ratio: whether it is a ratio. withheld: why nothing may be
    decided; "" if it may.
    """

    effect: str
    x: NDArray[np.float64]
    limits: Limits
    ratio: bool = True
    withheld: str = ""


@dataclass(frozen=True)
class Finding:
    """What is known of a part. low, high: the interval that decided, in the unit of `effect`; None where there is none.
    why: the reason where nothing could be decided, else "".
    """

    part: Part
    word: Word
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""


def findings(parts: Sequence[Part], level: float = LEVEL) -> list[Finding]:
    """What is known of each part, with intervals that hold at once at the error rate `level`."""
    return [_finding(part, level / len(parts)) for part in parts]


def whole(found: Sequence[Finding]) -> Finding:
    """The part that decides, whose word is that of the claim: the first contradicted one, else the first open one, else
    the first.
    """
    order: tuple[Word, ...] = ("contradicted", "open", "supported")
    return min(found, key=lambda finding: order.index(finding.word))


def _finding(part: Part, level: float) -> Finding:
    if len(part.x) < 2 or not np.isfinite(part.x).all():
        return Finding(part, "open", why=part.withheld or (TOO_FEW if len(part.x) < 2 else NOT_FINITE))
    interval = mean_interval(part.x, 1 - level)
    ends = np.array([interval.estimate, interval.low, interval.high])
    effect, low, high = (float(end) for end in (np.exp(ends) if part.ratio else ends))
    word: Word = "open"
    if not part.withheld:
        above, below = part.limits
        if above < low and high < below:
            word = "supported"
        elif high < above or low > below:
            word = "contradicted"
    return Finding(part, word, effect, low, high, part.withheld)
