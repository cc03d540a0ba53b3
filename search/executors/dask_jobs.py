"""What a Dask worker does with a job: the half of the Dask executor that runs on the cluster's machines."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cooldown.search.executors.contract import job_errors
from cooldown.search.executors.packed import HELD, Pickled, Stored, shared_on_machine


@dataclass(frozen=True)
class Sent:
    """A pickled value on its way to workers: its arrays are frames of a message, which Dask does not copy.

    digest: of its content. A worker may get it twice, but unpickles it once.
    """

    digest: str
    pickled: Pickled = field(compare=False)

    def __reduce__(self) -> tuple[Callable[..., "Sent"], tuple[Any, ...]]:
        frames = [pickle.PickleBuffer(part) for part in (self.pickled.head, *self.pickled.arrays)]
        return _arrived, (self.digest, *frames)

    @property
    def key(self) -> str:
        """Its name on the cluster."""
        return f"cooldown-{self.digest}"

    def value(self) -> Any:
        """The value, which a worker holds once."""
        return _value(self)


def _arrived(digest: str, head: Any, *arrays: Any) -> Sent:
    return Sent(digest, shared_on_machine(Pickled(head, arrays)))


@lru_cache(maxsize=HELD)
def _value(sent: Sent) -> Any:
    return sent.pickled.value()


def packed_call(call: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    """A job's call, in which Dask should not look for anything of its own."""
    import cloudpickle

    packed: bytes = cloudpickle.dumps((call, arguments))
    return packed


def done_on_worker(shared: "Sent | Stored", job: bytes) -> Any:
    """A job's result. job: its `packed_call`."""
    from threadpoolctl import threadpool_limits

    # A worker of the user's own cluster may have more threads; with these, sums are rounded in another way.
    with job_errors(), threadpool_limits(1):
        call, arguments = pickle.loads(job)
        return call(shared.value(), *arguments)
