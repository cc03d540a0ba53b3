"""Fixtures of the tests of the service."""

from pathlib import Path

import pytest
from served import Served, served, with_experiments


@pytest.fixture
def empty(tmp_path: Path) -> Served:
    """A service whose ledger has no experiments."""
    return served(tmp_path)


@pytest.fixture(scope="package")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A service with an experiment that is done and one that has begun; its tests only read."""
    return with_experiments(served(tmp_path_factory.mktemp("shown")))


@pytest.fixture(autouse=True)
def _no_ledger_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COOLDOWN_DB", "COOLDOWN_SERVER", "COOLDOWN_TOKEN"):
        monkeypatch.delenv(name, raising=False)
