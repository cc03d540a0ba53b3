"""`Arm`: what one search may choose from, as one writes it."""

from collections import Counter
from dataclasses import dataclass

from objectives import optimizers, schedules
from objectives.errors import InputError
from objectives.hyperparameters import Hyperparameter


@dataclass(frozen=True)
class Arm:
    """What one search may choose from: optimizers × schedules."""

    optimizers: tuple[str, ...]
    schedules: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Arm":
        """`"momentum,nag+cosine,sgdr"`: optimizers, then schedules; no `+` means `constant`.

        Raises InputError, a line for each problem, with the nearest suggestion for an unknown name.
        """
        first, plus, second = text.partition("+")
        chosen = tuple(name.strip() for name in first.split(","))
        annealing = tuple(name.strip() for name in second.split(",")) if plus else ("constant",)
        problems = []
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
        return cls(chosen, annealing)

    @property
    def name(self) -> str:
        """The arm as one writes it, `momentum` for `momentum+constant`."""
        first = ",".join(self.optimizers)
        return first if self.schedules == ("constant",) else f"{first}+{','.join(self.schedules)}"

    @property
    def hyperparameters(self) -> dict[str, tuple[Hyperparameter, ...]]:
        """The catalog entries that it can choose, by name, with their hyperparameters."""
        return {name: optimizers.get(name).hyperparameters for name in self.optimizers} | {
            name: schedules.get(name).hyperparameters for name in self.schedules
        }
