"""Run the parts that are named, or all; see the package."""

import argparse
import os
import platform
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import service
from benchmarks.service import clients, drain, pages, server

PARTS = ("load", "dashboards", "drain", "memory")
PATIENCE = 300.0
"""Seconds without the end of an experiment after which those that are left count as not run."""

POLLING = 10
"""Clients that poll while memory is measured."""


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=service.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    parser.add_argument("--db", choices=("sqlite", "postgresql"), default="sqlite", help="a database of its own")
    parser.add_argument("--experiments", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=20, help="requests of each client")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between them, in the mean")
    parser.add_argument("--dashboards", type=int, default=50)
    parser.add_argument("--queued", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=30.0)
    given = parser.parse_args(words)
    parts, console, found = given.parts or PARTS, Console(), Counter[str]()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'cooldown.db'}"
        if given.db == "postgresql":
            from tests.postgresql_server import Server

            database = Server()
            stack.callback(database.close)
            url = database.url(database.create())
        server.fill(url, given.experiments)
        console.print(f"{given.db}, {given.experiments:,} experiments. {_machine()}")
        if "drain" in parts:
            drained = drain.drain(url, given.queued)
            found["out of turn"] = drained.faults
            console.print(
                f"{given.queued:,} queued: {1000 * drained.seconds:.1f} ms of processor time to take and end one"
            )
        if {*parts} - {"drain"}:
            run = stack.enter_context(server.running(url, folder, max(given.clients + 1, POLLING)))
            if "load" in parts:
                found += _load(console, run, given)
            if "dashboards" in parts:
                _dashboards(console, run, given.dashboards)
            if "memory" in parts:
                _memory(console, run, given.minutes)
    wrong = {fault: count for fault, count in found.items() if count}
    console.print(f"Faults: {wrong or 'none'}")
    return 1 if wrong else 0


def _load(console: Console, run: server.Running, given: argparse.Namespace) -> Counter[str]:
    # The first submission loads what checks it.
    with closing(clients.Client(run, given.clients)) as first:
        first.rounds(5, 0.1, threading.Barrier(1))
    used, began = run.seconds(), time.monotonic()
    asked = clients.at_once(run, given.clients, given.rounds, given.pause)
    used, took = run.seconds() - used, time.monotonic() - began
    times = {kind: [s for each in asked for s in each.seconds[kind]] for kind in ("submit", "cancel", *clients.READS)}
    times["all reads"] = [s for kind in clients.READS for s in times[kind]]
    table = Table("Request", "number", "median ms", "95 % within ms", title=f"{given.clients} clients, {took:.0f} s")
    for kind, seconds in times.items():
        if seconds:
            table.add_row(kind, f"{len(seconds):,}", *(f"{1000 * np.quantile(seconds, q):.0f}" for q in (0.5, 0.95)))
    console.print(table)
    count = sum(len(seconds) for kind, seconds in times.items() if kind != "all reads")
    console.print(f"{1000 * used / count:.1f} ms of the server's processor time for a request. {_machine()}")
    found = clients.faults(run, asked, PATIENCE)
    accepted = sum(len(each.accepted) for each in asked)
    cancelled = {name for each in asked for name in each.cancelled}
    running = sum(run.started[name] > 0 for name in cancelled)
    console.print(
        f"{accepted} experiments accepted; {len(cancelled)} cancelled, {running} of them while they were running"
    )
    return found


def _dashboards(console: Console, run: server.Running, count: int) -> None:
    before = run.memory()
    with pages.opened(run, count) as seconds, closing(clients.Client(run, 0)) as reader:
        for _ in range(20):
            reader.poll()
            time.sleep(0.1)
        reads = [s for each in reader.seconds.values() for s in each]
        console.print(
            f"{count} dashboards at once: open after {np.median(seconds):.1f} s, the last after {max(seconds):.1f} s; "
            f"reads beside them {1000 * np.median(reads):.0f} ms in the median; the server's memory {before:.0f} MB "
            f"before, {run.memory():.0f} MB with them. {_machine()}"
        )


def _memory(console: Console, run: server.Running, minutes: float) -> None:
    polling, sizes = [clients.Client(run, number) for number in range(POLLING)], list[float]()
    end, requests = time.monotonic() + 60 * minutes, 0
    while time.monotonic() < end or not sizes:
        for client in polling:
            client.poll()
            requests += 1
        sizes.append(run.memory())
        time.sleep(0.5)
    for client in polling:
        client.close()
    tenth = max(len(sizes) // 10, 1)
    console.print(
        f"Memory over {minutes:g} minutes and {requests:,} requests: {np.mean(sizes[:tenth]):.0f} MB at first, "
        f"{max(sizes):.0f} MB at most, {np.mean(sizes[-tenth:]):.0f} MB at the end. {_machine()}"
    )


def _machine() -> str:
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    return f"Machine: {os.cpu_count()} cores, {platform.machine()}; load {load}."


if __name__ == "__main__":
    sys.exit(main())
