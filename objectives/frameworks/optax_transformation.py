"""A config as an optax transformation, for a training loop that exists already."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from cooldown.objectives import optimizers
from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.rebinding import rebound
from cooldown.objectives.frameworks.settings import Settings
from cooldown.objectives.optimizers import Optimizer
from cooldown.objectives.schedule import Plan, Reaction
from cooldown.objectives.strategies import first_averaged


class RuleState(NamedTuple):
    """The rule's state. updates: made so far. slots: averages, each shaped like the parameters. memory: numbers."""

    updates: jax.Array
    slots: tuple[Any, ...]
    memory: jax.Array


class Best(NamedTuple):
    """What a schedule that reacts remembers. since: evaluations since `loss`. cut: the factor of all cuts so far."""

    parameters: Any
    loss: jax.Array
    since: jax.Array
    cut: jax.Array


class Average(NamedTuple):
    """The average of the parameters, like them. taken: how many parameters are in it."""

    mean: Any
    taken: jax.Array


class ConfigState(NamedTuple):
    """The state of a transformation. updates: made so far. best: None for a schedule that does not react. average: None
    if parameters are not averaged.
    """

    updates: jax.Array
    key: jax.Array
    rule: RuleState
    best: Best | None
    average: Average | None


class ConfigTransformation(optax.GradientTransformationExtraArgs):
    """A transformation, and what is measured and kept of a run with it."""

    config: Settings

    def reported(self, state: ConfigState, parameters: Any) -> Any:
        """The parameters that are measured and kept: the trained ones, unless the rule is a schedule-free one, or
        parameters are averaged.
        """
        return _reported(self.config, state, parameters)


def transformation(config: Settings, plan: Plan, seed: int) -> ConfigTransformation:
    """The transformation of `config` under the rates of its `plan`. seed: of the gradient noise."""
    rule = optimizers.get(config.optimizer.name)
    settings = dict(config.optimizer.hyperparameters)
    rates = settings.pop("learning_rate") * plan.multipliers
    hyperparameters, averaging = tuple(settings.values()), _averaging(config, plan)

    def init(parameters: Any) -> ConfigState:
        best = None
        if plan.reaction is not None:
            # A type of its own, unlike that of a bare number: with the first loss it would change, and a step with it.
            best = Best(parameters, jnp.asarray(jnp.inf, float), jnp.asarray(0), jnp.asarray(1.0))
        average = None if config.averaging == "none" else _nothing_averaged(parameters)
        return ConfigState(jnp.zeros([], jnp.int32), jax.random.key(seed), _fresh(rule, parameters), best, average)

    def update(
        gradients: Any,
        state: ConfigState,
        parameters: Any = None,
        *,
        value: Any = None,
        grad_fn: Callable[[Any, int], Any] | None = None,
        **_: Any,
    ) -> tuple[Any, ConfigState]:
        if parameters is None:
            raise InputError("this transformation needs the parameters: update(gradients, state, parameters)")
        if value is not None and plan.reaction is not None:
            return _evaluated(config, plan.reaction, state, parameters, value, state.updates >= len(rates))
        if config.sam:
            gradients = _uphill(config.sam, gradients, parameters, grad_fn)
        rate = jnp.asarray(rates)[jnp.minimum(state.updates, len(rates) - 1)]
        if state.best is not None:
            rate = rate * state.best.cut
        key, noise = jax.random.split(state.key)
        decayed = jax.tree.map(lambda each: each * (1 - rate * config.weight_decay), parameters)
        seen = _gradients(config, gradients, decayed, state.updates, noise)
        moved, of_rule = _moved(rule, decayed, seen, state.rule, rate, hyperparameters)
        changes = jax.tree.map(lambda after, before: (after - before).astype(before.dtype), moved, parameters)
        average = state.average
        if average is not None:
            average = _averaged(config, average, moved, averaging[jnp.minimum(state.updates, len(rates) - 1)])
        return changes, ConfigState(state.updates + 1, key, of_rule, state.best, average)

    made = ConfigTransformation(init, update)
    made.config = config
    return made


def _uphill(radius: float, gradients: Any, parameters: Any, grad_fn: Callable[[Any, int], Any] | None) -> Any:
    """The gradients at θ + ρ g/‖g‖, as in optax.contrib.sam."""
    if grad_fn is None:
        raise InputError(
            "sam takes two gradients an update: update(gradients, state, parameters, grad_fn=...) needs a function of "
            "the parameters and a number, 0, that returns the gradients there"
        )
    norm = optax.tree.norm(gradients)
    scale = jnp.where(norm > 0, radius / jnp.where(norm > 0, norm, 1), 0)
    return grad_fn(jax.tree.map(lambda value, slope: value + scale * slope, parameters, gradients), 0)


def _nothing_averaged(parameters: Any) -> Average:
    return Average(jax.tree.map(jnp.zeros_like, parameters), jnp.zeros([], jnp.int32))


def _averaging(config: Settings, plan: Plan) -> jax.Array:
    """(T,) whether the parameters are averaged after each update."""
    if config.averaging == "ema":
        return jnp.ones(len(plan.multipliers), bool)
    ends = np.zeros(len(plan.multipliers) + 1, bool)
    ends[plan.starts[first_averaged(config.epochs, config.averaging_share) + 1 :]] = True
    return jnp.asarray(ends[1:])


def _averaged(config: Settings, average: Average, parameters: Any, takes: jax.Array) -> Average:
    """The average with these parameters in it, if it takes them; the first ones are the average."""
    count = average.taken + 1
    kept = jnp.where(count > 1, config.averaging_decay, 0.0) if config.averaging == "ema" else 1 - 1 / count
    kept = jnp.where(takes, kept, 1.0)
    mean = jax.tree.map(lambda mean, value: kept * mean + (1 - kept) * value, average.mean, parameters)
    return Average(mean, jnp.where(takes, count, average.taken))


