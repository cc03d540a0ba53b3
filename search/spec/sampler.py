"""`Sampler`: what proposes the next trials of a study, and the facts about it that the evidence needs."""

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

    make: `make(number, study_number) -> optuna.samplers.BaseSampler`, called once per generation for a study with the
        earlier trials. Both numbers are seeds: `number` is new in each generation, `study_number` the same for all.
    about: its name in sentences. startup: the random trials at the beginning of a study; 0 for a sampler that does not
        learn from trials. independent: whether its trials are drawn independently of each other.
    needs: the package that it needs besides Optuna, "" for none.
    """

    name: str
    make: Callable[[int, int], "optuna.samplers.BaseSampler"]
    about: str
    startup: int = 0
    independent: bool = False
    needs: str = ""

    def check(self) -> None:
        """Raise InputError if the package that it needs is not installed."""
        if self.needs and find_spec(self.needs) is None:
            raise InputError(f"--sampler {self.name} needs the package {self.needs!r}; run: pip install {self.needs}")
