"""A Dask cluster: one of this machine, started here, or an existing one at an address.

Jobs are dealt out here, one at a time to each worker, and Dask carries them. It could schedule them itself, but when a
worker dies it would try its jobs on others in silence, until these have died too, and would not say whose job it was.
A second job on a worker would only wait there, while others may be free.
"""

import shutil
import tempfile
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from cooldown.objectives.errors import CooldownWarning
from cooldown.search.executors.contract import Executor, WorkerLostError, completed
from cooldown.search.executors.dask_connection import Connection
from cooldown.search.executors.dask_jobs import Sent, done_on_worker, packed_call
from cooldown.search.executors.engine import Engine
from cooldown.search.executors.packed import Packed, store

LOOK = 0.5
"""Seconds between two looks at the workers that there are."""

WITHOUT_WORKERS = 60.0
"""Seconds that jobs wait for another worker where none is left."""

UNREACHABLE = "the Dask scheduler at {} cannot be reached any more"

MOST_FAILURES = 3
"""Jobs in a row that a worker may fail while other workers succeed with them."""


@dataclass(eq=False)
class _Job:
    """failed_on: the workers where it has raised, and `error` what. prepares: whether a worker is prepared by it."""

    call: bytes
    packed: Packed[Any]
    future: "Future[Any]" = field(default_factory=Future)
    failed_on: "list[_Worker]" = field(default_factory=list)
    error: BaseException | None = None
    prepares: bool = False


@dataclass(eq=False)
class _Worker:
    """job: what it does, as `carried` by Dask, None if it has come back without a result. is_ready: whether it is
    prepared. failures: in a row.
    """

    address: str
    job: _Job | None = None
    carried: Any = None
    is_ready: bool = False
    failures: int = 0

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0]


