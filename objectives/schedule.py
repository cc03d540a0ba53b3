"""`Schedule`: the learning rate's multiplier as a pure function of the update's index, behind a linear warm-up.

Two kinds of schedules do more, and say so in a field of their own: one plans larger batches (`batch`), one reacts to
the held-out loss (`reaction`). A run's `Plan` holds both, and the engine knows no schedule by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cooldown.objectives.catalog import Entry
from cooldown.objectives.hyperparameters import Declared, Hyperparameter, Scale, Unit, complete
from cooldown.objectives.relations import KnownArm, Natives

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
class Reaction:
    """What a run does where its held-out loss gets no better.

    After `patience` (at least 1) evaluations without a new best, one an epoch, the rate is multiplied by `factor`, the
    parameters go back to the best ones, and the rule's state is cleared.
    """

    patience: int
    factor: float


@dataclass(frozen=True, eq=False)
class Plan:
    """The updates of a run, fixed before it starts.

    sizes: (T,) rows of each update. multipliers: (T,) of the base learning rate, dimensionless.
    starts: (epochs + 1,) index of each epoch's first update, and T. reaction: what may change the rates after all.
    """

    sizes: NDArray[np.int64]
    multipliers: NDArray[np.float64]
    starts: NDArray[np.int64]
    reaction: Reaction | None = None


@dataclass(frozen=True)
class Schedule(Entry):
    """One schedule of the catalog.

    multiplier: `multiplier(s, total, **own) -> (T,)` for float update indices s (T,) counted from the end of the
        warm-up, of a run that has `total` updates from there; its hyperparameters that count epochs arrive in updates.
    own: its hyperparameters besides `warmup_steps`, which every schedule has.
    formula, reference: for the documentation.
    warmup: what it declares of `warmup_steps`. ramped: False where the formula has the warm-up in it: its indices then
        count from the start of the run, and it takes `warmup_steps` like its own.
    peak: about the largest multiplier of a usual run; an arm's search range of learning rates is divided by it.
    batch: `batch(passed, batch_size, n_rows, **own) -> (size, multiplier)`: the rows of the update that begins `passed`
        epochs after the warm-up, and what the rate is multiplied by beside; None for batches of one size.
    reaction: `reaction(**own) -> Reaction`; None for a schedule that does not look at the held-out loss.
    starts_at_peak: whether its first multiplier is 1, for which alone a ramp before it is a ramp to the base rate.
    dash, symbol: of its lines and markers in every picture, as plotly has them; "" for ones made of its name.
    native: by export format the framework's own schedule that is exactly this one.
    arms: arms with it that a claim is made about.
    """

    name: str
    multiplier: Callable[..., NDArray[np.float64]]
    own: tuple[Declared, ...]
    formula: str
    reference: str
    warmup: Hyperparameter = WARMUP_STEPS
    ramped: bool = True
    peak: float = 1.0
    batch: Callable[..., tuple[int, float]] | None = None
    reaction: Callable[..., Reaction] | None = None
    starts_at_peak: bool = True
    dash: str = ""
    symbol: str = ""
    native: Natives = field(default_factory=dict, compare=False)
    arms: tuple[KnownArm, ...] = field(default=(), compare=False)

    @property
    def hyperparameters(self) -> tuple[Declared, ...]:
        """All hyperparameters: its own, then `warmup_steps`."""
        return (*self.own, self.warmup)

    def complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The hyperparameters `given`, checked, with the defaults of the others (lengths in the config's units)."""
        return complete(self.name, self.hyperparameters, given)

    def __call__(self, steps: ArrayLike, total: int, **hyperparameters: Any) -> NDArray[np.float64]:
        """Multipliers (T,) of the base learning rate at the update indices `steps` (T,), dimensionless.

        total: the run's number of updates. Every length, `period` and `every` too, is in updates here. During the
        warm-up update s has multiplier (s+1)/warmup_steps of the schedule's first; the schedule then runs over the
        remaining `total - warmup_steps` updates. A schedule that reacts gives what it has before any reaction.
        Raises InputError with call, rule and value.
        """
        given = self.complete(hyperparameters)
        s = np.asarray(steps, dtype=np.float64)
        if not self.ramped:
            return self.multiplier(s, int(total), **given)
        warmup = int(given.pop("warmup_steps"))
        after = np.maximum(s - warmup, 0.0)
        multipliers = self.multiplier(after, max(int(total) - warmup, 1), **given)
        if warmup == 0:
            return multipliers
        return multipliers * np.minimum((s + 1) / warmup, 1.0)

    def plan(self, n_rows: int, batch_size: int, epochs: int, hyperparameters: Mapping[str, Any]) -> Plan:
        """The updates of a run over `n_rows` training rows, from a config's hyperparameters.

        Nothing is dropped: the last batch of an epoch holds what is left of the rows.
        """
        own = {each.name: hyperparameters[each.name] for each in self.own}
        reaction = self.reaction(**own) if self.reaction else None
        size = min(batch_size, n_rows)
        updates_per_epoch = -(-n_rows // size)
        if self.batch is None:
            of_epoch = np.full(updates_per_epoch, size)
            of_epoch[-1] = n_rows - size * (updates_per_epoch - 1)
            total = epochs * updates_per_epoch
            multipliers = self.rates(total, updates_per_epoch, hyperparameters)
            starts = np.arange(0, total + 1, updates_per_epoch)
            return Plan(np.tile(of_epoch, epochs), multipliers, starts, reaction)
        sizes: list[int] = []
        beside: list[float] = []
        first = [0]
        warm_up_ended = 0.0
        for epoch in range(epochs):
            row = 0
            while row < n_rows:
                passed = epoch + row / n_rows
                if len(sizes) < hyperparameters["warmup_steps"]:
                    warm_up_ended = epoch + min(row + size, n_rows) / n_rows
                    wanted, multiplier = size, 1.0
                else:
                    wanted, multiplier = self.batch(passed - warm_up_ended, size, n_rows, **own)
                sizes.append(min(wanted, n_rows - row))
                beside.append(multiplier)
                row += sizes[-1]
            first.append(len(sizes))
        multipliers = self.rates(len(sizes), updates_per_epoch, hyperparameters) * beside
        return Plan(np.array(sizes), multipliers, np.array(first), reaction)

    def rates(self, total: int, updates_per_epoch: int, hyperparameters: Mapping[str, Any]) -> NDArray[np.float64]:
        """(total,) multipliers of a whole run from a config's hyperparameters, whose `period`s are in epochs."""
        in_updates = {
            each.name: hyperparameters[each.name] * updates_per_epoch
            if isinstance(each, Hyperparameter) and each.unit is Unit.EPOCHS
            else hyperparameters[each.name]
            for each in self.hyperparameters
        }
        return self(np.arange(total), total, **in_updates)


def floor() -> Hyperparameter:
    """The fraction of the base rate at which annealing ends; 0 unless asked for."""
    return Hyperparameter("floor", 0.0, 0.0, 0.1, searched=False, maximum=1, meaning="final fraction of the base rate")


def gamma(default: float, low: float, high: float, meaning: str) -> Hyperparameter:
    """A decay factor in (0, 1]."""
    return Hyperparameter("gamma", default, low, high, Scale.LOG, maximum=1, open_minimum=True, meaning=meaning)


def every() -> Hyperparameter:
    """The interval between two cuts of the rate, in epochs."""
    return Hyperparameter(
        "every", 10.0, 0.1, 0.5, Scale.LOG, Unit.EPOCHS, open_minimum=True, meaning="interval between cuts"
    )
