"""Dask schedulers and workers for tests: processes of their own, on the loopback interface and free ports."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from distributed import Client
from patience import PATIENCE
from search_runs import wait_until


class Servers:
    """Schedulers and workers, which `close` ends."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cooldown-dask-")
        self._started: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, workers: int = 1) -> str:
        """A scheduler with so many workers, which are there when it returns its address."""
        file = Path(self._folder.name) / f"scheduler {len(self._started)}.json"
        self.scheduler = self._run(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)
        )
        wait_until(lambda: file.exists() and file.read_text().endswith("}"), "the scheduler listens")
        address = str(json.loads(file.read_text())["address"])
        for _ in range(workers):
            self.add_worker(address)
        self.wait_for_workers(address, workers)
        return address

    @staticmethod
    def wait_for_workers(address: str, count: int) -> None:
        """Until so many workers have come to a scheduler."""
        with Client(address, timeout=PATIENCE, set_as_default=False) as client:
            if count:
                client.wait_for_workers(count, timeout=PATIENCE)

    def add_worker(self, address: str, **environment: str) -> "subprocess.Popen[bytes]":
        """One more worker."""
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0")
        where = ("--host", "127.0.0.1", "--local-directory", self._folder.name)
        self.workers.append(self._run("worker", address, *options, *where, **environment))
        return self.workers[-1]

    def processes(self) -> set[psutil.Process]:
        """All that run."""
        return {psutil.Process(each.pid) for each in self._started if each.poll() is None}

    def _run(self, command: str, *arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        found = os.pathsep.join(path for path in sys.path if path)
        self._started.append(
            subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + command, *arguments],
                env={**os.environ, "PYTHONPATH": found, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        return self._started[-1]

    def close(self) -> None:
        for process in self._started:
            process.kill()
        for process in self._started:
            process.wait(PATIENCE)
        self._folder.cleanup()
