"""Every arm of an experiment in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cooldown.objectives.records import Curve, Outcome
from cooldown.search.evidence.alarms import arm_curse
from cooldown.search.evidence.losses import mean_selection_loss, mean_test_losses
from cooldown.search.evidence.view import View, once
from cooldown.search.statistics.finite import finite
from cooldown.storage import Purpose


@dataclass(frozen=True)
class ArmSummary:
    """One arm over its repeats; None where nothing has been evaluated yet.

    evaluated: repeats that have an evaluation. test_loss, test_score: means over the repeats' winners. spread: standard
    deviation of the repeats' mean test losses. test_rmse, test_mae: of a regression, in the target's own units.
    validation_loss: mean over repeats of the loss that chose the winner.
    diverged, search_capped: share of the search's replicates that diverged, and whose loss was capped.
    capped: share of the search's, finalists' and evaluations' replicates whose loss was capped.
    winners_curse: how much worse the winners' validation loss is on fresh seeds than on those they were chosen on.
    updates: parameter updates of a winner's run, the mean over all evaluations.
    gradient_evaluations, seconds: the whole cost, diverged and pruned runs included: `search_…` that of trials and
    finalists, `evaluation_…` that of the winners' evaluations, `default_…` that of the default config, `superseded_…`
    that of searches over ranges that have been widened since.
    """

    arm: str
    evaluated: int
    test_loss: float | None
    spread: float | None
    test_score: float | None
    test_rmse: float | None
    test_mae: float | None
    validation_loss: float | None
    diverged: float
    search_capped: float
    capped: float
    winners_curse: float | None
    updates: float | None
    gradient_evaluations: int
    search_gradient_evaluations: int
    evaluation_gradient_evaluations: int
    default_gradient_evaluations: int
    superseded_gradient_evaluations: int
    seconds: float
    search_seconds: float
    evaluation_seconds: float
    default_seconds: float
    superseded_seconds: float


@once
def arm_summaries(view: View) -> list[ArmSummary]:
    """Every arm in numbers, in the spec's order."""
    return [_arm_summary(view, arm) for arm in view.arms]


def _arm_summary(view: View, arm: str) -> ArmSummary:
    studies = view.searches(arm)
    evaluated = [study for study in studies if study.evaluations]
    losses = [np.mean([curve.final_loss for curve in study.evaluations]) for study in evaluated]
    scores = [curve.final_score for study in evaluated for curve in study.evaluations]
    updates = [curve.updates for study in evaluated for curve in study.evaluations]
    searched = [curve for study in studies for curve in study.curves(Purpose.SEARCH)]
    tuned = [curve for study in studies for curve in study.curves(Purpose.SEARCH, Purpose.FINALIST)]
    tested = [curve for study in studies for curve in study.curves(Purpose.EVALUATION)]
    default = [curve for study in view.record.default_configs if study.arm == arm for curve in study.curves()]
    before = [curve for study in view.record.superseded if study.arm == arm for curve in study.curves()]
    every: list[Curve] = tuned + tested + default + before
    return ArmSummary(
        arm=arm,
        evaluated=len(evaluated),
        test_loss=float(np.mean(losses)) if losses else None,
        spread=float(np.std(losses, ddof=1)) if len(losses) > 1 else None,
        test_score=finite(float(np.mean([score for score in scores if score == score] or [np.nan]))),
        test_rmse=_mean([curve.errors.rmse for curve in tested]),
        test_mae=_mean([curve.errors.mae for curve in tested]),
        validation_loss=mean_selection_loss(studies),
        diverged=share([curve.outcome is Outcome.DIVERGED for curve in searched]),
        search_capped=share([curve.capped for curve in searched]),
        capped=share([curve.capped for curve in tuned + tested]),
        winners_curse=arm_curse(studies),
        updates=float(np.mean(updates)) if updates else None,
        gradient_evaluations=_evaluations(every),
        search_gradient_evaluations=_evaluations(tuned),
        evaluation_gradient_evaluations=_evaluations(tested),
        default_gradient_evaluations=_evaluations(default),
        superseded_gradient_evaluations=_evaluations(before),
        seconds=_seconds(every),
        search_seconds=_seconds(tuned),
        evaluation_seconds=_seconds(tested),
        default_seconds=_seconds(default),
        superseded_seconds=_seconds(before),
    )


@once
def wins(view: View) -> tuple[dict[str, int], int]:
    """In how many repeats each arm alone has the lowest test loss, and of how many: those that all arms have."""
    losses = mean_test_losses(view)
    common = set.intersection(*(set(of_arm) for of_arm in losses.values()))
    won = dict.fromkeys(view.arms, 0)
    for repeat in common:
        lowest = min(of_arm[repeat] for of_arm in losses.values())
        ahead = [arm for arm, of_arm in losses.items() if of_arm[repeat] == lowest]
        if len(ahead) == 1:
            won[ahead[0]] += 1
    return won, len(common)


def _mean(values: Sequence[float]) -> float | None:
    """The mean of all values; None without one, and where one is not known."""
    return finite(float(np.mean(values))) if values else None


def _evaluations(curves: Sequence[Curve]) -> int:
    return sum(curve.gradient_evaluations for curve in curves)


def _seconds(curves: Sequence[Curve]) -> float:
    return sum(curve.seconds for curve in curves)


def share(flags: Sequence[bool]) -> float:
    """Which part of the flags is set; 0 for none."""
    return sum(flags) / len(flags) if flags else 0.0
