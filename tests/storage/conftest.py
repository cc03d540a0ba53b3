"""A fresh ledger for each test, copied from one that is made once."""

import shutil
from pathlib import Path

import pytest

from cooldown.storage import Ledger


@pytest.fixture(scope="session")
def _empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "empty.sqlite"
    Ledger(f"sqlite:///{path}")
    return path


@pytest.fixture
def path(_empty_ledger: Path, tmp_path: Path) -> Path:
    """The file of an empty ledger."""
    return Path(shutil.copy(_empty_ledger, tmp_path / "cooldown.sqlite"))


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty ledger: a SQLite file, or in tests that are marked so a PostgreSQL database too."""
    if getattr(request, "param", "sqlite") == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{request.getfixturevalue('path')}"


@pytest.fixture
def ledger(url: str) -> Ledger:
    """An empty ledger."""
    return Ledger(url)
