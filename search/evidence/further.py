"""All that can be done next with an experiment, each with its price: what a reader chooses from.

`Answer.next` is the one step that does most about an open question. These are that one, and beside it what else goes
on with an experiment that is done.
"""

from cooldown.search.evidence.alarms import boundary_alarms
from cooldown.search.evidence.answer import NextStep, answer, resumed
from cooldown.search.evidence.prices import price_of_arms, price_of_repeats, price_of_trials
from cooldown.search.evidence.view import View
from cooldown.search.spec import limits
from cooldown.search.spec.recorded import continued_by_name
from cooldown.storage import Status


def further_steps(view: View) -> list[NextStep]:
    """The steps that go on with an experiment which has ended, the most useful one first; none while it is under way,
    and for one that only a Python program can continue.
    """
    if view.status.under_way or not continued_by_name(view.record):
        return []
    first = answer(view).next
    steps = [first] if first is not None and first.changes is not None else []
    if view.status is Status.DONE:
        steps += [step for step in _of_finished(view) if step.changes not in [known.changes for known in steps]]
    return steps


def _of_finished(view: View) -> list[NextStep]:
    """The ways to go on with an experiment that is done."""
    steps = []
    repeats, trials = 2 * view.spec.repeats, 2 * view.spec.trials
    at_edge = list(dict.fromkeys(alarm.arm for alarm in boundary_alarms(view)))
    if at_edge:
        steps.append(resumed(view, "To widen the ranges", {"extend": True}, price_of_arms(view, at_edge)))
    if repeats <= limits.REPEATS:
        steps.append(resumed(view, "For twice the repeats", {"repeats": repeats}, price_of_repeats(view, repeats)))
    if trials <= limits.TRIALS:
        steps.append(resumed(view, "To search longer", {"trials": trials}, price_of_trials(view, trials)))
    return steps


def in_words(step: NextStep) -> str:
    """A step as the label of a button, without its price."""
    match dict(step.changes or {}):
        case {"until_decided": True, "max_repeats": most}:
            return f"Go on until it is answered, up to {most} repeats"
        case {"repeats": repeats}:
            return f"Go on to {repeats} repeats"
        case {"trials": trials}:
            return f"Search longer: {trials} trials per study"
        case {"extend": True}:
            return "Widen the ranges and search again"
        case {"time_limit": _}:
            return "Continue without the time limit"
        case {"max_gradient_evaluations": _}:
            return "Continue without the limit of gradient evaluations"
    return "Continue"
