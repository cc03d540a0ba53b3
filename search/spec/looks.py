"""The plan of an experiment that may go on until it answers: at which numbers of repeats it is looked at."""

from collections.abc import Mapping, Sequence
from typing import Any

from cooldown.objectives.errors import InputError
from cooldown.search.spec.limits import REPEATS

FIRST, DEFAULT_MOST, MOST_UNTIL_DECIDED = 5, 40, 20
"""Repeats before the first look; the most by default, and the most of --until-decided."""

BUDGET = 250_000_000
"""Gradient evaluations that the default plan may take in all. It follows from the spec how many repeats these are, many
on small tables and few on large ones; a plan has its first look in any case.
"""


def doubling(first: int, most: int) -> tuple[int, ...]:
    """Looks at first, 2·first, 4·first, … repeats, the last at `most`."""
    looks = [first]
    while looks[-1] < most:
        looks.append(min(2 * looks[-1], most))
    return tuple(looks)


def default_plan(per_repeat: int) -> tuple[int, ...]:
    """Looks at 5, 10, 20 and 40 repeats, as far as the budget goes; () where it allows one only.

    per_repeat: gradient evaluations of one repeat of all arms.
    """
    looks = doubling(FIRST, DEFAULT_MOST)
    affordable = [look for look in looks if look * per_repeat <= BUDGET]
    return tuple(affordable) if len(affordable) > 1 else ()


def check_looks(looks: Sequence[int], repeats: int) -> None:
    """Raise InputError unless these are rising numbers of at least 2, of which the first is no more than `repeats`."""
    if looks and (list(looks) != sorted(set(looks)) or looks[0] < 2):
        raise InputError(f"should be rising numbers of repeats, the first at least 2, got {list(looks)}")
    if looks and repeats < looks[0]:
        raise InputError(f"the first look at {looks[0]} repeats needs as many, got repeats = {repeats}")


def further(looks: Sequence[int], repeats: int, most: int | None = None) -> tuple[int, ...]:
    """The looks after `repeats`: those of the plan up to `most`, and where that is beyond it, at doubled numbers."""
    planned = [look for look in looks if look > repeats and (most is None or look <= most)]
    beyond = () if most is None else doubling(planned[-1] if planned else repeats, most)[1:]
    return (*planned, *beyond)


def planned_fields(settings: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The fields of a spec for the settings of a caller, who may say until_decided and max_repeats; and what is wrong
    with these two.

    A spec that has looks starts with the first of them.
    """
    fields = dict(settings)
    until_decided, most = fields.pop("until_decided", None), fields.pop("max_repeats", None)
    problems = []
    if until_decided not in (None, True, False):
        problems.append(f"until_decided: should be true or false, got {until_decided!r:.80}")
    elif most is not None and not until_decided:
        problems.append("max_repeats: says how far until_decided goes; give both, or repeats alone")
    elif until_decided:
        first = fields.pop("repeats", FIRST)
        most = MOST_UNTIL_DECIDED if most is None else most
        for name, value in (("repeats", first), ("max_repeats", most)):
            if isinstance(value, bool) or not isinstance(value, int) or not 2 <= value <= REPEATS:
                problems.append(f"{name}: should be a whole number from 2 to {REPEATS:,}, got {value!r:.80}")
        if not problems and most < first:
            problems.append(f"max_repeats: {most} is fewer than the first look's {first} repeats")
        if not problems:
            fields["looks"] = doubling(first, most)
    if not problems and fields.get("looks"):
        fields["repeats"] = fields["looks"][0]
    return fields, problems
