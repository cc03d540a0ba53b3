"""The exported PyTorch script does what our own training does, to 1e-8 over 200 updates, and runs as a script."""

from typing import Any

import parity
import pytest
import torch

from objectives import TrainConfig, tasks
from storage import ExperimentRecord


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


@pytest.mark.parametrize("config", parity.every_config(), ids=parity.name_of)
def test_every_rule_under_every_schedule(config: TrainConfig, iris_record: ExperimentRecord) -> None:
    follow(iris_record, config)
