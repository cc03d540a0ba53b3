"""A config as an optax transformation, for a training loop that exists already."""

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


class ConfigState(NamedTuple):
    """The state of a transformation. updates: made so far. best: None for a schedule that does not react."""

    updates: jax.Array
    key: jax.Array
    rule: RuleState
    best: Best | None


def transformation(config: Settings, plan: Plan, seed: int) -> optax.GradientTransformationExtraArgs:
    """The transformation of `config` under the rates of its `plan`. seed: of the gradient noise."""
    rule = optimizers.get(config.optimizer.name)
    settings = dict(config.optimizer.hyperparameters)
    rates = settings.pop("learning_rate") * plan.multipliers
    hyperparameters = tuple(settings.values())

    def init(parameters: Any) -> ConfigState:
        best = None
        if plan.reaction is not None:
            best = Best(parameters, jnp.asarray(jnp.inf), jnp.asarray(0), jnp.asarray(1.0))
        return ConfigState(jnp.zeros([], jnp.int32), jax.random.key(seed), _fresh(rule, parameters), best)

    def update(
        gradients: Any, state: ConfigState, parameters: Any = None, *, value: Any = None, **_: Any
    ) -> tuple[Any, ConfigState]:
        if parameters is None:
            raise InputError("this transformation needs the parameters: update(gradients, state, parameters)")
        if value is not None and plan.reaction is not None:
            return _evaluated(rule, plan.reaction, state, parameters, value, state.updates >= len(rates))
        rate = jnp.asarray(rates)[jnp.minimum(state.updates, len(rates) - 1)]
        if state.best is not None:
            rate = rate * state.best.cut
        key, noise = jax.random.split(state.key)
        decayed = jax.tree.map(lambda each: each * (1 - rate * config.weight_decay), parameters)
        seen = _gradients(config, gradients, decayed, state.updates, noise)
        moved, of_rule = _moved(rule, decayed, seen, state.rule, rate, hyperparameters)
        changes = jax.tree.map(lambda after, before: (after - before).astype(before.dtype), moved, parameters)
        return changes, ConfigState(state.updates + 1, key, of_rule, state.best)

    return optax.GradientTransformationExtraArgs(init, update)


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
    numbers, memory = _numbers(rule, list(zip(*inputs, strict=True)), state.memory, t, hyperparameters)
    formula = rebound(rule.update, jnp)
    leaves = zip(values, *inputs, strict=True)
    moved, *slots = zip(*(formula(*leaf, rate, t, *hyperparameters, *numbers) for leaf in leaves), strict=True)
    return jax.tree.unflatten(tree, moved), RuleState(
        updates, tuple(jax.tree.unflatten(tree, slot) for slot in slots), memory
    )


def _numbers(
    rule: Optimizer, leaves: list[tuple[Any, ...]], memory: jax.Array, t: jax.Array, hyperparameters: tuple[float, ...]
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
    sums = [sum(term(*leaf, t, *hyperparameters).sum() for leaf in leaves) for term in terms]
    shape = jnp.zeros(len(rule.number_names), memory.dtype)
    found, memory = jax.pure_callback(on_host, (shape, memory), sums, memory, t)
    return tuple(found), memory


def _evaluated(
    rule: Optimizer, reaction: Reaction, state: ConfigState, parameters: Any, loss: Any, over: jax.Array
) -> tuple[Any, ConfigState]:
    """After an epoch with this held-out loss: the changes that lead to the best parameters where the run reacts."""
    best = state.best
    assert best is not None

    def chosen(condition: jax.Array, yes: Any, no: Any) -> Any:
        return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)

    better = loss < best.loss
    known = chosen(better, parameters, best.parameters)
    lowest, since = jnp.where(better, loss, best.loss), jnp.where(better, 0, best.since + 1)
    reacts = (since >= reaction.patience) & ~over & jnp.isfinite(lowest)
    changes = jax.tree.map(lambda to, now: jnp.where(reacts, to - now, jnp.zeros_like(now)), known, parameters)
    of_rule = chosen(reacts, _fresh(rule, parameters), state.rule)
    cut = jnp.where(reacts, best.cut * reaction.factor, best.cut)
    return changes, state._replace(rule=of_rule, best=Best(known, lowest, jnp.where(reacts, 0, since), cut))
