"""The verdicts of an experiment's pairs of arms."""

from dataclasses import replace

from cooldown.search.evidence.alarms import boundary_alarms, under_tuned
from cooldown.search.evidence.edges import worse_than_default
from cooldown.search.evidence.looks import level, next_level
from cooldown.search.evidence.losses import mean_test_losses, mean_test_scores, primary_pair
from cooldown.search.evidence.summary import share
from cooldown.search.evidence.view import View, once
from cooldown.search.spec.arms import spoken
from cooldown.search.statistics.verdict import Verdict, verdicts


@once
def pair_verdicts(view: View) -> list[Verdict]:
    """The verdicts of all pairs, the primary one first; withheld where an alarm says that an arm was not tuned."""
    decided = verdicts(
        mean_test_losses(view),
        primary_pair(view),
        unlearned_arms(view),
        scores=mean_test_scores(view),
        withheld=withheld_arms(view),
        margin=view.spec.margin,
        level=level(view),
        next_level=next_level(view),
    )
    return [_unless_under_tuned(view, verdict) for verdict in decided]


@once
def withheld_arms(view: View) -> dict[str, str]:
    """The arms about which an alarm forbids a decision, with the reason."""
    withheld = {
        arm: f"the default config of {spoken(arm)} does better than what its searches found (see the alarm)"
        for arm in view.arms
        if worse_than_default(view, arm)
    }
    return withheld | {
        alarm.arm: f"boundary: the best values of {spoken(alarm.arm)} are at the edge of a range (see the alarm)"
        for alarm in boundary_alarms(view)
    }


def _unless_under_tuned(view: View, verdict: Verdict) -> Verdict:
    """The verdict, but none where it only says that an arm was not tuned as well as its own special case."""
    general = under_tuned(view, verdict)
    if general is None or verdict.verdict == "undecided":
        return verdict
    contains = f"{spoken(general)} contains the other arm as a special case"
    why = f"{contains}; doing worse, it was not tuned as well (see the alarm)"
    return replace(verdict, verdict="undecided", equal=False, withheld=True, repeats_to_decide=None, why=why)


@once
def unlearned_arms(view: View) -> list[str]:
    """The arms at least half of whose evaluations are no better than the baseline predictor."""
    return [
        arm
        for arm in view.arms
        if share([curve.capped for study in view.searches(arm) for curve in study.evaluations]) >= 0.5
    ]


@once
def compared_pair(view: View) -> tuple[str, str] | None:
    """The pair that the answer is about; None for a single arm."""
    decided = pair_verdicts(view)
    return (decided[0].a, decided[0].b) if decided else None
