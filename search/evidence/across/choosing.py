"""Which experiments a comparison over tasks is made of: one for each task, and why the others are left out."""

from collections.abc import Callable, Iterable, Sequence

from cooldown.search.evidence.across.measured import LeftOut, Measured

Reason = Callable[[Measured], str]
"""Why an experiment does not count, as the end of a sentence; "" if it does."""


def one_per_task(measured: Sequence[Measured], *reasons: Reason) -> tuple[list[Measured], list[LeftOut]]:
    """The newest experiment of each task for which no reason speaks against it, by the task's name; and all others."""
    kept: dict[str, Measured] = {}
    left_out: list[LeftOut] = []
    for each in sorted(measured, key=lambda each: (-each.created_at, each.experiment)):
        why = _first(reason(each) for reason in (is_unfinished, *reasons))
        if not why and each.data in kept:
            why = f"{kept[each.data].experiment} is a newer one on the same task"
        if why:
            left_out.append(LeftOut(each.experiment, why))
        else:
            kept[each.data] = each
    return sorted(kept.values(), key=lambda each: (each.task, each.experiment)), left_out


def is_unfinished(each: Measured) -> str:
    """A reason: it has no final answer yet."""
    return "" if each.done else "it is not finished"


def lacks_ratio(each: Measured) -> str:
    """A reason: ratios need losses above 0."""
    return (
        "a loss of 0 or below has no ratio"
        if any(loss <= 0 for of in each.losses.values() for loss in of.values())
        else ""
    )


def _first(reasons: Iterable[str]) -> str:
    return next(filter(None, reasons), "")
