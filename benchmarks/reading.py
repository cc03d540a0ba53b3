"""Time to read a large experiment: `cooldown show --json` and `cooldown report` of 2,400 trials.

Five arms, five repeats, 96 trials each, on iris. Whole commands are timed, from the shell to the last byte, in turns:
by the clock, and in processor time, which other work on the machine changes less. The targets: 1.5 s for `show --json`,
4 s for `report`, 0.2 s for `import cooldown`, 1 s for `--help`, `list` and `catalog`.

    python -m benchmarks.reading [--rounds 5]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from cooldown import compare
from cooldown.storage import Ledger

CLI = ["-m", "cooldown"]
COMMANDS = {
    "import cooldown": ["-c", "import cooldown"],
    "--help": [*CLI, "--help"],
    "list": [*CLI, "list"],
    "catalog": [*CLI, "catalog"],
    "show": [*CLI, "show", "large"],
    "show --json": [*CLI, "show", "large", "--json"],
    "report": [*CLI, "report", "large", "-o", "-"],
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    console, table = Console(), Table("Command", "median s", "longest s", "processor s")
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        with console.status("Making an experiment of 2,400 trials …"):
            compare("iris", db=url, name="large", trials=96, repeats=5, epochs=10, confirm_seeds=5, workers=2)
        table.title = f"{Ledger(url).summary('large').trials:,} trials"
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
        for _ in range(arguments.rounds):
            for name, words in COMMANDS.items():
                times[name].append(_seconds([sys.executable, *words], url))
        for name, rounds in times.items():
            clock, processor = zip(*rounds, strict=True)
            table.add_row(name, f"{np.median(clock):.2f}", f"{max(clock):.2f}", f"{np.median(processor):.2f}")
    console.print(table)


def _seconds(command: list[str], url: str) -> tuple[float, float]:
    """By the clock and of the processor."""
    began, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "COOLDOWN_DB": url})
    after = os.times()
    used = after.children_user - before.children_user + after.children_system - before.children_system
    return time.perf_counter() - began, used


if __name__ == "__main__":
    sys.exit(main())
