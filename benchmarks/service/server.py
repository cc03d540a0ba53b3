"""A server and two workers, processes of their own, on a ledger that has been in use."""

import os
import re
import secrets
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from cooldown.search.spec.experiment import read_spec
from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger

SPEC: dict[str, Any] = {
    "task": "iris",
    "arms": ["momentum", "adam"],
    "trials": 2,
    "repeats": 1,
    "epochs": 1,
    "seeds": 1,
    "finalists": 1,
    "finalist_seeds": 1,
    "confirm_seeds": 2,
    "generation": 2,
}
"""An experiment that takes a worker a moment."""

LONG: dict[str, Any] = {**SPEC, "trials": 20_000, "priority": 1}
"""One that takes minutes, and is taken first: it is cancelled before its end."""

OLD_SEEDS = 10**6
"""Seeds of the experiments that are there before, from here on: nobody submits the same ones."""

STARTED = re.compile(r"^(\S+): started\.")


@dataclass
class Running:
    """What was started. tokens: one for each client. started: how often workers have begun each experiment."""

    url: str
    port: int
    server: psutil.Process
    tokens: Sequence[str]
    started: Counter[str] = field(default_factory=Counter)

    def memory(self) -> float:
        """Megabytes of the server."""
        return float(self.server.memory_info().rss) / 2**20

    def seconds(self) -> float:
        """Processor time of the server so far."""
        used = self.server.cpu_times()
        return float(used.user + used.system)


def fill(url: str, experiments: int) -> None:
    """Add experiments that nobody runs."""
    ledger = Ledger(url)
    for number in range(experiments):
        spec = read_spec(**SPEC, seed=OLD_SEEDS + number)
        ledger.create("old", spec.to_json(), f"data {number % 7}", planned(spec), numbered=True)


@contextmanager
def running(url: str, folder: Path, clients: int, workers: int = 2) -> Iterator[Running]:
    """A server with a token for each client, and workers; all of them end with the context."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tokens = [secrets.token_urlsafe(32) for _ in range(clients)]
    file = folder / "tokens"
    file.write_text("".join(f"client-{number} submit {token}\n" for number, token in enumerate(tokens)))
    serve = ["serve", "--no-worker", f"--port={port}", f"--tokens={file}"]
    with ExitStack() as stack:
        server = stack.enter_context(_process(url, serve, "is at http", Counter()))
        # The web server is a process of it.
        (web,) = psutil.Process(server.pid).children()
        run = Running(url, port, web, tokens)
        for _ in range(workers):
            stack.enter_context(_process(url, ["worker", "--workers=1"], "Waiting for experiments", run.started))
        yield run


@contextmanager
def _process(url: str, words: Sequence[str], ready: str, started: Counter[str]) -> "Iterator[subprocess.Popen[str]]":
    """A command of Cooldown's, from its line with `ready` on. started: counts what a worker begins."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cooldown", *words],
        env={**os.environ, "COOLDOWN_DB": url},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    # What it says must not fill the pipe.
    listening = threading.Thread(target=_listen, args=(process.stderr, started), daemon=True)
    try:
        while ready not in (line := process.stderr.readline()):
            if not line:
                raise SystemExit(f"cooldown {words[0]} ended with status {process.wait()}")
        listening.start()
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
        if listening.ident is not None:
            listening.join()
        process.stderr.close()


def _listen(said: Iterable[str], started: Counter[str]) -> None:
    """Count what a worker says that it has begun, to its end."""
    for line in said:
        if named := STARTED.match(line):
            started[named[1]] += 1
