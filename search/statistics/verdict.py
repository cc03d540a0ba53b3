"""The verdict on a pair of arms: pure functions on arrays of losses.

Each repeat gives one number per arm, the mean test loss of its winner over the fresh seeds. Repeat r of every arm has
the same train/validation split and the same fresh seeds, so the interval is the t interval over the repeats'
differences; Welch's where two arms have no repeats in common.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.intervals import CONFIDENCE, Interval, mean_interval, welch_interval
from cooldown.search.statistics.student import t_probability, t_quantiles

Decision = Literal["a_better", "b_better", "tie", "undecided"]
MAX_REPEATS = 1000
PRACTICAL = 30
"""More repeats than these are no advice: a longer search or run is."""


@dataclass(frozen=True)
class Verdict:
    """The answer for arms a and b: losses are compared, lower is better, so a negative difference speaks for a.

    a_loss, b_loss: each arm's mean test loss over the repeats that the difference is over, and no others. repeats: how
    many of them both arms have, or where the arms have none in common, the fewer of the two.
    band: differences within ± band are a tie. score_difference with its interval: that of the test score, accuracy or
    R², where higher is better; it decides nothing. primary: the pair that answers the experiment's question; the others
    are corrected for their number (Holm), `corrected` where that took a decision back.
    """

    a: str
    b: str
    verdict: Decision
    a_loss: float | None
    b_loss: float | None
    repeats: int
    difference: float | None
    low: float | None
    high: float | None
    band: float | None
    score_difference: float | None
    score_low: float | None
    score_high: float | None
    probability_a_better: float | None
    repeats_to_decide: int | None
    primary: bool
    corrected: bool
    why: str

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return asdict(self)


def tie_band(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Half the pooled between-seed standard deviation of the test losses a and b, each (repeats, seeds)."""
    variances = [np.var(losses, axis=1, ddof=1).mean() for losses in (a, b) if losses.shape[1] > 1]
    return 0.5 * float(np.sqrt(np.mean(variances))) if variances else 0.0


def decide(interval: Interval, band: float) -> Decision:
    """Beyond the band: better. Inside it: a tie. Else undecided."""
    if interval.high < -band:
        return "a_better"
    if interval.low > band:
        return "b_better"
    return "tie" if -band <= interval.low and interval.high <= band else "undecided"


def claim_p_value(interval: Interval, band: float) -> float:
    """The p-value of the strongest claim that the data could make: |difference| > band, or |difference| < band.

    It is at most 0.05 exactly where the 95 % interval decides, so that Holm's correction can be applied to it.
    """
    if interval.standard_error == 0:
        return 0.0
    distance = abs(abs(interval.estimate) - band) / interval.standard_error
    return 2 * t_probability(-distance, interval.degrees)


def holm(p_values: Sequence[float], level: float = 1 - CONFIDENCE) -> list[bool]:
    """Which hypotheses hold at `level` after Holm's step-down correction for their number."""
    accepted = [False] * len(p_values)
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[index] > level / (len(p_values) - rank):
            break
        accepted[index] = True
    return accepted


def repeats_to_decide(interval: Interval, band: float, confidence: float = CONFIDENCE) -> int | None:
    """The number of repeats, all together, at which an interval around the same mean with the same spread would decide;
    None if no reasonable number would.
    """
    deviation = interval.standard_error * np.sqrt(interval.repeats)
    margin = abs(abs(interval.estimate) - band)
    repeats = np.arange(max(interval.repeats, 2), MAX_REPEATS + 1)
    enough = t_quantiles((1 + confidence) / 2, repeats - 1) * deviation / np.sqrt(repeats) < margin
    return int(repeats[enough.argmax()]) if enough.any() else None


def probability_negative(interval: Interval) -> float:
    """Probability that the true difference is below 0, under a flat prior: the t distribution's."""
    if interval.standard_error == 0:
        return 0.5 if interval.estimate == 0 else float(interval.estimate < 0)
    return t_probability(-interval.estimate / interval.standard_error, interval.degrees)


Repeats = Mapping[int, Sequence[float]]
"""Per repeat the numbers of its winner's replicates (seeds,)."""


def verdicts(
    losses: Mapping[str, Repeats],
    primary: tuple[str, str] | None = None,
    unlearned: Collection[str] = (),
    *,
    scores: Mapping[str, Repeats] | None = None,
    withheld: Mapping[str, str] | None = None,
) -> list[Verdict]:
    """The verdict for every pair of arms, the primary pair first.

    losses: per arm and repeat the test losses of its winner over the fresh seeds; scores: likewise the test scores, NaN
    for a run that has none. Repeats that only one arm of a pair has are left out of that pair, unless the two have
    fewer than two in common. unlearned: arms whose losses are the cap that they share: two of these are alike without
    having been compared. withheld: arms about which nothing is decided, with the reason.
    """
    pairs = [
        primary if primary and set(pair) == set(primary) else pair
        for pair in sorted(combinations(losses, 2), key=lambda pair: set(pair) != set(primary or ()))
    ]
    compared = {(a, b): _compared(losses[a], losses[b]) for a, b in pairs}
    p_values = {
        pair: claim_p_value(known.interval, known.band) for pair, known in compared.items() if known and pair != primary
    }
    holds = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    decisions = []
    for (a, b), known in compared.items():
        reasons = [(withheld or {})[arm] for arm in (a, b) if arm in (withheld or {})]
        if {a, b} <= set(unlearned):
            reasons = [NOTHING_LEARNED]
        decided = _decided((a, b), known, reasons, holds=holds.get((a, b), True), pairs=len(p_values))
        score = _difference(scores[a], scores[b]) if scores else None
        interval = known.interval if known else None
        difference, low, high = _ends(interval)
        score_difference, score_low, score_high = _ends(score)
        decisions.append(
            Verdict(
                a=a,
                b=b,
                a_loss=known.a_loss if known else None,
                b_loss=known.b_loss if known else None,
                repeats=known.repeats if known else min(len(losses[a]), len(losses[b])),
                difference=difference,
                low=low,
                high=high,
                band=known.band if known else None,
                score_difference=score_difference,
                score_low=score_low,
                score_high=score_high,
                probability_a_better=None if interval is None else probability_negative(interval),
                primary=(a, b) == primary,
                **decided,
            )
        )
    return decisions


