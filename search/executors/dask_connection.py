"""The connection to a Dask scheduler: an existing one, or one of the coordinator's own with workers on this machine."""

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cooldown.objectives.errors import InputError
from cooldown.search.executors.dask_workers import DaskWorkers

CONNECT = 20.0
"""Seconds in which a scheduler should answer, and its first worker appear."""

START = 300.0
"""Seconds in which the first worker of one's own should start, on a machine that is busy."""


SCHEDULER = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""A free port for what remains of Dask's dashboard: by default the second scheduler of a machine finds it taken."""


class Connection:
    """A client of the scheduler at an address; None for one in this process, with `count` workers on this machine,
    whose files are in `folder`.

    Raises InputError if Dask is not installed, and for a scheduler that does not answer or has no workers.
    """

    def __init__(self, address: str | None, count: int, folder: Path) -> None:
        try:
            from distributed import Client, LocalCluster
            from distributed.utils import silence_logging_cmgr
        except ImportError:
            raise InputError(
                "executor dask: Dask is not installed; install it with `pip install 'cooldown[distributed]'`"
            ) from None
        self._own: DaskWorkers | None = None
        with ExitStack() as stack:
            # What it would say on stderr of a lost connection is said by the executor.
            stack.enter_context(silence_logging_cmgr(logging.CRITICAL))
            if address is None:
                cluster = stack.enter_context(
                    LocalCluster(n_workers=0, scheduler_kwargs=SCHEDULER, host="127.0.0.1", silence_logs=False)
                )
                address = str(cluster.scheduler_address)
                self._own = DaskWorkers(count, address, folder)
                stack.callback(self._own.close)
            self.address = address
            try:
                self.client: Any = stack.enter_context(Client(address, timeout=CONNECT, set_as_default=False))
            except (OSError, TimeoutError, ValueError) as error:
                reason = str(error).partition("\n")[0]
                raise InputError(
                    f"the Dask scheduler at {address} cannot be reached within {CONNECT:.0f} s ({reason})"
                ) from error
            try:
                self.client.wait_for_workers(1, timeout=START if self._own else CONNECT)
            except TimeoutError:
                raise InputError(
                    f"the Dask scheduler at {address} has no workers; start one on each core with "
                    f"`dask worker {address} --nthreads 1`"
                ) from None
            self._stack = stack.pop_all()

    @property
    def is_own(self) -> bool:
        """Whether the workers are on this machine, and see its files."""
        return self._own is not None

    @property
    def is_lost(self) -> bool:
        """Whether the scheduler has gone."""
        return bool(self.client.status != "running")

    def workers(self) -> list[str] | None:
        """The addresses of the workers at present; None if the scheduler is lost. Dead ones of our own are replaced."""
        if self.is_lost:
            return None
        if self._own:
            self._own.replace_dead()
        try:
            return list(self.client.sync(self.client.scheduler.identity, n_workers=-1)["workers"])
        except (OSError, AttributeError):
            # Lost in the middle of the question.
            return None

    def close(self) -> None:
        """Disconnect, and end what was started here."""
        self._stack.close()
