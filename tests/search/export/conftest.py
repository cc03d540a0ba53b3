"""One small experiment on iris, from which all formats are written.

Outside CI, where the parity extra is not installed, what needs its libraries is left out.
"""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from saved_programs import M, N, houses, new, read_as, rich
from search_runs import run_in_threads, spec

from cooldown.storage import ExperimentRecord

NEEDED = {
    "torch": ["test_torch.py", "test_data.py", "test_own_test_rows.py"],
    "optax": ["test_optax.py"],
    "keras": ["test_keras.py"],
}
IN_CI = os.environ.get("CI") == "true"
collect_ignore = [file for name, files in NEEDED.items() if not IN_CI and find_spec(name) is None for file in files]


@pytest.fixture(autouse=True)
def keras_on_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras's default back end is one that we do not install."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")


@pytest.fixture(scope="session")
def iris_record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    path = tmp_path_factory.mktemp("export") / "ledger.db"
    return run_in_threads(f"sqlite:///{path}", spec(), name="iris")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], tuple[ExperimentRecord, Path]]:
    """A record of an experiment on a table, by its name and its target, and the folder of the table and of new rows."""
    folder = tmp_path_factory.mktemp("tables")
    records: dict[tuple[str, str], ExperimentRecord] = {}
    for make in (houses, rich):
        make(N, 0).to_csv(folder / f"{make.__name__}.csv", index=False, sep=";")
        new(make(M, 1)).to_csv(folder / f"new_{make.__name__}.csv", index=False, sep=";")

    def record(name: str, target: str) -> tuple[ExperimentRecord, Path]:
        if (name, target) not in records:
            ledger = f"sqlite:///{folder / f'{name}_{target}.db'}"
            given: dict[str, Any] = spec(task=str(folder / f"{name}.csv"), target=target, **read_as(name, target))
            records[name, target] = run_in_threads(ledger, given, name=name)
        return records[name, target], folder

    return record
