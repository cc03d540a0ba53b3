"""One small experiment on iris, from which all formats are written.

Outside CI, where the parity extra is not installed, what needs its libraries is left out.
"""

import os
from importlib.util import find_spec

import pytest
from search_runs import run_in_threads, spec

from cooldown.storage import ExperimentRecord

NEEDED = {
    "torch": ["test_torch.py", "test_data.py", "test_own_test_rows.py"],
    "optax": ["test_optax.py"],
    "keras": ["test_keras.py"],
}
IN_CI = os.environ.get("CI") == "true"
collect_ignore = [file for name, files in NEEDED.items() if not IN_CI and find_spec(name) is None for file in files]


@pytest.fixture(scope="session")
def iris_record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    path = tmp_path_factory.mktemp("export") / "ledger.db"
    return run_in_threads(f"sqlite:///{path}", spec(), name="iris")
