"""One small experiment on iris, from which all formats are written."""

import pytest
from search_runs import run_in_threads, spec

from storage import ExperimentRecord


@pytest.fixture(scope="session")
def iris_record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    path = tmp_path_factory.mktemp("export") / "ledger.db"
    return run_in_threads(f"sqlite:///{path}", spec(), name="iris")