def _aligned(a: Repeats, b: Repeats) -> tuple[NDArray[np.float64], NDArray[np.float64], bool] | None:
    """Both arms' numbers (repeats, seeds), and whether they are paired: of the common repeats if there are two, else of
    all that each has; None for fewer than two.
    """
    common = sorted(set(a) & set(b))
    paired = len(common) >= 2
    if not paired and min(len(a), len(b)) < 2:
        return None
    of_a, of_b = (np.array([arm[r] for r in (common if paired else sorted(arm))], np.float64) for arm in (a, b))
    return of_a, of_b, paired


def _difference(a: Repeats, b: Repeats) -> Interval | None:
    """The interval for a − b; None for too few or missing numbers."""
    aligned = _aligned(a, b)
    if aligned is None:
        return None
    of_a, of_b = (numbers.mean(axis=1) for numbers in aligned[:2])
    if not (np.isfinite(of_a).all() and np.isfinite(of_b).all()):
        return None
    return mean_interval(of_a - of_b) if aligned[2] else welch_interval(of_a, of_b)


def _ends(interval: Interval | None) -> tuple[float, float, float] | tuple[None, None, None]:
    return (None, None, None) if interval is None else (interval.estimate, interval.low, interval.high)


@dataclass(frozen=True)
class _Compared:
    """The interval for a − b, its tie band, and what it is of: both arms' means over as many repeats."""

    interval: Interval
    band: float
    a_loss: float
    b_loss: float
    repeats: int


def _compared(a: Repeats, b: Repeats) -> _Compared | None:
    """None for too few or missing numbers."""
    aligned, interval = _aligned(a, b), _difference(a, b)
    if aligned is None or interval is None:
        return None
    of_a, of_b, _ = aligned
    a_loss, b_loss = (float(losses.mean(axis=1).mean()) for losses in (of_a, of_b))
    return _Compared(interval, tie_band(of_a, of_b), a_loss, b_loss, min(len(of_a), len(of_b)))


NOTHING_LEARNED = "neither arm learned: at least half of their evaluations are no better than the baseline predictor"


def _decided(
    pair: tuple[str, str], known: _Compared | None, reasons: Sequence[str], *, holds: bool, pairs: int
) -> dict[str, Any]:
    """A verdict's decision with what explains it. reasons: why nothing may be decided."""
    needed: int | None = None
    corrected = False
    decision: Decision = "undecided"
    if known is None:
        why = "an interval takes at least 2 repeats of both arms"
    elif reasons:
        why = "; ".join(reasons)
    else:
        interval, band = known.interval, known.band
        decision = decide(interval, band)
        corrected = decision != "undecided" and not holds
        if decision == "undecided":
            needed = repeats_to_decide(interval, band)
            why = _undecided(pair, interval, band, needed)
        elif corrected:
            decision = "undecided"
            # At the level that the correction asks of a pair at most.
            needed = repeats_to_decide(interval, band, 1 - (1 - CONFIDENCE) / pairs)
            more = f"; {_more(interval, needed)}" if needed else ""
            why = f"the 95 % interval alone is decisive, but not after Holm's correction for {pairs} pairs{more}"
        elif decision == "tie":
            why = f"the 95 % interval lies within the tie band of ±{band:.2g} (half the spread between seeds)"
        else:
            why = f"the 95 % interval lies outside the tie band of ±{band:.2g}"
    return {"verdict": decision, "repeats_to_decide": needed, "corrected": corrected, "why": why}


def _more(interval: Interval, needed: int) -> str:
    return f"about {needed} repeats ({max(needed - interval.repeats, 1)} more) would settle it"


def _undecided(pair: tuple[str, str], interval: Interval, band: float, needed: int | None) -> str:
    narrow = interval.high - interval.low < 2 * band
    if needed and needed <= PRACTICAL:
        more = _more(interval, needed)
    elif narrow and abs(abs(interval.estimate) - band) < interval.standard_error:
        more = "the difference is close to the edge of the band, so more repeats are unlikely to settle it"
    else:
        more = f"{f'about {needed}' if needed else f'more than {MAX_REPEATS}'} repeats would be needed to settle it"
    if interval.low > 0 or interval.high < 0:
        favoured = pair[0] if interval.high < 0 else pair[1]
        return (
            f"the 95 % interval favours {favoured}, but reaches into the tie band of ±{band:.2g} (half the spread "
            f"between seeds); {more}"
        )
    return f"the 95 % interval includes 0 and extends beyond the tie band of ±{band:.2g}; {more}"
