"""Alarms: reasons to distrust an answer, each with what to do about it. Those about searches are made here."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from cooldown.objectives import optimizers
from cooldown.objectives.records import Outcome
from cooldown.search.evidence.alarm import Alarm
from cooldown.search.evidence.edges import edges, worse_than_default
from cooldown.search.evidence.lengths import lengths_sentence, pair_target_sentence
from cooldown.search.evidence.numbers import Form, formatted, percent
from cooldown.search.evidence.outcome_alarms import outcome_alarms
from cooldown.search.evidence.view import View, once
from cooldown.search.spec import samplers
from cooldown.search.spec.arms import Arm, spoken
from cooldown.search.spec.recorded import continued_by_name
from cooldown.search.spec.space import Space
from cooldown.search.statistics.doubts import never_improved, winners_curse
from cooldown.search.statistics.verdict import Verdict
from cooldown.storage import Purpose, StudyRecord

DIVERGENCE_ALARM = 0.3


def alarms(view: View, verdicts: Sequence[Verdict]) -> list[Alarm]:
    """All alarms of an experiment; verdicts: those of its pairs."""
    found = [
        *boundary_alarms(view),
        *_worse_than_default(view),
        *_inclusion(view, verdicts),
        *_divergence(view),
        *_no_improvement(view),
        *_winners_curse(view, verdicts),
        *outcome_alarms(view),
        *_unequal_budgets(view),
        *_unequal_lengths(view, verdicts),
    ]
    return found if continued_by_name(view.record) else [replace(alarm, resume=None) for alarm in found]


def _worse_than_default(view: View) -> Iterable[Alarm]:
    """A search that found less than what one gets without it has not done its work."""
    for arm in view.arms:
        if worse_than_default(view, arm):
            yield Alarm(
                "default",
                arm,
                "the default config has a lower validation loss than what the searches found; they need more --trials, "
                "or other ranges, before this arm can be called worse than another",
            )


@once
def boundary_alarms(view: View) -> list[Alarm]:
    """Arms whose best values cluster at an edge of a range: what lies beyond was not tried, so no verdict holds."""
    alarms_of_edges = []
    for edge in edges(view):
        which, value = ("bottom", edge.parameter.low) if edge.side == "low" else ("top", edge.parameter.high)
        low, high = edge.wider
        message = (
            f"the best values of {edge.parameter.key} are at the {which} of the range ({value:g}) or beyond it, where "
            f"nothing was tried; widen the range to {low:g} … {high:g}"
        )
        alarms_of_edges.append(Alarm("boundary", edge.arm, message, "--extend"))
    return alarms_of_edges


def contains(space: Space, special: Arm) -> bool:
    """Whether all that the arm `special` can choose is a special case of something that the space can choose."""
    general = space.arm
    # What an arm sets for itself may be why it is worse: another batch size, dropout, or a fixed rate.
    if general.around != special.around or general.ranges.keys() - general.around.keys():
        return False
    if (set(general.optimizers), set(general.schedules)) == (set(special.optimizers), set(special.schedules)):
        return False
    known = set().union(*(_contained(name, space) for name in general.optimizers))
    return set(special.schedules) <= set(general.schedules) and set(special.optimizers) <= known


def _contained(optimizer: str, searched: Space) -> set[str]:
    """The rules that an optimizer is at some value that it may take here."""
    special = {optimizer}
    for contained in optimizers.get(optimizer).contains:
        if contained.within(*searched.reach(optimizer, contained.hyperparameter)):
            special.update(contained.rules)
    return special


def under_tuned(view: View, verdict: Verdict) -> str | None:
    """The arm of a pair that contains the other as a special case and is surely worse, by more than hardly matters:
    once both are tuned, it cannot be. None where neither is.
    """
    if verdict.low is None or verdict.high is None or verdict.equal:
        return None
    even = 1.0 if verdict.scale == "ratio" else 0.0
    for general, special, worse in (
        (verdict.a, verdict.b, verdict.low > even),
        (verdict.b, verdict.a, verdict.high < even),
    ):
        if worse and contains(view.space(general), view.parsed_arms[special]):
            return general
    return None


def _inclusion(view: View, verdicts: Sequence[Verdict]) -> Iterable[Alarm]:
    for verdict in verdicts:
        general = under_tuned(view, verdict)
        if general is not None:
            special = verdict.b if general == verdict.a else verdict.a
            yield Alarm(
                "inclusion",
                general,
                f"this arm contains {spoken(special)} as a special case and still does worse; its search needs more "
                "--trials before it can be called worse",
            )


def _divergence(view: View) -> Iterable[Alarm]:
    for arm in view.arms:
        searched = [curve for study in view.searches(arm) for curve in study.curves(Purpose.SEARCH)]
        diverged = sum(curve.outcome is Outcome.DIVERGED for curve in searched) / max(len(searched), 1)
        if diverged > DIVERGENCE_ALARM:
            yield Alarm(
                "divergence",
                arm,
                f"{percent(diverged)} of the search's runs diverged; the range of learning rates reaches too high; "
                f"compare again with a lower one, --set {view.parsed_arms[arm].optimizers[0]}.learning_rate=LOW:HIGH",
            )


def _no_improvement(view: View) -> Iterable[Alarm]:
    generation, trials = view.spec.generation, view.spec.trials
    # A generation is asked for at once: while its first trial is random, all are.
    startup = -(-samplers.get(view.spec.sampler).startup // generation) * generation
    for arm in view.arms:
        full = [study for study in view.searches(arm) if len(study.trials) == trials]
        losses = np.array([[np.inf if t.pruned else t.validation_loss for t in study.trials] for study in full])
        if never_improved(losses, startup):
            yield Alarm(
                "no improvement",
                arm,
                f"in none of {len(full)} repeats was a later trial better than the best of the {startup} random trials "
                "that a study begins with; more --trials may find better configs",
            )


def _winners_curse(view: View, verdicts: Sequence[Verdict]) -> Iterable[Alarm]:
    """A winner's declared lead that is smaller than the luck in choosing the configs behind it."""
    for verdict in verdicts:
        if verdict.difference is None or verdict.verdict not in ("a_better", "b_better"):
            continue
        for arm in (verdict.a, verdict.b):
            curse = arm_curse(view.searches(arm))
            if verdict.primary and curse is not None and curse > abs(verdict.difference):
                worse, difference = (formatted(each, Form.LOSS) for each in (curse, abs(verdict.difference)))
                yield Alarm(
                    "winner's curse",
                    arm,
                    f"on further seeds, the best trials of its searches are worse by {worse} than in the search, more "
                    f"than the difference of {difference} between the arms; more --seeds make the search more reliable",
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


def _unequal_budgets(view: View) -> Iterable[Alarm]:
    """What was left undone is no comparison of equals."""
    arms = view.arms
    trials = {arm: sum(len(study.trials) for study in view.searches(arm)) for arm in arms}
    evaluated = {arm: sum(bool(study.evaluations) for study in view.searches(arm)) for arm in arms}
    if not view.status.under_way and (len(set(trials.values())) > 1 or len(set(evaluated.values())) > 1):
        told = ", ".join(f"{spoken(arm)} {trials[arm]} trials and {evaluated[arm]} winners" for arm in arms)
        yield Alarm("unequal budgets", "", f"the run ended before all arms had the same budget: {told}", "")


def _unequal_lengths(view: View, verdicts: Sequence[Verdict]) -> Iterable[Alarm]:
    """Arms that train for more epochs than others have larger budgets, as their spec says."""
    if told := lengths_sentence(view):
        on_the_way = pair_target_sentence(view, verdicts[0].a, verdicts[0].b) if verdicts else ""
        yield Alarm("unequal budgets", "", f"{told}. {on_the_way}".strip().removesuffix("."))
