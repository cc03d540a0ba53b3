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


def _alike(indices: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(T,) in which updates all replicates have the same of `indices` (T, R): what they need then lies in one piece."""
    return np.asarray((indices == indices[:, :1]).all(axis=1))


class Shared:
    """Workers that move the same parameters: a ring of the versions that one of them may still have read."""

    def __init__(self, population: Trained, events: Sequence[Events]) -> None:
        self._population = population
        self._rows = np.arange(len(events))
        self._read = np.stack([each.read for each in events], axis=1)
        self._staleness = np.stack([each.staleness for each in events], axis=1)
        self._alike = _alike(self._read)
        self._depth = int(self._staleness.max(initial=0)) + 1
        theta = population.theta[:, : population.trainable]
        self._versions = np.repeat(theta[None], self._depth, axis=0)
        # The sum of all gradients, and what it was at each version, for a rule that makes up for what was missed.
        self._missed = "missed" in population.rule.delays
        self._total = np.zeros_like(theta)
        self._totals = np.zeros_like(self._versions) if self._missed else self._versions[:0]

    def point(self, step: int) -> NDArray[Any]:
        """(R, size) the parameters at which the gradient of update `step` is taken: those that its worker has read."""
        theta = self._population.theta
        if self._depth == 1:
            return theta
        read = self._of(self._versions, step)
        # Running statistics are everybody's.
        return read if read.shape == theta.shape else np.hstack([read, theta[:, read.shape[1] :]])

    def apply(self, step: int, gradient: NDArray[Any], point: NDArray[Any]) -> None:
        """Apply the gradient (R, P), taken at `point`, to the parameters."""
        p, size = self._population, self._versions.shape[2]
        if p.theta.shape[1] > size:
            p.theta[:, size:] = point[:, size:]
        delays: list[NDArray[Any]] = []
        for name in p.rule.delays:
            if name == "missed":
                delays.append(self._total - self._of(self._totals, step))
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
        self._rows, self._alike = np.arange(kept.sum()), _alike(self._read)
        self._versions, self._totals = (np.ascontiguousarray(ring[:, kept]) for ring in (self._versions, self._totals))
        self._total = self._total[kept]

    def _of(self, ring: NDArray[Any], step: int) -> NDArray[Any]:
        """(R, P) what a ring (depth, R, P) holds of the versions that were read for update `step`."""
        place = self._read[step] % self._depth
        return np.asarray(ring[place[0]] if self._alike[step] else ring[place, self._rows])


class _Copies:
    """Workers with a copy of the parameters each. In arrays (workers, R, …), what the worker of update `step` has is at
    `_at(step)`: for each replicate at its own worker; or, for all at the same one, a part that is changed in place.
    """

    def __init__(self, population: Trained, events: Sequence[Events], workers: int) -> None:
        self._population = population
        for name in ("worker", "joins", "fetches"):
            setattr(self, f"_{name}", np.stack([getattr(each, name) for each in events], axis=1))
        self._rows, self._alike = np.arange(len(events)), _alike(self._worker)
        # Each worker begins with the common parameters.
        self._copies = np.repeat(population.theta[None], workers, axis=0)
        self._arrays = ["_copies"]

    _worker: NDArray[np.int64]
    _joins: NDArray[np.bool_]
    _fetches: NDArray[np.bool_]

    def point(self, step: int) -> NDArray[Any]:
        """(R, P) the parameters at which the gradient of update `step` is taken: the worker's copy."""
        return np.asarray(self._copies[self._at(step)])

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Remove all replicates but `kept` (R,)."""
        for name in ("_worker", "_joins", "_fetches", *self._arrays):
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[:, kept]))
        self._rows, self._alike = np.arange(kept.sum()), _alike(self._worker)

    def _at(self, step: int) -> Any:
        return self._worker[step, 0] if self._alike[step] else (self._worker[step], self._rows)


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
        p, at = self._population, self._at(step)
        self._sums[at] += gradient
        pushing, fetching = np.flatnonzero(self._joins[step]), np.flatnonzero(self._fetches[step])
        if len(pushing):
            self._push(step, pushing)
        point -= p.rates[step][:, None] * gradient
        if len(fetching):
            point[fetching] = p.theta[fetching]
            of_worker = self._worker[step, fetching], fetching
            self._known[of_worker], self._totals[of_worker] = self._pushes[fetching], self._total[fetching]
        if not self._alike[step]:
            self._copies[at] = point

    def _push(self, step: int, r: NDArray[np.int64]) -> None:
        """Move the common parameters of the replicates `r` by the sums of their workers."""
        p, of_worker = self._population, (self._worker[step, r], r)
        # A sum has the penalties of all its gradients.
        theta, sums, times = p.theta[r], self._sums[of_worker], self._every[r].astype(p.theta.dtype)
        state, memory = np.ascontiguousarray(p.state[:, r]), p.memory[r]
        staleness = (self._pushes[r] - self._known[of_worker]).astype(theta.dtype)
        missed = self._total[r] - self._totals[of_worker] if self._total.size else self._total
        delays = [missed if name == "missed" else staleness for name in p.rule.delays]
        p.decay_weights(theta, step, times, r)
        rates = p.rates[step : step + 1, r] / np.where(self._scaled[r], np.maximum(staleness, 1), 1).astype(theta.dtype)
        others = np.ascontiguousarray(p.hyperparameters[:, r])
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
    """Copies that are moved by the rule, and drawn to the common parameters, as those to them."""

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
        self._state = np.repeat(population.state[None], workers, axis=0)
        self._slots = np.arange(len(population.state))[:, None]
        self._memory = np.repeat(population.memory[None], workers, axis=0)
        self._counts = np.zeros((workers, len(events)), np.int64)
        self._velocity = np.zeros_like(self._copies if velocity_decay is not None else self._copies[:0])
        self._arrays += ["_memory", "_counts", "_velocity"]
        # Of the update between `point` and `apply`: the worker's copy, its velocity, and where that alone takes it.
        self._copy = self._own_velocity = self._drift = population.theta[:0]

    def point(self, step: int) -> NDArray[Any]:
        """(R, P) the parameters at which the gradient of update `step` is taken: the worker's copy, or ahead of it."""
        self._copy = super().point(step)
        if self._decay is None:
            return self._copy
        self._own_velocity = self._velocity[self._at(step)]
        self._drift = self._decay[:, None] * self._own_velocity
        return np.asarray(self._copy + self._drift)

    def apply(self, step: int, gradient: NDArray[Any], _point: NDArray[Any]) -> None:
        """Exchange, if it is time, and move the worker's copy by the rule with the gradient (R, P)."""
        p, at, alike = self._population, self._at(step), self._alike[step]
        copy, joining = self._copy, self._joins[step]
        if joining.any():
            drawn = self._force[:, None] * (copy - p.theta)
            drawn[~joining] = 0
            p.theta += drawn
            copy -= drawn
        before = copy.copy() if self._decay is not None else copy
        of_state = at if alike else (at[0], self._slots, at[1])
        state, memory = self._state[of_state], self._memory[at]
        p.decay_weights(copy, step)
        rates, late = p.rates[step : step + 1], p.rule.in_time(gradient)
        p.update(copy, gradient, state, memory, p.l2, rates, 0, -self._counts[at], p.hyperparameters, *late)
        if self._decay is not None:
            copy -= before
            np.add(self._drift, copy, out=self._own_velocity)
            np.add(before, self._own_velocity, out=copy)
        self._counts[at] += 1
        if not alike:
            self._copies[at], self._state[of_state], self._memory[at] = copy, state, memory
            if self._decay is not None:
                self._velocity[at] = self._own_velocity

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Remove all replicates but `kept` (R,)."""
        super().keep(kept)
        self._state = np.ascontiguousarray(self._state[:, :, kept])
        self._force, self._decay = self._force[kept], None if self._decay is None else self._decay[kept]


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
