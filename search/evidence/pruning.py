"""What a pruner did to an experiment's searches, or would have done."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from cooldown.objectives.cost import epochs_paid, evaluations_in
from cooldown.objectives.records import Outcome
from cooldown.search.evidence.view import View, once
from cooldown.search.spec.experiment import Pruner
from cooldown.search.tuning.pruning import PRUNERS, replay
from cooldown.storage import Purpose, TrialRecord


@dataclass(frozen=True)
class Pruned:
    """What a pruner did, or would have done, to one arm's searches.

    trials, pruned: how many there are and how many of them were stopped. share_saved: of the gradient evaluations that
    the search would have taken without it. repeats, winners_pruned, loss_difference: of a replay, the studies, how many
    of their winners would have been stopped, and the mean `Replay.loss_difference`; None in a run that was pruned.
    """

    trials: int
    pruned: int
    share_saved: float
    repeats: int
    winners_pruned: int | None = None
    loss_difference: float | None = None


@once
def pruned_arms(view: View) -> dict[str, Pruned]:
    """What the experiment's own pruner did, by arm."""
    pruned_by_arm = {}
    for arm in view.arms:
        studies = view.begun(arm)
        trials = [trial for study in studies for trial in study.trials]
        if trials:
            made = sum(curve.gradient_evaluations for trial in trials for curve in trial.curves[Purpose.SEARCH])
            saved = sum(_spared(trial) for trial in trials if trial.pruned)
            pruned = sum(trial.pruned for trial in trials)
            pruned_by_arm[arm] = Pruned(len(trials), pruned, saved / (made + saved), len(studies))
    return pruned_by_arm


@once
def replayed_arms(view: View) -> dict[tuple[str, Pruner], Pruned]:
    """What each pruner would have done to an experiment that was run without one, by arm and pruner."""
    replayed = {}
    for arm in view.arms:
        studies = [study for study in view.searches(arm) if study.evaluations]
        for pruner in PRUNERS if studies else ():
            replays = [replay(pruner, study, view.spec.seed) for study in studies]
            known = [run.loss_difference for run in replays if run.loss_difference is not None]
            replayed[arm, pruner] = Pruned(
                sum(len(study.trials) for study in studies),
                sum(len(run.pruned) for run in replays),
                sum(run.saved for run in replays) / sum(run.gradient_evaluations for run in replays),
                len(replays),
                sum(run.winner_pruned for run in replays),
                math.fsum(known) / len(known) if known else None,
            )
    return replayed


def pruning_document(view: View) -> list[dict[str, Any]]:
    """JSON-ready: what the experiment's pruner did, or what each would have done."""
    own = view.spec.pruner
    if own != "none":
        return [{"arm": arm, "pruner": own, **asdict(pruned)} for arm, pruned in pruned_arms(view).items()]
    return [{"arm": arm, "pruner": pruner, **asdict(run)} for (arm, pruner), run in replayed_arms(view).items()]


def _spared(trial: TrialRecord) -> int:
    """The gradient evaluations that a pruned trial's replicates would have gone on to make."""
    return sum(
        evaluations_in(curve, trial.config, trial.config.epochs - epochs_paid(curve))
        for curve in trial.curves[Purpose.SEARCH]
        if curve.outcome is Outcome.PRUNED
    )
