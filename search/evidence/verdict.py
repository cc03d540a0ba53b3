"""The verdicts of an experiment's pairs of arms, and its answer in one sentence."""

from dataclasses import replace

from cooldown.search.evidence.alarms import boundary_alarms, under_tuned
from cooldown.search.evidence.edges import worse_than_default
from cooldown.search.evidence.lengths import pair_lengths_sentence
from cooldown.search.evidence.losses import primary_pair, test_losses, test_scores
from cooldown.search.evidence.numbers import Form, counted, estimate, formatted
from cooldown.search.evidence.summary import share
from cooldown.search.evidence.view import View, once
from cooldown.search.spec.arms import spoken
from cooldown.search.statistics.verdict import Verdict, verdicts


@once
def pair_verdicts(view: View) -> list[Verdict]:
    """The verdicts of all pairs, the primary one first; withheld where an arm's best lies at the edge of a range."""
    withheld = {
        arm: f"the default config of {spoken(arm)} does better than what its searches found (see the alarm)"
        for arm in view.arms
        if worse_than_default(view, arm)
    }
    withheld |= {
        alarm.arm: f"boundary: the best values of {spoken(alarm.arm)} are at the edge of a range (see the alarm)"
        for alarm in boundary_alarms(view)
    }
    unlearned = [arm for arm in view.arms if _unlearned(view, arm)]
    decided = verdicts(test_losses(view), primary_pair(view), unlearned, scores=test_scores(view), withheld=withheld)
    return [_unless_under_tuned(view, verdict) for verdict in decided]


def _unless_under_tuned(view: View, verdict: Verdict) -> Verdict:
    """The verdict, but none where it only says that an arm was not tuned as well as its own special case."""
    general = under_tuned(view, verdict)
    if general is None or verdict.verdict == "undecided":
        return verdict
    contains = f"{spoken(general)} contains the other arm as a special case"
    why = f"{contains}; doing worse, it was not tuned as well (see the alarm)"
    return replace(verdict, verdict="undecided", why=why)


def _unlearned(view: View, arm: str) -> bool:
    """Whether at least half of an arm's evaluations are no better than the baseline predictor."""
    return share([curve.capped for study in view.searches(arm) for curve in study.evaluations]) >= 0.5


@once
def compared_pair(view: View) -> tuple[str, str] | None:
    """The pair that the answer is about; None for a single arm."""
    decided = pair_verdicts(view)
    return (decided[0].a, decided[0].b) if decided else None


@once
def sentence(view: View) -> str:
    """The answer in one sentence. Both losses are means over the repeats that the difference is over."""
    task = view.spec.task
    if compared_pair(view) is None:
        return f"On {task}, one arm was tuned; a verdict takes two."
    first = pair_verdicts(view)[0]
    if first.difference is None:
        return f"On {task} there is no verdict yet: {first.why}."
    lengths = pair_lengths_sentence(view, first.a, first.b)
    a, b = spoken(first.a), spoken(first.b)
    verbs = {"a_better": "beats", "b_better": "loses to", "tie": "ties with"}
    claim = (
        f"it is undecided whether tuned {a} beats tuned {b}"
        if first.verdict == "undecided"
        else f"tuned {a} {verbs[first.verdict]} tuned {b}"
    )
    return (
        f"On {task}, {claim}: test loss {formatted(first.a_loss, Form.LOSS)} vs {formatted(first.b_loss, Form.LOSS)}, "
        f"difference {estimate(first.difference, first.low, first.high)}, {counted(first.repeats, 'repeat')}."
        f"{lengths and ' ' + lengths}"
    )
