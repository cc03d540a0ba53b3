"""The losses that an experiment is judged by, per arm and repeat, and the pair of arms that its question is about."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cooldown.objectives import optimizers
from cooldown.objectives.records import Curve
from cooldown.search.evidence.view import View, once
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import Experiment
from cooldown.storage import StudyRecord

PerRepeat = dict[str, dict[int, list[float]]]
"""Per arm and repeat, a number for each replicate of the winner's evaluation."""


@once
def test_losses(view: View) -> PerRepeat:
    """The winners' test losses over the fresh seeds; arms in the spec's order."""
    return _evaluated(view, view.record.studies, lambda curve: curve.final_loss)


@once
def test_scores(view: View) -> PerRepeat:
    """Likewise the test scores; NaN for a run that has none."""
    return _evaluated(view, view.record.studies, lambda curve: curve.final_score)


@once
def default_config_losses(view: View) -> PerRepeat:
    """The test losses of the arms' default configs."""
    return _evaluated(view, view.record.default_configs, lambda curve: curve.final_loss)


def means(losses: Mapping[int, Sequence[float]]) -> dict[int, float]:
    """One number per repeat."""
    return {repeat: float(np.mean(values)) for repeat, values in losses.items()}


@once
def mean_test_losses(view: View) -> dict[str, dict[int, float]]:
    """Per arm and repeat the mean of `test_losses`."""
    return {arm: means(by_repeat) for arm, by_repeat in test_losses(view).items()}


@once
def mean_test_scores(view: View) -> dict[str, dict[int, float]]:
    """Likewise of `test_scores`; NaN where a replicate has none."""
    return {arm: means(by_repeat) for arm, by_repeat in test_scores(view).items()}


def _evaluated(view: View, studies: Sequence[StudyRecord], measured: Callable[[Curve], float]) -> PerRepeat:
    per_repeat: PerRepeat = {arm: {} for arm in view.arms}
    for study in studies:
        if study.evaluations:
            per_repeat[study.arm][study.repeat] = [measured(curve) for curve in study.evaluations]
    return per_repeat


@once
def winners_loss(view: View, arm: str) -> float | None:
    """The mean validation loss that the winners of an arm's studies were chosen by; None before there is one."""
    return mean_selection_loss(view.searches(arm))


def mean_selection_loss(studies: Sequence[StudyRecord]) -> float | None:
    """The same of these studies."""
    losses = [study.selection_loss for study in studies if study.selection_loss is not None]
    return float(np.mean(losses)) if losses else None


@once
def best_study(view: View, arm: str) -> StudyRecord | None:
    """The study of an arm whose winner's validation loss is lowest as compared with the mean of all arms in its repeat,
    which have the same split. None where no study has a winner.
    """

    def lead(study: StudyRecord) -> float:
        rivals = [rival for rival in view.record.studies if rival.repeat == study.repeat]
        return (study.selection_loss or 0.0) - (mean_selection_loss(rivals) or 0.0)

    return min((study for study in view.searches(arm) if study.winner), key=lead, default=None)


@once
def primary_pair(view: View) -> tuple[str, str] | None:
    """The pair that answers the experiment's question; None for a single arm."""
    first = first_look(view.spec, view.record.looks)
    studies = {arm: [study for study in view.searches(arm) if study.repeat < first] for arm in view.arms}
    return question_pair(view.spec, {arm: mean_selection_loss(of_arm) for arm, of_arm in studies.items()})


def first_look(spec: Experiment, looks: Sequence[int]) -> int:
    """The repeats of the first look, by which the pair is chosen: no later look may choose another question.

    looks: the numbers of repeats at which the answer was looked at so far.
    """
    return spec.looks[0] if spec.looks else min(looks, default=spec.repeats)


def question_pair(spec: Experiment, validation_losses: Mapping[str, float | None]) -> tuple[str, str] | None:
    """The pair that the spec asks about, or else one chosen by validation loss alone: the best arm of annealed SGD and
    the best arm of an adaptive method; where one of these is missing, the two best arms. None for a single arm.
    """

    def validation_loss(arm: str) -> float:
        loss = validation_losses.get(arm)
        return float("inf") if loss is None else loss

    if spec.primary is not None:
        return spec.primary
    ranked, sides = sorted(spec.arms, key=validation_loss), _sides(spec)
    sgd, adaptive = ([arm for arm in ranked if sides[arm] == side] for side in ("sgd", "adaptive"))
    if sgd and adaptive:
        return sgd[0], adaptive[0]
    return (ranked[0], ranked[1]) if len(ranked) > 1 else None


def survey_pair(spec: Experiment, pair: tuple[str, str] | None) -> tuple[str, str] | None:
    """A pair as the survey asks about it, annealed SGD first; None for one that is not of it and an adaptive method."""
    sides = _sides(spec)
    by_side = {sides[arm]: arm for arm in pair or ()}
    return (by_side["sgd"], by_side["adaptive"]) if by_side.keys() >= {"sgd", "adaptive"} else None


def _sides(spec: Experiment) -> dict[str, str | None]:
    """On which side of the survey's question each arm is: "sgd" of an annealed one of that family, "adaptive", None."""
    families = {arm.name: _family(arm) for arm in spec.parsed_arms if _family(arm) != "sgd" or arm.is_annealed}
    return {arm: families.get(arm) for arm in spec.arms}


def _family(arm: Arm) -> str | None:
    """The family of all optimizers of an arm; None for an arm of both."""
    families = {optimizers.get(name).family for name in arm.optimizers}
    return families.pop() if len(families) == 1 else None
