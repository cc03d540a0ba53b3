"""How fast the winners of each arm reach a validation loss, from an experiment's record."""

import numpy as np

from cooldown.objectives.cost import evaluations_after
from cooldown.search.evidence.view import View, once
from cooldown.search.spec.arms import spoken
from cooldown.search.statistics.target import (
    TargetRatio,
    TargetTimes,
    evaluations_to_target,
    target_ratio,
    target_times,
)
from cooldown.storage import Purpose


@once
def own_targets(view: View) -> dict[int, float]:
    """Per repeat the validation loss to be reached unless one is given: that of the repeat's best default config, or in
    an experiment without default configs, of its worst winner. Repeats in which an arm's is still missing have none.
    """
    untuned = [arm for arm in view.arms if view.parsed_arms[arm].is_single]
    default = {(study.arm, study.repeat): study.selection_loss for study in view.record.default_configs}
    tuned = {(arm, study.repeat): study.selection_loss for arm in view.arms for study in view.searches(arm)}
    arms, losses, choose = (untuned, default, min) if default else (list(view.arms), tuned, max)
    targets = {}
    for repeat in sorted({repeat for _, repeat in losses}):
        of_arms = [loss for arm in arms if (loss := losses.get((arm, repeat))) is not None]
        if of_arms and len(of_arms) == len(arms):
            targets[repeat] = choose(of_arms)
    return targets


@once
def times_to_target(view: View, target: float | None = None) -> dict[str, TargetTimes]:
    """Per arm the gradient evaluations until its winners' validation loss, the mean over the finalists' seeds after
    each epoch, is at most `target`; None for each repeat's own.
    """
    times = {arm: _times(view, arm, target) for arm in view.arms}
    return {
        arm: target_times(np.array([time for time, _ in of_arm.values()])) for arm, of_arm in times.items() if of_arm
    }


@once
def target_ratio_of(view: View, a: str, b: str, target: float | None = None) -> TargetRatio | None:
    """How many times as long as b's winners a's take to the target; None where they have no winners in common."""
    of_a, of_b = (_times(view, arm, target) for arm in (a, b))
    common = sorted(set(of_a) & set(of_b))
    if not common:
        return None
    return target_ratio(
        np.array([of_a[repeat][0] for repeat in common]),
        np.array([of_b[repeat][0] for repeat in common]),
        max(of_a[repeat][1] for repeat in common),
        max(of_b[repeat][1] for repeat in common),
    )


BOUNDS = {"at_least": "at least ", "at_most": "at most ", "unknown": "about ", None: ""}
"""Which side of a ratio is known where a run ended before the target."""


def target_ratio_sentence(view: View, a: str, b: str, target: float | None) -> str:
    """How many times as long as b's winners a's take to the target, in words; "" where too few repeats reached it.
    target: None for each repeat's own.
    """
    times = times_to_target(view, target)
    reached = all(arm in times and 2 * times[arm].reached >= times[arm].repeats for arm in (a, b))
    ratio = target_ratio_of(view, a, b, target)
    if not reached or ratio is None or ratio.ratio is None:
        return ""
    a, b = spoken(a), spoken(b)
    between = "" if ratio.low is None or ratio.high is None else f" [{ratio.low:.2f}, {ratio.high:.2f}]"
    return (
        f"{a} takes {BOUNDS[ratio.bound]}{ratio.ratio:.2f}{between} times as long as {b}: the geometric mean over "
        "repeats. A repeat that does not reach the target counts as a whole run."
    )


def _times(view: View, arm: str, target: float | None) -> dict[int, tuple[float, float]]:
    """Per repeat the evaluations until the target, inf where it is not reached, and those of the whole run."""
    times = {}
    for study in view.searches(arm):
        if study.winner is None or study.winner.finalist_loss is None:
            continue
        own = own_targets(view).get(study.repeat) if target is None else target
        if own is None:
            continue
        epochs = study.winner.config.epochs
        curves = study.winner.curves[Purpose.FINALIST]
        losses = np.mean([curve.capped_losses(epochs) for curve in curves], axis=0)
        evaluations = evaluations_after(curves[0], study.winner.config).astype(np.float64)
        times[study.repeat] = (evaluations_to_target(losses, evaluations, own), float(evaluations[-1]))
    return times
