"""`Arm`: what one search may choose from, as one writes it; and the arms that the literature makes claims about."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cooldown.objectives import optimizers, schedules
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Declared

LONGEST = 40
"""Letters of a name that have room in a legend, a row of a chart or a cell of a table."""


@dataclass(frozen=True)
class KnownArm:
    """An arm that the survey or a paper makes a claim about.

    presets: fixed values and ranges, by parameter name, that belong to it unless a spec gives others.
    """

    about: str
    presets: Mapping[str, float | tuple[float, float]] = field(default_factory=dict)


KNOWN = {
    "sgd": KnownArm("the baseline: plain SGD at a constant rate"),
    "sgd+inverse_time": KnownArm("C12: plain SGD with Robbins and Monro's annealing"),
    "momentum": KnownArm("SGD with momentum at a constant rate"),
    "momentum+step": KnownArm("C1: step annealing, which SGDR is to match in fewer epochs"),
    "momentum+sgdr": KnownArm("C1: warm restarts"),
    "momentum+cosine": KnownArm("C2: tuned SGD with annealing is competitive with Adam"),
    "momentum+batch_growth": KnownArm("C5: the batch grows where momentum+step cuts the rate"),
    "momentum+cyclical": KnownArm("Smith's cyclical rates"),
    "momentum+one_cycle": KnownArm("Smith's one cycle: up once, and down to nothing"),
    "momentum+plateau": KnownArm("a cut of the rate, and back to the best, wherever validation gets no better"),
    "nag+cosine": KnownArm("C8: Nesterov's momentum corrects earlier"),
    "yellowfin": KnownArm("momentum SGD that tunes itself, against tuning by search"),
    "adam": KnownArm("C2: the usual choice, at a constant rate"),
    "adam+cosine": KnownArm("C3: annealing helps Adam too"),
    "adam+plateau": KnownArm("C3: Denkowski and Neubig's annealing for Adam, with restarts from the best"),
    "adam+noam": KnownArm(
        "the Transformer's: β₂ 0.98, ε 1e-9, a warm-up and an inverse root of the updates",
        {"adam.beta1": 0.9, "adam.beta2": 0.98, "adam.epsilon": 1e-9},
    ),
    "adam+inverse_sqrt": KnownArm("the same shape, in units of its peak and with Adam's own ranges"),
    "adamw+cosine": KnownArm("decoupled weight decay with cosine annealing, as usual today"),
    "adagrad": KnownArm("C9: for sparse features, without a schedule"),
    "adadelta": KnownArm("C10: RMSprop, Adadelta and Adam perform alike"),
    "rmsprop": KnownArm("C10: RMSprop, Adadelta and Adam perform alike"),
    "adamax": KnownArm("Adam with the largest gradient in place of the root mean square"),
    "nadam": KnownArm("Adam with Nesterov's momentum"),
    "amsgrad": KnownArm("Adam whose denominator never shrinks"),
}
"""Arms with a name in the literature; any other pairing is an arm too."""


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
        return KNOWN[self.choices].presets if self.choices in KNOWN else {}


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
