"""The Python interface: compare, tune, resume, load, and the `Result` that they return; submit, pause, stop, cancel and
requeue for what workers run; runs, for loops that ask.
"""

from cooldown.search.experiments.asking import runs
from cooldown.search.experiments.notebook import Interrupted
from cooldown.search.experiments.queueing import (
    Submitted,
    annotate,
    cancel,
    is_submitted,
    pause,
    prioritize,
    queued,
    requeue,
    stop,
    submit,
    summary,
)
from cooldown.search.experiments.result import Result
from cooldown.search.experiments.resuming import resume
from cooldown.search.experiments.service import (
    compare,
    delete,
    dry_run,
    dry_runs,
    load,
    summaries,
    tune,
    unreadable,
    winners,
)

__all__ = [
    "Interrupted",
    "Result",
    "Submitted",
    "annotate",
    "cancel",
    "compare",
    "delete",
    "dry_run",
    "dry_runs",
    "is_submitted",
    "load",
    "pause",
    "prioritize",
    "queued",
    "requeue",
    "resume",
    "runs",
    "stop",
    "submit",
    "summaries",
    "summary",
    "tune",
    "unreadable",
    "winners",
]
