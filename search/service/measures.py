"""What a service says of itself to a monitor: the text format of Prometheus."""

from collections.abc import Iterator, Mapping

from cooldown.search.service.access.log import Kind
from cooldown.storage import Ledger, Status
from cooldown.storage.listing import Overview, overview


def measures(ledger: Ledger, requests: Mapping[Kind, tuple[int, float]]) -> str:
    """The numbers of experiments by status, of trials, of how long the queue has waited, and of requests."""
    return "\n".join([*_of_experiments(overview(ledger)), *_of_requests(requests), ""])


def _of_experiments(numbers: Overview) -> Iterator[str]:
    yield from _head("cooldown_experiments", "gauge", "Experiments in the ledger, by status")
    for status in Status:
        yield f'cooldown_experiments{{status="{status.value}"}} {numbers.experiments.get(status, 0)}'
    yield from _head("cooldown_trials", "gauge", "Trials in the ledger")
    yield f"cooldown_trials {numbers.trials}"
    yield from _head("cooldown_queue_oldest_seconds", "gauge", "Age of the oldest experiment that waits for a worker")
    waited = 0.0 if numbers.oldest is None else max(0.0, numbers.now - numbers.oldest)
    yield f"cooldown_queue_oldest_seconds {waited:.0f}"


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
