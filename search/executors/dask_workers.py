"""Dask workers on this machine, for a cluster of the coordinator's own: one process each, one thread each.

They are processes of our own rather than Dask's nannies, so that they start without running the caller's main module,
and end when the coordinator ends, even if it is killed.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from cooldown.search.executors.worker_process import ONE_THREAD, start_worker, without_signals


class DaskWorkers:
    """`count` worker processes of the scheduler at `address`; those that die are replaced by `replace_dead`."""

    def __init__(self, count: int, address: str, folder: Path) -> None:
        self._address, self._folder = address, folder
        self._processes = [self._started() for _ in range(count)]

    def _started(self) -> "subprocess.Popen[bytes]":
        coordinator = str(os.getpid()), repr(psutil.Process().create_time())
        # Modules of the user's own are found where the coordinator finds them.
        found = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        quiet = {"DASK_LOGGING__DISTRIBUTED": "CRITICAL"}
        with without_signals():
            return subprocess.Popen(
                [sys.executable, "-m", __name__, self._address, *coordinator, str(self._folder)],
                env=os.environ | ONE_THREAD | found | quiet,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def replace_dead(self) -> None:
        """Start a process for each that has ended."""
        for place, process in enumerate(self._processes):
            if process.poll() is not None:
                self._processes[place] = self._started()

    def close(self) -> None:
        """Kill them."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()


async def serve(address: str, folder: str) -> None:
    """Be a worker of the scheduler at `address` until it ends."""
    from distributed import Worker

    options: dict[str, Any] = {"nthreads": 1, "memory_limit": 0, "local_directory": folder, "dashboard": False}
    async with Worker(address, host="127.0.0.1", **options) as worker:
        await worker.finished()


if __name__ == "__main__":
    scheduler, process_id, process_start, data_folder = sys.argv[1:]
    start_worker(int(process_id), float(process_start), Path(data_folder))
    asyncio.run(serve(scheduler, data_folder))
    # The scheduler has ended, and with it the coordinator, which did so before it could remove this.
    shutil.rmtree(data_folder, ignore_errors=True)
