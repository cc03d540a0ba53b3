"""What a service says of itself to a monitor: the text format of Prometheus."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping

from cooldown.search.service.access.log import Kind
from cooldown.storage import Ledger, Status, Summary


def measures(ledger: Ledger, requests: Mapping[Kind, tuple[int, float]]) -> str:
    """The numbers of experiments by status, of trials, of how long the queue has waited, and of requests."""
    summaries = ledger.summaries()
    return "\n".join([*_of_experiments(summaries, time.time()), *_of_requests(requests), ""])


def _of_experiments(summaries: list[Summary], now: float) -> Iterator[str]:
    counts = Counter(summary.status for summary in summaries)
    yield from _head("cooldown_experiments", "gauge", "Experiments in the ledger, by status")
    for status in Status:
        yield f'cooldown_experiments{{status="{status.value}"}} {counts[status]}'
    yield from _head("cooldown_trials", "gauge", "Trials in the ledger")
    yield f"cooldown_trials {sum(summary.trials for summary in summaries)}"
    queued = [summary.queue.since for summary in summaries if summary.status is Status.QUEUED]
    waiting = [since for since in queued if since is not None]
    yield from _head("cooldown_queue_oldest_seconds", "gauge", "Age of the oldest experiment that waits for a worker")
    yield f"cooldown_queue_oldest_seconds {max(0.0, now - min(waiting, default=now)):.0f}"


def _of_requests(requests: Mapping[Kind, tuple[int, float]]) -> Iterator[str]:
    yield from _head("cooldown_requests_total", "counter", "Requests to the API that were answered")
    ordered = sorted(requests.items())
    for kind, (count, _) in ordered:
        yield f"cooldown_requests_total{_labels(kind)} {count}"
    yield from _head("cooldown_request_seconds_total", "counter", "Seconds that they took together")
    for kind, (_, seconds) in ordered:
        yield f"cooldown_request_seconds_total{_labels(kind)} {seconds:.6f}"


def _labels(kind: Kind) -> str:
    return f'{{method="{kind.method}",status="{kind.status}"}}'


def _head(name: str, type: str, about: str) -> Iterator[str]:
    yield f"# HELP {name} {about}."
    yield f"# TYPE {name} {type}"
