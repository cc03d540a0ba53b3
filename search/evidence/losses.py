"""The losses that an experiment is judged by, per arm and repeat, and the pair of arms that its question is about."""

from collections.abc import Callable, Sequence

import numpy as np

from cooldown.objectives import optimizers
from cooldown.objectives.records import Curve
from cooldown.search.spec.arms import Arm
from cooldown.storage import ExperimentRecord, StudyRecord

PerRepeat = dict[str, dict[int, list[float]]]
"""Per arm and repeat, a number for each replicate of the winner's evaluation."""


def test_losses(record: ExperimentRecord) -> PerRepeat:
    """The winners' test losses over the fresh seeds; arms in the spec's order."""
    return _evaluated(record, record.studies, lambda curve: curve.final_loss)


def test_scores(record: ExperimentRecord) -> PerRepeat:
    """Likewise the test scores; NaN for a run that has none."""
    return _evaluated(record, record.studies, lambda curve: curve.final_score)


def default_config_losses(record: ExperimentRecord) -> PerRepeat:
    """The test losses of the arms' default configs."""
    return _evaluated(record, record.default_configs, lambda curve: curve.final_loss)


def means(losses: dict[int, list[float]]) -> dict[int, float]:
    """One number per repeat."""
    return {repeat: float(np.mean(values)) for repeat, values in losses.items()}


def _evaluated(
    record: ExperimentRecord, studies: Sequence[StudyRecord], measured: Callable[[Curve], float]
) -> PerRepeat:
    found: PerRepeat = {arm: {} for arm in record.spec["arms"]}
    for study in studies:
        if study.evaluations:
            found[study.arm][study.repeat] = [measured(curve) for curve in study.evaluations]
    return found


def winners_loss(record: ExperimentRecord, arm: str) -> float | None:
    """The mean validation loss that the winners of an arm's studies were chosen by; None before there is one."""
    return mean_selection_loss(record.of(arm))


def mean_selection_loss(studies: Sequence[StudyRecord]) -> float | None:
    """The same of these studies."""
    losses = [study.selection_loss for study in studies if study.selection_loss is not None]
    return float(np.mean(losses)) if losses else None


def best_study(record: ExperimentRecord, arm: str) -> StudyRecord | None:
    """The study of an arm whose winner's validation loss is lowest as compared with the mean of all arms in its repeat,
    which have the same split. None where no study has a winner.
    """

    def lead(study: StudyRecord) -> float:
        others = [each for each in record.studies if each.repeat == study.repeat]
        return (study.selection_loss or 0.0) - (mean_selection_loss(others) or 0.0)

    return min((study for study in record.of(arm) if study.winner), key=lead, default=None)


def primary_pair(record: ExperimentRecord) -> tuple[str, str] | None:
    """The pair that answers the experiment's question, chosen by validation loss alone: the best arm of annealed SGD
    and the best arm of an adaptive method; where one of these is missing, the two best arms. None for a single arm.
    """

    def validation_loss(arm: str) -> float:
        loss = winners_loss(record, arm)
        return float("inf") if loss is None else loss

    ranked = sorted(record.spec["arms"], key=validation_loss)
    sgd = [arm for arm in ranked if _family(arm) == "sgd" and "constant" not in Arm.parse(arm).schedules]
    adaptive = [arm for arm in ranked if _family(arm) == "adaptive"]
    if sgd and adaptive:
        return sgd[0], adaptive[0]
    return (ranked[0], ranked[1]) if len(ranked) > 1 else None


def _family(arm: str) -> str | None:
    """The family of all optimizers of an arm; None for an arm of both."""
    families = {optimizers.get(name).family for name in Arm.parse(arm).optimizers}
    return families.pop() if len(families) == 1 else None
