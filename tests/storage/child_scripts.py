"""Scripts that a test runs in a process of its own."""

import subprocess
import sys

from ledger_examples import child_environment
from patience import PATIENCE


def run_child(script: str, *arguments: str) -> str:
    """The script's output; its stderr is shown where it fails."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        env=child_environment(),
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
