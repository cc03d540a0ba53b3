"""The verdict on a pair of arms: pure functions on arrays of losses.

Each repeat gives one number per arm, the mean test loss of its winner over the fresh seeds. Repeat r of every arm has
the same train/validation split and the same fresh seeds, so the interval is the t interval over the repeats'
differences.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Decision = Literal["a_better", "b_better", "tie", "undecided"]
CONFIDENCE = 0.95
MAX_REPEATS = 1000


@dataclass(frozen=True)
class Interval:
    """A paired t interval for a mean difference a − b over `repeats` differences; all in the loss's unit."""

    difference: float
    low: float
    high: float
    standard_error: float
    repeats: int


@dataclass(frozen=True)
class Verdict:
    """The answer for arms a and b: losses are compared, lower is better, so a negative difference speaks for a.

    band: differences within ± band are a tie. primary: the pair that answers the experiment's question; the others are
    corrected for their number (Holm), `corrected` where that took a decision back.
    """

    a: str
    b: str
    verdict: Decision
    difference: float | None
    low: float | None
    high: float | None
    band: float | None
    probability_a_better: float | None
    repeats_to_decide: int | None
    primary: bool
    corrected: bool
    why: str

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return asdict(self)


def paired_interval(differences: NDArray[np.float64], confidence: float = CONFIDENCE) -> Interval:
    """The t interval for the mean of `differences` (repeats,); at least two of them."""
    from scipy.stats import t

    n = len(differences)
    if n < 2:
        raise ValueError(f"paired_interval(differences=...): an interval needs at least 2 repeats, got {n}")
    mean, error = float(np.mean(differences)), float(np.std(differences, ddof=1) / np.sqrt(n))
    half = float(t.ppf((1 + confidence) / 2, n - 1)) * error
    return Interval(mean, mean - half, mean + half, error, n)


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
    from scipy.stats import t

    if interval.standard_error == 0:
        return 0.0
    distance = abs(abs(interval.difference) - band) / interval.standard_error
    return 2 * float(t.sf(distance, interval.repeats - 1))


def holm(p_values: Sequence[float], level: float = 1 - CONFIDENCE) -> list[bool]:
    """Which hypotheses hold at `level` after Holm's step-down correction for their number."""
    accepted = [False] * len(p_values)
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[index] > level / (len(p_values) - rank):
            break
        accepted[index] = True
    return accepted


def repeats_to_decide(interval: Interval, band: float) -> int | None:
    """The number of repeats at which an interval around the same mean with the same spread would decide; None if no
    reasonable number would.
    """
    from scipy.stats import t

    deviation = interval.standard_error * np.sqrt(interval.repeats)
    margin = abs(abs(interval.difference) - band)
    repeats = np.arange(max(interval.repeats, 2), MAX_REPEATS + 1)
    enough = t.ppf((1 + CONFIDENCE) / 2, repeats - 1) * deviation / np.sqrt(repeats) < margin
    return int(repeats[enough.argmax()]) if enough.any() else None


def probability_negative(interval: Interval) -> float:
    """Probability that the true difference is below 0, under a flat prior: the t distribution's."""
    from scipy.stats import t

    if interval.standard_error == 0:
        return 0.5 if interval.difference == 0 else float(interval.difference < 0)
    return float(t.cdf(-interval.difference / interval.standard_error, interval.repeats - 1))


def verdicts(
    losses: Mapping[str, Mapping[int, Sequence[float]]],
    primary: tuple[str, str] | None = None,
    unlearned: Collection[str] = (),
) -> list[Verdict]:
    """The verdict for every pair of arms, the primary pair first.

    losses: per arm and repeat the test losses of its winner over the fresh seeds (seeds,); repeats that only one arm of
    a pair has are left out of that pair. unlearned: arms whose losses are the cap that they share: two of these are
    alike without having been compared.
    """
    pairs = sorted(combinations(losses, 2), key=lambda pair: set(pair) != set(primary or ()))
    found: dict[tuple[str, str], tuple[Interval, float] | None] = {}
    for a, b in pairs:
        a, b = primary if primary and {a, b} == set(primary) else (a, b)
        common = sorted(set(losses[a]) & set(losses[b]))
        if len(common) >= 2:
            of_a, of_b = (np.array([losses[arm][repeat] for repeat in common]) for arm in (a, b))
            found[a, b] = paired_interval(of_a.mean(axis=1) - of_b.mean(axis=1)), tie_band(of_a, of_b)
        else:
            found[a, b] = None
    p_values = {pair: claim_p_value(*known) for pair, known in found.items() if known and pair != primary}
    holds = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    return [
        _verdict(
            pair,
            known,
            primary=pair == primary,
            holds=holds.get(pair, True),
            pairs=len(p_values),
            learned=not set(pair) <= set(unlearned),
        )
        for pair, known in found.items()
    ]


def _verdict(
    pair: tuple[str, str],
    known: tuple[Interval, float] | None,
    *,
    primary: bool,
    holds: bool,
    pairs: int,
    learned: bool,
) -> Verdict:
    a, b = pair
    if known is None:
        why = "an interval needs at least 2 repeats of both arms"
        return Verdict(a, b, "undecided", None, None, None, None, None, None, primary, False, why)
    interval, band = known
    decision = decide(interval, band) if learned else "undecided"
    needed = None
    corrected = decision != "undecided" and not holds
    if not learned:
        why = "neither arm learned: half of their evaluations or more are no better than the uninformed predictor's"
    elif decision == "undecided":
        needed = repeats_to_decide(interval, band)
        why = _undecided(pair, interval, band, needed)
    elif corrected:
        decision = "undecided"
        why = f"the 95 % interval alone would decide, but not after Holm's correction for {pairs} pairs"
    elif decision == "tie":
        why = f"the 95 % interval lies inside the tie band ±{band:.2g}, half the spread between seeds"
    else:
        why = f"the 95 % interval lies beyond the tie band ±{band:.2g}"
    return Verdict(
        a,
        b,
        decision,
        interval.difference,
        interval.low,
        interval.high,
        band,
        probability_negative(interval),
        needed,
        primary,
        corrected,
        why,
    )


def _undecided(pair: tuple[str, str], interval: Interval, band: float, needed: int | None) -> str:
    more = (
        f"about {needed} repeats would decide"
        if needed
        else "the difference lies so near the band's edge that hardly any number of repeats would decide"
    )
    if interval.low > 0 or interval.high < 0:
        favoured = pair[0] if interval.high < 0 else pair[1]
        return (
            f"the whole 95 % interval favours {favoured}, but it reaches into the tie band ±{band:.2g}, half the "
            f"spread between seeds; {more}"
        )
    return f"the 95 % interval holds 0 and reaches beyond the tie band ±{band:.2g}; {more}"