class DaskCluster(Executor):
    """The workers of a cluster: `count` of this machine, or those at `address`, whose number may change.

    A job that raises is tried on a second worker. A worker that fails `MOST_FAILURES` jobs in a row which others do, or
    its preparation, is left out. Running jobs of an existing cluster cannot be ended: they end by themselves.
    """

    def __init__(self, count: int, address: str | None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="cooldown-"))
        try:
            self._connection = Connection(address, count, self._folder)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self._lock, self._closing = threading.RLock(), threading.Event()
        self._workers: dict[str, _Worker] = {}
        self._left_out: set[str] = set()
        self._queue: deque[_Job] = deque()
        self._preparation: _Job | None = None
        self._shared: dict[Packed[Any], Any] = {}
        self._notes: deque[str] = deque()
        self._gone: str | None = None
        self._empty_since: float | None = None
        self._deaths_in_preparation = 0
        self._look()
        self._watcher = threading.Thread(target=self._watch, name="workers of the Dask cluster", daemon=True)
        self._watcher.start()

    @property
    def capacity(self) -> int:
        """A job for each worker, and one that waits for it."""
        self._say()
        return max(2 * len(self._workers), 1)

    def submit(self, call: Callable[..., Any], packed: Packed[Any], /, *arguments: Any) -> "Future[Any]":
        """Do the job on the worker that is free first."""
        job = _Job(packed_call(call, arguments), packed)
        self._check()
        self._share(packed)
        with self._lock:
            self._queue.append(job)
        self._deal()
        return job.future

    def prepare(self, call: Callable[..., Any], packed: Packed[Any], /, *arguments: Any) -> "Future[Any]":
        """Do the job on every worker, before others; one that cannot do it is left out."""
        self._check()
        self._share(packed)
        with self._lock:
            self._preparation = _Job(packed_call(call, arguments), packed, prepares=True)
            for worker in self._workers.values():
                worker.is_ready = False
        self._deal()
        return self._preparation.future

    def close(self) -> None:
        """Forget the jobs, and end the cluster if it was started here."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._watcher.join()
        with self._lock:
            self._queue.clear()
            carried = [worker.carried for worker in self._workers.values() if worker.carried is not None]
            self._workers.clear()
        if self._connection.workers() is not None:
            self._connection.client.cancel(carried, force=True)
        self._shared.clear()
        self._connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._say()

    def _check(self) -> None:
        """Say what has happened, and raise `lost` if no worker can be had any more."""
        self._say()
        if self._connection.is_lost:
            self._give_up(UNREACHABLE.format(self._connection.address))
        if self._gone:
            raise WorkerLostError(self._gone)

    def _say(self) -> None:
        while self._notes:
            warnings.warn(self._notes.popleft(), CooldownWarning, stacklevel=4)

    def _share(self, packed: Packed[Any]) -> None:
        """Have the value where workers find it: in a file of this machine, or on the cluster, once per digest."""
        shared = self._shared.get(packed)
        if self._connection.is_own:
            self._shared[packed] = shared or store(packed.pickled, self._folder)
        elif shared is None or shared.status != "finished":
            # Workers that appear get it from others. It is lost if all that have it vanish at once.
            sent = Sent(packed.pickled.digest, packed.pickled)
            self._shared[packed] = self._connection.client.scatter({sent.key: sent}, broadcast=True)[sent.key]

    def _deal(self) -> None:
        """Give each free worker its preparation, or the first job in the queue that it has not failed."""
        with self._lock:
            for worker in self._workers.values():
                if worker.job is None and (job := self._next(worker)) is not None:
                    self._carry(worker, job)

    def _next(self, worker: _Worker) -> _Job | None:
        if self._preparation is not None and not worker.is_ready:
            if self._preparation.packed not in self._shared:
                return None
            # Its machine may keep on disk what the first of its workers compiles.
            beside = (each.job for each in self._workers.values() if each.host == worker.host)
            return None if any(job.prepares for job in beside if job) else self._preparation
        for job in self._queue:
            if worker not in job.failed_on and job.packed in self._shared:
                self._queue.remove(job)
                return job
        return None

    def _carry(self, worker: _Worker, job: _Job) -> None:
        carried = self._connection.client.submit(
            done_on_worker,
            self._shared[job.packed],
            job.call,
            key=f"cooldown-{uuid4().hex}",
            workers=[worker.address],
            pure=False,
        )
        worker.job, worker.carried = job, carried
        carried.add_done_callback(lambda carried: self._ended(worker, carried))

    def _ended(self, worker: _Worker, carried: Any) -> None:
        """Take what Dask has brought back."""
        outcome: Future[Any] = Future()
        completed(outcome, lambda: _result(worker, carried))
        with self._lock:
            job = worker.job
            if worker.carried is not carried or job is None:
                # It was given up.
                return
            worker.job = worker.carried = None
            self._settle(worker, job, outcome)
        self._deal()

    def _settle(self, worker: _Worker, job: _Job, outcome: "Future[Any]") -> None:
        error = outcome.exception()
        if isinstance(error, _ValueLostError):
            # The next look at the workers tells whether this one has vanished too, and sends the value again.
            self._shared.pop(job.packed, None)
            worker.job = job
        elif job.prepares:
            self._prepared(worker, job, outcome)
        elif error is None:
            worker.failures = 0
            for other in job.failed_on:
                other.failures += 1
                if other.failures == MOST_FAILURES:
                    self._leave_out(other, f"it failed {MOST_FAILURES} jobs in a row that others did: {job.error}")
            job.future.set_result(outcome.result())
        elif isinstance(error, WorkerLostError):
            job.future.set_exception(error)
        else:
            job.failed_on.append(worker)
            job.error = error
            if len(job.failed_on) < 2 and any(other is not worker for other in self._workers.values()):
                self._queue.appendleft(job)
            else:
                job.future.set_exception(error)

    def _prepared(self, worker: _Worker, job: _Job, outcome: "Future[Any]") -> None:
        error = outcome.exception()
        if job is not self._preparation:
            return
        if error is None:
            worker.is_ready = True
            if not job.future.done():
                job.future.set_result(outcome.result())
        elif isinstance(error, WorkerLostError):
            self._died_in_preparation(job, error)
        else:
            self._leave_out(worker, str(error))
            if not self._workers and not job.future.done():
                job.future.set_exception(error)

    def _died_in_preparation(self, job: _Job, error: WorkerLostError) -> None:
        self._deaths_in_preparation += 1
        if self._deaths_in_preparation >= MOST_FAILURES:
            self._give_up(f"{MOST_FAILURES} workers died before their first job")
        if not job.future.done():
            job.future.set_exception(error)

    def _leave_out(self, worker: _Worker, reason: str) -> None:
        self._left_out.add(worker.address)
        self._workers.pop(worker.address, None)
        self._notes.append(f"the worker at {worker.address} gets no jobs: {reason}")

    def _give_up(self, reason: str) -> None:
        """All jobs are lost, and so are those to come."""
        with self._lock:
            self._gone = self._gone or reason
            jobs = [*self._queue, *(worker.job for worker in self._workers.values() if worker.job)]
            self._queue.clear()
            for worker in self._workers.values():
                worker.job = worker.carried = None
            for job in jobs:
                if not job.future.done():
                    job.future.set_exception(WorkerLostError(reason, len(jobs)))

    def _watch(self) -> None:
        while not self._closing.wait(LOOK):
            try:
                self._look()
            except Exception as error:  # whatever it is, nobody may wait for a job in vain
                self._give_up(f"{UNREACHABLE.format(self._connection.address)} ({type(error).__name__}: {error})")

    def _look(self) -> None:
        """Take in workers that have appeared, and give up the jobs of those that have vanished.

        A value that these alone had is sent again.
        """
        addresses = self._connection.workers()
        if addresses is None:
            self._give_up(UNREACHABLE.format(self._connection.address))
            return
        with self._lock:
            vanished = [worker for address, worker in self._workers.items() if address not in addresses]
            for worker in vanished:
                del self._workers[worker.address]
            for address in addresses:
                if address not in self._left_out:
                    self._workers.setdefault(address, _Worker(address))
            for worker in self._workers.values():
                if worker.job is not None and worker.carried is None:
                    if not worker.job.prepares:
                        self._queue.appendleft(worker.job)
                    worker.job = None
            given_up = [carried for worker in vanished if (carried := self._lose(worker)) is not None]
            self._end_without_workers()
        if given_up:
            self._connection.client.cancel(given_up, force=True)
        for packed in self._unshared():
            self._share(packed)
        self._deal()

    def _unshared(self) -> set[Packed[Any]]:
        with self._lock:
            waiting = [*self._queue, *([self._preparation] if self._preparation else [])]
            return {job.packed for job in waiting} - self._shared.keys()

    def _lose(self, worker: _Worker) -> Any:
        """Give up the job of a worker that has vanished; returns what Dask carries of it, to be cancelled."""
        job, carried = worker.job, worker.carried
        worker.job = worker.carried = None
        if job is not None:
            lost = WorkerLostError(f"the worker at {worker.address} died")
            if job.prepares:
                self._died_in_preparation(job, lost)
            else:
                job.future.set_exception(lost)
        return carried

    def _end_without_workers(self) -> None:
        if self._workers:
            self._empty_since = None
            return
        self._empty_since = self._empty_since or time.monotonic()
        if time.monotonic() - self._empty_since > WITHOUT_WORKERS:
            self._give_up(
                f"the Dask cluster at {self._connection.address} has had no workers for {WITHOUT_WORKERS:.0f} s"
            )


class _ValueLostError(WorkerLostError):
    """The workers that had a shared value have vanished, and jobs on others cannot get it."""


def _result(worker: _Worker, carried: Any) -> Any:
    """A job's result, as Dask has brought it back."""
    from distributed import KilledWorker

    try:
        if carried.status == "finished":
            return carried.result()
        if carried.status != "error":
            raise _ValueLostError("the shared value was lost")
        error = carried.exception()
    # The worker vanished with its result, or the scheduler with the job.
    except (CancelledError, OSError) as vanished:
        raise WorkerLostError(f"the worker at {worker.address} cannot be reached any more") from vanished
    if isinstance(error, KilledWorker):
        raise WorkerLostError(f"the worker at {worker.address} died")
    raise error


DASK = Engine("dask", "a Dask cluster, of this machine or at an address", DaskCluster, schemes=("tcp", "tls"))
