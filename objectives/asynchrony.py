"""Asynchronous SGD, simulated: what a method is, and the events of a run, planned before it starts.

Workers compute gradients side by side, each in its own time. When a gradient is applied, the parameters may have moved
on since its worker read them: its staleness is the number of updates in between. Which worker finishes when is drawn
from a named stream of random numbers before the run, as a schedule plans rates; training then follows the plan. So a
simulated run is as reproducible as any other.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.catalog import Entry
from cooldown.objectives.errors import CooldownWarning
from cooldown.objectives.hyperparameters import Categorical, Declared, Hyperparameter, complete
from cooldown.objectives.random_streams import generator

STRAGGLER = 4.0
"""How many times longer than the others the one slow worker computes."""

_TIMES: tuple[Declared, ...] = (
    Hyperparameter(
        "workers", 4, 1, 16, integer=True, searched=False, minimum=1, maximum=1024, meaning="workers that compute"
    ),
    Categorical(
        "compute",
        "constant",
        ("constant", "exponential", "straggler"),
        meaning="a gradient's time, 1 in the mean: the same for all, exponentially distributed, or one worker slower",
    ),
    Hyperparameter(
        "delay", 0.0, 0.0, 4.0, searched=False, maximum=1e4, meaning="time for which what is sent is on its way"
    ),
)
"""The settings of every method."""


def interval(name: str, default: float | None, meaning: str) -> Hyperparameter:
    """A setting that counts a worker's own updates."""
    return Hyperparameter(name, default, 1, 64, integer=True, searched=False, minimum=1, maximum=1e6, meaning=meaning)


EXCHANGE = (
    interval("exchange_every", 4, "updates of a worker between two exchanges with the centre"),
    Hyperparameter(
        "elasticity", 0.9, 0.1, 1.0, searched=False, maximum=1e4, meaning="β, the force of all workers together"
    ),
)
"""The settings of elastic averaging."""

STALENESS_SCALING = Categorical(
    "staleness_scaling", False, (True, False), meaning="whether a gradient's rate is divided by its staleness"
)
"""The strategy of Zhang, Gupta, Lian & Liu 2016: η/τ."""


@dataclass(frozen=True)
class Asynchronous(Entry):
    """One method of the catalog. All workers move the same parameters; or each has a copy, if one of these is named:

    push_every, fetch_every: the settings that say after how many of its updates a worker sends the sum of its gradients
        to the common parameters, which their rule moves by it, and begins anew from these (None: at the same time).
    exchange_every, elasticity: the settings that say before how many of its updates a copy and the common parameters
        are drawn together, and how strongly: by elasticity/workers of their difference, each. Copies have the rule.
    velocity: the setting with the decay of a copy's velocity, to whose end its gradient looks ahead; "" without one.

    own: the settings that it has beside those of every method. staleness_scaling: the setting whether a gradient's rate
    is divided by its staleness, if that is more than 1; "" without one. formula, reference: for the documentation.
    """

    name: str
    formula: str
    reference: str
    own: tuple[Declared, ...] = ()
    push_every: str = ""
    fetch_every: str = ""
    exchange_every: str = ""
    elasticity: str = ""
    velocity: str = ""
    staleness_scaling: str = ""

    @property
    def has_copies(self) -> bool:
        """Whether each worker moves a copy of the parameters of its own."""
        return bool(self.push_every or self.exchange_every)

    @property
    def hyperparameters(self) -> tuple[Declared, ...]:
        """All settings."""
        return (*_TIMES, *self.own)

    def complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The settings `given`, checked, and the defaults of the others; a CooldownWarning for an elastic force that is
        stable with no learning rate.
        """
        settings = complete(self.name, self.hyperparameters, given)
        if self.elasticity and settings[self.elasticity] > settings["workers"]:
            warnings.warn(
                f"{self.name}({self.elasticity}={settings[self.elasticity]:g}): divided by {settings['workers']} "
                "workers it is more than 1, which is stable with no learning rate: α is at most (4 − 2ηh)/(4 − ηh)",
                CooldownWarning,
                stacklevel=2,
            )
        return settings

    def plan(self, settings: Mapping[str, Any], updates: int, seed: int) -> "Events":
        """The events of a run of so many updates with complete `settings`; equal arguments give equal events."""
        rng = generator(seed, "asynchronous events")
        if not self.has_copies:
            return _on_common_parameters(settings, updates, rng)
        if self.exchange_every:
            every = settings[self.exchange_every]
            return _with_copies(settings, updates, rng, lambda own: (own % every == 0, False))
        push = settings[self.push_every]
        fetch = settings[self.fetch_every] or push
        return _with_copies(settings, updates, rng, lambda own: ((own + 1) % push == 0, (own + 1) % fetch == 0))


@dataclass(frozen=True, eq=False)
class Events:
    """The gradients of a run in the order in which they are applied, (T,) each.

    worker: which worker computed it. read: how many updates had been made when this worker read common parameters for
    the last time. begun, computed: when this worker began to compute it, and when it had, in the mean time of a
    gradient; time: when it is applied. joins: with copies, whether its worker sends or exchanges something with it.
    fetches: whether its worker begins anew from the common parameters after it.
    """

    worker: NDArray[np.int64]
    read: NDArray[np.int64]
    begun: NDArray[np.float64]
    computed: NDArray[np.float64]
    time: NDArray[np.float64]
    joins: NDArray[np.bool_]
    fetches: NDArray[np.bool_]

    @property
    def staleness(self) -> NDArray[np.int64]:
        """(T,) updates made since the parameters were read."""
        return np.arange(len(self.read)) - self.read


def one_after_another(updates: int) -> Events:
    """The events of a synchronous run: one worker, whose gradients take 1 each."""
    own, none = np.arange(updates), np.zeros(updates, np.bool_)
    begun = own.astype(np.float64)
    return Events(np.zeros(updates, np.int64), own, begun, begun + 1, begun + 1, none, none)


_Row = tuple[int, int, float, float, float, bool, bool]
"""The fields of one event."""


def _events(rows: list[_Row]) -> Events:
    kinds = np.int64, np.int64, np.float64, np.float64, np.float64, np.bool_, np.bool_
    columns = zip(*rows, strict=True) if rows else ((),) * len(kinds)
    return Events(*(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)))


def _durations(settings: Mapping[str, Any], rng: np.random.Generator) -> Callable[[int], float]:
    """How long a worker's next gradient takes; 1 in the mean over time."""
    workers = settings["workers"]
    if settings["compute"] == "exponential":
        return lambda _worker: float(rng.exponential())
    if settings["compute"] == "straggler":
        # As many gradients in a unit of time as there are workers.
        usual = (workers - 1 + 1 / STRAGGLER) / workers
        return lambda worker: usual * (STRAGGLER if worker == 0 else 1.0)
    return lambda _worker: 1.0


