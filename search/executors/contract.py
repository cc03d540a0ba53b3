"""`Executor`: what the runner asks of the place where training runs, and what every implementation keeps.

A job is a call `call(value, *arguments)`: a function that a worker can import, a value that many jobs share, and
arguments of its own. Jobs are pure: done twice, a job gives the same result twice, and the ledger takes it once.

**Threads.** One thread calls `submit`, `capacity` and `close`. Futures may be completed by any thread.

**Ownership.** Whoever opens an executor closes it, most simply in a `with` block. It starts its workers with the first
job at the latest, and keeps no reference to a shared value once it is closed. The value reaches each worker once, by
the digest of its content, however many jobs share it; a worker holds it once.

**What raises.** The future of a job has its result; or a `JobError`, if the job raised, whatever it raised; or `lost`,
if the worker died or cannot be reached any more. After a loss the executor goes on with other workers, which it
finds or starts itself. `submit` raises `lost` only if there are none and none can be started, and InputError for a
value that cannot be sent. Nothing else is raised, and no future is left without an end but by `close`.

**The end.** `close` drops queued jobs, ends running ones where that is possible, and returns when no process that the
executor has started is left. It may be called twice, and after any error.

tests/search/executor_laws.py checks all of this on every implementation.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType
from typing import Any, ClassVar, Self

from cooldown.search.executors.packed import Packed


class JobError(RuntimeError):
    """The text of what a job raised in a worker: the exception itself may not be picklable, or may end a process."""


class UnfitError(JobError):
    """A worker's machine cannot do the jobs of an experiment."""


class WorkerLostError(RuntimeError):
    """A worker died, or cannot be reached any more.

    jobs: how many were lost with it. With one, that job ran on it; with more, any of them may be what it died of.
    """

    def __init__(self, reason: str, jobs: int = 1) -> None:
        super().__init__(reason)
        self.jobs = jobs


class Executor(ABC):
    """A place where jobs are done."""

    lost: ClassVar[type[WorkerLostError]] = WorkerLostError
    """What a dead worker is called, whatever the engine calls it."""

    @property
    @abstractmethod
    def capacity(self) -> int:
        """How many jobs it takes at a time, running or queued: as many as keep all its workers busy. At least 1; it
        changes as workers appear and vanish.
        """

    @property
    def workers(self) -> int:
        """How many jobs it does at the same time: of those that it takes, one more waits for each."""
        return (self.capacity + 1) // 2

    @abstractmethod
    def submit(self, call: Callable[..., Any], packed: Packed[Any], /, *arguments: Any) -> "Future[Any]":
        """Do `call(packed.value, *arguments)` in a worker."""

    def prepare(self, call: Callable[..., Any], packed: Packed[Any], /, *arguments: Any) -> "Future[Any]":
        """Do the call before other jobs: on every worker, where these are not on one machine. A worker where it raises
        gets no jobs, as a CooldownWarning then says. Done as soon as it is done on one of them.
        """
        return self.submit(call, packed, *arguments)

    @abstractmethod
    def close(self) -> None:
        """Drop what is queued, and end all workers that it has started."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def job_errors(*passing: type[BaseException]) -> Iterator[None]:
    """Turn any exception of a job, such as a model's `sys.exit`, into a JobError that says what was raised and where.

    passing: exceptions that are none of the job's.
    """
    try:
        yield
    except passing:
        raise
    except UnfitError:
        raise
    except BaseException as error:
        where, place = "", error.__traceback__
        while place is not None:
            where, place = f"{place.tb_frame.f_code.co_filename}, line {place.tb_lineno}", place.tb_next
        # Not chained: the cause would have to be pickled too.
        raise JobError(f"{type(error).__name__}: {error} ({where})") from None


def completed(future: "Future[Any]", result: Callable[[], Any]) -> None:
    """Complete a future with what `result` returns or raises; an engine's own error, as for a result that cannot be
    sent, is one of the job.
    """
    try:
        value = result()
    except (JobError, WorkerLostError) as error:
        future.set_exception(error)
    except Exception as error:
        future.set_exception(JobError(f"{type(error).__name__}: {error}"))
    else:
        future.set_result(value)
