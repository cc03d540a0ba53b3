"""How often an experiment's answer was looked at, and the level that is left for the interval shown."""

from collections.abc import Sequence

from cooldown.search.evidence.numbers import confidence
from cooldown.search.evidence.view import View, once
from cooldown.search.spec.experiment import Experiment
from cooldown.search.statistics.looks import levels, most_false_winners
from cooldown.search.statistics.verdict import LEVEL


@once
def looks_at(view: View) -> tuple[tuple[int, ...], int]:
    """The numbers of repeats at which the answer was or is looked at, and that at which the plan ends."""
    return _looks_at(view.spec, view.record.looks)


def _looks_at(spec: Experiment, recorded: Sequence[int]) -> tuple[tuple[int, ...], int]:
    looks = (*sorted(look for look in set(recorded) if 2 <= look < spec.repeats), spec.repeats)
    return looks, spec.looks[-1] if spec.looks else looks[0]


@once
def level(view: View) -> float:
    """The error rate of the interval that is shown: 5 % for a single look, less for each of several."""
    return level_of(view.spec, view.record.looks)


def level_of(spec: Experiment, recorded: Sequence[int]) -> float:
    """Likewise of an experiment whose record has not been read. recorded: the looks that its ledger has."""
    looks, end = _looks_at(spec, recorded)
    return levels(looks, end, LEVEL)[-1] if min(*looks, end) >= 2 else LEVEL


@once
def next_level(view: View) -> float:
    """The error rate of the interval at the next look, planned, or after the plan at twice the repeats."""
    looks, end = looks_at(view)
    if min(*looks, end) < 2:
        return LEVEL
    planned = [look for look in view.spec.looks if look > looks[-1]]
    return levels((*looks, planned[0] if planned else 2 * looks[-1]), end, LEVEL)[-1]


@once
def remark(view: View) -> str:
    """What the reader has to know about this, in sentences; "" for the only look."""
    looks, end = looks_at(view)
    if looks == (end,) or min(*looks, end) < 2:
        return ""
    width = confidence(level(view))
    if end >= looks[-1]:
        others = [look for look in view.spec.looks if look not in looks and look > looks[-1]]
        at_most = len(looks) + len(others)
        return (
            f"This is look {len(looks)} of at most {at_most} at the results; a {width} interval at this one keeps the "
            "error of all looks together at 5 %."
        )
    most = most_false_winners(looks, end, LEVEL)
    return (
        f"The answer was looked at {len(looks)} times, more often than planned: the interval is a {width} one, and "
        f"all looks together may declare a false winner in up to {100 * most:.2g} % of experiments."
    )
