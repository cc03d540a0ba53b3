"""Kill what runs an experiment, at random moments, and count what went wrong: `python -m benchmarks.chaos --kills 200`.

Tiny experiments on iris are run by the `cooldown` command, and resumed after every kill, until each is done. Killed
with SIGKILL are the coordinator, a worker, the coordinator with all its workers, the PostgreSQL server and the Dask
scheduler. Some kills are in the first seconds, all others after some further trials.

    python -m benchmarks.chaos --kills 200                          a SQLite file in a temporary folder
    python -m benchmarks.chaos --kills 100 --db postgresql          a PostgreSQL server of its own, which is killed too
    python -m benchmarks.chaos --kills 100 --executor cluster       a Dask cluster of its own, whose scheduler is, too
    python -m benchmarks.chaos --kills 100 --db URL --executor …    any database; the executor is passed on

Counted are: trials that were in the ledger and are not there any more (lost); trials that are there twice (doubled);
trials and curves that differ from those of an undisturbed run (wrong); workers that live 10 s after their coordinator
(orphans); experiments that nobody runs, but which are said to be run (stuck leases); findings of `cooldown doctor`,
Optuna's rows included (inconsistencies); runs that ended by themselves before they were done, or made no trial for two
minutes (failed runs). A run whose scheduler is killed ends and is resumed; so does one whose database is killed while
it opens it. All must be 0.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from cooldown.search.experiments.doctor import examine
from cooldown.storage import ExperimentRecord, Ledger, LedgerError, Status
from cooldown.storage.fingerprint import everything, fingerprint

OPTIONS = (
    *("compare", "iris", "--arm", "momentum+sgdr", "--arm", "adam"),
    *("--trials", "12", "--repeats", "2", "--epochs", "2", "--confirm-seeds", "2"),
)
SEEDS = (0, 1, 2)
ORPHANS = 10.0
"""Seconds after which no worker may live without its coordinator."""

EARLY = 0.2
"""The share of kills in the first seconds of a run."""

LONGEST = 120.0
"""Seconds without a further trial after which a run has failed."""

ENDS_WITH = ("database", "scheduler")
"""What a run may end without, saying that it cannot be reached: a scheduler, and a database that it was about to open.
"""

FAULTS = ("lost", "doubled", "wrong", "orphans", "stuck leases", "inconsistencies", "failed runs")

Found = Counter[str]


class Cluster:
    """A Dask scheduler with two workers, which are processes of their own."""

    def __init__(self) -> None:
        self._servers: Any = None
        self.restart()

    def restart(self) -> None:
        """Another scheduler, with workers of its own."""
        from dask_servers import Servers

        self.close()
        self._servers = Servers()
        self.address = self._servers.start(workers=2)

    def kill(self) -> None:
        """Kill the scheduler."""
        self._servers.scheduler.kill()

    def replace_dead(self) -> None:
        """A worker for each that has ended."""
        for _ in range(2 - len(self.workers())):
            self._servers.add_worker(self.address)

    def workers(self) -> list[psutil.Process]:
        """Those that live."""
        return [psutil.Process(each.pid) for each in self._servers.workers if each.poll() is None]

    def close(self) -> None:
        """End all of it."""
        if self._servers is not None:
            self._servers.close()


class Chaos:
    """Experiments one after the other, in one ledger. server, cluster: to be killed too, None where there is none of
    its own.
    """

    def __init__(
        self,
        url: str,
        server: Any,
        cluster: Cluster | None,
        options: list[str],
        references: dict[int, ExperimentRecord],
    ) -> None:
        self._url, self._server, self._cluster = url, server, cluster
        self._options, self._references = options, references
        self._random = random.Random(0)
        self.kills: Counter[str] = Counter()
        self.faults: Found = Counter(dict.fromkeys(FAULTS, 0))
        self.experiments = 0
        self.slowest = 0.0

    def run(self, kills: int, minutes: float, say: Any) -> None:
        """Go on until so many kills were done, or the time is over, and the last experiment is done too."""
        end = time.monotonic() + 60 * minutes
        while self.kills.total() < kills and time.monotonic() < end:
            seed, name = self._random.choice(SEEDS), f"chaos-{self.experiments}"
            seen: set[Any] = set()
            while not self._one_run(name, seed, seen, kills if time.monotonic() < end else 0):
                say(f"{self.kills.total()} kills, {self.experiments} experiments, {self.faults.total()} faults")
            self._compare(name, self._references[seed])
            self.experiments += 1

    def _one_run(self, name: str, seed: int, seen: set[Any], kills: int) -> bool:
        """Start or resume the experiment, and kill something in it, or its database. Returns whether it is done."""
        killed = ""
        with tempfile.TemporaryFile() as errors:
            executor = []
            if self._cluster is not None:
                self._cluster.replace_dead()
                executor = ["--executor", self._cluster.address]
            command = [sys.executable, "-m", "cooldown", *self._options, *executor, "--seed", str(seed), "--name", name]
            process = psutil.Popen(
                [*command, "--quiet"],
                env={**os.environ, "COOLDOWN_DB": self._url},
                stdout=subprocess.DEVNULL,
                stderr=errors,
                process_group=0,
            )
            after = 0 if self._random.random() < EARLY else self._random.randint(1, 24)
            self._wait(process, after)
            time.sleep(self._random.uniform(0, 3.0 if after == 0 else 0.2))
            if process.poll() is None and self.kills.total() < kills:
                killed = self._kill(process, name, seen)
            # A run that lost a worker or its server goes on.
            while process.poll() is None and self._wait(process, 1):
                pass
            if process.poll() is None:
                self.faults["failed runs"] += 1
                os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
            errors.seek(0)
            said = errors.read().decode(errors="replace")
            expected = killed in ENDS_WITH and re.search(r"cannot\s+be\s+reached|was\s+lost", said)
            if code not in (0, -signal.SIGKILL) and not expected:
                self.faults["failed runs"] += 1
                print(said, file=sys.stderr)
        if code != 0:
            self._check(name, seen)
        return bool(code == 0)

    def _kill(self, process: Any, name: str, seen: set[Any]) -> str:
        """Kill something, and say what."""
        workers = _workers(process) if self._cluster is None else self._cluster.workers()
        victims = ["coordinator", "both", *(["worker"] if workers else [])]
        victims += ["database"] if self._server else []
        victims += ["scheduler"] if self._cluster else []
        victim = self._random.choice(victims)
        self._look(name, seen)
        self.kills[victim] += 1
        if victim == "database":
            self._server.kill()
            time.sleep(self._random.uniform(0, 2))
            self._server.start()
            began = time.monotonic()
            self._wait(process, 1)
            self.slowest = max(self.slowest, time.monotonic() - began)
        elif victim == "scheduler":
            self._cluster.kill()
            # A run that has lost it ends.
            with suppress(psutil.TimeoutExpired):
                process.wait(LONGEST)
            self._cluster.restart()
        elif victim == "worker":
            with suppress(psutil.NoSuchProcess):
                self._random.choice(workers).kill()
        else:
            (os.kill if victim == "coordinator" else os.killpg)(process.pid, signal.SIGKILL)
            process.wait()
            if self._cluster is not None:
                if victim == "both":
                    self._cluster.restart()
                return victim
            _, alive = psutil.wait_procs(workers, ORPHANS)
            self.faults["orphans"] += len(alive)
            for orphan in alive:
                orphan.kill()
        return victim

    def _wait(self, process: Any, appends: int) -> bool:
        """Wait until so much was appended to the ledger or the process has ended. Returns whether it did so."""
        end, goal = time.monotonic() + LONGEST, self._appended() + appends
        while process.poll() is None and self._appended() < goal:
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def _appended(self) -> int:
        try:
            return Ledger(self._url, create=False).appended()
        except LedgerError:
            return 0

    def _look(self, name: str, seen: set[Any]) -> None:
        """Remember the trials that are in the ledger."""
        with suppress(LedgerError):
            seen |= _trials(Ledger(self._url, create=False).load(name)).keys()

    def _check(self, name: str, seen: set[Any]) -> None:
        """What must hold of an experiment that nobody runs any more."""
        with suppress(LedgerError):
            # It may have been killed before it had made anything.
            Ledger(self._url, create=False)
            examined = examine(self._url)
            # The lease of a process that was killed is what `cooldown resume` takes.
            self.faults["inconsistencies"] += sum("which has ended" not in each.fault for each in examined.findings)
            names = {summary.name: summary for summary in Ledger(self._url).summaries()}
            if name in names:
                self.faults["stuck leases"] += names[name].status is Status.RUNNING
                self.faults["lost"] += len(seen - _trials(Ledger(self._url).load(name)).keys())
            else:
                self.faults["lost"] += len(seen)

    def _compare(self, name: str, reference: ExperimentRecord) -> None:
        """What must hold of an experiment that is done: it is the undisturbed one."""
        record = Ledger(self._url).load(name)
        self.faults["stuck leases"] += record.status is not Status.DONE
        self.faults["inconsistencies"] += len(examine(self._url).findings)
        found, expected = _trials(record), _trials(reference)
        self.faults["lost"] += len(expected.keys() - found.keys())
        numbers = Counter((key, trial.number) for key, trial in _numbered(record))
        self.faults["doubled"] += sum(numbers.values()) - len(numbers) + len(found.keys() - expected.keys())
        self.faults["wrong"] += sum(found[key] != expected[key] for key in found.keys() & expected.keys())
        if fingerprint(everything(record)) != fingerprint(everything(reference)) and not self.faults.total():
            self.faults["wrong"] += 1


def _numbered(record: ExperimentRecord) -> list[tuple[Any, Any]]:
    return [
        ((study.arm, study.repeat, study.is_default, study.attempt), trial)
        for study in everything(record)
        for trial in study.trials
    ]


def _trials(record: ExperimentRecord) -> dict[Any, Any]:
    """What every trial led to, by its study and number: its loss, and those of all its replicates."""
    return {
        (*key, trial.number): (
            trial.validation_loss,
            sorted((purpose.value, c.seed, c.final_loss) for purpose, curves in trial.curves.items() for c in curves),
        )
        for key, trial in _numbered(record)
    }


def _workers(process: Any) -> list[psutil.Process]:
    """The processes that it has started to train, without those that watch over resources."""
    try:
        started = process.children(recursive=True)
        return [each for each in started if "resource_tracker" not in " ".join(each.cmdline())]
    except psutil.NoSuchProcess:
        return []


def main() -> int:
    """Kill, count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no further experiment after these")
    parser.add_argument("--db", help="the ledger's address, or `postgresql`: a server of its own")
    parser.add_argument("--executor", help="passed on to `cooldown compare`, or `cluster`: a Dask cluster of its own")
    parser.add_argument("--workers", default="2")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        options, workers = [*OPTIONS], ["--workers", arguments.workers]
        references = {}
        for seed in SEEDS:
            calm = str(folder / "calm.db")
            command = [
                sys.executable,
                "-m",
                "cooldown",
                *options,
                *workers,
                "--db",
                calm,
                "--seed",
                str(seed),
                "--json",
            ]
            name = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["name"]
            references[seed] = Ledger(calm).load(name)
        server, cluster, url = None, None, arguments.db or f"sqlite:///{folder / 'chaos.db'}"
        if url == "postgresql":
            from tests.postgresql_server import Server

            server = Server()
            stack.callback(server.close)
            url = server.url(server.create())
        if arguments.executor == "cluster":
            sys.path += ["tests", "tests/search"]
            cluster = Cluster()
            stack.callback(cluster.close)
        else:
            options += [*workers, *(["--executor", arguments.executor] if arguments.executor else [])]
        chaos = Chaos(url, server, cluster, options, references)
        began = time.monotonic()
        with console.status("…") as status:
            chaos.run(arguments.kills, arguments.minutes, status.update)
        minutes = (time.monotonic() - began) / 60
    where = "PostgreSQL" if url.startswith("postgres") else "SQLite"
    table = Table("", "number", title=f"{where}, executor {arguments.executor or 'local'}, {minutes:.0f} min")
    table.add_row("experiments that were run to their end", str(chaos.experiments))
    for victim in ("coordinator", "worker", "both", "database", "scheduler"):
        table.add_row(f"kills: {victim}", str(chaos.kills[victim]))
    for fault in FAULTS:
        table.add_row(fault, str(chaos.faults[fault]))
    if server is not None:
        table.add_row("longest wait for a trial after the server's start, s", f"{chaos.slowest:.1f}")
    Console().print(table)
    return 1 if chaos.faults.total() else 0


if __name__ == "__main__":
    sys.exit(main())