FINISHES, ARRIVES = 1, 0


def _on_common_parameters(settings: Mapping[str, Any], updates: int, rng: np.random.Generator) -> Events:
    """A worker reads again as soon as it has computed a gradient, which is applied when it has arrived."""
    duration, delay, order = _durations(settings, rng), settings["delay"], count()
    # Time, what happens, order at equal times, worker, updates when it read, when it began, and when it had computed.
    waiting = [(duration(worker), FINISHES, next(order), worker, 0, 0.0, 0.0) for worker in range(settings["workers"])]
    heapify(waiting)
    rows: list[_Row] = []
    while len(rows) < updates:
        now, what, _, worker, read, begun, computed = heappop(waiting)
        if what == FINISHES and delay:
            heappush(waiting, (now + delay, ARRIVES, next(order), worker, read, begun, now))
        else:
            rows.append((worker, read, begun, computed if what == ARRIVES else now, now, False, False))
        if what == FINISHES:
            heappush(waiting, (now + duration(worker), FINISHES, next(order), worker, len(rows), now, now))
    return _events(rows)


def _with_copies(
    settings: Mapping[str, Any],
    updates: int,
    rng: np.random.Generator,
    sends_and_fetches: Callable[[int], tuple[bool, bool]],
) -> Events:
    """A worker that sends or fetches waits until its message has arrived, and then for the answer.

    sends_and_fetches: by the number of updates that a worker has made before.
    """
    duration, delay, order = _durations(settings, rng), settings["delay"], count()
    own, read = [0] * settings["workers"], [0] * settings["workers"]
    # When it is applied, order at equal times, worker, when it began, and when it had computed.
    waiting: list[tuple[float, int, int, float, float]] = []

    def begin(worker: int, now: float) -> None:
        arrives, computed = delay if any(sends_and_fetches(own[worker])) else 0.0, now + duration(worker)
        heappush(waiting, (computed + arrives, next(order), worker, now, computed))

    for worker in range(settings["workers"]):
        begin(worker, 0.0)
    rows: list[_Row] = []
    while len(rows) < updates:
        now, _, worker, begun, computed = heappop(waiting)
        sends, fetches = sends_and_fetches(own[worker])
        rows.append((worker, read[worker], begun, computed, now, sends, fetches))
        own[worker] += 1
        if sends or fetches:
            read[worker], now = len(rows), now + delay
        begin(worker, now)
    return _events(rows)
