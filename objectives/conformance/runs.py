"""The small runs on iris that the checks of optimizers and of schedules look at."""

from collections.abc import Sequence

import numpy as np

from cooldown.objectives import tasks
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.conformance.check import expect
from cooldown.objectives.records import Curve
from cooldown.objectives.training.engine import train


def run(configs: Sequence[TrainConfig], seeds: Sequence[int] = (0,)) -> list[list[Curve]]:
    """Curves of these configs on iris."""
    return train(tasks.get("iris"), configs, seeds)


def same(a: Curve, b: Curve) -> bool:
    """Whether two runs did the same, to the last bit."""
    return a.outcome is b.outcome and all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True)
        for name in ("train_loss", "held_out_loss", "held_out_score", "learning_rate")
    )


def expect_round_trip(config: TrainConfig) -> None:
    """The config's JSON stands for the same config."""
    import json

    again = TrainConfig.from_json(json.dumps(config.to_json(), allow_nan=False))
    expect(again == config, f"{config.to_json()} came back as {again.to_json()}")


def expect_learned(configs: Sequence[TrainConfig]) -> None:
    """At least one of the configs gets below the loss of a predictor that knows the class frequencies only."""
    curves = [curve for (curve,) in run(configs)]
    best = min(curve.final_loss for curve in curves)
    baseline = curves[0].uninformed_loss
    tried = ", ".join(f"{config.optimizer.hyperparameters['learning_rate']:.3g}" for config in configs)
    expect(
        best < 0.95 * baseline,
        f"with none of the learning rates {tried} did the validation loss get below {0.95 * baseline:.3f}, 95 % of the "
        f"loss of guessing: the best was {best:.3f}",
    )
