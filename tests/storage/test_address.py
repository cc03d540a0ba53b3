"""Which ledger an address means: URLs, paths of files, and what is neither."""

from pathlib import Path

import pytest

from cooldown.storage import LedgerError
from cooldown.storage.address import DEFAULT_URL, database_url, sqlite_path


@pytest.mark.parametrize(
    ("db", "file"),
    [
        ("results.db", "results.db"),
        ("a folder/results", "a folder/results"),
        ("./results", "results"),
        ("/tmp/x%20y#z.db", "/tmp/x%20y#z.db"),
        (Path("results"), "results"),
        ("why?/x.db", "why?/x.db"),
        ("sqlite:///why%3F/x.db", "why?/x.db"),
        (Path("/a/b.db"), "/a/b.db"),
        ("sqlite:///results.db", "results.db"),
        ("sqlite:////a/b.db", "/a/b.db"),
        (r"C:\ledgers\x.db", r"C:\ledgers\x.db"),
    ],
)
def test_a_path_is_an_address(db, file):
    assert sqlite_path(database_url(db)) == Path(file)


def test_the_environment_may_hold_a_path_too(monkeypatch):
    monkeypatch.setenv("COOLDOWN_DB", "mine.db")
    assert sqlite_path(database_url(None)) == Path("mine.db")
    monkeypatch.delenv("COOLDOWN_DB")
    assert database_url(None) == DEFAULT_URL


@pytest.mark.parametrize(
    "db",
    [
        "",
        "nonsense",
        "sqlite:///why?/x.db",
        ":memory:",
        "sqlite:x.db",
        "postgresql://h/x.db",
        "a\0.db",
    ],
)
def test_nothing_else_is_cut_or_guessed(db):
    with pytest.raises(LedgerError, match="is not the address of a ledger: use a SQLite file, such as"):
        sqlite_path(database_url(db))
