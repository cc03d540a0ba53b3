"""`Schedule`: the learning rate's multiplier as a pure function of the update's index, behind a linear warm-up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from objectives.hyperparameters import Hyperparameter, Scale, Unit, complete

WARMUP_STEPS = Hyperparameter(
    "warmup_steps",
    0,
    0.0,
    0.25,
    unit=Unit.UPDATES,
    integer=True,
    meaning="length of the linear ramp before the schedule, in updates",
)

ROUNDING = 1e-9
"""The end of a period counts as reached this fraction of a period before it: 0.07 epochs of 100 updates are
7.000000000000001 updates in floating point, and the update to cut or restart at is still number 7."""


@dataclass(frozen=True)
class Schedule:
    """One schedule of the catalog.

    multiplier: `multiplier(s, total, **own) -> (T,)` for float update indices s (T,) counted from the end of the
        warm-up, of a run that has `total` updates from there; its hyperparameters that count epochs arrive in updates.
    own: its hyperparameters besides `warmup_steps`, which every schedule has.
    formula, reference: for the documentation.
    """

    name: str
    multiplier: Callable[..., NDArray[np.float64]]
    own: tuple[Hyperparameter, ...]
    formula: str
    reference: str

    @property
    def hyperparameters(self) -> tuple[Hyperparameter, ...]:
        """All hyperparameters: its own, then `warmup_steps`."""
        return (*self.own, WARMUP_STEPS)

    def complete(self, given: Mapping[str, Any]) -> dict[str, float]:
        """The hyperparameters `given`, checked, with the defaults of the others (lengths in the config's units)."""
        return complete(self.name, self.hyperparameters, given)

    def __call__(self, steps: ArrayLike, total: int, **hyperparameters: float) -> NDArray[np.float64]:
        """Multipliers (T,) of the base learning rate at the update indices `steps` (T,), dimensionless.

        total: the run's number of updates. Every length, `period` and `every` too, is in updates here. During the
        warm-up update s has multiplier (s+1)/warmup_steps of the schedule's first; the schedule then runs over the
        remaining `total - warmup_steps` updates. Raises InputError with call, rule and value.
        """
        given = self.complete(hyperparameters)
        warmup = int(given.pop("warmup_steps"))
        s = np.asarray(steps, dtype=np.float64)
        after = np.maximum(s - warmup, 0.0)
        multipliers = self.multiplier(after, max(int(total) - warmup, 1), **given)
        if warmup == 0:
            return multipliers
        return multipliers * np.minimum((s + 1) / warmup, 1.0)

    def rates(self, total: int, updates_per_epoch: int, hyperparameters: Mapping[str, float]) -> NDArray[np.float64]:
        """(total,) multipliers of a whole run from a config's hyperparameters, whose `period`s are in epochs."""
        in_updates = {
            each.name: hyperparameters[each.name] * (updates_per_epoch if each.unit is Unit.EPOCHS else 1)
            for each in self.hyperparameters
        }
        return self(np.arange(total), total, **in_updates)


def floor() -> Hyperparameter:
    """The fraction of the base rate at which annealing ends; 0 unless asked for."""
    return Hyperparameter("floor", 0.0, 0.0, 0.1, searched=False, maximum=1, meaning="final fraction of the base rate")


def gamma(default: float, low: float, high: float, meaning: str) -> Hyperparameter:
    """A decay factor in (0, 1]."""
    return Hyperparameter("gamma", default, low, high, Scale.LOG, maximum=1, open_minimum=True, meaning=meaning)
