"""Which ledger an address means: URLs, paths of files, and what is neither."""

from pathlib import Path

import pytest

from cooldown.storage import LedgerError
from cooldown.storage.address import (
    DEFAULT_URL,
    database_url,
    elsewhere,
    is_postgresql,
    postgresql_url,
    shown,
    sqlite_path,
)


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


@pytest.mark.parametrize(
    ("address", "without"),
    [
        ("postgresql+psycopg://ada:secret@h:5433/d", "postgresql+psycopg://ada@h:5433/d"),
        ("postgresql+psycopg://ada:s%40cret@h/d", "postgresql+psycopg://ada@h/d"),
        (
            "postgresql+psycopg://ada@h/d?password=secret&sslmode=require",
            "postgresql+psycopg://ada@h/d?sslmode=require",
        ),
        ("postgresql+psycopg://h/d?sslpassword=secret", "postgresql+psycopg://h/d"),
        ("postgresql+psycopg:///d?host=/run/postgresql", "postgresql+psycopg:///d?host=%2Frun%2Fpostgresql"),
    ],
)
def test_a_server_is_named_without_its_password(address, without):
    assert is_postgresql(address)
    assert shown(address) == elsewhere(address) == without
    assert postgresql_url(without) == postgresql_url(without)._replace(password=None)


def test_which_address_a_command_names():
    assert elsewhere(DEFAULT_URL) is None
    assert elsewhere("runs/x.db") == shown("runs/x.db") == "runs/x.db"
    assert elsewhere("postgresql://me:secret@h/d") is None


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:secret@h/d",
        "postgres://me:secret@h/d",
        "postgresql+psycopg2://me:secret@h/d",
        "postgresql+psycopg://me:secret@h",
        "postgresql+psycopg://me:secret@h/",
        "postgresql+psycopg://me:secret@h:port/d",
        "postgresql+psycopg://me@h/?password=secret",
    ],
)
def test_an_address_that_names_no_database_is_told_without_its_password(address):
    with pytest.raises(LedgerError, match=r"a PostgreSQL database is given as postgresql\+psycopg://USER@HOST") as told:
        postgresql_url(address)
    assert "secret" not in str(told.value)
