"""Several arms on several tasks by their ranks: Friedman's test, and how far mean ranks must be apart.

Ranks ignore by how much an arm is better, and depend on which others are compared: they stand beside the ratios.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.ranks import mean_ranks
from cooldown.search.statistics.tukey import studentized_range_quantile

LEVEL = 0.05


@dataclass(frozen=True)
class Ranked:
    """Arms ranked on tasks. ranks: (tasks, arms) from 1, the best. means: (arms,) over tasks. statistic: Iman and
    Davenport's F, on arms − 1 and (arms − 1)(tasks − 1) degrees of freedom; infinite where all tasks agree. p_value: of
    "no arm is better than another". critical_difference: two mean ranks that are this far apart differ, at 5 % for all
    pairs together.
    """

    ranks: NDArray[np.float64]
    means: NDArray[np.float64]
    statistic: float
    p_value: float
    critical_difference: float


def ranked(losses: NDArray[np.float64], level: float = LEVEL) -> Ranked:
    """Rank `losses` (tasks, arms), of which the lowest of a task is the best; at least two tasks and two arms, no NaN.

    The critical difference is Nemenyi's. Sources: Friedman 1937; Iman and Davenport 1980; Nemenyi 1963, all as in
    Demšar 2006.
    """
    from scipy.special import fdtrc

    if losses.ndim != 2 or min(losses.shape) < 2 or not np.isfinite(losses).all():
        raise ValueError(f"ranked(losses=...): needs finite losses of at least 2 tasks and 2 arms, got {losses}")
    tasks, arms = losses.shape
    ranks = np.array([mean_ranks(row) for row in losses])
    means = ranks.mean(axis=0)
    chi_squared = 12 * tasks / (arms * (arms + 1)) * float((means**2).sum() - arms * (arms + 1) ** 2 / 4)
    left = tasks * (arms - 1) - chi_squared
    statistic = (tasks - 1) * chi_squared / left if left > 1e-9 else float("inf")
    p_value = float(fdtrc(arms - 1, (arms - 1) * (tasks - 1), statistic)) if np.isfinite(statistic) else 0.0
    quantile = studentized_range_quantile(1 - level, arms, np.inf)
    difference = quantile / np.sqrt(2) * np.sqrt(arms * (arms + 1) / (6 * tasks))
    return Ranked(ranks, means, statistic, p_value, float(difference))


def alike(means: NDArray[np.float64], critical_difference: float) -> list[tuple[int, int]]:
    """The groups of arms whose mean ranks (arms,) do not differ, as first and last place in the order of the means;
    only the largest ones, each of at least two arms.
    """
    ordered = np.sort(means)
    groups: list[tuple[int, int]] = []
    for first in range(len(ordered)):
        last = int(np.searchsorted(ordered, ordered[first] + critical_difference, side="right")) - 1
        if last > first and (not groups or last > groups[-1][1]):
            groups.append((first, last))
    return groups
