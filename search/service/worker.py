"""A worker: it takes experiments from the queue of a ledger, one after another, and runs them as `compare` does.

Each of its places is a thread that runs one experiment at a time, with an executor of its own. An experiment that fails
has a reason in the ledger, and the queue goes on.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from os import PathLike

from cooldown.objectives.errors import InputError
from cooldown.objectives.trust import reading
from cooldown.search.evidence.numbers import duration
from cooldown.search.executors.opening import check_executor, default_workers, open_executor
from cooldown.search.experiments.resuming import recorded_splits
from cooldown.search.experiments.running import Report, Runs, worker_count
from cooldown.search.spec.recorded import spec_of_record
from cooldown.search.tuning.held import RunError, UnfitMachineError, run_errors
from cooldown.storage import Ledger, LedgerError, Queue, Status
from cooldown.storage.address import database_url
from cooldown.storage.writer import Writer

POLL, POLL_AGAIN = 1.0, 10.0
"""Seconds between two looks at an empty queue, and at one that could not be read."""

Say = Callable[[str], None]


class Worker:
    """A worker of the ledger `db`, which is created if need be.

    executor, workers: as in `compare`; the workers of its experiments together. experiments: how many it runs at once.
    exit_when_idle: whether it ends when nothing waits that it can run. trust: import modules that the ledger names.
    say: told what happens, in a sentence. report: makes a report function for each experiment.

    Raises InputError for an executor that there is not, and for a database that is no ledger.
    """

    def __init__(
        self,
        db: str | PathLike[str] | None = None,
        *,
        executor: str | None = None,
        workers: int | None = None,
        experiments: int = 1,
        exit_when_idle: bool = False,
        trust: bool = False,
        say: Say = lambda _: None,
        report: Callable[[], Report] = lambda: lambda _: None,
    ) -> None:
        check_executor(executor, workers)
        if executor == "inline" and experiments > 1:
            raise InputError(f"experiments {experiments}: the inline executor does one job at a time; use local")
        self._ledger = Ledger(database_url(db))
        self._queue, self.where = Queue(self._ledger), self._ledger.where
        # Several in one process would wait for each other.
        self._executor = executor or ("local" if experiments > 1 else None)
        self._workers, self._experiments = workers, experiments
        self._exit_when_idle, self._trust = exit_when_idle, trust
        self._say, self._report = say, report
        self._draining = threading.Event()
        self._left_alone: set[int] = set()

    def drain(self) -> None:
        """Have it end: what is in flight is finished, and its experiments are back in the queue. May be called at any
        time, also by a handler of a signal.
        """
        self._draining.set()

    def work(self) -> None:
        """Run what waits, until it is drained, or idle if it is to end then. Raises LedgerError where the ledger cannot
        be used, if it is to end when idle.
        """
        with ThreadPoolExecutor(self._experiments, thread_name_prefix="experiment") as places:
            for place in as_completed([places.submit(self._work) for _ in range(self._experiments)]):
                if place.exception() is not None:
                    # The others finish what is in flight.
                    self.drain()
                place.result()

    def _work(self) -> None:
        """Take one experiment after another. In a thread of its own no module is trusted but by what is said here."""
        with reading(self._trust):
            while not self._draining.is_set():
                pause = POLL
                try:
                    if self._run_next():
                        continue
                except LedgerError as error:
                    # Of the queue itself: its server may be back before long.
                    if self._exit_when_idle:
                        raise
                    self._say(f"The queue cannot be read: {error}")
                    pause = POLL_AGAIN
                if self._exit_when_idle:
                    return
                self._draining.wait(pause)

    def _run_next(self) -> bool:
        """Run the experiment that is next in the queue; False if there is none."""
        name, began = "", time.monotonic()
        try:
            with self._queue.claimed(self._left_alone) as writer:
                if writer is None:
                    return False
                name, writer.draining = writer.lease.name, self._draining
                self._say(f"{name}: started.")
                try:
                    with run_errors():
                        self._run(writer)
                except UnfitMachineError:
                    self._left_alone.add(writer.lease.id)
                    raise
                except SystemExit as error:
                    raise RunError(f"its code has called sys.exit({error.code!r})") from error
        except UnfitMachineError as error:
            self._say(f"{name}: left to another machine: {error}")
            return True
        except Exception as error:
            if not name:
                raise
            self._say(f"{name}: failed: {error}")
            return True
        ended = writer.outcome.status if writer.outcome else Status.QUEUED
        words = "back in the queue" if ended is Status.QUEUED else ended.value
        self._say(f"{name}: {words} after {duration(time.monotonic() - began)}.")
        return True

    def _run(self, writer: Writer) -> None:
        """Run a held experiment to its end."""
        record = self._ledger.load(writer.lease.name)
        spec = spec_of_record(record)
        splits = recorded_splits(record, spec, spec)
        # It knows what training allocates.
        from cooldown.search.tuning.size import check_size

        count = worker_count(spec, self._share())
        check_size(spec, splits, count)
        with open_executor(self._executor, count) as executor:
            runs = Runs(self._ledger, writer, splits, executor, self._report())
            runs.to_end(record, spec, plan=record.queue.follows_plan)

    def _share(self) -> int:
        """The workers of one of its experiments."""
        return max((self._workers or default_workers()) // self._experiments, 1)
