"""The simulated workers of a population: where a gradient is taken, and what becomes of it.

Each replicate follows its own events: in one update, each may be at another worker. One update touches the copy of one
worker of each replicate.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.asynchronous import Asynchronous, Events
from cooldown.objectives.optimizers import Optimizer
from cooldown.objectives.training.worker_kernels import add_and_move, ahead_of, exchange, move_on


class Trained(Protocol):
    """What workers see of a population; arrays as there. update: its rule, see `fusion.fused`."""

    theta: NDArray[Any]
    state: NDArray[Any]
    memory: NDArray[np.float64]
    rates: NDArray[Any]
    since: NDArray[np.int64]
    hyperparameters: NDArray[Any]
    trainable: int
    rule: Optimizer
    update: Callable[..., None]

    @property
    def l2(self) -> NDArray[Any]:
        """(R,) coefficients of the L2 penalty."""

    def decay_weights(self, theta: NDArray[Any], step: int, times: Any = 1, rows: Any = slice(None)) -> None:
        """Decay the weights of `theta`, those of the replicates `rows`, as for so many updates of index `step`."""


def _rows(array: NDArray[Any]) -> NDArray[Any]:
    """A contiguous array (n, R, …) of which each replicate has n parts, as (n·R, …): the place of part i of replicate
    r is i·R + r.
    """
    return array.reshape(array.shape[0] * array.shape[1], *array.shape[2:])


def _take(array: NDArray[Any], places: NDArray[np.int64], out: NDArray[Any]) -> NDArray[Any]:
    """What `array` (n, R, P) has at `places` (R,), in `out` (R, P)."""
    # numpy would buffer what it writes if a place could turn out to be wrong.
    return np.asarray(_rows(array).take(places, axis=0, out=out, mode="clip"))


class Shared:
    """Workers that move the same parameters: a ring of the versions that one of them may still have read."""

    def __init__(self, population: Trained, events: Sequence[Events]) -> None:
        self._population = population
        self._read = np.stack([each.read for each in events], axis=1)
        self._staleness = np.stack([each.staleness for each in events], axis=1)
        self._depth = int(self._staleness.max(initial=0)) + 1
        theta = population.theta[:, : population.trainable]
        self._versions = np.repeat(theta[None], self._depth, axis=0)
        # The sum of all gradients, and what it was at each version, for a rule that makes up for what was missed.
        self._missed = "missed" in population.rule.delays
        self._total = np.zeros_like(theta)
        self._totals = np.zeros_like(self._versions) if self._missed else self._versions[:0]
        self._arrange()

    def _arrange(self) -> None:
        replicates = self._read.shape[1]
        # (T, R) where each replicate's worker has read in the ring.
        self._places = self._read % self._depth * replicates + np.arange(replicates)
        # One array in all updates: a model prepares for the parameters that it is given.
        self._point = np.empty((replicates, self._population.theta.shape[1]), self._versions.dtype)

    def point(self, step: int) -> NDArray[Any]:
        """(R, size) the parameters at which the gradient of update `step` is taken: those that its worker has read."""
        if self._depth == 1:
            return self._population.theta
        size = self._versions.shape[2]
        _take(self._versions, self._places[step], self._point[:, :size])
        if self._point.shape[1] > size:
            # Running statistics are everybody's.
            self._point[:, size:] = self._population.theta[:, size:]
        return self._point

    def apply(self, step: int, gradient: NDArray[Any], point: NDArray[Any]) -> None:
        """Apply the gradient (R, P), taken at `point`, to the parameters."""
        p, size = self._population, self._versions.shape[2]
        if p.theta.shape[1] > size:
            p.theta[:, size:] = point[:, size:]
        delays: list[NDArray[Any]] = []
        for name in p.rule.delays:
            if name == "missed":
                delays.append(self._total - _rows(self._totals)[self._places[step]])
            else:
                delays.append(self._staleness[step].astype(p.theta.dtype))
        p.decay_weights(p.theta, step)
        p.update(p.theta, gradient, p.state, p.memory, p.l2, p.rates, step, p.since, p.hyperparameters, *delays)
        place = (step + 1) % self._depth
        self._versions[place] = p.theta[:, :size]
        if self._missed:
            self._total += gradient
            self._totals[place] = self._total

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Remove all replicates but `kept` (R,)."""
        self._read, self._staleness = self._read[:, kept], self._staleness[:, kept]
        self._versions, self._totals = (np.ascontiguousarray(ring[:, kept]) for ring in (self._versions, self._totals))
        self._total = self._total[kept]
        self._arrange()


