"""`Arm`: what one search may choose from, parsed from its text; and the arms that the catalog's entries declare."""

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
"""Characters of a name that fit into a legend, a row of a chart or a cell of a table."""


NO_ANNEALING = "constant"
"""The schedule of an arm that names none."""


@dataclass(frozen=True)
class Arm:
    """What one search may choose from: optimizers × schedules.

    label: the user's name for it, which distinguishes it from another arm with the same choices; "" for none.
    """

    optimizers: tuple[str, ...]
    schedules: tuple[str, ...]
    label: str = ""

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> "Arm":
        """`"momentum,nag+cosine,sgdr"`: optimizers, then schedules; no `+` means `constant`. `"mine=adam"` has a label.

        Raises InputError with one line per problem, and the closest match for an unknown name.
        """
        label, equals, choices = text.rpartition("=")
        first, plus, second = choices.partition("+")
        optimizer_names = tuple(name.strip() for name in first.split(","))
        schedule_names = tuple(name.strip() for name in second.split(",")) if plus else (NO_ANNEALING,)
        problems = []
        label = label.strip()
        if equals and not re.fullmatch(r"[\w.-]{1,40}", label):
            problems.append(
                f"arm {text!r}: the label before = must be 1 to 40 letters, digits, dots, dashes or underscores"
            )
        for names, catalog in ((optimizer_names, optimizers), (schedule_names, schedules)):
            for name in names:
                if not name:
                    problems.append(f"arm {text!r}: a name is missing; write it like momentum,nag+cosine,sgdr")
                    continue
                try:
                    catalog.get(name)
                except InputError as error:
                    problems.append(str(error))
            problems += [
                f"arm {text!r} contains {name!r} twice" for name, count in Counter(names).items() if name and count > 1
            ]
        problems += [
            f"arm {text!r} contains {name!r} both as an optimizer and as a schedule"
            for name in optimizer_names
            if name and name in schedule_names
        ]
        if problems:
            raise InputError("\n".join(dict.fromkeys(problems)))
        return cls(optimizer_names, schedule_names, label)

    @property
    def name(self) -> str:
        """The arm's text in its shortest form: `momentum` for `momentum+constant`."""
        return f"{self.label}={self.choices}" if self.label else self.choices

    @property
    def choices(self) -> str:
        """The name without its label."""
        first = ",".join(self.optimizers)
        return first if self.schedules == (NO_ANNEALING,) else f"{first}+{','.join(self.schedules)}"

    @property
    def hyperparameters(self) -> dict[str, tuple[Declared, ...]]:
        """The hyperparameters of each catalog entry that it can choose, by the entry's name."""
        of_optimizers: dict[str, tuple[Declared, ...]] = {
            name: optimizers.get(name).hyperparameters for name in self.optimizers
        }
        return of_optimizers | {name: schedules.get(name).hyperparameters for name in self.schedules}

    @property
    def is_single(self) -> bool:
        """Whether it is one optimizer with one schedule, and so has a default config."""
        return len(self.optimizers) == len(self.schedules) == 1

    @property
    def is_constant(self) -> bool:
        """Whether it can choose nothing but a constant rate."""
        return all(schedules.get(name).constant for name in self.schedules)

    @property
    def is_annealed(self) -> bool:
        """Whether it can choose nothing but annealing."""
        return not any(schedules.get(name).constant for name in self.schedules)

    @property
    def peak(self) -> float:
        """The highest multiplier of its schedules; 1 if they differ in it."""
        peaks = {schedules.get(name).peak for name in self.schedules}
        return peaks.pop() if len(peaks) == 1 else 1.0

    @property
    def presets(self) -> Mapping[str, Any]:
        """The arm's default values and ranges by parameter name; a spec can override them."""
        known = _declared(self.optimizers, self.schedules)
        return next((arm.presets for arm in known if arm.name == self.choices), {})


def known_arms() -> dict[str, KnownArm]:
    """The arms that the survey or a paper makes a claim about, as the catalog's entries declare them, by name."""
    declared = _declared(optimizers.names(), schedules.names())
    return {arm.name: arm for arm in sorted(declared, key=lambda arm: arm.name)}


def _declared(of_optimizers: Iterable[str], of_schedules: Iterable[str]) -> Iterator[KnownArm]:
    """The arms that these entries declare."""
    for optimizer in of_optimizers:
        yield from optimizers.get(optimizer).arms
    for schedule in of_schedules:
        yield from schedules.get(schedule).arms


def joint_arm() -> str:
    """The arm that contains all optimizers and schedules."""
    return f"{','.join(optimizers.names())}+{','.join(schedules.names())}"


def short(arm: str) -> str:
    """An arm's name; where that is longer than LONGEST, its label or the numbers of its optimizers and schedules."""
    if len(arm) <= LONGEST:
        return arm
    try:
        parsed = Arm.parse(arm)
    except InputError:
        return arm
    if parsed.label:
        return parsed.label
    parts = ((parsed.optimizers, "optimizer"), (parsed.schedules, "schedule"))
    texts = [names[0] if len(names) == 1 else f"{len(names)} {kind}s" for names, kind in parts]
    return texts[0] if parsed.schedules == (NO_ANNEALING,) else " + ".join(texts)
