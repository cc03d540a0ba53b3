"""What an experiment with a plan does next: wider ranges where best values lie at an edge, then more repeats."""

from typing import Any

from cooldown.search.evidence.answer import answer
from cooldown.search.evidence.edges import Edge, edges
from cooldown.search.evidence.verdict import pair_verdicts
from cooldown.search.evidence.view import View
from cooldown.search.spec.experiment import Experiment, recorded_spec
from cooldown.search.spec.looks import further

MOST_WIDENED = 2
"""How often a plan widens an arm's ranges by itself. A range that no decade satisfies is one to look at."""


def next_step(view: View, spec: Experiment) -> Experiment | None:
    """The larger spec that an experiment which is done under `spec` needs to answer its question; None where it is
    answered, and where its plan ends.

    A verdict that is withheld because best values lie at an edge of a range needs wider ranges: more repeats would not
    decide it. They are planned like further repeats: it depends on the recorded results alone when that happens.
    """
    if not (spec.looks or spec.until) or answer(view).word != "open":
        return None
    verdicts = pair_verdicts(view)
    if not verdicts:
        return None
    if not verdicts[0].withheld:
        looks = further(spec.looks, spec.repeats, spec.until)
        return recorded_spec({**spec.to_json(), "repeats": looks[0]}) if looks else None
    found = [edge for edge in edges(view) if len(spec.widened.get(edge.arm, ())) < MOST_WIDENED]
    pair = {verdicts[0].a, verdicts[0].b}
    return widened(found, spec) if any(edge.arm in pair for edge in found) else None


def widened(found: list[Edge], spec: Experiment) -> Experiment:
    """The spec with these ranges widened."""
    ranges: dict[str, dict[str, Any]] = {}
    for edge in found:
        ranges.setdefault(edge.arm, {})[edge.parameter.key] = edge.wider
    steps = {arm: (*spec.widened.get(arm, ()), step) for arm, step in ranges.items()}
    return recorded_spec({**spec.to_json(), "widened": {**spec.widened, **steps}})
