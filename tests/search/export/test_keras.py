"""The exported Keras script does what our own training does, to 1e-8 over 50 updates or more, and runs as a script."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras  # type: ignore[import-untyped]
import numpy as np
import parity
import pytest
import torch
from keras.src.backend.common import dtypes  # type: ignore[import-untyped]
from sklearn.datasets import load_wine

from cooldown.objectives import TrainConfig, optimizers, schedules, tasks
from cooldown.objectives.errors import InputError
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.random_streams import generator
from cooldown.storage import ExperimentRecord

KERAS_WARNS = "__array__ implementation"
"""What NumPy says of Keras's own tensors."""

pytestmark = pytest.mark.filterwarnings(f"ignore:{KERAS_WARNS}:DeprecationWarning")


@pytest.fixture(autouse=True)
def in_float64() -> Iterator[None]:
    # Matrices of this size are not worth a second thread.
    torch.set_num_threads(1)
    in_precision("float64")
    yield
    in_precision("float32")


def in_precision(name: str) -> None:
    # On PyTorch Keras makes a single of the result of two doubles; in double precision it can be held to ours.
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = name
    keras.config.set_floatx(name)
    keras.config.set_dtype_policy(name)


def exported(record: ExperimentRecord, config: TrainConfig, task: tasks.Task | None = None) -> ModuleType:
    return parity.module(text_of(record, config, task))


def text_of(record: ExperimentRecord, config: TrainConfig, task: tasks.Task | None = None) -> str:
    return str(parity.written(record, config, "keras", task).content)


def follow(record: ExperimentRecord, config: TrainConfig, task: tasks.Task | None = None) -> None:
    reference = parity.Reference(config, task or tasks.get("iris"))
    program = exported(record, config, task)
    X, y = reference.rows
    model = program.make_model(X.shape[1], reference.model.n_outputs)
    dense = [each for each in model.layers if isinstance(each, keras.layers.Dense)]
    norms = [each for each in model.layers if type(each).__name__ == "BatchNormalization"]
    for i, (weights, biases) in enumerate(reference.layers(reference.initial)):
        dense[i].kernel.assign(weights)
        (dense[i].bias if dense[i].use_bias else norms[i].shift).assign(biases)
    watched = reference.watched if config.reacts else ()
    losses = program.train(model, X, y, reference.orders, *watched)
    theta = reference.final.copy()
    for i, (weights, biases) in enumerate(reference.layers(theta)):
        weights[:] = keras.ops.convert_to_numpy(dense[i].kernel)
        biases[:] = keras.ops.convert_to_numpy(dense[i].bias if dense[i].use_bias else norms[i].shift)
    for scale, norm in zip(reference.scales(theta), norms, strict=True):
        scale[:] = keras.ops.convert_to_numpy(norm.scale)
    reference.assert_followed(theta, losses)
    for ours, norm in zip(reference.model.architecture.norms if norms else (), norms, strict=True):
        assert ours is not None
        kept = reference.final[ours.statistics : ours.statistics + 2 * ours.width]
        found = [keras.ops.convert_to_numpy(each) for each in (norm.mean, norm.variance)]
        np.testing.assert_allclose(np.concatenate(found), kept, rtol=1e-6, atol=1e-8)


REFUSED = [rule for format, rule in sorted(parity.REFUSED) if format == "keras"]


def shorter(config: TrainConfig) -> TrainConfig:
    """With 54 updates: in Keras each takes milliseconds. As it is, where the run reacts, or grows its batches."""
    as_it_is = config.reacts or config.schedule.name == "batch_growth"
    return config if as_it_is else replace(config, batch_size=16)


@pytest.mark.parametrize("config", parity.every_config("keras"), ids=parity.name_of)
def test_every_rule_under_every_schedule(config: TrainConfig, iris_record: ExperimentRecord) -> None:
    follow(iris_record, shorter(config))


@pytest.mark.parametrize("optimizer", ["momentum", "nag"])
def test_a_rule_that_keras_has_at_a_constant_rate_only(optimizer: str, iris_record: ExperimentRecord) -> None:
    for config in (parity.config(optimizer), parity.config(optimizer, "cyclical")):
        follow(iris_record, shorter(config))


@pytest.mark.parametrize("schedule", schedules.names())
@pytest.mark.parametrize("optimizer", REFUSED)
def test_what_is_refused(optimizer: str, schedule: str, iris_record: ExperimentRecord) -> None:
    """And nothing else is: all other rules and schedules are followed above."""
    with pytest.raises(InputError, match=rf"^keras: {optimizer} computes .*; use --format torch, optax or sklearn"):
        parity.written(iris_record, parity.config(optimizer, schedule), "keras")


def test_sam_is_refused(iris_record: ExperimentRecord) -> None:
    with pytest.raises(InputError, match=r"^keras: sam takes two gradients .*; use --format torch, optax or sklearn"):
        parity.written(iris_record, parity.config(strategies={"sam": 0.05}), "keras")


