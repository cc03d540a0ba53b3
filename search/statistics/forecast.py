"""How many repeats it takes to decide: a forecast from the repeats so far, and the power behind it.

`repeats_to_decide` names the number at which an experiment is decided with 80 % probability, if the true effect and
spread are those seen. `power` is that probability for any number of repeats and any level, so that planned looks
(`levels` of looks.py) can be judged in advance. Both count as decided what a verdict counts: a direction, practical
equality, and for the question "does a beat b?" also that a is not better by the margin.

Where the effect seen is the true one, 80 to 82 % of experiments are decided at the number named, and more only where
one repeat is worth more than that (at 9 repeats 86 %, at 5 89 %). But few repeats know their effect badly. Of
experiments that are undecided after 5, 10 or 20 repeats and continue to the number named then, 72 to 74 % are decided
there, over six measured effects together: 92 to 100 % where the effect is clear (ratio 1.39, standard deviation 0.5),
for these were undecided by bad luck, and 41 to 62 % where it is faint (0.99, 0.48), for these look clearer than they
are. No method tried holds 80 % for each effect: with the repeats so far taken as given, a share misses it by 14 points
on average, as here; with predictive probabilities under a flat prior by 16; under priors that expect small effects by
12 to 15, at up to ten times the repeats where the effect is clear. `python -m benchmarks.forecast --experiments 1000`
has the shares of each effect.
"""

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.student import t_quantiles

POWER = 0.8
MAX_REPEATS = 1000
FEWEST = 3
"""A forecast is never made from fewer repeats."""
SPREADS = 64
"""Over how many equally probable values of the spread that an experiment sees power is averaged."""


def repeats_to_decide(
    x: NDArray[np.float64],
    margin: float,
    level: float = 0.05,
    most: int = MAX_REPEATS,
    *,
    question: bool = True,
) -> int | None:
    """The number of repeats, all together, that decide with 80 % power if x shows the true effect and spread.

    x: (n,) log(loss of a / loss of b) of each repeat, finite, of an experiment that is undecided. margin: what still
    counts as practically equal, a share of the loss (0.1: ±10 %), at least 0. level: of (0, 0.5), the two-sided level
    of the look at that number. question: whether "not better by the margin" is an answer too, as it is to "does a beat
    b?"; without it a and b may be swapped. Returns a number above n and at most `most`; None if that is not enough, and
    for fewer than three repeats. Raises ValueError for bad arguments.
    """
    call = "repeats_to_decide"
    if x.ndim != 1 or not np.isfinite(x).all():
        raise ValueError(f"{call}(x=...): x must be finite, of shape (repeats,), got shape {x.shape}: {x}")
    if len(x) < FEWEST:
        _check(call, 0.0, 0.0, 2, margin, level)
        return None
    # Sorted, so that rounding cannot make the order of repeats matter.
    ordered = np.sort(x)
    # What overflows is refused below.
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(ordered.mean()), float(ordered.std(ddof=1))
    _check(call, mean, deviation, len(x), margin, level)

    def enough(repeats: int) -> bool:
        return power(mean, deviation, repeats, margin, level, question=question) >= POWER

    if most <= len(x):
        return None
    low, step = len(x), 1
    while not enough(high := min(low + step, most)):
        if high >= most:
            return None
        low, step = high, 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def power(
    effect: float, deviation: float, repeats: int, margin: float, level: float = 0.05, *, question: bool = True
) -> float:
    """The probability, in [0, 1], that an experiment of this many repeats is decided.

    effect, deviation: the true mean and standard deviation of x = log(loss of a / loss of b), normal; finite, the
    deviation at least 0. repeats: at least 2. margin, level, question: see `repeats_to_decide`. Decided is what the
    t intervals of x decide: that of confidence 1 − level lies below 0 (a better) or above 0 (b better; with `question`
    above −log(1 + margin) will do), or that of confidence 1 − 2·level within ±log(1 + margin). Raises ValueError for
    bad arguments.
    """
    from scipy.special import gammaincinv, ndtr

    _check("power", effect, deviation, repeats, margin, level)
    bound = float(np.log1p(margin))
    if deviation == 0:
        return float(effect < 0 or effect > (-bound if question else 0.0) or abs(effect) < bound)
    degrees = repeats - 1
    # The spread seen has the χ² distribution, and the mean seen is normal whatever that is.
    squares = 2 * gammaincinv(degrees / 2, (np.arange(SPREADS) + 0.5) / SPREADS)
    error = deviation / np.sqrt(repeats)
    seen = error * np.sqrt(squares / degrees)
    wide = -float(t_quantiles(level / 2, degrees)) * seen
    narrow = -float(t_quantiles(level, degrees)) * seen

    def below(value: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(ndtr((value - effect) / error), np.float64)

    # The mean leaves a question open from low to high, but for what is within ±equal.
    low, high, equal = -wide, wide - (bound if question else 0.0), np.maximum(bound - narrow, 0)
    closed_low, closed_high = np.clip(-equal, low, high), np.clip(equal, low, high)
    open_ = np.where(high > low, below(high) - below(low) - below(closed_high) + below(closed_low), 0)
    return float(1 - open_.mean())


def smallest_effect(deviation: float, repeats: int, level: float = 0.05) -> float:
    """The smallest true mean of x that an experiment of this many repeats finds with 80 % power: a direction, at the
    two-sided level. As a ratio of losses it is exp(−effect).

    deviation: the true standard deviation of x, above 0. repeats: at least 2. Raises ValueError for bad arguments.
    """

    def found(effect: float) -> bool:
        return power(effect, deviation, repeats, 0.0, level, question=False) >= POWER

    high = deviation
    while not found(high):
        high *= 2
    low = 0.0
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high


def _check(call: str, effect: float, deviation: float, repeats: int, margin: float, level: float) -> None:
    # Written so that NaN fails too.
    if not (np.isfinite(effect) and np.isfinite(deviation) and deviation >= 0):
        raise ValueError(f"{call}: mean and deviation must be finite, the deviation at least 0: {effect}, {deviation}")
    if repeats < 2:
        raise ValueError(f"{call}(repeats={repeats}): an interval needs at least 2 repeats, got {repeats}")
    if not (np.isfinite(margin) and margin >= 0):
        raise ValueError(f"{call}(margin={margin}): margin must be a finite share of at least 0, got {margin}")
    if not 0 < level < 0.5:
        raise ValueError(f"{call}(level={level}): level must be between 0 and 0.5, got {level}")
