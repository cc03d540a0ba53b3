"""The rules for an optimizer."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import optimizers
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.conformance.check import Check, expect
from cooldown.objectives.conformance.runs import expect_learned, expect_round_trip, run, same
from cooldown.objectives.descent import descend
from cooldown.objectives.errors import InputError
from cooldown.objectives.fusion import fused
from cooldown.objectives.optimizer import DELAYS, OF_MATRICES
from cooldown.objectives.optimizers import Optimizer

STEPS, DIMENSION = 50, 7
START = np.linspace(-1.5, 1.2, DIMENSION)
DECLARED, COMPILED = "its declaration matches its formula", "the compiled rule matches the formula"
TRAINED = ("the same run twice gives the same bits", "a run gives the same bits with others and alone", "learns iris")
"""The checks that train, for which the rule must compile."""


def optimizer_checks(name: str) -> list[Check]:
    """The checks of the optimizer called `name`, or at `module:attribute`; InputError if there is none."""
    rule = optimizers.get(name)
    laws = {
        DECLARED: _declaration,
        "stays finite on a small problem": _finite,
        "does not modify its inputs": _inputs,
        COMPILED: _compiled,
        "survives a round trip through JSON": _json,
        **dict(zip(TRAINED, (_deterministic, _batched, _learns), strict=True)),
    }
    needs = {DECLARED: (), **dict.fromkeys(TRAINED, (DECLARED, COMPILED))}
    return [Check(law, partial(check, rule), needs.get(law, (DECLARED,))) for law, check in laws.items()]


def _rates(rule: Optimizer, count: int) -> list[float]:
    """Learning rates from the low to the high end of its search range."""
    declared = rule.hyperparameters[0]
    return [float(rate) for rate in np.geomspace(declared.low, declared.high, count)]


def _config(rule: Optimizer, rate: float, epochs: int) -> TrainConfig:
    return TrainConfig.from_json({"optimizer": {"name": rule.name, "learning_rate": rate}, "epochs": epochs})


def _gradient(point: NDArray[np.float64]) -> NDArray[np.float64]:
    """The gradient of ½ Σ cᵢxᵢ², a quadratic with curvatures from 1 down to 0.1."""
    return np.geomspace(1, 0.1, DIMENSION) * point


@contextmanager
def _on_arrays() -> Iterator[None]:
    """Say what a formula must use if it fails on arrays."""
    try:
        yield
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise AssertionError(
            f"raised {type(error).__name__}: {error}; a formula also runs on arrays: use np.where for `if`, np.maximum "
            "and np.minimum for `max` and `min`, and numpy's functions for those of `math`, as np.tanh"
        ) from error


def _updated(rule: Optimizer, theta: Any, gradient: Any, slots: list[Any]) -> Any:
    """What one update with the default hyperparameters returns."""
    settings = {declared.name: declared.default for declared in rule.hyperparameters}
    rate = settings.pop("learning_rate")
    numbers: tuple[float, ...] = ()
    if rule.numbers is not None:
        terms = [term(theta, gradient, *slots, rate, 1, *settings.values()) for term in rule.numbers.terms]
        sums = tuple(float(np.sum(term)) for term in terms)
        numbers = rule.numbers.work_out(sums, np.zeros(rule.memory_size), 1, *settings.values())
    return rule.update(theta, gradient, *slots, rate, 1, *settings.values(), *numbers)


def _declaration(rule: Optimizer) -> None:
    is_lambda = getattr(rule.update, "__name__", "") == "<lambda>"
    expect(not is_lambda, "update is a lambda: it must be a function defined with def")
    names = [declared.name for declared in rule.hyperparameters]
    expect(names[:1] == ["learning_rate"], f"its first hyperparameter must be learning_rate, got {names}")
    expect(len(set(names)) == len(names), f"two of its hyperparameters have the same name: {names}")
    for declared in rule.hyperparameters:
        declared.check(rule.name, declared.default)
        expect(
            declared.minimum <= declared.low <= declared.high <= declared.maximum,
            f"{declared.name}: the search range {declared.low:g} to {declared.high:g} is empty or exceeds the allowed "
            f"values, {declared.minimum:g} to {declared.maximum:g}",
        )
    expect(rule.hyperparameters[0].low > 0, "learning_rate: its search range must lie above 0")
    parameters = list(inspect.signature(rule.update).parameters)
    expected = [*parameters[:2], *rule.slots, "learning_rate", "t", *names[1:], *rule.number_names, *rule.optional]
    expect(
        parameters == expected,
        f"update({', '.join(parameters)}) should take theta, gradient, its slots, learning_rate, t and, in the order "
        f"of their declaration, {', '.join(names[1:]) or 'no hyperparameters'}",
    )
    known = (*DELAYS, *(OF_MATRICES if rule.matrices else ()))
    expect(set(rule.optional) <= set(known), f"only {' and '.join(known)} may have a default, got {rule.optional}")
    expect(rule.formula and rule.reference, "formula and reference must not be empty")
    if rule.reported is not None:
        parameters = list(inspect.signature(rule.reported).parameters)
        expected = ["theta", *rule.slots, *names[1:]]
        expect(
            parameters == expected,
            f"reported({', '.join(parameters)}) should take theta, the slots and the hyperparameters: {expected}",
        )
        fresh = [np.float64(0)] * len(rule.slots) + [declared.default for declared in rule.hyperparameters[1:]]
        expect(
            rule.reported(np.float64(1.5), *fresh) == 1.5,
            "reported must return theta while all slots are zero, as at the start and after a restart",
        )
    if rule.idle_without_gradient:
        before = [np.float64(1.0), *[np.float64(0.1)] * len(rule.slots)]
        idle = _updated(rule, before[0], np.float64(0), before[1:])
        expect(list(idle) == before, "idle_without_gradient, but the formula changes something where the gradient is 0")
    result = _updated(rule, np.float64(1.0), np.float64(0.5), [np.float64(0.1)] * len(rule.slots))
    returns = ", ".join(["theta", *rule.slots])
    expect(
        isinstance(result, tuple) and len(result) == 1 + len(rule.slots),
        f"update must return the tuple ({returns}{'' if rule.slots else ','}), with the new value of each, got "
        + (f"{len(result)} values" if isinstance(result, tuple) else f"a {type(result).__name__}"),
    )


def _finite(rule: Optimizer) -> None:
    low, high = rule.hyperparameters[0].low, rule.hyperparameters[0].high
    for rate in (low, (low * high) ** 0.5):
        with _on_arrays():
            path = descend(_gradient, START, rule, {}, [rate] * STEPS)
        expect(
            np.isfinite(path).all(),
            f"with the learning rate {rate:g} the path from {START.tolist()} on a quadratic is not finite after "
            f"{int(np.isfinite(path).all(axis=1).argmin())} updates",
        )


def _inputs(rule: Optimizer) -> None:
    theta, gradient = START.copy(), _gradient(START)
    slots = [np.full(DIMENSION, 0.1 * (place + 1)) for place in range(len(rule.slots))]
    before = [array.copy() for array in (theta, gradient, *slots)]
    with _on_arrays():
        _updated(rule, theta, gradient, slots)
    for name, old, new in zip(("theta", "gradient", *rule.slots), before, (theta, gradient, *slots), strict=True):
        expect(np.array_equal(old, new), f"update changes {name} in place: it must return new values")


def _compiled(rule: Optimizer) -> None:
    rate = float(np.sqrt(rule.hyperparameters[0].low * rule.hyperparameters[0].high))
    with _on_arrays():
        path = descend(_gradient, START, rule, {}, [rate] * STEPS)
    kernel = fused(rule, "float64")
    theta = START[None].copy()
    state, memory = np.zeros((len(rule.slots), 1, DIMENSION)), np.zeros((1, rule.memory_size))
    values = np.array([[declared.default] for declared in rule.hyperparameters[1:]], np.float64).reshape(-1, 1)
    rates = np.full((STEPS, 1), rate)
    for step in range(STEPS):
        slope = _gradient(theta[0])[None]
        since, late = np.zeros(1, np.int64), rule.in_time(slope)
        kernel(theta, slope, state, memory, np.zeros(1), rates, step, since, values, *late)
        reported = theta if rule.reported is None else rule.reported(theta, *state, *values[:, :, None])
        difference = float(np.abs(reported[0] - path[step + 1]).max())
        expect(
            np.allclose(reported[0], path[step + 1], rtol=1e-8, atol=1e-10),
            f"after update {step + 1} the compiled rule differs from `descend` by {difference:.2g}: use only "
            "arithmetic and numpy's elementwise functions in the formula",
        )


def _json(rule: Optimizer) -> None:
    expect_round_trip(_config(rule, _rates(rule, 3)[1], 5))


def _deterministic(rule: Optimizer) -> None:
    config = _config(rule, _rates(rule, 3)[1], 5)
    expect(same(run([config])[0][0], run([config])[0][0]), "two runs of one config with one seed differ")


def _batched(rule: Optimizer) -> None:
    configs = [_config(rule, rate, 5) for rate in _rates(rule, 4)[1:3]]
    together = run(configs, (0, 1))
    for config, curves in zip(configs, together, strict=True):
        rate = config.optimizer.hyperparameters["learning_rate"]
        for seed, curve in zip((0, 1), curves, strict=True):
            expect(
                same(curve, run([config], (seed,))[0][0]),
                f"the run with seed {seed} and learning rate {rate:.3g} is not the same with others and alone",
            )


def _learns(rule: Optimizer) -> None:
    expect_learned([_config(rule, rate, 20) for rate in _rates(rule, 7)])
