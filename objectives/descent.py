"""`descend`: one rule on any gradient function, in float64 and without a compiler.

It applies to arrays the same formula that the engine compiles: the reference in tests, and what draws paths.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cooldown.objectives import optimizers
from cooldown.objectives.errors import InputError
from cooldown.objectives.optimizers import Optimizer


def _numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """A copy of `values` in float64."""
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"descend({name}=...): must be numbers, got {values!r}") from None


def _numbers_of(
    rule: Optimizer,
    theta: NDArray[np.float64],
    gradient: NDArray[np.float64],
    slots: Sequence[NDArray[np.float64]],
    memory: NDArray[np.float64],
    rate: float,
    t: int,
    hyperparameters: Collection[float],
) -> tuple[Any, ...]:
    """What `rule` computes for all parameters together before update `t`; `memory` is updated in place."""
    if rule.numbers is None:
        return ()
    sums = tuple(np.sum(term(theta, gradient, *slots, rate, t, *hyperparameters)) for term in rule.numbers.terms)
    return rule.numbers.work_out(sums, memory, t, *hyperparameters)


def _read(staleness: ArrayLike, steps: int) -> NDArray[np.int64]:
    """(steps,) the index of the point at which each step's gradient is taken."""
    late = _numbers("staleness", staleness)
    if late.shape not in ((), (steps,)) or (late < 0).any() or (late != np.floor(late)).any():
        raise InputError(
            f"descend(staleness={staleness!r:.80}): must be a whole number of at least 0, or one per step, ({steps},)"
        )
    return np.maximum(np.arange(steps) - np.minimum(late, steps).astype(np.int64), 0)


def _late(name: str, step: int, read: int, totals: NDArray[np.float64]) -> Any:
    """What a rule takes under this name of the gradient of update `step`, taken at the point before update `read`."""
    return totals[step] - totals[read] if name == "missed" else float(step - read)


def descend(
    gradient: Callable[[NDArray[np.float64]], ArrayLike],
    start: ArrayLike,
    optimizer: str | Optimizer,
    hyperparameters: Mapping[str, Any],
    learning_rates: ArrayLike,
    *,
    staleness: ArrayLike = 0,
) -> NDArray[np.float64]:
    """The path of `optimizer` from `start` (dim,) under `learning_rates` (steps,): (steps + 1, dim), float64.

    For a rule that reports other points than it trains, such as a schedule-free one, these are the reported points.

    gradient: a function from a point (dim,) to the gradient (dim,) there. hyperparameters: the rule's, without
    `learning_rate`, which `learning_rates` gives for each step; those left out take their defaults. staleness: how many
    updates old the point is at which a step's gradient is taken, one number or one per step; a point before the start
    is the start. The inputs are not modified. Raises InputError for an unknown rule, a bad hyperparameter, and a start,
    rates or staleness that are not such numbers.
    """
    rule = optimizers.get(optimizer) if isinstance(optimizer, str) else optimizer
    if "learning_rate" in hyperparameters:
        raise InputError("descend(hyperparameters=...): leave learning_rate out; learning_rates gives one per step")
    settings = rule.complete(hyperparameters)
    del settings["learning_rate"]
    rates = _numbers("learning_rates", learning_rates)
    theta = _numbers("start", start)
    if rates.ndim != 1:
        raise InputError(f"descend(learning_rates=...): must be one rate per step, (steps,), got shape {rates.shape}")
    if theta.ndim != 1:
        raise InputError(f"descend(start=...): must be one point (dim,), got shape {theta.shape}")
    read = _read(staleness, len(rates))
    path, totals = np.empty((len(rates) + 1, len(theta))), np.zeros((len(rates) + 1, len(theta)))
    path[0] = theta
    # Of most rules it is the path itself.
    reported = path if rule.reported is None else path.copy()
    slots: tuple[Any, ...] = tuple(np.zeros_like(theta) for _ in rule.slots)
    memory = np.zeros(rule.memory_size)
    for step, rate in enumerate(rates):
        slope = np.asarray(gradient(path[read[step]].copy()), dtype=np.float64)
        if slope.shape != theta.shape:
            raise InputError(f"descend(gradient=...): must return a gradient of shape {theta.shape}, got {slope.shape}")
        numbers = _numbers_of(rule, path[step], slope, slots, memory, rate, step + 1, settings.values())
        late = [_late(name, step, int(read[step]), totals) for name in rule.delays]
        theta, *updated = rule.update(path[step], slope, *slots, rate, step + 1, *settings.values(), *numbers, *late)
        slots = tuple(updated)
        path[step + 1] = theta
        if rule.reported is not None:
            reported[step + 1] = rule.reported(theta, *slots, *settings.values())
        if late:
            totals[step + 1] = totals[step] + slope
    return reported
