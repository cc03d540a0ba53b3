"""An experiment as one task among several: its arms' test losses, what its task is, and the pair it asks about."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np

from cooldown.objectives import tasks
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.looks import level_of
from cooldown.search.evidence.losses import first_look, question_pair, survey_pair
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.recorded import check_outline, spec_of
from cooldown.storage import Status, Summary, UnreadableError, Winner

Kind = Literal["classification", "regression", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Measured:
    """What a comparison over tasks needs of an experiment.

    data: the fingerprint of the task's data: what has the same is the same task. done: whether it has all that its spec
    asks for. rows: the training rows of a winner's evaluation, as its cost tells them; None where nothing was trained.
    losses: by arm and repeat, the winner's mean test loss. question: annealed SGD and an adaptive method, chosen as for
    the experiment's own answer; None if it asks about others. margin, level: as of its verdicts. alarms: kind and arm
    of each of its answer's; None where they are not known.
    """

    experiment: str
    task: str
    data: str
    created_at: float
    done: bool
    kind: Kind
    rows: int | None
    losses: Mapping[str, Mapping[int, float]]
    question: tuple[str, str] | None
    margin: float
    level: float
    alarms: tuple[tuple[str, str], ...] | None = None

    def repeats(self, *arms: str) -> list[int]:
        """The repeats that all these arms have."""
        return sorted(set.intersection(*(set(self.losses.get(arm, ())) for arm in arms)))

    def to_json(self) -> dict[str, Any]:
        """As JSON, from which `from_json` reads it."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Measured":
        """What `to_json` wrote; JSON has text for keys."""
        losses = {
            arm: {int(repeat): loss for repeat, loss in of_arm.items()} for arm, of_arm in document["losses"].items()
        }
        question, alarms = document["question"], document.get("alarms")
        question = None if question is None else tuple(question)
        alarms = None if alarms is None else tuple(map(tuple, alarms))
        return cls(**{**document, "losses": losses, "question": question, "alarms": alarms})


@dataclass(frozen=True)
class LeftOut:
    """An experiment that a comparison over tasks leaves out, and why, as the end of a sentence."""

    experiment: str
    why: str


def measured(summary: Summary, winners: Sequence[Winner]) -> Measured | LeftOut:
    """What is known of an experiment; why nothing is, for one whose spec cannot be read here."""
    try:
        check_outline(summary)
        spec = spec_of(summary)
    except InputError as error:
        reason = error.reason if isinstance(error, UnreadableError) else str(error)
        return LeftOut(summary.name, f"it cannot be read here: {reason}")
    losses = {arm: {winner.repeat: winner.test_loss for winner in winners if winner.arm == arm} for arm in spec.arms}
    first = first_look(spec, summary.looks)
    chosen_by = {
        arm: [each.selection_loss for each in winners if each.arm == arm and each.repeat < first] for arm in spec.arms
    }
    pair = question_pair(spec, {arm: float(np.mean(of_arm)) for arm, of_arm in chosen_by.items() if of_arm})
    return Measured(
        summary.name,
        spec.task,
        summary.task_fingerprint,
        summary.created_at,
        summary.status is Status.DONE,
        _kind(spec, winners),
        min((winner.epoch_gradients for winner in winners if winner.epoch_gradients), default=None),
        losses,
        survey_pair(spec, pair),
        spec.margin,
        level_of(spec, summary.looks),
        summary.alarms,
    )


def _kind(spec: Experiment, winners: Sequence[Winner]) -> Kind:
    """The kind of a task, without opening its data."""
    if spec.kind is not None:
        return spec.kind
    if tasks.origin(spec.task) == "built-in":
        return tasks.get(spec.task).kind
    if any(winner.test_rmse is not None for winner in winners):
        return "regression"
    return "other" if all(winner.test_score is None for winner in winners) else "classification"
