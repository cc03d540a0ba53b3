"""`Sampler`: what asks for the next trials of a study, with what the evidence has to know of it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from cooldown.objectives.catalog import Entry
from cooldown.objectives.errors import InputError

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class Sampler(Entry):
    """One sampler of the catalog.

    make: `make(number, study_number) -> optuna.samplers.BaseSampler`, for each generation anew, as one that sees the
        study's earlier trials; both numbers are seeds: one of its own for each generation, the other the same for all.
    about: what it is, in words. startup: the random trials that it begins a study with; 0 for one that learns nothing
        from trials. independent: whether its trials are drawn independently of each other.
    needs: the package that it needs beside Optuna, "" for none.
    """

    name: str
    make: Callable[[int, int], "optuna.samplers.BaseSampler"]
    about: str
    startup: int = 0
    independent: bool = False
    needs: str = ""

    def check(self) -> None:
        """Raise InputError where the package that it needs is missing."""
        if self.needs and find_spec(self.needs) is None:
            raise InputError(f"--sampler {self.name} needs the package {self.needs!r}: pip install {self.needs}")
