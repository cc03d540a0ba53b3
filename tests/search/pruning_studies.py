"""Studies of given and of random losses, for the tests of pruning."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import Curve, Outcome, TrainConfig
from cooldown.storage import Purpose, StudyRecord, TrialRecord
from cooldown.storage.records import mean_final_loss

EPOCHS = 9


def curve(losses: Sequence[float], outcome: Outcome = Outcome.COMPLETED, cap: float = 1e9) -> Curve:
    """A replicate with these held-out losses, at 10 gradient evaluations an epoch."""
    measured = np.array(losses, np.float64)
    epochs = len(measured)
    paid = epochs + (outcome is Outcome.DIVERGED)
    kept = 0 if outcome is Outcome.DIVERGED else epochs
    return Curve(0, outcome, measured, measured, measured, measured, kept, cap, 10 * paid, paid, 0.0)


def trial(
    number: int, curves: Sequence[Curve], generation: int, schedule: str = "constant", **more: Any
) -> TrialRecord:
    config = TrainConfig.from_json({"epochs": EPOCHS, "schedule": schedule})
    finalist = more.get("finalist")
    by_purpose = {Purpose.SEARCH: tuple(curves)}
    if finalist is not None:
        by_purpose[Purpose.FINALIST] = (curve([finalist]),)
    return TrialRecord(number, number, generation, {}, {}, config, mean_final_loss(curves), by_purpose)


def study(trials: Sequence[TrialRecord], arm: str = "momentum") -> StudyRecord:
    return StudyRecord(1, arm, 0, {}, tuple(trials))


def drawn(seed: int, count: int, generation: int = 1, schedules: Sequence[str] = ("constant",)) -> StudyRecord:
    """A study of random losses, whole numbers, so that there are ties; one seed a trial."""
    rng = np.random.default_rng(seed)
    falling = np.linspace(20, 0, EPOCHS)
    losses = np.round(rng.uniform(0.5, 1.5, (count, 1)) * falling + rng.uniform(-8, 8, (count, EPOCHS))) + 20
    return study(
        [trial(i, [curve(row)], i // generation, schedules[i % len(schedules)]) for i, row in enumerate(losses)]
    )


def in_generations(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def losses_of(record: TrialRecord) -> NDArray[np.float64]:
    return record.curves[Purpose.SEARCH][0].held_out_loss