class _Copies:
    """Workers with a copy of the parameters each. In arrays (workers, R, …), what the workers of update `step` have is
    at the places `_places[step]`, see `_rows`: each replicate may be at another worker.
    """

    def __init__(self, population: Trained, events: Sequence[Events], workers: int) -> None:
        self._population = population
        for name in ("worker", "joins", "fetches"):
            setattr(self, f"_{name}", np.stack([getattr(each, name) for each in events], axis=1))
        # Each worker begins with the common parameters.
        self._copies = np.repeat(population.theta[None], workers, axis=0)
        self._arrays = ["_copies"]
        self._arrange()

    _worker: NDArray[np.int64]
    _joins: NDArray[np.bool_]
    _fetches: NDArray[np.bool_]

    def _arrange(self) -> None:
        replicates = self._worker.shape[1]
        self._places = self._worker * replicates + np.arange(replicates)
        # (T,) whether one of the replicates joins or fetches in an update.
        self._any_joins, self._any_fetches = (np.asarray(each.any(axis=1)) for each in (self._joins, self._fetches))
        # One array in all updates: a model prepares for the parameters that it is given.
        self._copy = np.empty_like(self._copies[0])

    def point(self, step: int) -> NDArray[Any]:
        """(R, P) the parameters at which the gradient of update `step` is taken: the worker's copy."""
        return _take(self._copies, self._places[step], self._copy)

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Remove all replicates but `kept` (R,)."""
        for name in ("_worker", "_joins", "_fetches", *self._arrays):
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[:, kept]))
        self._arrange()


class Pushing(_Copies):
    """Copies whose gradients are summed up and pushed to the common parameters, which the rule moves by them."""

    def __init__(
        self,
        population: Trained,
        events: Sequence[Events],
        workers: int,
        every: NDArray[np.int64],
        scaled: NDArray[np.bool_],
    ) -> None:
        super().__init__(population, events, workers)
        self._sums = np.zeros_like(self._copies)
        self._every, self._scaled, self._pushes = every, scaled, np.zeros(len(events), np.int64)
        # The number and the sum of all pushes, and what they were when each worker fetched.
        self._known = np.zeros((workers, len(events)), np.int64)
        width = self._copies.shape[2] if "missed" in population.rule.delays else 0
        self._total = np.zeros((len(events), width), population.theta.dtype)
        self._totals = np.zeros((workers, len(events), width), population.theta.dtype)
        self._arrays += ["_sums", "_known", "_totals"]

    def apply(self, step: int, gradient: NDArray[Any], point: NDArray[Any]) -> None:
        """Add the gradient (R, P), taken at `point`, to the worker's sum, and move its copy or push and fetch."""
        p, places = self._population, self._places[step]
        copies = _rows(self._copies)
        add_and_move(_rows(self._sums), copies, point, gradient, p.rates[step], places)
        if self._any_joins[step]:
            self._push(step, np.flatnonzero(self._joins[step]))
        if self._any_fetches[step]:
            fetching = np.flatnonzero(self._fetches[step])
            of_worker = places[fetching]
            copies[of_worker], _rows(self._known)[of_worker] = p.theta[fetching], self._pushes[fetching]
            if self._total.size:
                _rows(self._totals)[of_worker] = self._total[fetching]

    def _push(self, step: int, r: NDArray[np.int64]) -> None:
        """Move the common parameters of the replicates `r` by the sums of their workers."""
        p, of_worker = self._population, (self._worker[step, r], r)
        theta, sums, memory = p.theta[r], self._sums[of_worker], p.memory[r]
        state, others = np.ascontiguousarray(p.state[:, r]), np.ascontiguousarray(p.hyperparameters[:, r])
        # A sum has the penalties of all its gradients.
        rates, times = p.rates[step : step + 1, r], self._every[r].astype(theta.dtype)
        delays: list[NDArray[Any]] = []
        if p.rule.delays or self._scaled.any():
            staleness = (self._pushes[r] - self._known[of_worker]).astype(theta.dtype)
            missed = self._total[r] - self._totals[of_worker] if self._total.size else self._total
            delays = [missed if name == "missed" else staleness for name in p.rule.delays]
            rates = rates / np.where(self._scaled[r], np.maximum(staleness, 1), 1).astype(theta.dtype)
        p.decay_weights(theta, step, times, r)
        # What a rule counts are its own updates.
        p.update(theta, sums, state, memory, p.l2[r] * times, rates, 0, -self._pushes[r], others, *delays)
        p.theta[r], p.state[:, r], p.memory[r] = theta, state, memory
        self._pushes[r] += 1
        self._sums[of_worker] = 0
        if self._total.size:
            self._total[r] += sums

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Remove all replicates but `kept` (R,)."""
        super().keep(kept)
        for name in ("_every", "_scaled", "_pushes", "_total"):
            setattr(self, name, getattr(self, name)[kept])


class Elastic(_Copies):
    """Copies that are moved by the rule, and drawn to the common parameters, as those to them.

    velocity_decay: (R,) the share δ of a velocity that it keeps, for workers that have one beside the rule.
    """

    def __init__(
        self,
        population: Trained,
        events: Sequence[Events],
        workers: int,
        force: NDArray[Any],
        velocity_decay: NDArray[Any] | None,
    ) -> None:
        super().__init__(population, events, workers)
        self._force, self._decay = force, velocity_decay
        # Of each slot of the rule's state, and of each worker.
        self._states = [np.repeat(slot[None], workers, axis=0) for slot in population.state]
        self._state = np.empty_like(population.state)
        self._memory = np.repeat(population.memory[None], workers, axis=0)
        self._counts = np.zeros((workers, len(events)), np.int64)
        self._velocities = np.zeros_like(self._copies if velocity_decay is not None else self._copies[:0])
        self._arrays += ["_memory", "_counts", "_velocities"]
        # Of the update between `point` and `apply`: where its velocity alone takes the worker's copy.
        self._ahead: NDArray[Any] = np.empty_like(self._copy)

    def point(self, step: int) -> NDArray[Any]:
        """(R, P) the parameters at which the gradient of update `step` is taken: the worker's copy, or ahead of it."""
        if self._decay is None:
            return super().point(step)
        copies, velocities = _rows(self._copies), _rows(self._velocities)
        ahead_of(copies, velocities, self._decay, self._places[step], self._copy, self._ahead)
        return self._ahead

    def apply(self, step: int, gradient: NDArray[Any], _point: NDArray[Any]) -> None:
        """Exchange, if it is time, and move the worker's copy by the rule with the gradient (R, P)."""
        p, places, copy = self._population, self._places[step], self._copy
        if self._any_joins[step]:
            exchange(p.theta, copy, self._force, self._joins[step])
        before = copy if self._decay is None else copy.copy()
        for states, slot in zip(self._states, self._state, strict=True):
            _take(states, places, slot)
        memory, counts = _rows(self._memory)[places], _rows(self._counts)
        p.decay_weights(copy, step)
        rates, late = p.rates[step : step + 1], p.rule.in_time(gradient)
        p.update(copy, gradient, self._state, memory, p.l2, rates, 0, -counts[places], p.hyperparameters, *late)
        if self._decay is None:
            _rows(self._copies)[places] = copy
        else:
            move_on(_rows(self._copies), _rows(self._velocities), self._decay, places, before, copy)
        for states, slot in zip(self._states, self._state, strict=True):
            _rows(states)[places] = slot
        _rows(self._memory)[places] = memory
        counts[places] += 1

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Remove all replicates but `kept` (R,)."""
        super().keep(kept)
        self._states = [np.ascontiguousarray(each[:, kept]) for each in self._states]
        self._force, self._decay = self._force[kept], None if self._decay is None else self._decay[kept]
        self._state = np.ascontiguousarray(self._state[:, kept])
        self._ahead = np.empty_like(self._copy)


Workers = Shared | Pushing | Elastic


def workers_of(
    population: Trained, method: Asynchronous, settings: Sequence[Mapping[str, Any]], events: Sequence[Events]
) -> Workers:
    """The workers of a population, of whose replicates each has its settings, of one number of workers, and events."""

    def of_each(name: str, dtype: Any) -> NDArray[Any]:
        return np.array([of_replicate[name] for of_replicate in settings], dtype)

    workers, dtype = int(settings[0]["workers"]), population.theta.dtype
    if method.push_every:
        scaling = method.staleness_scaling
        scaled = of_each(scaling, np.bool_) if scaling else np.zeros(len(events), np.bool_)
        return Pushing(population, events, workers, of_each(method.push_every, np.int64), scaled)
    if method.exchange_every:
        decay = of_each(method.velocity, dtype) if method.velocity else None
        return Elastic(population, events, workers, (of_each(method.elasticity, float) / workers).astype(dtype), decay)
    return Shared(population, events)
