"""`tasks.from_jax`: functions for JAX trained by the engine are what a plain loop with optax makes of them."""

import sys
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

from jax import numpy as jnp  # noqa: E402

from cooldown import TrainConfig, compare, tasks, train  # noqa: E402
from cooldown.objectives.errors import InputError  # noqa: E402
from cooldown.objectives.frameworks import jax_programs  # noqa: E402
from cooldown.objectives.random_streams import generator  # noqa: E402
from cooldown.objectives.training.data_order import DataOrder  # noqa: E402
from cooldown.objectives.training.engine import fit  # noqa: E402
from cooldown.testing import task_checks  # noqa: E402

pytestmark = pytest.mark.together

ROWS = 40
X, LABELS = np.random.default_rng(0).normal(size=(ROWS, 4)), np.arange(ROWS) % 3
CONFIG = TrainConfig.from_json(
    {
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "schedule": {"name": "cosine", "warmup_steps": 2},
        "batch_size": 8,
        "epochs": 3,
    }
)
"""Of 24 training rows these are three batches of each epoch."""


def init(key: Any) -> Any:
    first, second = jax.random.split(key)
    return {
        "body": (jax.random.normal(first, (4, 7)) / 2, jnp.zeros(7)),
        "head": (jax.random.normal(second, (7, 3)) / 3, jnp.zeros(3)),
    }


def apply(parameters: Any, x: Any) -> Any:
    (weights, bias), (last, last_bias) = parameters["body"], parameters["head"]
    return jnp.tanh(x @ weights + bias) @ last + last_bias


def with_dropout(parameters: Any, x: Any, key: Any) -> Any:
    if key is not None:
        x = jnp.where(jax.random.bernoulli(key, 0.8, x.shape), x / 0.8, 0)
    return apply(parameters, x)


def init_normalized(key: Any) -> Any:
    return init(key), {"mean": jnp.zeros(4), "batches": jnp.zeros((), jnp.int32)}


def normalized(parameters: Any, state: Any, x: Any, key: Any) -> Any:
    """Inputs are centred: in training by the batch's mean, of which the state keeps a running mean."""
    mean = state["mean"] if key is None else x.mean(axis=0)
    after = {"mean": 0.7 * state["mean"] + 0.3 * mean, "batches": state["batches"] + 1}
    return with_dropout(parameters, x - mean, key), after


