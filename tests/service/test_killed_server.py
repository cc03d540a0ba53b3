"""kill -9 of a server at every write: nothing is lost, nothing is there twice, and keys hold across the restart."""

import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE
from search_runs import surroundings

pytestmark = [pytest.mark.databases, pytest.mark.processes]

FOLDERS = [str(Path(__file__).parents[1] / name) for name in (".", "search", "service")]


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty ledger: a SQLite file, or a PostgreSQL database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path}/cooldown.db"


def test_nothing_is_lost_and_nothing_is_there_twice(url: str, tmp_path: Path) -> None:
    # On a server, two of the requests: what differs there is the transaction.
    requests = ["all"] if url.startswith("sqlite") else []
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("killed_server.py"), url, f"sqlite:///{tmp_path}/calm.db", *requests],
        env=surroundings({"PYTHONPATH": ":".join([*FOLDERS, *sys.path]), "PYTHONHASHSEED": "0"}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > (12 if requests else 3)
