"""Alarms: reasons to distrust an answer, each with what to do about it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cooldown.objectives import optimizers
from cooldown.objectives.records import Outcome
from cooldown.search.evidence.edges import edges, worse_than_default
from cooldown.search.spec import samplers
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import Experiment, experiment
from cooldown.search.spec.space import Space, space
from cooldown.search.statistics.doubts import never_improved, winners_curse
from cooldown.search.statistics.verdict import Verdict
from cooldown.storage import ExperimentRecord, Purpose, Status, StudyRecord

DIVERGENCE_ALARM = 0.3


@dataclass(frozen=True)
class Alarm:
    """A reason to distrust an answer. kind: "boundary", "default", "inclusion", "divergence", "no improvement",
    "winner's curse" or "unequal budgets". arm: whose, "" for the whole experiment. resume: the options with which
    `cooldown resume NAME` does something about it, "" for none; None where resuming is no help.
    """

    kind: str
    arm: str
    message: str
    resume: str | None = None


def alarms(record: ExperimentRecord, verdicts: Sequence[Verdict]) -> list[Alarm]:
    """All alarms of an experiment; verdicts: those of its pairs."""
    spec = experiment(**record.spec)
    return [
        *boundary_alarms(record),
        *_worse_than_default(record),
        *_inclusion(spec, verdicts),
        *_divergence(record),
        *_no_improvement(record),
        *_winners_curse(record, verdicts),
        *_unequal_budgets(record),
    ]


def _worse_than_default(record: ExperimentRecord) -> Iterable[Alarm]:
    """A search that found less than what one gets without it has not done its work."""
    for arm in record.spec["arms"]:
        if worse_than_default(record, arm):
            yield Alarm(
                "default",
                arm,
                "its default config has a lower validation loss than what its searches found: they need more --trials, "
                "or other ranges, before it can be called worse than another",
            )


def boundary_alarms(record: ExperimentRecord) -> list[Alarm]:
    """Arms whose best values crowd at an edge of a range: what lies beyond was not tried, so no verdict holds."""
    found = []
    for edge in edges(record):
        which, value = ("lower", edge.parameter.low) if edge.side == "low" else ("upper", edge.parameter.high)
        low, high = edge.wider
        message = (
            f"its best values of {edge.parameter.key} lie at the {which} edge of the range, {value:g}, or beyond it: "
            f"what is there was not tried; search again from {low:g} to {high:g}"
        )
        found.append(Alarm("boundary", edge.arm, message, "--extend"))
    return found


def contains(general: Arm, special: Arm, spec: Experiment) -> bool:
    """Whether all that `special` can choose is a special case of something that `general` can choose."""
    if (set(general.optimizers), set(general.schedules)) == (set(special.optimizers), set(special.schedules)):
        return False
    # A warm-up's length, for which the updates would matter, is no part of it.
    searched = space(spec, general, updates_per_epoch=1)
    known = set().union(*(_contained(name, searched) for name in general.optimizers))
    return set(special.schedules) <= set(general.schedules) and set(special.optimizers) <= known


def _contained(optimizer: str, searched: Space) -> set[str]:
    """The rules that an optimizer is at some value that it may take here."""
    special = {optimizer}
    for contained in optimizers.get(optimizer).contains:
        if contained.within(*searched.reach(optimizer, contained.hyperparameter)):
            special.update(contained.rules)
    return special


def under_tuned(spec: Experiment, verdict: Verdict) -> str | None:
    """The arm of a pair that contains the other as a special case and is surely worse: once both are tuned, it cannot
    be. None where neither is.
    """
    if verdict.low is None or verdict.high is None or verdict.band is None:
        return None
    parsed = {arm.name: arm for arm in spec.parsed_arms}
    for general, special, least in ((verdict.a, verdict.b, verdict.low), (verdict.b, verdict.a, -verdict.high)):
        if least > verdict.band and contains(parsed[general], parsed[special], spec):
            return general
    return None


def _inclusion(spec: Experiment, verdicts: Sequence[Verdict]) -> Iterable[Alarm]:
    for verdict in verdicts:
        general = under_tuned(spec, verdict)
        if general is not None:
            special = verdict.b if general == verdict.a else verdict.a
            yield Alarm(
                "inclusion",
                general,
                f"it contains {special} as a special case and still does worse: its search needs more --trials before "
                "it can be called worse",
            )


def _divergence(record: ExperimentRecord) -> Iterable[Alarm]:
    for arm in record.spec["arms"]:
        searched = [curve for study in record.of(arm) for curve in study.curves(Purpose.SEARCH)]
        diverged = sum(curve.outcome is Outcome.DIVERGED for curve in searched) / max(len(searched), 1)
        if diverged > DIVERGENCE_ALARM:
            yield Alarm(
                "divergence",
                arm,
                f"{diverged:.0%} of the search's runs diverged: its range of learning rates reaches too high",
            )


def _no_improvement(record: ExperimentRecord) -> Iterable[Alarm]:
    generation, trials = record.spec["generation"], record.spec["trials"]
    # A generation is asked for at once: while its first trial is random, all are.
    startup = -(-samplers.get(record.spec["sampler"]).startup // generation) * generation
    for arm in record.spec["arms"]:
        full = [study for study in record.of(arm) if len(study.trials) == trials]
        losses = np.array([[np.inf if t.pruned else t.validation_loss for t in study.trials] for study in full])
        if never_improved(losses, startup):
            yield Alarm(
                "no improvement",
                arm,
                f"in none of {len(full)} repeats was a later trial better than the best of the {startup} random ones "
                "that a study begins with: more --trials may still find more",
            )


def _winners_curse(record: ExperimentRecord, verdicts: Sequence[Verdict]) -> Iterable[Alarm]:
    """A winner's declared lead that is smaller than the luck in choosing the configs behind it."""
    for verdict in verdicts:
        if verdict.difference is None or verdict.verdict not in ("a_better", "b_better"):
            continue
        for arm in (verdict.a, verdict.b):
            curse = arm_curse(record.of(arm))
            if verdict.primary and curse is not None and curse > abs(verdict.difference):
                yield Alarm(
                    "winner's curse",
                    arm,
                    f"on further seeds the best trials of its searches lose {curse:.4f} of what the search saw in "
                    f"them, more than the difference of {abs(verdict.difference):.4f} between the arms: more --seeds "
                    "make the search surer",
                )


def arm_curse(studies: Sequence[StudyRecord]) -> float | None:
    """How much worse the best trials of an arm's searches do on the finalists' further seeds, which had no part in
    choosing them; None before there are finalists.
    """
    favourites = [trial for study in studies for trial in study.best(1) if trial.finalist_loss is not None]
    if not favourites:
        return None
    chosen, fresh = zip(*((trial.validation_loss, trial.finalist_loss or 0.0) for trial in favourites), strict=True)
    return winners_curse(np.array(chosen), np.array(fresh))


def _unequal_budgets(record: ExperimentRecord) -> Iterable[Alarm]:
    """What was left undone is no comparison of equals."""
    arms = record.spec["arms"]
    trials = {arm: sum(len(study.trials) for study in record.of(arm)) for arm in arms}
    evaluated = {arm: sum(bool(study.evaluations) for study in record.of(arm)) for arm in arms}
    if record.status is not Status.RUNNING and (len(set(trials.values())) > 1 or len(set(evaluated.values())) > 1):
        told = ", ".join(f"{arm} {trials[arm]} trials and {evaluated[arm]} winners" for arm in arms)
        yield Alarm("unequal budgets", "", f"the run ended before all arms had the same: {told}", "")
