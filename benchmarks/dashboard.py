"""Response times of the dashboard in a real browser, with a ledger of 100 experiments and 100,000 trials.

First content: from opening the address to the page's heading and its table or first chart, on a browser's first visit
and later. Page change: from a click in the menu to the same. The targets, for later visits, are 0.6 s, and 0.4 s with
0.8 s at most. The load of the machine is printed: both times grow with it. Memory: that of the server while a page
follows a running experiment; it should stay constant.

    python -m benchmarks.dashboard [--rounds 5] [--minutes 0]
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Page
from rich.console import Console
from rich.table import Table

from cooldown import compare
from cooldown.storage import Ledger
from tests.browser import chromium, opened, served

COPIES = 100
PAGES = {
    "All tasks": "canvas",
    "Answer": ".js-plotly-plot",
    "Learning curves": ".js-plotly-plot",
    "Search": ".js-plotly-plot",
    "Budget": ".js-plotly-plot",
    "Export": "code",
    "Schedules": ".js-plotly-plot",
    "Experiments": "tbody",
}


def make_ledger(path: Path) -> None:
    """100 experiments of 1,000 trials: one that is run, and copies of it."""
    compare("iris", db=f"sqlite:///{path}", name="experiment 0", trials=40, repeats=5, workers=2)
    with closing(sqlite3.connect(path)) as connection:
        for copy in range(1, COPIES):
            _copy(connection, copy)
        connection.commit()


def _copy(connection: sqlite3.Connection, copy: int) -> None:
    """A copy of the first experiment's rows in our tables, with numbers of their own."""
    shift = {"cooldown_experiments": "id", "cooldown_studies": "id, experiment_id", "cooldown_trials": "id, study_id"}
    shift["cooldown_curves"] = "id, trial_id"
    for table, shifted in shift.items():
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        keys = shifted.split(", ")
        # The ids of each copy are shifted by a million times its number.
        values = [f"{column} + {copy * 1_000_000}" if column in keys else column for column in columns]
        if table == "cooldown_experiments":
            values[columns.index("name")] = f"'experiment {copy}'"
            values[columns.index("created_at")] = f"created_at + {copy}"
        connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} WHERE id < 1000000"
        )


def seconds(action: Callable[[], object]) -> float:
    """How long an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=0.0, help="of following an experiment")
    arguments = parser.parse_args()
    console, table = Console(), Table("What", "median s", "longest s")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        with console.status("Making a ledger of 100,000 trials …"):
            make_ledger(path)
        url = f"sqlite:///{path}"
        with served(url) as address:
            times = []
            for _ in range(arguments.rounds):
                with chromium() as browser, opened(browser) as page:
                    times.append(seconds(partial(_first, page, address)))
            _add(table, "first content: Experiments, first visit", times)
            with chromium() as browser, opened(browser) as page:
                _first(page, address)
                times = [seconds(partial(_first, page, address)) for _ in range(arguments.rounds)]
                _add(table, "first content: Experiments, later", times)
                page.wait_for_timeout(15_000)
                for name in PAGES:
                    times = []
                    for _ in range(arguments.rounds):
                        times.append(seconds(partial(_change, page, name)))
                        page.wait_for_timeout(500)
                        _change(page, "Export" if name != "Export" else "Schedules")
                        page.wait_for_timeout(500)
                    _add(table, f"page change: {name}", times)
                console.print(table)
                load, cores = psutil.getloadavg()[0], psutil.cpu_count()
                console.print(f"Load of the last minute: {load:.1f} on {cores} cores, this benchmark's own included.")
                if arguments.minutes:
                    _follow(console, url, address, page, arguments.minutes)


def _add(table: Table, what: str, times: list[float]) -> None:
    table.add_row(what, f"{np.median(times):.2f}", f"{max(times):.2f}")


def _first(page: Page, address: str) -> None:
    page.goto(address)
    _shown(page, "Experiments")


def _change(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    _shown(page, name)


def _shown(page: Page, name: str) -> None:
    page.get_by_role("heading", name=name, level=1).wait_for()
    page.locator(PAGES[name]).first.wait_for()


def _follow(console: Console, url: str, address: str, page: Page, minutes: float) -> None:
    """Print the server's memory while a page is updated every two seconds, for an experiment that does not grow."""
    port = address.rpartition(":")[2]
    commands = ((process, " ".join(process.info["cmdline"] or [])) for process in psutil.process_iter(["cmdline"]))
    server = next(
        process for process, command in commands if "-m cooldown.dashboard run" in command and port in command
    )
    # An experiment whose lease is held counts as running.
    with Ledger(url).hold("experiment 0"):
        page.goto(f"{address}/verdict?experiment=experiment+0")
        end, sizes = time.monotonic() + 60 * minutes, []
        while time.monotonic() < end:
            page.wait_for_timeout(10_000)
            sizes.append(server.memory_info().rss / 2**20)
    tenth = max(len(sizes) // 10, 1)
    console.print(
        f"Memory over {minutes:g} minutes: {np.mean(sizes[:tenth]):.0f} MB at first, {max(sizes):.0f} MB at most, "
        f"{np.mean(sizes[-tenth:]):.0f} MB at the end."
    )


if __name__ == "__main__":
    sys.exit(main())
