"""Effects in repeats, as parts of claims, from the views of their experiments."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.cost import evaluations_after
from cooldown.objectives.records import Curve
from cooldown.search.evidence.losses import mean_test_losses
from cooldown.search.evidence.verdict import unlearned_arms, withheld_arms
from cooldown.search.evidence.view import View
from cooldown.search.spec.arms import spoken
from cooldown.search.statistics.claims import Limits, Part
from cooldown.search.statistics.target import evaluations_to_target
from cooldown.search.statistics.verdict import MARGIN, NOTHING_LEARNED
from cooldown.storage import Purpose, StudyRecord

ALIKE = Limits(1 / (1 + MARGIN), 1 + MARGIN)
"""The limits of losses that are practically equal, as ratios."""

NO_WORSE = Limits(below=1 + MARGIN)
"""The limits of a loss that is not higher by an amount that matters."""

LOWER, HIGHER = Limits(below=1.0), Limits(above=1.0)


def log_losses(view: View, arm: str) -> NDArray[np.float64]:
    """(repeats,) logarithms of an arm's mean test losses; not finite where one is 0 or below, or missing."""
    losses = mean_test_losses(view)[view.spec.arm_called(arm)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log([losses.get(repeat, np.nan) for repeat in range(view.spec.repeats)])


def withheld(view: View, *arms: str, all_learn: bool = True) -> str:
    """Why nothing may be decided about these arms: their searches, or that none of them has learned anything.

    all_learn: whether arms are expected to learn, as a badly initialized network is not.
    """
    names = [view.spec.arm_called(arm) for arm in arms]
    reasons = [withheld_arms(view)[name] for name in names if name in withheld_arms(view)]
    if all_learn and set(names) <= set(unlearned_arms(view)):
        reasons = [NOTHING_LEARNED]
    return "; ".join(reasons)


def loss_ratio(view: View, a: str, b: str, limits: Limits) -> Part:
    """The tuned test loss of arm a over that of arm b."""
    x = log_losses(view, a) - log_losses(view, b)
    return Part(f"test loss of {said(view, a)} over that of {said(view, b)}", x, limits, withheld=withheld(view, a, b))


def ratio_of_ratios(effect: str, first: tuple[View, str, str], second: tuple[View, str, str], limits: Limits) -> Part:
    """How many times as much a change matters in one case as in another: the ratio of losses of arms (a, b) in `first`
    over that in `second`. effect: what that is, in words.
    """
    x = np.subtract(*(log_losses(view, a) - log_losses(view, b) for view, a, b in (first, second)))
    reasons = [withheld(view, a, b, all_learn=False) for view, a, b in (first, second)]
    return Part(effect, x, limits, withheld="; ".join(filter(None, reasons)))


def time_ratio(view: View, a: str, b: str, limits: Limits) -> Part:
    """How many times as fast as b arm a is: the gradient evaluations that b takes to its own final validation loss over
    those that a takes to the same loss. A run that does not reach it counts as a whole one.
    """
    x = []
    for of_a, of_b in zip(_searches(view, a), _searches(view, b), strict=True):
        losses = _validation_losses(of_b)
        times = [_time_to(study, float(losses[-1])) for study in (of_a, of_b)]
        x.append(np.log(times[1]) - np.log(times[0]))
    effect = f"gradient evaluations of {said(view, b)} to its own final validation loss over those of {said(view, a)}"
    return Part(effect, np.array(x), limits, withheld=withheld(view, a, b))


def evaluated_ratio(view: View, a: str, b: str, what: str, measured: Callable[[Curve], float], limits: Limits) -> Part:
    """A number of the winners' evaluations, the mean over their seeds: of arm a over that of arm b. what: its name."""
    x = np.subtract(*(np.log(evaluated(view, arm, measured)) for arm in (a, b)))
    return Part(f"{what} of {said(view, a)} over those of {said(view, b)}", x, limits, withheld=withheld(view, a, b))


def evaluated(view: View, arm: str, measured: Callable[[Curve], float]) -> NDArray[np.float64]:
    """(repeats,) the mean over the seeds of the winners' evaluations."""
    return np.array([np.mean([measured(curve) for curve in study.evaluations]) for study in _searches(view, arm)])


def selection_losses(view: View, arms: Sequence[str]) -> NDArray[np.float64]:
    """(arms, repeats) the validation losses by which the winners were chosen."""
    return np.array([[study.selection_loss for study in _searches(view, arm)] for arm in arms], np.float64)


def said(view: View, arm: str) -> str:
    """An arm's name in a sentence."""
    name = view.spec.arm_called(arm)
    return view.parsed_arms[name].label or spoken(name)


def _searches(view: View, arm: str) -> list[StudyRecord]:
    return view.searches(view.spec.arm_called(arm))


def _winner(study: StudyRecord) -> Any:
    assert study.winner is not None, "experiments of claims are judged when they are done"
    return study.winner


def _validation_losses(study: StudyRecord) -> NDArray[np.float64]:
    """(epochs,) of the winner: the mean over the finalists' seeds."""
    winner = _winner(study)
    curves = winner.curves[Purpose.FINALIST]
    return np.asarray(np.mean([curve.capped_losses(winner.config.epochs) for curve in curves], axis=0), np.float64)


def _time_to(study: StudyRecord, target: float) -> float:
    """The gradient evaluations until the winner's validation loss is at most `target`, at most those of the run."""
    winner = _winner(study)
    evaluations = evaluations_after(winner.curves[Purpose.FINALIST][0], winner.config).astype(np.float64)
    return min(evaluations_to_target(_validation_losses(study), evaluations, target), float(evaluations[-1]))
