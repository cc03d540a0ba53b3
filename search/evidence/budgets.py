"""What a search's budget buys, from an experiment's record: budget curves, their crossover, and time to a target."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.cost import evaluations_after
from cooldown.search.evidence.losses import mean_selection_loss, winners_loss
from cooldown.search.spec import samplers
from cooldown.search.statistics.budget import BudgetCurve, Crossover, budget_curve, crossover, per_repeat_curves
from cooldown.search.statistics.intervals import mean_interval
from cooldown.search.statistics.target import (
    TargetRatio,
    TargetTimes,
    evaluations_to_target,
    target_ratio,
    target_times,
)
from cooldown.storage import ExperimentRecord, Purpose, Status, StudyRecord, TrialRecord


def budget_curves(record: ExperimentRecord) -> dict[str, BudgetCurve]:
    """Per arm that has trials the expected best validation loss after k of them, as far as all its repeats have got."""
    found = {}
    for arm in record.spec["arms"]:
        trials = _trials(record.of(arm))
        if trials:
            cost, seconds = (
                np.array(
                    [[sum(getattr(c, name) for c in trial.curves[Purpose.SEARCH]) for trial in row] for row in trials]
                )
                for name in ("gradient_evaluations", "seconds")
            )
            found[arm] = budget_curve(_losses(trials, independent(record)), cost, seconds, independent(record))
    return found


@dataclass(frozen=True)
class PairedDifference:
    """The difference of two arms' expected bests after k trials, a − b, within the repeats that both have.

    trials: (K,) the counts 1…K. difference: (K,) mean over repeats; NaN where a repeat's is not finite. low, high: (K,)
    its pointwise 95 % t interval; NaN with a single repeat too. repeats: behind each mean.
    """

    trials: NDArray[np.int64]
    difference: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    repeats: int


def pair_crossover(record: ExperimentRecord, a: str, b: str) -> Crossover | None:
    """From how many trials on arm a's expected best is below arm b's; None where they have no trials in common."""
    curves = _paired_curves(record, a, b)
    return crossover(*curves) if curves else None


def pair_difference(record: ExperimentRecord, a: str, b: str) -> PairedDifference | None:
    """By how much arm a's expected best lies below arm b's after k trials; None where they have none in common."""
    curves = _paired_curves(record, a, b)
    if curves is None:
        return None
    repeats, budget = curves[0].shape
    known = np.isfinite(curves).all(axis=(0, 1))
    paired = curves[0][:, known] - curves[1][:, known]
    difference, low, high = np.full((3, budget), np.nan)
    difference[known] = paired.mean(axis=0)
    if repeats > 1:
        intervals = [mean_interval(column) for column in paired.T]
        low[known], high[known] = [each.low for each in intervals], [each.high for each in intervals]
    return PairedDifference(np.arange(1, budget + 1), difference, low, high, repeats)


def _paired_curves(record: ExperimentRecord, a: str, b: str) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """(repeats, K) of each arm the best after k trials, in the repeats and as far as both have got."""
    by_arm = [{s.repeat: s for s in record.of(arm) if s.trials} for arm in (a, b)]
    common = sorted(set(by_arm[0]) & set(by_arm[1]))
    if not common:
        return None
    rows = [_losses(_trials([studies[repeat] for repeat in common]), independent(record)) for studies in by_arm]
    budget = min(losses.shape[1] for losses in rows)
    first, second = (per_repeat_curves(losses[:, :budget], independent(record)) for losses in rows)
    return first, second


def default_target(record: ExperimentRecord) -> float | None:
    """The validation loss to be reached unless one is given: that of the best arm's default config, or where no arm has
    one, of the worst arm's winners. None before there are any.
    """
    arms = record.spec["arms"]
    untuned = [mean_selection_loss([study for study in record.one_shots if study.arm == arm]) for arm in arms]
    if known := [loss for loss in untuned if loss is not None]:
        return min(known)
    return max((loss for arm in arms if (loss := winners_loss(record, arm)) is not None), default=None)


def times_to_target(record: ExperimentRecord, target: float) -> dict[str, TargetTimes]:
    """Per arm the gradient evaluations until its winners' validation loss, the mean over the finalists' seeds after
    each epoch, is at most `target`.
    """
    times = {arm: _times(record, arm, target) for arm in record.spec["arms"]}
    return {arm: target_times(np.array([time for time, _ in found.values()])) for arm, found in times.items() if found}


def target_ratio_of(record: ExperimentRecord, a: str, b: str, target: float) -> TargetRatio | None:
    """How many times as long as b's winners a's take to the target; None where they have no winners in common."""
    of_a, of_b = (_times(record, arm, target) for arm in (a, b))
    common = sorted(set(of_a) & set(of_b))
    if not common:
        return None
    return target_ratio(
        np.array([of_a[repeat][0] for repeat in common]),
        np.array([of_b[repeat][0] for repeat in common]),
        max(of_a[repeat][1] for repeat in common),
        max(of_b[repeat][1] for repeat in common),
    )


def budget_document(record: ExperimentRecord, pair: tuple[str, str] | None) -> dict[str, Any]:
    """Figure-ready: per arm a row for each k, and the crossover of the pair."""
    crossed = pair and pair_crossover(record, *pair)
    return {
        "curves": [
            {
                "arm": arm,
                "repeats": curve.repeats,
                **{
                    name: [finite(value) for value in getattr(curve, name).tolist()]
                    for name in ("trials", "expected", "low", "high", "gradient_evaluations", "seconds")
                },
            }
            for arm, curve in budget_curves(record).items()
        ],
        "crossover": {"a": pair[0], "b": pair[1], **asdict(crossed)} if pair and crossed else None,
    }


def crossover_sentence(record: ExperimentRecord, a: str, b: str) -> str:
    """From which budget on a's expected best is ahead of b's, in words; "" where nothing is known."""
    crossed = pair_crossover(record, a, b)
    if crossed is None:
        return ""
    so_far = record.status is Status.RUNNING
    within = "In the trials so far" if so_far else "Within the budget"
    if crossed.repeats > 1 and crossed.earliest == 1 and crossed.latest is None:
        return f"{within} it is open whether {a}'s or {b}'s expected best validation loss is lower."
    if crossed.trials is not None:
        told = f"is below {b}'s from trial {crossed.trials} on"
        return f"{within}, {a}'s expected best validation loss {told}{_between(crossed)}."
    if crossed.earliest is not None:
        now = (
            "" if crossed.last is None else f"; by the means it is so up to trial {crossed.last}, and not from there on"
        )
        return (
            f"{within} it is undecided from which trial on {a}'s expected best validation loss is below {b}'s: not "
            f"before trial {crossed.earliest}, perhaps never{now}."
        )
    if crossed.last is None:
        return f"{within}, {a}'s expected best validation loss never falls below {b}'s."
    return (
        f"{a}'s expected best validation loss is below {b}'s up to trial {crossed.last}, and not from there to the "
        f"end of {'the trials so far' if so_far else 'the budget'}."
    )


def _between(crossed: Crossover) -> str:
    """The interval around a crossover that there is, in words."""
    if crossed.repeats < 2:
        return ""
    if crossed.latest is None:
        return f", but that is undecided: not before trial {crossed.earliest}, perhaps never"
    return f" (95 % interval: trial {crossed.earliest} to trial {crossed.latest})"


def _times(record: ExperimentRecord, arm: str, target: float) -> dict[int, tuple[float, float]]:
    """Per repeat the evaluations until the target, inf where it is not reached, and those of the whole run."""
    found = {}
    for study in record.of(arm):
        if study.winner is None or study.winner.finalist_loss is None:
            continue
        epochs = study.winner.config.epochs
        curves = study.winner.curves[Purpose.FINALIST]
        losses = np.mean([curve.capped_losses(epochs) for curve in curves], axis=0)
        evaluations = evaluations_after(curves[0], study.winner.config).astype(np.float64)
        found[study.repeat] = (evaluations_to_target(losses, evaluations, target), float(evaluations[-1]))
    return found


def _trials(studies: Sequence[StudyRecord]) -> list[tuple[TrialRecord, ...]]:
    """The trials of all studies that have some, cut to equally many."""
    begun = [study.trials for study in studies if study.trials]
    budget = min(map(len, begun), default=0)
    return [trials[:budget] for trials in begun]


def _losses(trials: Sequence[Sequence[TrialRecord]], independent: bool) -> NDArray[np.float64]:
    """(repeats, K) validation losses. A pruned trial could not be chosen: in a search that learns it is no best, and
    counts as infinite. Independent trials stand for searches of other orders, in which it might not have been pruned;
    there it counts with the loss that it got to, but never as better than the best that was trained to its end.
    """
    rows = []
    for row in trials:
        whole = min((trial.validation_loss for trial in row if not trial.pruned), default=np.inf)
        known = [max(trial.validation_loss, whole) if independent else np.inf for trial in row]
        rows.append([loss if t.pruned else t.validation_loss for t, loss in zip(row, known, strict=True)])
    return np.array(rows)


def independent(record: ExperimentRecord) -> bool:
    """Whether the sampler drew its trials independently of each other."""
    return samplers.get(record.spec["sampler"]).independent


def finite(value: float) -> float | None:
    """The number, or None for what JSON has no number for."""
    return value if np.isfinite(value) else None
