"""The exported JAX script does what our own training does, to 1e-8 over 200 updates, and runs as a script."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import parity
import pytest

from objectives import TrainConfig, population, tasks
from search.export import optax as exporter
from storage import ExperimentRecord


@pytest.fixture(autouse=True)
def in_float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def follow(record: ExperimentRecord, config: TrainConfig, task: str = "iris") -> None:
    reference = parity.Reference(config, tasks.get(task))
    given = None if task == record.spec["task"] else reference.task
    program = parity.module(parity.written(record, config, "optax", given).content)
    parameters = [
        {"weights": jnp.array(weights), "biases": jnp.array(biases)}
        for weights, biases in reference.layers(reference.initial)
    ]
    for layer, scales in zip(parameters, reference.scales(reference.initial), strict=False):
        layer["scales"] = jnp.array(scales)
    state = [parameters, program.make_statistics()] if config.batch_norm and reference.task.hidden else [parameters]
    watched = reference.watched if config.reacts else ()
    keys = [jax.random.key(0)] if config.dropout else []
    (parameters, *_), losses = split(program.train(*state, *reference.rows, reference.orders, *watched, *keys))
    theta = reference.final.copy()
    for (weights, biases), layer in zip(reference.layers(theta), parameters, strict=True):
        weights[:], biases[:] = layer["weights"], layer["biases"]
    for scales, layer in zip(reference.scales(theta), parameters, strict=False):
        scales[:] = layer["scales"]
    reference.assert_followed(theta, losses)


def split(trained: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
    return trained[:-1], trained[-1]


@pytest.mark.parametrize("config", parity.every_config(), ids=parity.name_of)
def test_every_rule_under_every_schedule(config: TrainConfig, iris_record: ExperimentRecord) -> None:
    follow(iris_record, config)
