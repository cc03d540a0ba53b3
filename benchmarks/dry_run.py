"""Accuracy of `compare --dry-run`, which should be within a factor of 1.5: estimates and the runs themselves.

Each case is estimated, then run in its own ledger, with the same number of workers on the same machine. Times are those
of `dry_run` and `compare`, without imports.

    python -m benchmarks.dry_run [--rounds 3]
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from cooldown import compare
from cooldown.search.experiments.service import dry_run

CASES: dict[str, dict[str, Any]] = {
    "digits": {"task": "digits"},
    "digits, 12 trials, 2 repeats, 64,32": {"task": "digits", "trials": 12, "repeats": 2, "hidden": (64, 32)},
    "digits, 100 epochs, 1 repeat": {"task": "digits", "epochs": 100, "repeats": 1},
    "wine": {"task": "wine"},
    "breast_cancer, 60 trials, 2 arms": {"task": "breast_cancer", "trials": 60, "arms": ("momentum+cosine", "adam")},
    "diabetes, dropout, 3 repeats": {"task": "diabetes", "ranges": {"strategy.dropout": 0.2}, "repeats": 3},
    "digits, one worker": {"task": "digits", "repeats": 2, "workers": 1},
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    table = Table("Case", "Estimation, s", "Estimated, s", "Measured, s", "Estimated / measured", "Range over rounds")
    console = Console()
    with console.status("") as status:
        for case, settings in CASES.items():
            rows = []
            for turn in range(rounds):
                status.update(f"{case}, round {turn + 1}")
                with tempfile.TemporaryDirectory() as folder:
                    estimate = dry_run(**settings)
                    began = time.perf_counter()
                    compare(**settings, db=f"sqlite:///{Path(folder) / 'ledger.db'}")
                    rows.append((estimate.calibration_seconds, estimate.seconds, time.perf_counter() - began))
            took, estimated, actual = np.median(rows, axis=0)
            ratios = [row[1] / row[2] for row in rows]
            spread = f"{min(ratios):.2f} … {max(ratios):.2f}"
            table.add_row(case, f"{took:.1f}", f"{estimated:.1f}", f"{actual:.1f}", f"{np.median(ratios):.2f}", spread)
    console.print(table)


if __name__ == "__main__":
    main()
