"""Time to read a large experiment: `cooldown show --json` and `cooldown report` of 2,400 trials.

Five arms, five repeats, 96 trials each, on iris. Whole commands are timed, in turns.
The targets: 1.5 s for `show --json` and 4 s for `report`.

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

COMMANDS = {
    "--help": ["--help"],
    "list": ["list"],
    "show": ["show", "large"],
    "show --json": ["show", "large", "--json"],
    "report": ["report", "large", "-o", "-"],
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    console, table = Console(), Table("Command", "median s", "longest s")
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        with console.status("Making an experiment of 2,400 trials …"):
            compare("iris", db=url, name="large", trials=96, epochs=10, confirm_seeds=5, workers=2)
        times: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(arguments.rounds):
            for name, words in COMMANDS.items():
                times[name].append(_seconds([sys.executable, "-m", "cooldown.search.cli", *words], url))
        for name, seconds in times.items():
            table.add_row(name, f"{np.median(seconds):.2f}", f"{max(seconds):.2f}")
    console.print(table)


def _seconds(command: list[str], url: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "COOLDOWN_DB": url})
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
