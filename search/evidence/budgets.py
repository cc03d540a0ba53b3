"""What a search's budget buys, from an experiment's record: budget curves and their crossover."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.search.evidence.lengths import trial_cost_sentence
from cooldown.search.evidence.numbers import counted
from cooldown.search.evidence.view import View, once
from cooldown.search.spec import samplers
from cooldown.search.spec.arms import spoken
from cooldown.search.statistics.budget import BudgetCurve, Crossover, budget_curve, crossover, per_repeat_curves
from cooldown.search.statistics.finite import finite
from cooldown.search.statistics.intervals import mean_interval
from cooldown.search.statistics.paired import Scale
from cooldown.storage import Purpose, StudyRecord, TrialRecord


@once
def budget_curves(view: View) -> dict[str, BudgetCurve]:
    """Per arm that has trials the expected best validation loss after k of them, as far as all its repeats have got."""
    curves = {}
    for arm in view.arms:
        trials = _trials(view.searches(arm))
        if trials:
            cost, seconds = (
                np.array(
                    [[sum(getattr(c, name) for c in trial.curves[Purpose.SEARCH]) for trial in row] for row in trials]
                )
                for name in ("gradient_evaluations", "seconds")
            )
            curves[arm] = budget_curve(_losses(trials, independent(view)), cost, seconds, independent(view))
    return curves


@dataclass(frozen=True)
class PairedComparison:
    """Two arms' expected bests after k trials, compared within the repeats that both have.

    scale: "ratio" for a / b, the geometric mean over repeats; "difference" for a − b, their mean, where some loss is
    not above 0. trials: (K,) the counts 1…K. value: (K,) the ratio or difference; NaN where a repeat's is not finite.
    low, high: (K,) its pointwise 95 % t interval, of a ratio that of its logarithm; NaN with a single repeat too.
    repeats: behind each mean.
    """

    scale: Scale
    trials: NDArray[np.int64]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    repeats: int


@once
def pair_crossover(view: View, a: str, b: str) -> Crossover | None:
    """From how many trials on arm a's expected best is below arm b's; None where they have no trials in common."""
    curves = _paired_curves(view, a, b)
    return crossover(*curves) if curves else None


@once
def pair_comparison(view: View, a: str, b: str) -> PairedComparison | None:
    """How arm a's expected best compares with arm b's after k trials; None where they have none in common."""
    curves = _paired_curves(view, a, b)
    if curves is None:
        return None
    repeats, budget = curves[0].shape
    known = np.isfinite(curves).all(axis=(0, 1))
    first, second = (curve[:, known] for curve in curves)
    scale: Scale = "ratio" if min(first.min(initial=1), second.min(initial=1)) > 0 else "difference"
    paired = np.log(first) - np.log(second) if scale == "ratio" else first - second
    value, low, high = np.full((3, budget), np.nan)
    value[known] = paired.mean(axis=0)
    if repeats > 1:
        intervals = [mean_interval(column) for column in paired.T]
        low[known], high[known] = [end.low for end in intervals], [end.high for end in intervals]
    if scale == "ratio":
        value, low, high = np.exp(value), np.exp(low), np.exp(high)
    return PairedComparison(scale, np.arange(1, budget + 1), value, low, high, repeats)


@once
def _paired_curves(view: View, a: str, b: str) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """(repeats, K) of each arm the best after k trials, in the repeats and as far as both have got."""
    by_arm = [{s.repeat: s for s in view.searches(arm) if s.trials} for arm in (a, b)]
    common = sorted(set(by_arm[0]) & set(by_arm[1]))
    if not common:
        return None
    rows = [_losses(_trials([studies[repeat] for repeat in common]), independent(view)) for studies in by_arm]
    budget = min(losses.shape[1] for losses in rows)
    first, second = (per_repeat_curves(losses[:, :budget], independent(view)) for losses in rows)
    return first, second


def budget_document(view: View, pair: tuple[str, str] | None) -> dict[str, Any]:
    """Figure-ready: per arm a row for each k, and the crossover of the pair."""
    crossed = pair and pair_crossover(view, *pair)
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
            for arm, curve in budget_curves(view).items()
        ],
        "crossover": {"a": pair[0], "b": pair[1], **asdict(crossed)} if pair and crossed else None,
    }


def crossover_sentence(view: View, a: str, b: str) -> str:
    """From how many trials on a's expected best is below b's, in words, and whether a trial of one costs more; "" where
    nothing is known.
    """
    crossed = pair_crossover(view, a, b)
    if crossed is None:
        return ""
    return " ".join(filter(None, (_crossed(view, a, b, crossed), trial_cost_sentence(view, a, b))))


def _crossed(view: View, a: str, b: str, crossed: Crossover) -> str:
    a, b = spoken(a), spoken(b)
    so_far = view.status.under_way
    within = "In the trials so far" if so_far else "Within this budget"
    if crossed.repeats > 1 and crossed.earliest == 1 and crossed.latest is None:
        return f"{within}, neither {a} nor {b} has a clearly lower expected best validation loss."
    if crossed.trials is not None:
        return (
            f"{within}, {a} has the lower expected best validation loss from trial {crossed.trials} on"
            f"{_between(crossed)}."
        )
    if crossed.earliest is not None:
        # By the means alone it may have led for a while.
        led = (
            "" if crossed.last is None else f"; its mean was lower only for the first {counted(crossed.last, 'trial')}"
        )
        return (
            f"{within}, it is open whether {a} ever has a lower expected best validation loss than {b}: not before "
            f"trial {crossed.earliest}{led}."
        )
    if crossed.last is None:
        return f"{within}, {a} never has a lower expected best validation loss than {b}."
    return (
        f"{a} has the lower expected best validation loss only for the first {counted(crossed.last, 'trial')}; after "
        f"that, {b} has, to the end of {'the trials so far' if so_far else 'this budget'}."
    )


def _between(crossed: Crossover) -> str:
    """The interval around a crossover that there is, in words."""
    if crossed.repeats < 2:
        return ""
    if crossed.latest is None:
        return f" by the means, but not with confidence (95 % interval: from trial {crossed.earliest} to never)"
    return f" (95 % interval: trial {crossed.earliest} to {crossed.latest})"


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


def independent(view: View) -> bool:
    """Whether the sampler drew its trials independently of each other."""
    return samplers.get(view.spec.sampler).independent
