"""The small runs on iris that the checks of optimizers and schedules use."""

from collections.abc import Sequence

import numpy as np

from cooldown.objectives import tasks
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.conformance.check import expect
from cooldown.objectives.records import Curve
from cooldown.objectives.training.engine import train


def run(configs: Sequence[TrainConfig], seeds: Sequence[int] = (0,)) -> list[list[Curve]]:
    """The curves of these configs on iris: a list (configs) of lists (seeds)."""
    return train(tasks.get("iris"), configs, seeds)


def same(first: Curve, second: Curve) -> bool:
    """Whether two runs are equal, to the last bit."""
    return first.outcome is second.outcome and all(
        np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True)
        for name in ("train_loss", "held_out_loss", "held_out_score", "learning_rate")
    )


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
