"""The small runs on iris that the checks of optimizers and schedules use."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from cooldown.objectives import tasks
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.conformance.check import expect
from cooldown.objectives.records import Curve
from cooldown.objectives.training.engine import train


def run(configs: Sequence[TrainConfig], seeds: Sequence[int] = (0,)) -> list[list[Curve]]:
    """The curves of these configs on iris: a list (configs) of lists (seeds)."""
    return train(tasks.get("iris"), configs, seeds)


TIMINGS = {"seconds"}
"""The fields of a curve that two equal runs do not share."""


def same(first: Curve, second: Curve) -> bool:
    """Whether two runs are equal, to the last bit."""
    return all(
        _equal(getattr(first, field.name), getattr(second, field.name))
        for field in fields(Curve)
        if field.name not in TIMINGS
    )


def _equal(first: object, second: object) -> bool:
    """Whether two values of a curve's field are equal; NaN equals NaN."""
    if isinstance(first, float | np.ndarray) and isinstance(second, float | np.ndarray):
        return np.array_equal(first, second, equal_nan=True)
    if isinstance(first, tuple) and isinstance(second, tuple):
        return len(first) == len(second) and all(map(_equal, first, second))
    return first == second


def expect_round_trip(config: TrainConfig) -> None:
    """Check that the config's JSON gives the same config again."""
    import json

    again = TrainConfig.from_json(json.dumps(config.to_json(), allow_nan=False))
    expect(again == config, f"{config.to_json()} came back as {again.to_json()}")


def expect_learned(configs: Sequence[TrainConfig]) -> None:
    """Check that at least one of the configs gets below the loss of the class-frequency predictor."""
    curves = [curve for (curve,) in run(configs)]
    best = min(curve.final_loss for curve in curves)
    baseline = curves[0].uninformed_loss
    tried = ", ".join(f"{config.optimizer.hyperparameters['learning_rate']:.3g}" for config in configs)
    expect(
        best < 0.95 * baseline,
        f"no learning rate of {tried} brought the validation loss below {0.95 * baseline:.3f}, 95 % of the loss of the "
        f"class-frequency predictor: the best was {best:.3f}",
    )
