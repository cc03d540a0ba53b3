"""What is imported before the first job of an experiment: nothing that only later ones need."""

import subprocess
import sys

import pytest

LATER = ("sklearn", "pandas", "scipy.stats", "alembic")
"""Modules that take up to a second to import."""

WORKER = """
from cooldown.objectives import tasks
from cooldown.search.executors.engines.local import start_worker
from cooldown.search.executors.jobs import train_replicates
from cooldown.search.spec.experiment import read_spec
from cooldown.search.spec.space import search_space
from cooldown.search.tuning.splits import Splits
from cooldown.storage import Purpose

spec = read_spec(task="digits", arms=("adam",), epochs=1)
splits = Splits(tasks.get("digits"), spec)
arm = spec.parsed_arms[0]
config = search_space(spec, arm, splits.updates_per_epoch(arm)).default
train_replicates(splits, Purpose.SEARCH, 0, [config], splits.seeds(Purpose.SEARCH, 0))
"""

COORDINATOR = """
from cooldown import compare
from cooldown.search.executors.engines.inline import Inline
from cooldown.search.executors.jobs import train_replicates

class Begun(Exception):
    pass

def submitted(self, call, packed, *arguments):
    if call is train_replicates:
        raise Begun
    return submit(self, call, packed, *arguments)

submit, Inline.submit = Inline.submit, submitted
try:
    compare("digits", arms=["adam", "momentum"], epochs=1, workers=1, db="ledger.db")
except Begun:
    pass
"""


@pytest.mark.processes
def test_what_later_jobs_need_is_imported_later(tmp_path: object) -> None:
    """In one process, a worker first: what it has not imported is still missing when the coordinator begins."""
    program = "import sys\n"
    for part, unneeded in ((WORKER, (*LATER, "sqlalchemy", "optuna")), (COORDINATOR, LATER)):
        program += f"{part}\nprint([name for name in {unneeded!r} if name in sys.modules])\n"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=str(tmp_path)
    )
    assert run.stdout == "[]\n[]\n", run.stderr
