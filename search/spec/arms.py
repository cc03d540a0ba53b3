"""`Arm`: what one search may choose from, as one writes it; and the arms that the catalogs' entries declare."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cooldown.objectives import optimizers, schedules
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Declared
from cooldown.objectives.relations import KnownArm

LONGEST = 40
"""Letters of a name that have room in a legend, a row of a chart or a cell of a table."""


@dataclass(frozen=True)
class Arm:
    """What one search may choose from: optimizers × schedules.

    label: a name of the user's own, which sets it apart from another arm of the same choices; "" for none.
    """

    optimizers: tuple[str, ...]
    schedules: tuple[str, ...]
    label: str = ""

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> "Arm":
        """`"momentum,nag+cosine,sgdr"`: optimizers, then schedules; no `+` means `constant`. `"mine=adam"` has a label.

        Raises InputError, a line for each problem, with the nearest suggestion for an unknown name.
        """
        label, equals, choices = text.rpartition("=")
        first, plus, second = choices.partition("+")
        chosen = tuple(name.strip() for name in first.split(","))
        annealing = tuple(name.strip() for name in second.split(",")) if plus else ("constant",)
        problems = []
        label = label.strip()
        if equals and not re.fullmatch(r"[\w.-]{1,40}", label):
            problems.append(
                f"the arm {text!r}: a label before the = is 1 to 40 letters, digits, dots, dashes or underscores"
            )
        for names, catalog in ((chosen, optimizers), (annealing, schedules)):
            for name in names:
                if not name:
                    problems.append(f"the arm {text!r} lacks a name: an arm is written as in momentum,nag+cosine,sgdr")
                    continue
                try:
                    catalog.get(name)
                except InputError as error:
                    problems.append(str(error))
            problems += [
                f"the arm {text!r} names {name!r} twice" for name, count in Counter(names).items() if name and count > 1
            ]
        problems += [
            f"the arm {text!r} names {name!r} as an optimizer and as a schedule"
            for name in chosen
            if name and name in annealing
        ]
        if problems:
            raise InputError("\n".join(dict.fromkeys(problems)))
        return cls(chosen, annealing, label)

    @property
    def name(self) -> str:
        """The arm as one writes it, `momentum` for `momentum+constant`."""
        return f"{self.label}={self.choices}" if self.label else self.choices

    @property
    def choices(self) -> str:
        """The same without its label."""
        first = ",".join(self.optimizers)
        return first if self.schedules == ("constant",) else f"{first}+{','.join(self.schedules)}"

    @property
    def hyperparameters(self) -> dict[str, tuple[Declared, ...]]:
        """The catalog entries that it can choose, by name, with their hyperparameters."""
        found: dict[str, tuple[Declared, ...]] = {}
        found |= {name: optimizers.get(name).hyperparameters for name in self.optimizers}
        return found | {name: schedules.get(name).hyperparameters for name in self.schedules}

    @property
    def is_single(self) -> bool:
        """Whether it is one optimizer with one schedule, and so has a default config."""
        return len(self.optimizers) == len(self.schedules) == 1

    @property
    def peak(self) -> float:
        """What the multipliers of its schedules reach; 1 where they differ in that."""
        peaks = {schedules.get(name).peak for name in self.schedules}
        return peaks.pop() if len(peaks) == 1 else 1.0

    @property
    def presets(self) -> Mapping[str, Any]:
        """Fixed values and ranges that belong to the arm, by parameter name, unless a spec gives others."""
        known = _declared(self.optimizers, self.schedules)
        return next((arm.presets for arm in known if arm.name == self.choices), {})


def known_arms() -> dict[str, KnownArm]:
    """The arms that the survey or a paper makes a claim about, as the catalogs' entries declare them, by name."""
    declared = _declared(optimizers.names(), schedules.names())
    return {arm.name: arm for arm in sorted(declared, key=lambda arm: arm.name)}


def _declared(of_optimizers: Iterable[str], of_schedules: Iterable[str]) -> Iterator[KnownArm]:
    """The arms that these entries declare."""
    for optimizer in of_optimizers:
        yield from optimizers.get(optimizer).arms
    for schedule in of_schedules:
        yield from schedules.get(schedule).arms


def joint_arm() -> str:
    """The arm of all optimizers and schedules."""
    return f"{','.join(optimizers.names())}+{','.join(schedules.names())}"


def short(arm: str) -> str:
    """An arm's name, or its label or how much it may choose from where the name is too long to be shown whole."""
    if len(arm) <= LONGEST:
        return arm
    try:
        parsed = Arm.parse(arm)
    except InputError:
        return arm
    if parsed.label:
        return parsed.label
    parts = ((parsed.optimizers, "optimizer"), (parsed.schedules, "schedule"))
    told = [own[0] if len(own) == 1 else f"{len(own)} {kind}s" for own, kind in parts]
    return told[0] if parsed.schedules == ("constant",) else " + ".join(told)
