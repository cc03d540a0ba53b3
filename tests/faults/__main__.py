"""`python -m tests.faults [NAME ...]` plants one fault after the other in a copy of the tree, and runs tests on it.

Each must be seen: the exit code is 1 where a fault passes. NAME: a part of a fault's name. `--whole` runs all of
`make test`'s tests on each, and not only those that should see it.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.faults.planted import FAULTS, Fault

ROOT = Path(__file__).parents[2]
LEFT_OUT = (".git", ".venv", "*_cache", ".hypothesis", "__pycache__", "*.db", "dist", "build")


def main(arguments: list[str]) -> int:
    """How many faults no test saw."""
    whole, names = "--whole" in arguments, [argument for argument in arguments if argument != "--whole"]
    chosen = [fault for fault in FAULTS if not names or any(name in fault.name for name in names)]
    passed = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
        for fault in chosen:
            seen = seen_by(fault, tree, ("tests",) if whole else fault.tests)
            print(f"{fault.name}: {seen or 'SEEN BY NO TEST'}", flush=True)  # noqa: T201
            passed += seen is None
    return passed


def seen_by(fault: Fault, tree: Path, tests: tuple[str, ...]) -> str | None:
    """The first test that fails on the fault, and on nothing else."""
    before = (tree / fault.file).read_bytes()
    fault.plant(tree)
    failed = first_failure(tree, *tests)
    (tree / fault.file).write_bytes(before)
    if failed and first_failure(tree, failed):
        raise RuntimeError(f"{failed} fails without a fault, too")
    return failed


def first_failure(tree: Path, *tests: str) -> str | None:
    """The first of the tests that fails; RuntimeError where pytest did not run them."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        command, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, capture_output=True, text=True
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout + done.stderr)
    failed = re.search(r"^(?:FAILED|ERROR) (\S+\[.*\]|\S+)(?: - |$)", done.stdout, re.M)
    return failed[1] if failed else None


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
