"""Several arms on several tasks by their ranks: which are ahead, and which cannot be told apart."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cooldown.search.evidence.across.choosing import is_unfinished, lacks_ratio, one_per_task
from cooldown.search.evidence.across.measured import LeftOut, Measured
from cooldown.search.statistics.friedman import Ranked, ranked

FEWEST = 2
"""Tasks and arms without which nothing is ranked."""


@dataclass(frozen=True)
class Ranking:
    """Arms on tasks. losses: (tasks, arms), each the geometric mean over the repeats that all the arms have. ranked:
    their ranks; None for fewer than two tasks.
    """

    arms: tuple[str, ...]
    tasks: tuple[Measured, ...]
    left_out: tuple[LeftOut, ...]
    losses: NDArray[np.float64]
    ranked: Ranked | None


def ranking(measured: Sequence[Measured], arms: Sequence[str] = ()) -> Ranking:
    """The ranks of `arms` on the newest finished experiment of each task that has them all. Without arms, of those that
    most tasks have together.
    """
    chosen_arms = tuple(arms) or most_common_arms(measured)

    def lacks_arms(each: Measured) -> str:
        missing = [arm for arm in chosen_arms if arm not in each.losses]
        return f"it lacks {', '.join(missing)}" if missing else ""

    def lacks_repeats(each: Measured) -> str:
        return "" if each.repeats(*chosen_arms) else "no repeat has all these arms"

    if len(chosen_arms) < FEWEST:
        return Ranking(chosen_arms, (), (), np.empty((0, len(chosen_arms))), None)
    tasks, left_out = one_per_task(measured, lacks_arms, lacks_repeats, lacks_ratio)
    losses = np.array([_losses(each, chosen_arms) for each in tasks]).reshape(len(tasks), len(chosen_arms))
    found = ranked(losses) if len(tasks) >= FEWEST else None
    return Ranking(chosen_arms, tuple(tasks), tuple(left_out), losses, found)


def most_common_arms(measured: Sequence[Measured]) -> tuple[str, ...]:
    """The arms that the finished experiments of most tasks have, of these sets the largest; () without any."""
    tasks = {(frozenset(each.losses), each.data): tuple(each.losses) for each in measured if not is_unfinished(each)}
    count = Counter(arms for arms, _ in tasks)
    best = max(count, key=lambda arms: (len(arms) >= FEWEST, count[arms], len(arms), sorted(arms)), default=None)
    return () if best is None else next(named for (arms, _), named in tasks.items() if arms == best)


def _losses(each: Measured, arms: Sequence[str]) -> list[float]:
    repeats = each.repeats(*arms)
    return [float(np.exp(np.mean([np.log(each.losses[arm][repeat]) for repeat in repeats]))) for arm in arms]
