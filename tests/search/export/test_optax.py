"""The exported JAX script does what our own training does, to 1e-8 over 100 updates, and runs as a script."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import parity
import pytest
from covering import in_short
from in_jax import float64
from sklearn.datasets import load_wine

from cooldown.objectives import TrainConfig, optimizers, tasks
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.training import population
from cooldown.storage import ExperimentRecord


@pytest.fixture(autouse=True)
def in_float64() -> Iterator[None]:
    with float64():
        yield


def follow(record: ExperimentRecord, config: TrainConfig, task: tasks.Task | None = None) -> None:
    reference = parity.Reference(config, task or tasks.get("iris"))
    program = parity.module(str(parity.written(record, config, "optax", task).content))
    parameters = [
        {"weights": jnp.array(weights), "biases": jnp.array(biases)}
        for weights, biases in reference.layers(reference.initial)
    ]
    for layer, scales in zip(parameters, reference.scales(reference.initial), strict=False):
        layer["scales"] = jnp.array(scales)
    state = [parameters, program.make_statistics()] if config.batch_norm else [parameters]
    watched = reference.watched if config.reacts else ()
    keys = [jax.random.key(0)] if config.dropout else []
    *state, losses = program.train(*state, *reference.rows, reference.orders, *watched, *keys)
    parameters = state[0]
    theta = reference.final.copy()
    for (weights, biases), layer in zip(reference.layers(theta), parameters, strict=True):
        weights[:], biases[:] = layer["weights"], layer["biases"]
    for scales, layer in zip(reference.scales(theta), parameters, strict=False):
        scales[:] = layer["scales"]
    reference.assert_followed(theta, losses)


def alike(config: TrainConfig) -> TrainConfig:
    """With batches of which the last has no fewer rows: JAX compiles the updates once for each number of rows."""
    return replace(config, batch_size=10)


@pytest.mark.parametrize("config", parity.every_config("optax"), ids=parity.name_of)
def test_every_rule_under_every_schedule(config: TrainConfig, iris_record: ExperimentRecord) -> None:
    follow(iris_record, alike(config) if config.schedule.name == "constant" else config)


@pytest.mark.parametrize(("optimizer", "schedule", "strategies"), parity.every_strategy("optax"))
def test_strategies(optimizer: str, schedule: str, strategies: dict[str, Any], iris_record: ExperimentRecord) -> None:
    config = parity.config(optimizer, schedule, strategies=strategies)
    follow(iris_record, config if config.reacts or "batch_size" in strategies else alike(config))


@pytest.mark.parametrize("task", ["diabetes", "autoencoder_digits", "deep_narrow"])
def test_other_tasks(task: str, iris_record: ExperimentRecord) -> None:
    """One target, several targets under tanh, many layers."""
    config = parity.config("adam", "cosine", strategies={"epochs": 3, "batch_size": 64})
    follow(iris_record, config, tasks.get(task))


def test_no_hidden_layer(iris_record: ExperimentRecord) -> None:
    iris = tasks.get("iris")
    assert isinstance(iris, tasks.ArrayTask)
    task = replace(iris, name="logistic", hidden=())
    follow(iris_record, parity.config("adam", "step", every=5), task)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_dropout(batch_norm: bool, iris_record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same units left out in every update."""

    class Pattern:
        def random(self, shape: tuple[int, int], dtype: Any) -> Any:
            return pattern(*shape).astype(dtype)

    def pattern(rows: int, units: int) -> Any:
        return (np.arange(rows)[:, None] * 3 + np.arange(units) * 5) % 11 / 11

    ours = population.generator
    monkeypatch.setattr(population, "generator", lambda seed, use: Pattern() if use == "dropout" else ours(seed, use))
    monkeypatch.setattr(jax.random, "bernoulli", lambda key, p, shape: jnp.array(pattern(*shape) >= 1 - p))
    strategies = {"dropout": 0.3, "batch_norm": batch_norm, "early_stopping": 5}
    follow(iris_record, alike(parity.config("momentum", "cosine", strategies=strategies)))


def test_dropout_leaves_out_the_share_that_it_should(iris_record: ExperimentRecord) -> None:
    config = parity.config("sgd", strategies={"dropout": 0.3})
    program = parity.module(parity.written(iris_record, config, "optax").content)
    units = program.HIDDEN[0]
    one = {"weights": jnp.ones((1, units)), "biases": jnp.zeros(units)}
    last = {"weights": jnp.eye(units), "biases": jnp.zeros(units)}
    parameters = [one, *({"weights": jnp.eye(each), "biases": jnp.zeros(each)} for each in program.HIDDEN[1:]), last]
    found = np.asarray(program.outputs(parameters, jnp.ones((2000, 1)), jax.random.key(1)))
    kept = 0.7 ** len(program.HIDDEN)
    assert np.mean(found > 0) == pytest.approx(kept, abs=0.02)
    np.testing.assert_allclose(found[found > 0], 1 / kept)


