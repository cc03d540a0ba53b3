"""How far an experiment is, in words and as JSON."""

from collections.abc import Sequence
from typing import Any

from cooldown.search.spec.recorded import check_outline
from cooldown.storage import Change, ExperimentRecord, Status, Summary
from cooldown.storage.budgets import reached

WILL = {
    Change.PAUSE: "it pauses when what is in flight is finished",
    Change.STOP: "it ends when what is in flight is finished",
    Change.CANCEL: "it ends, and what is in flight is dropped",
}
"""What a running experiment does that was asked for a change."""


def last_run(status: Status, message: str) -> str:
    """What the last run left to say, as a sentence."""
    what = "The last run failed" if status is Status.FAILED else status.value.capitalize()
    return f"{what}: {message}"


def lifted(record: ExperimentRecord) -> dict[str, str]:
    """The arguments of `resume` without which an experiment cannot go on, because a limit is reached."""
    studies = (*record.studies, *record.default_configs, *record.superseded)
    evaluations = sum(curve.gradient_evaluations for study in studies for curve in study.curves())
    limit = reached(record.terms, record.queue.seconds, evaluations)
    return {} if limit is None else {limit.limit: "none"}


def trials_asked(summary: Summary) -> int:
    """How many trials its spec asks for, of all arms and repeats; raises UnreadableError where it does not say."""
    check_outline(summary)
    spec = summary.spec
    return len(spec["arms"]) * int(spec["repeats"]) * int(spec["trials"])


def place(summary: Summary, listed: Sequence[Summary]) -> int | None:
    """The place of an experiment among those that wait, from 1; None if it does not wait. listed: all of these, in
    their order.
    """
    waiting = [each.name for each in listed if each.status is Status.QUEUED]
    return waiting.index(summary.name) + 1 if summary.name in waiting else None


def queued_document(summary: Summary, position: int | None) -> dict[str, Any]:
    """An experiment in `cooldown queue --json`. position: its `place`."""
    return {
        "name": summary.name,
        "task": str(summary.spec.get("task")),
        "status": summary.status.value,
        "position": position,
        "trials": summary.trials,
        **queue_document(summary),
    }


def queue_document(recorded: ExperimentRecord | Summary) -> dict[str, Any]:
    """The place of an experiment in the queue, and the terms of its run, as JSON."""
    terms, queue = recorded.terms, recorded.queue
    return {
        "priority": terms.priority,
        "queued_at": queue.since,
        "requested": queue.requested and queue.requested.value,
        "requeues": queue.requeues,
        "seconds": queue.seconds,
        "time_limit": terms.time_limit,
        "max_gradient_evaluations": terms.max_gradient_evaluations,
        "owner": terms.owner,
        "tags": list(terms.tags),
        "notes": terms.notes,
    }