def _reported(config: Settings, state: ConfigState, parameters: Any) -> Any:
    rule = optimizers.get(config.optimizer.name)
    if (average := state.average) is not None:
        return jax.tree.map(lambda mean, value: jnp.where(average.taken > 0, mean, value), average.mean, parameters)
    if rule.reported is None:
        return parameters
    formula, (_, *settings) = rebound(rule.reported, jnp), config.optimizer.hyperparameters.values()
    return jax.tree.map(lambda value, *slots: formula(value, *slots, *settings), parameters, *state.rule.slots)


def _fresh(rule: Optimizer, parameters: Any) -> RuleState:
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    return RuleState(jnp.zeros([], jnp.int32), (zeros,) * len(rule.slots), jnp.zeros(rule.memory_size))


def _gradients(config: Settings, gradients: Any, decayed: Any, updates: jax.Array, key: jax.Array) -> Any:
    """The gradients that the rule sees, clipped, with noise, and with the penalty's part."""
    if config.clip_norm is not None:
        norm = optax.tree.norm(gradients)
        scale = jnp.where(norm > config.clip_norm, config.clip_norm / norm, 1.0)
        gradients = jax.tree.map(lambda each: each * scale, gradients)
    if config.gradient_noise:
        deviation = jnp.sqrt(config.gradient_noise / (1.0 + updates) ** config.gradient_noise_decay)
        drawn = optax.tree.random_like(key, gradients)
        gradients = jax.tree.map(lambda each, normal: each + deviation * normal, gradients, drawn)
    if config.l2:
        gradients = jax.tree.map(lambda each, parameter: each + config.l2 * parameter, gradients, decayed)
    return gradients


def _moved(
    rule: Optimizer,
    parameters: Any,
    gradients: Any,
    state: RuleState,
    rate: jax.Array,
    hyperparameters: tuple[float, ...],
) -> tuple[Any, RuleState]:
    """The parameters after the rule's update, and its state."""
    updates = state.updates + 1
    t = jnp.asarray(updates, dtype=float)
    values, tree = jax.tree.flatten(parameters)
    inputs = [jax.tree.leaves(part) for part in (gradients, *state.slots)]
    leaves = list(zip(values, *inputs, strict=True))
    numbers, memory = _numbers(rule, leaves, state.memory, rate, t, hyperparameters)
    formula = rebound(rule.update, jnp)

    def of_matrix(leaf: tuple[Any, ...]) -> tuple[Any, ...]:
        if rule.matrices is None or leaf[0].ndim != 2:
            return ()
        entries = rebound(rule.matrices.source, jnp)(*leaf, rate, t, *hyperparameters)
        return rebound(rule.matrices.work_out, jnp)(entries), 1.0

    leaf_by_leaf = (formula(*leaf, rate, t, *hyperparameters, *numbers, *of_matrix(leaf)) for leaf in leaves)
    moved, *slots = zip(*leaf_by_leaf, strict=True)
    return jax.tree.unflatten(tree, moved), RuleState(
        updates, tuple(jax.tree.unflatten(tree, slot) for slot in slots), memory
    )


def _numbers(
    rule: Optimizer,
    leaves: list[tuple[Any, ...]],
    memory: jax.Array,
    rate: jax.Array,
    t: jax.Array,
    hyperparameters: tuple[float, ...],
) -> tuple[tuple[Any, ...], jax.Array]:
    """What the rule computes for all parameters together; on the host, in float64, unless JAX can compile it."""
    numbers = rule.numbers
    if numbers is None:
        return (), memory
    if numbers.pure is not None:
        found, memory = rebound(numbers.pure, jnp)(memory, t, *hyperparameters)
        return tuple(found), memory

    def on_host(sums: Any, before: Any, update: Any) -> tuple[Any, Any]:
        after = np.array(before, dtype=float)
        worked_out = numbers.work_out(np.asarray(sums, dtype=float), after, int(update), *hyperparameters)
        return np.array(worked_out, dtype=before.dtype), after.astype(before.dtype)

    terms = [rebound(term, jnp) for term in numbers.terms]
    sums = [sum(term(*leaf, rate, t, *hyperparameters).sum() for leaf in leaves) for term in terms]
    shape = jnp.zeros(len(rule.number_names), memory.dtype)
    found, memory = jax.pure_callback(on_host, (shape, memory), sums, memory, t)
    return tuple(found), memory


def _evaluated(
    config: Settings, reaction: Reaction, state: ConfigState, parameters: Any, loss: Any, over: jax.Array
) -> tuple[Any, ConfigState]:
    """After an epoch with this held-out loss: the changes that lead to the best parameters where the run reacts."""
    best, rule = state.best, optimizers.get(config.optimizer.name)
    assert best is not None
    kept = _reported(config, state, parameters)

    def chosen(condition: jax.Array, yes: Any, no: Any) -> Any:
        return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)

    better = loss < best.loss
    known = chosen(better, kept, best.parameters)
    lowest, since = jnp.where(better, loss, best.loss), jnp.where(better, 0, best.since + 1)
    reacts = (since >= reaction.patience) & ~over & jnp.isfinite(lowest)
    changes = jax.tree.map(lambda to, now: jnp.where(reacts, to - now, jnp.zeros_like(now)), known, parameters)
    of_rule = chosen(reacts, _fresh(rule, parameters), state.rule)
    average = state.average and chosen(reacts, _nothing_averaged(parameters), state.average)
    cut = jnp.where(reacts, best.cut * reaction.factor, best.cut)
    fresh = Best(known, lowest, jnp.where(reacts, 0, since), cut)
    return changes, state._replace(rule=of_rule, best=fresh, average=average)
