"""`Schedule`: the learning rate's multiplier as a pure function of the update's index, behind a linear warm-up.

Two kinds of schedules do more and declare it: one plans larger batches (`batch`), one reacts to the held-out loss
(`reaction`). A run's `Plan` holds both, so the engine needs no schedule's name.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cooldown.objectives.catalog import Entry, unknown_name
from cooldown.objectives.errors import InputError
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

SYMBOLS = (
    *("circle", "square", "diamond", "diamond-tall", "diamond-wide", "cross", "x"),
    *(f"triangle-{side}" for side in ("up", "down", "left", "right", "ne", "se", "sw", "nw")),
    *("pentagon", "hexagon", "hexagon2", "octagon", "hexagram"),
    *("star", "star-square", "star-diamond", "star-triangle-up", "star-triangle-down"),
)
"""The markers of plotly that are shapes with an area, the only ones that are visible without an outline, and that have
variants with a dot, for arms that would look the same."""

DASHES = r"solid|dot|dash|longdash|dashdot|longdashdot|\d+px(,\d+px)*"

ROUNDING = 1e-9
"""Tolerance at the end of a period, as a fraction of it: 0.07 epochs of 100 updates are 7.000000000000001 updates in
floating point, and the update to cut or restart at is still number 7."""


@dataclass(frozen=True)
class Reaction:
    """What a run does when its held-out loss stops improving.

    After `patience` (at least 1) evaluations without a new best, one per epoch, the rate is multiplied by `factor`, the
    best parameters are restored, and the rule's state is reset.
    """

    patience: int
    factor: float


@dataclass(frozen=True, eq=False)
class Plan:
    """The updates of a run, fixed before it starts.

    sizes: (T,) rows of each update. multipliers: (T,) of the base learning rate, dimensionless.
    starts: (epochs + 1,) index of each epoch's first update, and T. reaction: what may change the rates during the run.
    """

    sizes: NDArray[np.int64]
    multipliers: NDArray[np.float64]
    starts: NDArray[np.int64]
    reaction: Reaction | None = None


@dataclass(frozen=True)
class Schedule(Entry):
    """One schedule of the catalog.

    multiplier: `multiplier(s, total, **own) -> (T,)` for float update indices s (T,) counted from the end of the
        warm-up, with `total` updates from there on; hyperparameters in epochs arrive converted to updates.
    own: its hyperparameters besides `warmup_steps`, which every schedule has.
    formula, reference: for the documentation.
    warmup: its declaration of `warmup_steps`. ramped: False if the formula contains the warm-up: its indices then count
        from the start of the run, and it takes `warmup_steps` as an argument.
    peak: the approximate largest multiplier of a usual run; the search range of learning rates is divided by it.
    constant: whether the rate stays at its base, behind the warm-up: no annealing.
    batch: `batch(passed, batch_size, n_rows, **own) -> (size, multiplier)`: the rows of the update that begins `passed`
        epochs after the warm-up, and a further multiplier of the rate; None for batches of one size.
    reaction: `reaction(**own) -> Reaction`; None for a schedule that does not depend on the held-out loss.
    starts_at_peak: whether its first multiplier is 1: only then does a warm-up ramp to the base rate.
    dash, symbol: of its lines and markers in figures, plotly's names; "" derives them from the name.
    native: by export format, the framework's own schedule that is exactly this one.
    arms: arms with this schedule that the literature makes claims about.
    """

    name: str
    multiplier: Callable[..., NDArray[np.float64]]
    own: tuple[Declared, ...]
    formula: str
    reference: str
    warmup: Hyperparameter = WARMUP_STEPS
    ramped: bool = True
    peak: float = 1.0
    constant: bool = False
    batch: Callable[..., tuple[int, float]] | None = None
    reaction: Callable[..., Reaction] | None = None
    starts_at_peak: bool = True
    dash: str = ""
    symbol: str = ""
    native: Natives = field(default_factory=dict, compare=False)
    arms: tuple[KnownArm, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if self.dash and not re.fullmatch(DASHES, self.dash):
            raise InputError(
                f"schedule {self.name!r}: dash must be solid, dot, dash, longdash, dashdot, longdashdot or lengths as "
                f"in 5px,10px, or empty to derive one from the name, got {self.dash!r}"
            )
        if self.symbol and self.symbol not in SYMBOLS:
            raise unknown_name(f"symbol of schedule {self.name!r}:", self.symbol, SYMBOLS)

    @property
    def hyperparameters(self) -> tuple[Declared, ...]:
        """All hyperparameters: its own, then `warmup_steps`."""
        return (*self.own, self.warmup)

    def complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The hyperparameters `given`, checked, and the defaults of the others (lengths in the config's units)."""
        return complete(self.name, self.hyperparameters, given)

    def __call__(self, steps: ArrayLike, total: int, **hyperparameters: Any) -> NDArray[np.float64]:
        """Multipliers (T,) of the base learning rate at the update indices `steps` (T,), dimensionless.

        total: the run's number of updates. Here every length, also `period` and `every`, is in updates. During the
        warm-up, update s has (s+1)/warmup_steps times the schedule's first multiplier; the schedule then runs over the
        remaining `total - warmup_steps` updates. A schedule that reacts gives its multipliers before any reaction.
        Raises InputError with call, rule and value.
        """
        settings = self.complete(hyperparameters)
        s = np.asarray(steps, dtype=np.float64)
        if not self.ramped:
            return self.multiplier(s, int(total), **settings)
        warmup = int(settings.pop("warmup_steps"))
        after = np.maximum(s - warmup, 0.0)
        multipliers = self.multiplier(after, max(int(total) - warmup, 1), **settings)
        if warmup == 0:
            return multipliers
        return multipliers * np.minimum((s + 1) / warmup, 1.0)

    def plan(self, n_rows: int, batch_size: int, epochs: int, hyperparameters: Mapping[str, Any]) -> Plan:
        """The updates of a run over `n_rows` training rows, from a config's hyperparameters.

        No row is dropped: the last batch of an epoch holds the remaining rows.
        """
        settings = {declared.name: hyperparameters[declared.name] for declared in self.own}
        reaction = self.reaction(**settings) if self.reaction else None
        size = min(batch_size, n_rows)
        updates_per_epoch = -(-n_rows // size)
        if self.batch is None:
            epoch_sizes = np.full(updates_per_epoch, size)
            epoch_sizes[-1] = n_rows - size * (updates_per_epoch - 1)
            total = epochs * updates_per_epoch
            multipliers = self.rates(total, updates_per_epoch, hyperparameters)
            starts = np.arange(0, total + 1, updates_per_epoch)
            return Plan(np.tile(epoch_sizes, epochs), multipliers, starts, reaction)
        sizes: list[int] = []
        factors: list[float] = []
        epoch_starts = [0]
        warm_up_ended = 0.0
        for epoch in range(epochs):
            row = 0
            while row < n_rows:
                passed = epoch + row / n_rows
                if len(sizes) < hyperparameters["warmup_steps"]:
                    warm_up_ended = epoch + min(row + size, n_rows) / n_rows
                    update_size, multiplier = size, 1.0
                else:
                    update_size, multiplier = self.batch(passed - warm_up_ended, size, n_rows, **settings)
                sizes.append(min(update_size, n_rows - row))
                factors.append(multiplier)
                row += sizes[-1]
            epoch_starts.append(len(sizes))
        multipliers = self.rates(len(sizes), updates_per_epoch, hyperparameters) * factors
        return Plan(np.array(sizes), multipliers, np.array(epoch_starts), reaction)

    def rates(self, total: int, updates_per_epoch: int, hyperparameters: Mapping[str, Any]) -> NDArray[np.float64]:
        """(total,) multipliers of a whole run from a config's hyperparameters, whose periods are in epochs."""
        in_updates = {
            declared.name: hyperparameters[declared.name] * updates_per_epoch
            if isinstance(declared, Hyperparameter) and declared.unit is Unit.EPOCHS
            else hyperparameters[declared.name]
            for declared in self.hyperparameters
        }
        return self(np.arange(total), total, **in_updates)


def floor() -> Hyperparameter:
    """The fraction of the base rate at which annealing ends; 0 by default."""
    return Hyperparameter("floor", 0.0, 0.0, 0.1, searched=False, maximum=1, meaning="final fraction of the base rate")


def gamma(default: float, low: float, high: float, meaning: str) -> Hyperparameter:
    """A decay factor in (0, 1]."""
    return Hyperparameter("gamma", default, low, high, Scale.LOG, maximum=1, open_minimum=True, meaning=meaning)


def every() -> Hyperparameter:
    """The interval between two cuts of the rate, in epochs."""
    return Hyperparameter(
        "every", 10.0, 0.1, 0.5, Scale.LOG, Unit.EPOCHS, open_minimum=True, meaning="interval between cuts"
    )
