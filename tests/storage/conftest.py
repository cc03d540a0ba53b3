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
def url(path: Path) -> str:
    """The URL of an empty ledger."""
    return f"sqlite:///{path}"


@pytest.fixture
def ledger(url: str) -> Ledger:
    """An empty ledger."""
    return Ledger(url)
