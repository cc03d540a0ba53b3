"""The exported PyTorch script does what our own training does, to 1e-8 over 100 updates, and runs as a script."""

from pathlib import Path
from typing import Any

import numpy as np
import parity
import pytest
import torch
from sklearn.datasets import load_wine

from cooldown.objectives import TrainConfig, tasks
from cooldown.objectives.strategies import STRATEGIES as STRATEGY_NAMES
from cooldown.storage import ExperimentRecord


@pytest.fixture(autouse=True)
def in_float64() -> Any:
    # Matrices of this size are not worth a second thread.
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def follow(record: ExperimentRecord, config: TrainConfig, task: str = "iris") -> None:
    reference = parity.Reference(config, tasks.get(task))
    given = None if task == record.spec["task"] else reference.task
    program = parity.module(parity.written(record, config, "torch", given).content)
    X, y = reference.rows
    model = program.make_model(X.shape[1], reference.model.n_outputs)
    linears = [each for each in model if isinstance(each, torch.nn.Linear)]
    norms = [each for each in model if isinstance(each, torch.nn.BatchNorm1d)]
    with torch.no_grad():
        for i, (weights, biases) in enumerate(reference.layers(reference.initial)):
            linears[i].weight.copy_(torch.tensor(weights.T))
            (linears[i] if linears[i].bias is not None else norms[i]).bias.copy_(torch.tensor(biases))
    watched = [torch.tensor(part) for part in reference.watched] if config.reacts else []
    losses = program.train(model, torch.tensor(X), torch.tensor(y), reference.orders, *watched)
    theta = reference.final.copy()
    for i, (weights, biases) in enumerate(reference.layers(theta)):
        weights[:] = linears[i].weight.detach().numpy().T
        biases[:] = (linears[i] if linears[i].bias is not None else norms[i]).bias.detach().numpy()
    for scale, norm in zip(reference.scales(theta), norms, strict=True):
        scale[:] = norm.weight.detach().numpy()
    reference.assert_followed(theta, losses)


@pytest.mark.parametrize("config", parity.every_config("torch"), ids=parity.name_of)
def test_every_rule_under_every_schedule(config: TrainConfig, iris_record: ExperimentRecord) -> None:
    follow(iris_record, config)


@pytest.mark.parametrize(("optimizer", "schedule", "strategies"), parity.every_strategy("torch"))
def test_strategies(optimizer: str, schedule: str, strategies: dict[str, Any], iris_record: ExperimentRecord) -> None:
    follow(iris_record, parity.config(optimizer, schedule, strategies=strategies))


@pytest.mark.parametrize("task", ["diabetes", "autoencoder_digits", "deep_narrow"])
def test_other_tasks(task: str, iris_record: ExperimentRecord) -> None:
    """One target, several targets under tanh, many layers."""
    config = parity.config("adam", "cosine", strategies={"epochs": 3, "batch_size": 64})
    follow(iris_record, config, task)


@pytest.mark.parametrize("optimizer", parity.with_native("torch"))
def test_a_rule_that_torch_lacks_is_written_out(
    optimizer: str, iris_record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that somebody adds to the catalog: its formula's own lines."""
    parity.without_natives(monkeypatch)
    config = parity.config(optimizer, "cosine", warmup_steps=10, strategies={"l2": 0.01})
    assert "(torch.optim.Optimizer)" in parity.written(iris_record, config, "torch").content
    follow(iris_record, config)


def test_what_torch_has_is_used(iris_record: ExperimentRecord) -> None:
    def text(*given: Any, **lengths: Any) -> str:
        return str(parity.written(iris_record, parity.config(*given, **lengths), "torch").content)

    assert "torch.optim.NAdam(" in text("nadam", "constant")
    assert "lr_scheduler" not in text("nadam", "constant")
    assert "CosineAnnealingWarmRestarts(optimizer, 3 * updates_per_epoch, 2, " in text("adam", "sgdr", period=3)
    assert "LambdaLR" in text("adam", "sgdr", period=3.5)
    assert "SequentialLR" in text("sgd", "exponential", warmup_steps=5)
    assert "class Yellowfin(torch.optim.Optimizer)" in text("yellowfin", "constant")


PROGRAMS = [
    ("momentum", "sgdr", {}),
    ("nag", "sgdr", {"period": 3.6507229381293, "period_mult": 1.6709238472938, "warmup_steps": 3}),
    ("amsgrad", "cyclical", {"period": 3.6507229381293, "gamma": 0.0123456789123, "floor": 0.2512345678912}),
    ("adam", "batch_growth", {"every": 3.6507229381293, "gamma": 0.212345678912345, "limit": 0.412345678912345}),
    ("yellowfin", "plateau", {"early_stopping": 3}),
    ("adamw", "batch_growth", {"l2": 0.01, "clip_norm": 1.0, "gradient_noise": 0.01}),
    ("adam", "cyclical", {"dropout": 0.2, "batch_norm": True, "weight_decay": 0.01}),
]


@pytest.mark.parametrize(("optimizer", "schedule", "settings"), PROGRAMS)
def test_the_text_is_clean_and_runs(
    optimizer: str, schedule: str, settings: dict[str, Any], iris_record: ExperimentRecord, tmp_path: Path
) -> None:
    lengths = {name: value for name, value in settings.items() if name not in STRATEGY_NAMES}
    chosen = {name: value for name, value in settings.items() if name in STRATEGY_NAMES}
    config = parity.config(optimizer, schedule, strategies=chosen, **lengths)
    text = str(parity.written(iris_record, config, "torch").content)
    parity.assert_clean(text, tmp_path)
    torch.set_default_dtype(torch.float32)
    parity.assert_learned(parity.run_here(text))


@pytest.mark.processes
@pytest.mark.parametrize(
    ("optimizer", "schedule"), [("momentum", "sgdr"), pytest.param("yellowfin", "plateau", marks=pytest.mark.full)]
)
def test_it_runs_as_a_script(optimizer: str, schedule: str, iris_record: ExperimentRecord, tmp_path: Path) -> None:
    """With torch's own rule, and with one that is written out."""
    text = str(parity.written(iris_record, parity.config(optimizer, schedule), "torch").content)
    parity.assert_learned(parity.run_script(text, tmp_path))


def test_own_arrays(iris_record: ExperimentRecord, tmp_path: Path) -> None:
    """Any labels, any number of features."""
    X, y = load_wine(return_X_y=True)
    np.savez(tmp_path / "data.npz", X=X, y=np.array(["a", "b", "c"])[y])
    text = str(parity.written(iris_record, parity.config("adam", "cosine"), "torch").content)
    torch.set_default_dtype(torch.float32)
    assert float(parity.run_here(text, str(tmp_path / "data.npz")).split("accuracy ")[1]) > 0.9