def plain_loop(function: Any, problem: Any, seed: int, config: TrainConfig) -> tuple[Any, list[float]]:
    """Parameters trained with optax, with the state of a network that has one, and the mean loss of each epoch; in
    float32, as JAX computes by itself.
    """
    parameters = init(jax.random.key(int(generator(seed, "initial weights").integers(2**31))))
    order = DataOrder(problem.train, generator(seed, "data order"), config.epochs, True, "none")
    draws = generator(seed, "draws of the model")
    transformation = config.optax(-(-len(problem.train) // config.batch_size))
    state, losses, carried = transformation.init(parameters), [], init_normalized(jax.random.key(0))[1]

    def loss_of(parameters: Any, carried: Any, x: Any, labels: Any, *key: Any) -> Any:
        if function is normalized:
            outputs, carried = normalized(parameters, carried, x, *key)
        else:
            outputs = function(parameters, x, *key)
        return optax.softmax_cross_entropy_with_integer_labels(outputs, labels).mean(), carried

    @jax.jit
    def step(parameters: Any, state: Any, *batch: Any) -> Any:
        (loss, carried), gradient = jax.value_and_grad(loss_of, has_aux=True)(parameters, *batch)
        changes, state = transformation.update(gradient, state, parameters)
        return optax.apply_updates(parameters, changes), state, carried, loss

    for epoch in range(config.epochs):
        total = 0.0
        rows_of_epoch = order.epoch(epoch)
        for start in range(0, len(rows_of_epoch), config.batch_size):
            rows = rows_of_epoch[start : start + config.batch_size]
            key = ()
            if function is not apply:
                key = (jax.random.key(np.uint32(int(draws.integers(2**63 - 1)) % 2**32)),)

            batch = jnp.asarray(X[rows], jnp.float32), jnp.asarray(LABELS[rows])
            parameters, state, carried, loss = step(parameters, state, carried, *batch, *key)
            total += float(loss) * len(rows)
        losses.append(total / len(problem.train))
    return (parameters, carried) if function is normalized else parameters, losses


@cache
def task_of(function: Any) -> Any:
    """Made once, as each compiles its own programs."""
    stateful = function is normalized
    return tasks.from_jax(init_normalized if stateful else init, function, X, LABELS, stateful=stateful)


# JAX compiles each number of rows: only one of them has a last batch of fewer.
@pytest.mark.parametrize(("function", "batch_size"), [(apply, 10), (with_dropout, 8), (normalized, 8)])
def test_a_network_is_trained_as_by_a_plain_loop(function: Any, batch_size: int) -> None:
    task, config = task_of(function), replace(CONFIG, batch_size=batch_size)
    problem = task.search_problem()
    fitted = fit(problem, config, [3])
    parameters, losses = plain_loop(function, problem, 3, config)
    np.testing.assert_allclose(fitted.curves[0].train_loss, losses, rtol=1e-5)
    for ours, theirs in zip(
        jax.tree.leaves(task.parameters_of(fitted.theta[0])), jax.tree.leaves(parameters), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("width", [1, 4])
def test_a_replicate_gives_the_same_bits_alone_and_beside_others(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_of(normalized)
    if width == 1:
        monkeypatch.setattr(jax_programs, "SMALL", 0)
        task = task_of.__wrapped__(normalized)
    curves = train(task, [CONFIG], list(range(6)))[0]
    for seed in (0, 5):
        [[alone]] = train(task, [CONFIG], [seed])
        np.testing.assert_array_equal(alone.train_loss, curves[seed].train_loss)
        np.testing.assert_array_equal(alone.held_out_loss, curves[seed].held_out_loss)


def test_an_evaluation_uses_the_running_statistics_and_does_not_change_them() -> None:
    task = task_of(normalized)
    theta = fit(task.search_problem(), CONFIG, [3]).theta
    before = theta.copy()
    losses, _ = task.model.evaluate(theta, np.arange(7))
    np.testing.assert_array_equal(theta, before)
    parameters, state = task.parameters_of(theta[0])
    assert state["batches"] == CONFIG.plan(len(task.search_problem().train)).sizes.size
    assert state["batches"].dtype == jnp.int32
    outputs = apply(parameters, jnp.asarray(X[:7], jnp.float32) - state["mean"])
    expected = optax.softmax_cross_entropy_with_integer_labels(outputs, LABELS[:7]).mean()
    np.testing.assert_allclose(losses[0], expected, rtol=1e-5)


def test_sixty_runs_compile_three_programs() -> None:
    calls = []

    def counted(parameters: Any, x: Any) -> Any:
        if x.dtype == jnp.float32 and isinstance(x, jax.core.Tracer):
            calls.append(x.shape)
        return apply(parameters, x)

    task = tasks.from_jax(init, counted, X, LABELS)
    calls.clear()
    rates = (0.003, 0.01, 0.03, 0.1)
    for repeat in range(5):
        configs = [
            TrainConfig.from_json(
                CONFIG.to_json() | {"batch_size": 16, "optimizer": {"name": "adam", "learning_rate": rate}}
            )
            for rate in rates
        ]
        curves = train(task.search_problems(0, repeat, [0, 1, 2]), configs, [0, 1, 2])
        assert all(curve.train_loss.size == CONFIG.epochs for of_config in curves for curve in of_config)
    # Batches of 16 and of 8 rows, and the measure of held-out rows; the baseline looks at shapes alone.
    programs = jax_programs._programs[task.model.identity]
    assert programs._step._cache_size() + programs.measure._cache_size() == 3
    assert {shape[-2] for shape in calls} == {16, 8, 256, 2}


def test_a_task_keeps_the_laws_of_tasks_and_models() -> None:
    for check in task_checks(tasks.from_jax(init, with_dropout, X, LABELS)):
        if "learns" not in check.name:
            check.run()


def test_a_regression_and_ones_own_metric() -> None:
    y = 2 * X[:, 0] + 1

    def line(parameters: Any, x: Any) -> Any:
        return x @ parameters[0] + parameters[1]

    def worst(outputs: Any, targets: Any) -> float:
        return -float(np.abs(outputs[:, 0] - targets).max())

    task = tasks.from_jax(lambda key: (jax.random.normal(key, (4, 1)), jnp.zeros(1)), line, X, y, metrics=worst)
    problem = task.search_problem()
    mean = y[problem.train].mean()
    assert problem.uninformed_loss == pytest.approx(np.square(y[problem.held_out] - mean).mean(), rel=1e-5)
    config = TrainConfig.from_json({"optimizer": {"name": "adam", "learning_rate": 0.1}, "epochs": 80})
    [[curve]] = train(problem, [config], [0])
    assert -0.2 < curve.final_score < 0
    assert task.score_name == "worst"


def test_a_network_is_compared() -> None:
    task = tasks.from_jax(init, apply, X, LABELS, name="own")
    settings = {"trials": 2, "seeds": 1, "repeats": 2, "epochs": 2, "finalists": 1}
    result = compare(task, arms=["sgd", "adam"], finalist_seeds=1, confirm_seeds=1, workers=2, **settings)
    assert result.answer.sentence


def test_devices_share_the_rows_of_a_batch() -> None:
    thetas = []
    for devices in (1, 2):
        task = tasks.from_jax(init, apply, X, LABELS, devices=devices)
        thetas.append(fit(task.search_problem(), CONFIG, [0, 1]).theta)
    np.testing.assert_allclose(thetas[0], thetas[1], rtol=1e-4, atol=1e-6)
    model, theta = task.model, np.repeat(thetas[0][:1], 12, axis=0)
    given = *model._rows(theta.dtype), theta, np.zeros((12, 8), np.int32), np.zeros(12, np.uint32), np.int32(3)
    program = model._compiled._step.lower(*given, width=4).compile().as_text()
    assert "all-reduce" in program, "the devices add up their parts of the gradient"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"init": 3}, "init=3.*must be a function"),
        ({"init": lambda key: ()}, "must return a pytree of floating-point arrays"),
        ({"apply": lambda parameters, x: x @ jnp.ones((5, 3))}, "raised TypeError"),
        ({"y": LABELS + 1}, "classes up to 3 need 4 outputs of apply, got 3"),
        ({"loss": lambda outputs, y: outputs}, "must return one number"),
        ({"X": X[:-1]}, "same number of rows"),
        ({"X": np.where(np.isclose(X, X[4, 1]), np.inf, X)}, "X must be finite.*row 5"),
        ({"stateful": 1}, "stateful=1.*must be True or False"),
        ({"stateful": True}, "must return a pair of parameters and a state"),
        (
            {"stateful": True, "init": init_normalized, "apply": lambda parameters, state, x: (x, state["mean"])},
            "must return the state in the shapes",
        ),
        ({"devices": 99}, "devices=99.*must be a whole number from 1 to"),
        ({"test": 3}, "test=.*must be a pair"),
        ({"name": " "}, "name"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tasks.from_jax(**{"init": init, "apply": apply, "X": X, "y": LABELS} | arguments)


def test_without_jax_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("cooldown.objectives.frameworks.jax")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(InputError, match=r"tasks\.from_jax needs jax.*: pip install jax"):
        tasks.from_jax(init, apply, X, LABELS)
