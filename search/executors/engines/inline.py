"""In this process, one job after another: for one worker, and where no process can be started."""

import sys
from collections.abc import Callable
from concurrent.futures import Future
from threading import RLock
from typing import TYPE_CHECKING, Any

from cooldown.search.executors.contract import Executor, completed, job_errors
from cooldown.search.executors.engine import Engine
from cooldown.search.executors.packed import Packed

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_one_job = RLock()
"""Held by the thread that does a job: how many cores a matrix product uses is the same in all threads of a process."""


class Inline(Executor):
    """Does each job while it is submitted, so that an interrupt ends it at once. Threads take turns."""

    capacity = 1

    def __init__(self) -> None:
        self._modules = 0
        self._pools: ThreadpoolController | None = None

    def submit(self, call: Callable[..., Any], packed: Packed[Any], /, *arguments: Any) -> "Future[Any]":
        """The finished job."""

        def done() -> Any:
            # Workers use one core each, and so does this one: with more, sums are rounded in another way.
            with job_errors(KeyboardInterrupt), _one_job, self._thread_pools().limit(limits=1):
                return call(packed.value, *arguments)

        future: Future[Any] = Future()
        completed(future, done)
        return future

    def _thread_pools(self) -> "ThreadpoolController":
        """Those of this process. They are looked up again only if modules were imported since, which may have brought
        another one: a look takes as long as a small job.
        """
        from threadpoolctl import ThreadpoolController

        if self._pools is None or len(sys.modules) != self._modules:
            self._modules, self._pools = len(sys.modules), ThreadpoolController()
        return self._pools

    def close(self) -> None:
        """Nothing is left to end."""


INLINE = Engine("inline", "in this process, one job after another", lambda _workers, _address: Inline())
