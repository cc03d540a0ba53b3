"""How sure an answer is to be: quick, standard or thorough, and how small a difference each of them can find.

What a number of repeats can find depends on how much the difference varies between repeats. Where the ledger has a
finished experiment on the same data, it is the spread seen there; else that of a typical task.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cooldown.objectives.errors import InputError
from cooldown.search.evidence.standing import paired_winners
from cooldown.search.spec.looks import DEFAULT_MOST, doubling
from cooldown.search.spec.recorded import spec_of
from cooldown.search.statistics.forecast import FEWEST, smallest_effect
from cooldown.search.statistics.looks import levels
from cooldown.search.tuning.dry_run import Estimate
from cooldown.storage import Status, Summary, Winner

TYPICAL = 0.2
"""The spread of a typical task: standard deviation over repeats of the log ratio of two losses. Measured on the
built-in tasks it is 0.03 to 0.5.
"""

OF_LEVEL = ("trials", "repeats", "until_decided", "max_repeats")
"""Settings that a level may have."""

DATA = ("target", "test", "groups", "time", "sample_weight", "drop")
"""Fields beside the task that say which rows and columns an experiment is on."""


@dataclass(frozen=True)
class Level:
    """A choice of how sure to be. compared, searched: its settings where arms are compared, and where one arm is
    searched for its best config; those that are not named are at their defaults.
    """

    about: str
    compared: Mapping[str, Any] = field(default_factory=dict)
    searched: Mapping[str, Any] = field(default_factory=dict)


LEVELS = {
    "Quick": Level("A first impression", {"trials": 8, "repeats": 5}, {"trials": 16, "repeats": 1}),
    "Standard": Level("Goes on until the question is answered, within a budget", {}, {"trials": 64, "repeats": 1}),
    "Thorough": Level(
        "Longer searches, and on until the question is answered",
        {"trials": 32, "until_decided": True, "max_repeats": DEFAULT_MOST},
        {"trials": 128, "repeats": 3},
    ),
}


@dataclass(frozen=True)
class Spread:
    """The standard deviation over repeats of the log ratio of two losses. seen: the experiment and the number of its
    repeats that show it; None for a typical one.
    """

    value: float = TYPICAL
    seen: tuple[str, int] | None = None


def spread_on(spec: Mapping[str, Any], summaries: Sequence[Summary], winners: Mapping[str, Sequence[Winner]]) -> Spread:
    """The spread on the data of a spec, from the finished experiment on them that has the most repeats."""
    best = Spread()
    for summary in summaries:
        if summary.status is not Status.DONE or not _same_data(summary.spec, spec):
            continue
        try:
            seen = paired_winners(spec_of(summary), summary.looks, winners.get(summary.name, ()))
        except InputError:
            continue
        if seen is None or seen[1] != "ratio" or len(seen[2]) < max(FEWEST, best.seen[1] + 1 if best.seen else 0):
            continue
        deviation = float(np.std(seen[2], ddof=1))
        if np.isfinite(deviation) and deviation > 0:
            best = Spread(deviation, (summary.name, len(seen[2])))
    return best


def smallest_share(estimate: Estimate, spread: Spread) -> float:
    """How much lower a loss has to be for an experiment to find it with 80 % power after all of its looks: 0.1 for 10 %
    lower.
    """
    looks = doubling(max(estimate.repeats, 2), max(estimate.most_repeats, 2))
    last = levels(looks, looks[-1])[-1]
    return float(1 - np.exp(-smallest_effect(spread.value, looks[-1], last)))


def _same_data(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.get("task") == other.get("task") and all(
        (one.get(key) or None) == (other.get(key) or None) for key in DATA
    )
