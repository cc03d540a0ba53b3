"""The terms of an experiment's run as callers give them, of which some may be left as they are."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from cooldown.objectives.errors import InputError
from cooldown.search.spec.values import plain
from cooldown.storage import Terms

NONE = "none"
"""Instead of a limit: no limit any more."""

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}

TIME = re.compile(r"(\d+(?:\.\d+)?) *(s|m|min|h|d|)")


def seconds_of(text: Any) -> Any:
    """`"90s"`, `"15m"`, `"2h"`, `"1.5d"` or `"90"` in seconds; "none", and what is no text, as it is.

    Raises InputError for a text that is no length of time.
    """
    if not isinstance(text, str) or text == NONE:
        return text
    found = TIME.fullmatch(text.strip())
    if found is None:
        raise InputError(f"time_limit: should be a length of time such as 90s, 15m, 2h or 1d, got {text!r:.80}")
    return float(found[1]) * UNITS[found[2]]


def agreed(
    *,
    priority: int | None = None,
    time_limit: float | str | None = None,
    max_gradient_evaluations: int | str | None = None,
    owner: str | None = None,
    tags: Sequence[str] | None = None,
    notes: str | None = None,
) -> Callable[[Terms], Terms]:
    """The change of terms that is asked for; None leaves one as it is. time_limit: in seconds, or as `seconds_of` takes
    it. A limit of "none" is none.

    Raises InputError for what `Terms` does not take.
    """
    given = {
        "priority": priority,
        "time_limit": seconds_of(time_limit),
        "max_gradient_evaluations": max_gradient_evaluations,
        "owner": owner,
        "tags": tuple(tags) if isinstance(tags, list) else tags,
        "notes": notes,
    }
    changes: Any = {name: plain(value) for name, value in given.items() if value is not None}
    for limit in ("time_limit", "max_gradient_evaluations"):
        if isinstance(changes.get(limit), str) and changes[limit] == NONE:
            changes[limit] = None
    # Raises what is wrong now, and not when they are written.
    Terms(**changes)
    return lambda terms: replace(terms, **changes)
