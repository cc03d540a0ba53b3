"""How much a hyperparameter's value matters: how wide the good region is, and how the loss changes over the range.

Everything here is relative to the best loss of its own study, because repeats train on other splits, and everything is
seen only where trials fell. While one hyperparameter is looked at the others vary with it, so a value counts as good
where some setting of the others made it so.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.intervals import mean_interval
from cooldown.search.statistics.ranks import mean_ranks

TOLERANCE = 0.1
"""How far above the best loss, as a share of it, a loss counts as about as good."""


@dataclass(frozen=True)
class Profile:
    """Loss as a function of a hyperparameter, over equal bins of its range.

    edges: (bins + 1,) positions, 0 the low end of the range and 1 its high end. ratio: (bins,) the lowest ratio of a
    loss to its study's best that a repeat found in the bin, the median over the repeats with trials there; NaN where
    there are none. trials, repeats: (bins,) how many of them there are.
    """

    edges: NDArray[np.float64]
    ratio: NDArray[np.float64]
    trials: NDArray[np.int64]
    repeats: NDArray[np.int64]


@dataclass(frozen=True)
class MeanWidth:
    """The mean over `repeats` repeats, and the ends of its 95 % t interval as far as it is not negative; None where
    there is no mean or no interval.
    """

    mean: float | None
    low: float | None
    high: float | None
    repeats: int


def region(
    positions: NDArray[np.float64], losses: NDArray[np.float64], tolerance: float = TOLERANCE
) -> tuple[float, float]:
    """The smallest and the largest position at which one study's loss is at most (1 + tolerance) times its best.

    Where the best is 0 only its equals count; where it is negative, losses at most tolerance·|best| above it.

    positions: (n,) on the scale of the search, NaN for a trial that does not have this hyperparameter. losses: (n,) of
    all trials, inf where diverged; trials without the hyperparameter take part in what is best. tolerance: at least 0.
    Returns (NaN, NaN) where no such trial has the hyperparameter, or all diverged. Raises ValueError for an empty
    study, arrays of other shapes, or a value out of its range.
    """
    _check_trials("region", positions, losses)
    if not tolerance >= 0:
        raise ValueError(f"region(tolerance={tolerance}): must be at least 0, got {tolerance}")
    best = losses.min()
    good = positions[np.isfinite(losses) & ~np.isnan(positions) & (losses <= best + tolerance * abs(best))]
    return (float(good.min()), float(good.max())) if good.size else (np.nan, np.nan)


def span(positions: NDArray[np.float64], losses: NDArray[np.float64], tolerance: float = TOLERANCE) -> float:
    """The width of the `region`, in the unit of positions: 0 for a single trial in it, NaN where it is empty.

    It is a lower bound for the region within the tolerance of the best loss that was seen: beyond the outermost good
    trial nothing is known. More trials find more of it, and a sampler that crowds around its best finds less, so that
    only arms with equal budgets and one sampler compare.
    """
    low, high = region(positions, losses, tolerance)
    return high - low


def mean_width(widths: NDArray[np.float64]) -> MeanWidth:
    """The mean of widths (repeats,), NaN where a repeat has none, over those that have one."""
    known = widths[~np.isnan(widths)]
    if known.size == 0:
        return MeanWidth(None, None, None, 0)
    if known.size == 1:
        return MeanWidth(float(known[0]), None, None, 1)
    interval = mean_interval(known)
    # A width is never negative, however uncertain it is.
    return MeanWidth(interval.estimate, max(interval.low, 0.0), interval.high, interval.repeats)


def relative_losses(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) ratios of one study's losses to its best, 1 for the best itself; inf where diverged.

    Where the best is 0 every other is infinitely worse; where it is negative, the ratio is 1 + (loss − best)/|best|.
    Raises ValueError for an empty study, and for NaN and −inf.
    """
    _check_losses("relative_losses", losses)
    best = losses.min()
    ratios = np.where(losses == best, 1.0, np.inf)
    if best != 0 and np.isfinite(best):
        ratios = 1 + (losses - best) / abs(best)
    return np.where(np.isfinite(losses), ratios, np.inf)


def relative_ranks(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) ranks of one study's losses in (0, 1): (rank − ½)/n from the best to the worst, the mean rank for equals.

    They compare between studies of different splits and lengths, as losses do not. losses: (n,), inf where diverged.
    Raises ValueError for an empty study, and for NaN and −inf.
    """
    _check_losses("relative_ranks", losses)
    return (mean_ranks(losses) - 0.5) / len(losses)


def profile(
    positions: NDArray[np.float64], ratios: NDArray[np.float64], repeats: NDArray[np.int64], bins: int
) -> Profile:
    """Loss as a function of a hyperparameter, from the trials of all repeats of an arm.

    positions: (n,) from 0, the low end of the range, to 1, its high end; NaN for a trial that does not have this
    hyperparameter. ratios: (n,) `relative_losses` of each study. repeats: (n,) which repeat a trial is of. bins: their
    number, at least 1; each holds its low edge, the last also its high one. Raises ValueError for other shapes or bins.
    """
    if not positions.shape == ratios.shape == repeats.shape == (positions.size,):
        shapes = f"{positions.shape}, {ratios.shape} and {repeats.shape}"
        raise ValueError(f"profile(positions=..., ratios=..., repeats=...): all must have one shape (n,), got {shapes}")
    if bins < 1:
        raise ValueError(f"profile(bins={bins}): there must be at least 1, got {bins}")
    known = ~np.isnan(positions)
    # A value at the end of its range can come out a rounding error beyond it.
    places = np.clip((positions[known] * bins).astype(np.int64), 0, bins - 1)
    lowest: list[dict[int, float]] = [{} for _ in range(bins)]
    for place, ratio, repeat in zip(places.tolist(), ratios[known].tolist(), repeats[known].tolist(), strict=True):
        lowest[place][repeat] = min(ratio, lowest[place].get(repeat, np.inf))
    return Profile(
        edges=np.arange(bins + 1) / bins,
        ratio=np.array([np.median(list(found.values())) if found else np.nan for found in lowest]),
        trials=np.bincount(places, minlength=bins),
        repeats=np.array([len(found) for found in lowest]),
    )


def _check_trials(call: str, positions: NDArray[np.float64], losses: NDArray[np.float64]) -> None:
    _check_losses(call, losses)
    if positions.shape != losses.shape:
        raise ValueError(f"{call}(positions=...): must have the shape of losses, {losses.shape}, got {positions.shape}")


def _check_losses(call: str, losses: NDArray[np.float64]) -> None:
    if losses.ndim != 1 or losses.size == 0:
        raise ValueError(f"{call}(losses=...): must have shape (n,) and not be empty, got {losses.shape}")
    wrong = losses[np.isnan(losses) | np.isneginf(losses)]
    if wrong.size:
        raise ValueError(f"{call}(losses=...): a loss must be a number, or inf where diverged, got {wrong[0]}")