def test_gradient_noise_has_the_variance_that_it_should(iris_record: ExperimentRecord) -> None:
    """N(0, η/(1+s)^γ) in update s = 0, 1, …, after the clipping."""
    strategies = {"gradient_noise": 0.5, "gradient_noise_decay": 0.8, "clip_norm": 1.0}
    config = parity.config("sgd", strategies=strategies)
    program = parity.module(parity.written(iris_record, config, "optax").content)
    optimizer = program.make_optimizer(jax.random.key(0))
    gradient = jnp.zeros(100_000).at[0].set(1e6)
    state = optimizer.init(gradient)
    for s in range(3):
        change, state = optimizer.update(gradient, state, gradient)
        assert np.std(change[1:]) == pytest.approx(program.LEARNING_RATE * (0.5 / (1 + s) ** 0.8) ** 0.5, rel=0.01)
        assert abs(change[0]) < program.LEARNING_RATE * 5


WRITTEN_OUT = [
    *((name, "cosine") for name in optimizers.names()),
    *(("adamw", "plateau"), ("nadam", "plateau"), ("nadam", "step")),
]


# The others are written out elsewhere, too.
@pytest.mark.parametrize(
    ("optimizer", "schedule"),
    in_short(
        WRITTEN_OUT,
        [
            *((name, "cosine") for name in parity.with_native("optax")),
            *((name, "cosine") for name in optimizers.names() if optimizers.get(name).numbers is not None),
            ("nadam", "plateau"),
        ],
    ),
)
def test_a_rule_that_optax_lacks_is_written_out(
    optimizer: str, schedule: str, iris_record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that somebody adds to the catalog: its formula's own lines."""
    parity.without_natives(monkeypatch)
    if (numbers := optimizers.get(optimizer).numbers) is not None:
        monkeypatch.setitem(vars(numbers), "pure", None)
    config = parity.config(optimizer, schedule, warmup_steps=10, strategies={"l2": 0.01, "weight_decay": 0.01})
    text = str(parity.written(iris_record, config, "optax").content)
    assert f"def {optimizer}(" in text
    assert ("pure_callback" in text) == (optimizers.get(optimizer).numbers is not None)
    follow(iris_record, alike(config))


def test_what_optax_has_is_used(iris_record: ExperimentRecord) -> None:
    def text(*given: Any, **lengths: Any) -> str:
        config = parity.config(*given, strategies={"epochs": parity.LONG}, **lengths)
        return str(parity.written(iris_record, config, "optax").content)

    assert "optax.adam(LEARNING_RATE, b1=0.9, b2=0.999, eps=1e-08)" in text("adam", "constant")
    assert "make_schedule" not in text("adam", "constant")
    assert "optax.warmup_constant_schedule(" in text("adam", "constant", warmup_steps=5)
    assert "for epochs in (3, 6, 12)]" in text("adam", "sgdr", period=3)
    assert "optax.join_schedules" not in text("adam", "sgdr", period=30)
    assert "learning_rates" in text("adam", "sgdr", period=3.5)
    # A schedule for each of 20 periods would be evaluated in every update.
    assert "learning_rates" in text("adam", "sgdr", period=1, period_mult=1.0)
    assert "optax.join_schedules([warm_up, main], [WARMUP_STEPS])" in text("sgd", "exponential", warmup_steps=5)
    assert "optax.inject_hyperparams" in text("sgd", "plateau")
    assert "def yellowfin(" in text("yellowfin", "constant")
    assert "pure_callback" not in text("nadam", "constant")


@pytest.mark.parametrize("optimizer", ["schedule_free_sgd", "schedule_free_adamw"])
@pytest.mark.parametrize(
    ("strategies", "own"),
    [
        ({}, True),
        ({"l2": 0.01, "clip_norm": 0.5, "early_stopping": 2}, True),
        ({"batch_norm": True, "sam": 0.05}, True),
        ({"weight_decay": 0.1}, False),
    ],
)
def test_schedule_free_rules_of_optax_report_what_ours_do(
    optimizer: str, strategies: dict[str, Any], own: bool, iris_record: ExperimentRecord
) -> None:
    config = parity.config(optimizer, "constant", strategies=strategies)
    text = str(parity.written(iris_record, config, "optax").content)
    assert (f"optax.contrib.{optimizer}(" in text) == own
    assert ("optax.contrib.schedule_free_eval_params(" in text) == own
    follow(iris_record, alike(config))


def test_updates_are_compiled_once_for_each_number_of_rows(iris_record: ExperimentRecord) -> None:
    config = parity.config("adam", "plateau", patience=1, strategies={"epochs": 4})
    program = parity.module(str(parity.written(iris_record, config, "optax").content))
    outputs, traced = program.outputs, list[int]()

    def counted(parameters: Any, X: Any) -> Any:
        traced.append(len(X))
        return outputs(parameters, X)

    program.outputs = counted
    reference = parity.Reference(config, tasks.get("iris"))
    parameters = program.make_parameters(jax.random.key(0), 4, 3)
    program.train(parameters, *reference.rows, reference.orders, *reference.watched)
    assert traced == [8, 90 % 8, len(reference.watched[0])]


def test_what_optax_counts_otherwise_is_written_out(iris_record: ExperimentRecord) -> None:
    annealed = parity.config("schedule_free_sgd", "cosine")
    settings = {"name": "schedule_free_sgd", "learning_rate": 0.5, "beta": 0.0}
    without = parity.config("schedule_free_sgd", "constant", strategies={"optimizer": settings})
    for config in (annealed, without):
        assert "def schedule_free_sgd(" in str(parity.written(iris_record, config, "optax").content)


def test_initial_weights_have_the_distributions_of_our_own(iris_record: ExperimentRecord) -> None:
    for scheme in ("auto", "he", "glorot", "poor", "large", "normal_0.1"):
        config = parity.config(strategies={"initialization": scheme})
        program = parity.module(parity.written(iris_record, config, "optax").content)
        program.HIDDEN = (300,)
        ours = MLP(np.zeros((1, 200)), np.zeros(1, int), (300,), 100, "cross_entropy")
        theta = ours.init(np.random.default_rng(0), scheme)
        parameters = program.make_parameters(jax.random.key(0), 200, 100)
        for layer, made in zip(ours.layers, parameters, strict=True):
            drawn = np.asarray(made["weights"])
            expected = layer.weights(theta[None])[0]
            assert drawn.shape == expected.shape
            assert drawn.std() == pytest.approx(expected.std(), rel=0.02)
            # A truncated normal has no such tails, and a uniform not even these.
            assert np.abs(drawn).max() / drawn.std() == pytest.approx(np.abs(expected).max() / expected.std(), rel=0.2)
            assert not np.any(made["biases"])


PROGRAMS = [
    ("yellowfin", "plateau", {"early_stopping": 3, "gradient_noise": 0.001}),
    ("adamw", "batch_growth", {"l2": 0.01, "clip_norm": 1.0, "gradient_noise": 0.01, "dropout": 0.1}),
    ("nadam", "cyclical", {"dropout": 0.2, "batch_norm": True, "weight_decay": 0.01}),
]


@pytest.mark.parametrize(("optimizer", "schedule", "strategies"), PROGRAMS)
def test_the_text_is_clean_and_runs(
    optimizer: str, schedule: str, strategies: dict[str, Any], iris_record: ExperimentRecord, tmp_path: Path
) -> None:
    text = str(parity.written(iris_record, parity.config(optimizer, schedule, strategies=strategies), "optax").content)
    parity.assert_clean(text, tmp_path)
    jax.config.update("jax_enable_x64", False)
    parity.assert_learned(parity.run_here(text))


@pytest.mark.processes
@pytest.mark.parametrize(
    ("optimizer", "schedule"), [pytest.param("adam", "cosine", marks=pytest.mark.full), ("yellowfin", "plateau")]
)
def test_it_runs_as_a_script(optimizer: str, schedule: str, iris_record: ExperimentRecord, tmp_path: Path) -> None:
    """With a rule of optax, and with one that is written out."""
    text = str(parity.written(iris_record, parity.config(optimizer, schedule), "optax").content)
    parity.assert_learned(parity.run_script(text, tmp_path))


@pytest.mark.parametrize("optimizer", optimizers.names())
def test_the_text_of_every_rule_and_schedule_is_clean(
    optimizer: str, iris_record: ExperimentRecord, tmp_path: Path
) -> None:
    """With each rule some of the schedules, with numbers of as many digits as a search finds, and some strategies."""
    place = optimizers.names().index(optimizer)
    configs, texts = parity.configs_of(optimizer), []
    for i, config in enumerate(configs[place % 8 :: 8]):
        choices = [*parity.strategies_with("optax", optimizer), {}]
        strategies = choices[(place + i) % len(choices)]
        changed = replace(config, optimizer=in_full(config.optimizer), **{"dropout": i % 2 / 7, **strategies})
        texts.append(str(parity.written(iris_record, changed, "optax").content))
    parity.assert_clean(texts, tmp_path)


def in_full(choice: Any) -> Any:
    """A little less of every number."""
    return replace(choice, hyperparameters={name: each / 1.001 for name, each in choice.hyperparameters.items()})


def test_own_arrays(iris_record: ExperimentRecord, tmp_path: Path) -> None:
    """Any labels, any number of features."""
    X, y = load_wine(return_X_y=True)
    np.savez(tmp_path / "data.npz", X=X, y=np.array(["a", "b", "c"])[y])
    text = str(parity.written(iris_record, parity.config("momentum", "sgdr", period=5), "optax").content)
    parity.assert_clean(text, tmp_path)
    jax.config.update("jax_enable_x64", False)
    assert float(parity.run_here(text, str(tmp_path / "data.npz")).split("accuracy ")[1]) > 0.9
