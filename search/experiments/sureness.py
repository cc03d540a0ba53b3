"""How sure an answer is to be: quick, standard or thorough, and how small a difference each of them can find.

What a number of repeats can find depends on how much the difference varies between repeats. The dry run trains a few
repeats of a small experiment, which show it roughly. That is weighed with what is known before: the spread in a
finished experiment on the same data, if the ledger has one; else that of a typical task, as if four repeats had shown
it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.search.evidence.losses import question_pair
from cooldown.search.evidence.standing import paired_winners
from cooldown.search.spec.experiment import Experiment
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

WORTH = 4
"""Degrees of freedom that the spread of a typical task counts for."""

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
    repeats that show it; None for a typical one. timed: repeats of a dry run that it also rests on.
    """

    value: float = TYPICAL
    seen: tuple[str, int] | None = None
    timed: int = 0

    def weighed(self, effects: NDArray[np.float64]) -> "Spread":
        """This spread and that of a dry run together. effects: (repeats,) log ratios of its losses; fewer than two say
        nothing.
        """
        if len(effects) < 2 or not np.isfinite(effects).all():
            return self
        known = WORTH if self.seen is None else self.seen[1] - 1
        squares = known * self.value**2 + float(((effects - effects.mean()) ** 2).sum())
        return replace(self, value=math.sqrt(squares / (known + len(effects) - 1)), timed=len(effects))


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


def timed_effects(spec: Experiment, estimate: Estimate) -> NDArray[np.float64]:
    """(repeats,) log ratios of the losses of the pair that the spec asks about, in the repeats of its dry run."""
    losses = {arm: np.asarray(of_arm) for arm, of_arm in estimate.losses.items()}
    pair = question_pair(spec, {arm: float(of_arm.mean()) for arm, of_arm in losses.items()})
    if pair is None or not {*pair} <= losses.keys():
        return np.empty(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        effects: NDArray[np.float64] = np.log(losses[pair[0]]) - np.log(losses[pair[1]])
    return effects


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
