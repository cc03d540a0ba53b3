"""Arms that train for different numbers of epochs: what that means for their comparison, in words.

Their searches have equally many trials, but not equally many gradient evaluations. Each run's schedule is planned for
its own length, so a run is judged at its own end; what compares on an equal footing is the time to a target.
"""

from cooldown.search.evidence.numbers import counted
from cooldown.search.evidence.target import target_ratio_sentence
from cooldown.search.evidence.view import View, once
from cooldown.search.spec.arms import spoken

FOOTING = "each arm is judged at the end of its own runs, not at equal gradient evaluations"
"""How arms are compared that train for different numbers of epochs."""


def lengths_differ(view: View) -> bool:
    """Whether some arms train for more epochs than others."""
    return len(set(_epochs(view).values())) > 1


@once
def lengths_sentence(view: View) -> str:
    """Which arms train for how many epochs, and how they are compared, without a full stop; "" where all train for the
    same number.
    """
    if not lengths_differ(view):
        return ""
    arms: dict[int, list[str]] = {}
    for arm, epochs in _epochs(view).items():
        arms.setdefault(epochs, []).append(spoken(arm))
    first, *others = sorted(arms.items(), reverse=True)
    verb = "trains" if len(first[1]) == 1 else "train"
    parts = [f"{_listed(first[1])} {verb} for {counted(first[0], 'epoch')}"]
    parts += [f"{_listed(names)} for {epochs:,}" for epochs, names in others]
    return f"{', '.join(parts)}: {FOOTING}"


@once
def pair_lengths_sentence(view: View, a: str, b: str) -> str:
    """The same of one pair, in a full sentence; "" where both arms train for the same number of epochs."""
    of_a, of_b = (_epochs(view)[arm] for arm in (a, b))
    return "" if of_a == of_b else f"Runs of {of_a:,} and {of_b:,} epochs: {FOOTING}."


def pair_target_sentence(view: View, a: str, b: str) -> str:
    """How much longer one arm of a pair takes to each repeat's own target, in a full sentence; "" where that is not
    known, or both arms train for the same number of epochs.
    """
    ratio = target_ratio_sentence(view, a, b, None) if pair_lengths_sentence(view, a, b) else ""
    return f"To each repeat's own target, in gradient evaluations: {ratio}" if ratio else ""


def trial_cost_sentence(view: View, a: str, b: str) -> str:
    """How much more a trial of one arm costs because of its epochs; "" where it does not."""
    of_a, of_b = (_epochs(view)[arm] for arm in (a, b))
    if of_a == of_b:
        return ""
    more, less = (a, b) if of_a > of_b else (b, a)
    times = max(of_a, of_b) / min(of_a, of_b)
    return f"A trial of {spoken(more)} costs {times:.3g} times as many gradient evaluations as one of {spoken(less)}."


def _epochs(view: View) -> dict[str, int]:
    """The epochs of each arm's runs, in the spec's order."""
    return {name: view.spec.epochs_of(arm) for name, arm in view.parsed_arms.items()}


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
