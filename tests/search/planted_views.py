"""Experiments whose results are planted: records made of numbers, as claims judge them, without any training."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cooldown import TrainConfig
from cooldown.objectives.records import Curve, Outcome
from cooldown.search.claims.entry import Study
from cooldown.search.evidence.view import View
from cooldown.search.spec.experiment import read_spec
from cooldown.storage import ExperimentRecord, Purpose, Status, StudyRecord, TrialRecord

BASELINE = 2.5


@dataclass(frozen=True)
class Planted:
    """The results of an arm in a repeat.

    loss: on the test rows. validation: its winner's loss after each epoch; falling to `loss` by default. capped:
    whether the evaluation ended at the baseline.
    """

    loss: float
    validation: tuple[float, ...] = ()
    updates: int = 1000
    evaluations: int = 10_000
    capped: bool = False


def planted_view(study: Study, of_arm: Callable[[str, int], Planted], repeats: int = 5, epochs: int = 10) -> View:
    """The view of an experiment of these arms that is done. of_arm: what an arm has in a repeat."""
    spec = read_spec(task="digits", **{**study.settings("small"), "repeats": repeats, "epochs": epochs})
    studies = [_study(arm, repeat, of_arm(arm, repeat), epochs) for arm in spec.arms for repeat in range(repeats)]
    record = ExperimentRecord(1, "planted", spec.to_json(), "", {}, Status.DONE, "", 0.0, 1.0, tuple(studies))
    return View(record)


def _study(arm: str, repeat: int, planted: Planted, epochs: int) -> StudyRecord:
    config = TrainConfig.from_json({"optimizer": {"name": "sgd", "learning_rate": 0.1}, "epochs": epochs})
    validation = np.array(planted.validation or np.geomspace(2.0, planted.loss, epochs))
    test = np.array([2 * BASELINE if planted.capped else planted.loss])
    curves = {
        Purpose.SEARCH: (_curve(validation, planted, epochs),),
        Purpose.FINALIST: (_curve(validation, planted, epochs),),
        Purpose.EVALUATION: (_curve(test, planted, epochs),),
    }
    trial = TrialRecord(1, 0, 0, {}, {}, config, float(validation[-1]), curves)
    return StudyRecord(1, arm, repeat, {}, (trial,))


def _curve(held_out: Any, planted: Planted, epochs: int) -> Curve:
    return Curve(
        seed=0,
        outcome=Outcome.COMPLETED,
        train_loss=np.ones(epochs),
        held_out_loss=held_out,
        held_out_score=held_out,
        learning_rate=np.ones(epochs),
        kept_epoch=epochs,
        uninformed_loss=BASELINE,
        gradient_evaluations=planted.evaluations,
        updates=planted.updates,
        seconds=1.0,
    )
