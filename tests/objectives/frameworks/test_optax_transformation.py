"""`config.optax`: a loop of one's own with our transformation does what our own training does, to 1e-8."""

from typing import Any

import numpy as np
import parity
import pytest
from covering import covering, in_short
from in_jax import float64

from cooldown import TrainConfig, descend, optimizers, schedules, tasks
from cooldown.objectives.errors import InputError

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")
jnp = jax.numpy

WHOLE = {"batch_size": 9, "epochs": 20}
"""Epochs of iris in full batches, as plans of batches need them."""

ALIKE = {"batch_size": 9}
"""No smaller last batch, where another test has one: JAX compiles each number of rows."""


@pytest.fixture(autouse=True)
def in_float64() -> Any:
    with float64():
        yield


def outputs(parameters: Any, X: Any) -> Any:
    for i, (weights, biases) in enumerate(parameters):
        X = (jax.nn.relu(X) if i else X) @ weights + biases
    return X


def loss_of(parameters: Any, X: Any, y: Any) -> Any:
    return optax.losses.softmax_cross_entropy_with_integer_labels(outputs(parameters, X), y).mean()


def follow(config: TrainConfig) -> None:
    """A plain loop, compiled once for each number of rows."""
    reference = parity.Reference(config, tasks.get("iris"))
    X, y = reference.rows
    transformation = config.optax(-(-len(X) // config.batch_size))
    parameters = [tuple(map(jnp.asarray, layer)) for layer in reference.layers(reference.initial)]
    state, plan = transformation.init(parameters), config.plan(len(X))

    @jax.jit
    def step(parameters: Any, state: Any, X: Any, y: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(parameters, X, y)

        def again(parameters: Any, _: int) -> Any:
            return jax.grad(loss_of)(parameters, X, y)

        changes, state = transformation.update(gradients, state, parameters, grad_fn=again)
        return optax.apply_updates(parameters, changes), state, loss

    @jax.jit
    def evaluated(parameters: Any, state: Any, loss: Any) -> Any:
        changes, state = transformation.update(parameters, state, parameters, value=loss)
        return optax.apply_updates(parameters, changes), state

    losses = []
    for epoch, order in enumerate(reference.orders):
        total = 0.0
        sizes = plan.sizes[plan.starts[epoch] : plan.starts[epoch + 1]]
        for rows in np.split(order, np.cumsum(sizes)[:-1]):
            parameters, state, loss = step(parameters, state, X[rows], y[rows])
            total += loss.item() * len(rows)
        losses.append(total / len(X))
        if plan.reaction:
            loss = loss_of(transformation.reported(state, parameters), *reference.watched)
            parameters, state = evaluated(parameters, state, loss)
    assert step._cache_size() == len(set(plan.sizes))
    assert evaluated._cache_size() == (plan.reaction is not None)
    theta = reference.final.copy()
    reported = transformation.reported(state, parameters)
    for (weights, biases), layer in zip(reference.layers(theta), reported, strict=True):
        weights[:], biases[:] = map(np.asarray, layer)
    reference.assert_followed(theta, losses)


# Rules that are left when every schedule has had one get the first, which should be quick to compile.
SCHEDULES = sorted(schedules.names(), key=lambda name: name != "cosine")
EVERY = covering([(rule, schedule) for rule in optimizers.names() for schedule in SCHEDULES], parts=lambda row: row)
OF_EACH_KIND = [("nadam", "polynomial"), ("adam", "batch_growth"), ("muon", "plateau")]
"""A rule with a product of its own over the run, batches of several sizes, and a rule that works on matrices. Rates
come from the plan, whatever the schedule.
"""


@pytest.mark.parametrize(("rule", "schedule"), in_short(sorted({*EVERY, *OF_EACH_KIND}), OF_EACH_KIND))
def test_every_rule_and_every_schedule(rule: str, schedule: str) -> None:
    follow(parity.config(rule, schedule, strategies=WHOLE, **parity.ways(schedule)[-1]))


@pytest.mark.parametrize("rule", optimizers.names())
def test_every_rule_takes_the_steps_of_descend(rule: str) -> None:
    config = TrainConfig.from_json({"optimizer": {"name": rule, "learning_rate": 0.1}, "schedule": "linear"})
    transformation, curvature = config.optax(10), np.array([1.0, 20.0, -3.0])
    parameters = jnp.array([1.0, -0.5, 2.0])
    state, path = transformation.init(parameters), []
    for _ in range(4):
        path.append(np.asarray(transformation.reported(state, parameters)))
        changes, state = transformation.update(jnp.asarray(curvature) * parameters, state, parameters)
        parameters = optax.apply_updates(parameters, changes)
    rates = 0.1 * config.plan(10 * config.batch_size).multipliers[:3]
    settings = {name: value for name, value in config.optimizer.hyperparameters.items() if name != "learning_rate"}
    np.testing.assert_allclose(path, descend(lambda x: curvature * x, path[0], rule, settings, rates), rtol=1e-10)


@pytest.mark.parametrize(
    ("rule", "strategies"),
    [
        ("adamw", {"clip_norm": 0.5, **ALIKE}),
        ("yellowfin", {"l2": 0.01, **ALIKE}),
        ("momentum", {"weight_decay": 0.1, **ALIKE}),
        ("yellowfin", {"clip_norm": 0.1, "l2": 0.01, "weight_decay": 0.1}),
        ("momentum", {"averaging": "ema", "averaging_decay": 0.9}),
        ("adam", {"averaging": "swa", "averaging_share": 0.4, **WHOLE}),
        ("momentum", {"sam": 0.1, "clip_norm": 0.5, **ALIKE}),
    ],
)
def test_strategies_of_the_gradient(rule: str, strategies: dict[str, Any]) -> None:
    follow(parity.config(rule, "cosine", strategies=strategies))


@pytest.mark.parametrize(
    ("rule", "strategies"),
    [("yellowfin", {}), ("nadam", {}), ("schedule_free_sgd", {}), ("momentum", {"averaging": "ema"})],
)
def test_a_reaction_begins_the_rule_and_the_average_anew(rule: str, strategies: dict[str, Any]) -> None:
    follow(parity.config(rule, "plateau", patience=1, strategies=WHOLE | strategies))


def test_noise_is_that_of_the_seed_and_decays() -> None:
    config = TrainConfig.from_json(
        {"optimizer": {"name": "sgd", "learning_rate": 1.0}, "gradient_noise": 0.25, "gradient_noise_decay": 1.0}
    )
    weights = jnp.zeros(40_000)

    def path(seed: int) -> list[Any]:
        transformation = config.optax(10, seed)
        state, changes = transformation.init(weights), []
        for _ in range(3):
            change, state = transformation.update(jnp.zeros_like(weights), state, weights)
            changes.append(np.asarray(change))
        return changes

    for update, change in enumerate(path(1)):
        assert change.std() == pytest.approx(0.5 / np.sqrt(1 + update), rel=0.02)
    np.testing.assert_array_equal(path(1), path(1))
    assert not np.array_equal(path(1)[0], path(2)[0])
    assert not np.array_equal(path(1)[0] / 0.5, path(1)[1] / (0.5 / np.sqrt(2)))


def test_it_joins_a_chain_and_keeps_types() -> None:
    config = TrainConfig.from_json({"optimizer": {"name": "adam"}, "schedule": "cosine", "l2": 0.01})
    chain = optax.chain(optax.zero_nans(), config.optax(10))
    parameters = {"a": jnp.ones((2, 3), jnp.float32), "b": [jnp.zeros(4, jnp.bfloat16)]}
    changes, _ = jax.jit(chain.update)(jax.tree.map(jnp.ones_like, parameters), chain.init(parameters), parameters)
    moved = optax.apply_updates(parameters, changes)
    assert jax.tree.map(lambda each: each.dtype, moved) == jax.tree.map(lambda each: each.dtype, parameters)
    assert bool((moved["a"] < 1).all())


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="updates_per_epoch must be a whole number of at least 1, got 0"):
        TrainConfig().optax(0)
    transformation = TrainConfig().optax(5)
    with pytest.raises(InputError, match="needs the parameters"):
        transformation.update(jnp.ones(2), transformation.init(jnp.ones(2)))
    uphill = TrainConfig.from_json({"sam": 0.05}).optax(5)
    with pytest.raises(InputError, match="sam takes two gradients an update"):
        uphill.update(jnp.ones(2), uphill.init(jnp.ones(2)), jnp.ones(2))