@pytest.mark.parametrize(("optimizer", "schedule", "strategies"), parity.every_strategy("keras"))
def test_strategies(optimizer: str, schedule: str, strategies: dict[str, Any], iris_record: ExperimentRecord) -> None:
    config = parity.config(optimizer, schedule, strategies={"epochs": 10, **strategies})
    follow(iris_record, config if "batch_size" in strategies else shorter(config))


@pytest.mark.parametrize(("optimizer", "schedule"), [("sgd", "cosine"), ("adam", "plateau")])
def test_gradient_noise(
    optimizer: str, schedule: str, iris_record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With our own normal numbers, which Keras asks for variable by variable."""
    drawn = generator(parity.SEED, "gradient noise")

    def normal(shape: tuple[int, ...], dtype: str) -> Any:
        return keras.ops.convert_to_tensor(drawn.standard_normal(shape, np.float32), dtype)

    monkeypatch.setattr(keras.random, "normal", normal)
    strategies = {"gradient_noise": 0.001, "gradient_noise_decay": 0.7, "clip_norm": 1.0, "epochs": 12}
    config = parity.config(optimizer, schedule, strategies=strategies)
    follow(iris_record, shorter(config))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_dropout(batch_norm: bool, iris_record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    """With our own masks."""
    drawn = generator(parity.SEED, "dropout")

    def call(self: Any, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        uniform = keras.ops.convert_to_tensor(drawn.random(tuple(inputs.shape), np.float32), inputs.dtype)
        return keras.ops.where(uniform >= self.rate, inputs / (1 - self.rate), 0.0)

    monkeypatch.setattr(keras.layers.Dropout, "call", call)
    strategies = {"dropout": 0.3, "batch_norm": batch_norm, "early_stopping": 5, "epochs": 10}
    follow(iris_record, parity.config("momentum", "cosine", strategies=strategies))


@pytest.mark.parametrize("task", ["diabetes", "autoencoder_digits", "deep_narrow"])
def test_other_tasks(task: str, iris_record: ExperimentRecord) -> None:
    """One target, several targets under tanh, many layers."""
    config = parity.config("adam", "cosine", strategies={"epochs": 2, "batch_size": 128})
    follow(iris_record, config, tasks.get(task))


def test_no_hidden_layer(iris_record: ExperimentRecord) -> None:
    iris = tasks.get("iris")
    assert isinstance(iris, tasks.ArrayTask)
    task = replace(iris, name="logistic", hidden=())
    follow(iris_record, parity.config("adam", "step", every=5, strategies={"epochs": 10, "batch_size": 16}), task)


@pytest.mark.parametrize("optimizer", parity.with_native("keras"))
def test_a_rule_that_keras_lacks_is_written_out(
    optimizer: str, iris_record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that somebody adds to the catalog: its formula's own lines."""
    parity.without_natives(monkeypatch)
    strategies = {"l2": 0.01, "weight_decay": 0.01, "epochs": 5}
    config = parity.config(optimizer, "cosine", warmup_steps=10, strategies=strategies)
    assert "(keras.optimizers.Optimizer)" in text_of(iris_record, config)
    follow(iris_record, config)


def test_what_keras_has_is_used(iris_record: ExperimentRecord) -> None:
    def text(*given: Any, strategies: Any = None, **lengths: Any) -> str:
        return text_of(iris_record, parity.config(*given, strategies=strategies, **lengths))

    assert "keras.optimizers.SGD(LEARNING_RATE, momentum=0.9, nesterov=True)" in text("nag", "constant")
    assert "schedules" not in text("nag", "constant")
    assert "keras.optimizers.SGD(" in text("momentum", "plateau")
    assert "class Momentum(keras.optimizers.Optimizer)" in text("momentum", "plateau", warmup_steps=5)
    assert "class Momentum(keras.optimizers.Optimizer)" in text("momentum", "cosine")
    assert "class Momentum(keras.optimizers.SGD)" in text("momentum", "constant", strategies={"l2": 0.1})
    assert "keras.optimizers.Adadelta(make_schedule(n_rows), " in text("adadelta", "cosine")
    assert "schedules.CosineDecayRestarts(LEARNING_RATE, 3 * u" in text("sgd", "sgdr", period=3, period_mult=1.0)
    assert "class Schedule(" in text("sgd", "sgdr", period=3, period_mult=2.0)
    assert "schedules.InverseTimeDecay(LEARNING_RATE, total, 9.0)" in text("sgd", "inverse_time")
    assert "global_clipnorm=0.5" in text("sgd", "constant", strategies={"clip_norm": 0.5})


def test_arrays_have_no_methods(iris_record: ExperimentRecord) -> None:
    """Those of TensorFlow's back end, which is not installed here, have none, and are not unpacked."""
    muon = text_of(iris_record, parity.config("muon", "constant"))
    assert "ops.transpose(matrix) @ matrix" in muon
    assert "ops.sum(squares)" in muon
    assert "numbers = ops.unstack(" in text_of(iris_record, parity.config("nadam", "constant"))


def test_restarts_of_keras_are_ours(iris_record: ExperimentRecord) -> None:
    follow(iris_record, shorter(parity.config("sgd", "sgdr", period=3, period_mult=1.0, floor=0.1)))


def test_initial_weights_have_the_distributions_of_our_own(iris_record: ExperimentRecord) -> None:
    keras.utils.set_random_seed(0)
    for scheme in ("auto", "he", "glorot", "poor", "large", "normal_0.1"):
        program = exported(iris_record, parity.config(strategies={"initialization": scheme}))
        vars(program)["HIDDEN"] = (300,)
        ours = MLP(np.zeros((1, 200)), np.zeros(1, int), (300,), 100, "cross_entropy")
        theta = ours.init(np.random.default_rng(0), scheme)
        for layer, made in zip(ours.layers, program.make_model(200, 100).layers, strict=True):
            drawn = keras.ops.convert_to_numpy(made.kernel)
            expected = layer.weights(theta[None])[0]
            assert drawn.std() == pytest.approx(expected.std(), rel=0.02)
            # A truncated normal has no such tails, and a uniform not even these.
            assert np.abs(drawn).max() / drawn.std() == pytest.approx(np.abs(expected).max() / expected.std(), rel=0.2)
            assert not np.any(keras.ops.convert_to_numpy(made.bias))


def test_dropout_leaves_out_the_share_that_it_should(iris_record: ExperimentRecord) -> None:
    program = exported(iris_record, parity.config("sgd", strategies={"dropout": 0.3}))
    [layer] = [each for each in program.make_model(4, 3).layers if isinstance(each, keras.layers.Dropout)]
    found = keras.ops.convert_to_numpy(layer(np.ones((500, 50)), training=True))
    assert np.mean(found > 0) == pytest.approx(0.7, abs=0.02)
    np.testing.assert_allclose(found[found > 0], 1 / 0.7)


PROGRAMS = [
    ("adadelta", "sgdr", {"early_stopping": 3}),
    ("adamw", "batch_growth", {"l2": 0.01, "clip_norm": 1.0, "gradient_noise": 0.01}),
    ("nadam", "plateau", {"dropout": 0.2, "batch_norm": True, "weight_decay": 0.01, "gradient_noise": 0.001}),
]


@pytest.mark.parametrize(("optimizer", "schedule", "strategies"), PROGRAMS)
def test_the_text_is_clean_and_runs(
    optimizer: str,
    schedule: str,
    strategies: dict[str, Any],
    iris_record: ExperimentRecord,
    tmp_path: Path,
) -> None:
    """Here in float32, and in fewer updates, each of which takes long."""
    in_precision("float32")
    text = text_of(iris_record, parity.config(optimizer, schedule, strategies={"batch_size": 20, **strategies}))
    parity.assert_clean(text, tmp_path)
    parity.assert_learned(parity.run_here(text))


def on_arrays(record: ExperimentRecord, folder: Path) -> str:
    """A program's text, and in `folder` the arrays of a user, with any labels and any number of features."""
    X, y = load_wine(return_X_y=True)
    np.savez(folder / "data.npz", X=X, y=np.array(["a", "b", "c"])[y])
    return text_of(record, parity.config("adam", "cosine", strategies={"early_stopping": 5, "batch_size": 20}))


def test_own_arrays(iris_record: ExperimentRecord, tmp_path: Path) -> None:
    in_precision("float32")
    text = on_arrays(iris_record, tmp_path)
    parity.assert_learned(parity.run_here(text, str(tmp_path / "data.npz")))


# Scripts of Keras train in a process in test_devices.py, and predict in one in test_saved_programs.py.
@pytest.mark.full
@pytest.mark.processes
def test_it_runs_as_a_script(iris_record: ExperimentRecord, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(on_arrays(iris_record, tmp_path), "utf-8")
    filters = ["-W", "error", "-W", f"ignore:{KERAS_WARNS}:DeprecationWarning"]
    command = [sys.executable, *filters, str(path), "data.npz"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    parity.assert_learned(done.stdout)


@pytest.mark.parametrize("optimizer", [name for name in optimizers.names() if name not in REFUSED])
def test_the_text_of_every_rule_and_schedule_is_clean(
    optimizer: str, iris_record: ExperimentRecord, tmp_path: Path
) -> None:
    """With each rule some of the schedules, with numbers of as many digits as a search finds, and some strategies."""
    place = optimizers.names().index(optimizer)
    configs, texts = parity.configs_of(optimizer), []
    for i, config in enumerate(configs[place % 8 :: 8]):
        choices = [*parity.strategies_with("keras", optimizer), {}, {"gradient_noise": 0.1}]
        strategies = choices[(place + i) % len(choices)]
        found = {name: each / 1.001 for name, each in config.optimizer.hyperparameters.items()}
        changed = replace(
            config, optimizer=replace(config.optimizer, hyperparameters=found), **{"dropout": i % 2 / 7, **strategies}
        )
        texts.append(text_of(iris_record, changed))
    parity.assert_clean(texts, tmp_path)
