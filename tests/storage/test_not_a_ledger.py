"""What is not a ledger, or not the address of one: it is named, and left as it is."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import optuna
import pytest
from ledger_examples import complete_experiment

from cooldown.storage import Ledger, LedgerError, NoLedgerError
from cooldown.storage.tables import REVISION

FIXTURE = Path(__file__).parent / "fixtures" / "ledger_0001.sqlite"


def sqlite_file(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def text_file(path: Path) -> None:
    path.write_text("learning_rate,loss\n" * 100)


def short_file(path: Path) -> None:
    path.write_bytes(b"\0")


def random_bytes(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 64)


def sqlite_header_only(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 32)


def cut_ledger(path: Path) -> None:
    path.write_bytes(FIXTURE.read_bytes()[:20_000])


def another_programs(path: Path) -> None:
    sqlite_file(path, "CREATE TABLE notes (x)", "INSERT INTO notes VALUES ('mine')")


def only_a_view(path: Path) -> None:
    sqlite_file(path, "CREATE VIEW answer AS SELECT 42")


def plain_optuna(path: Path) -> None:
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    optuna.create_study(storage=storage, study_name="mine").add_trial(optuna.create_trial(value=1.0))
    storage.remove_session()
    storage.engine.dispose()


def empty_version_table(path: Path) -> None:
    sqlite_file(path, "CREATE TABLE cooldown_version (version_num VARCHAR(32))")


def another_programs_wal(path: Path) -> None:
    """All that it holds stands in its log still."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE notes (x)")
        copies = {name: Path(name).read_bytes() for name in (str(path), f"{path}-wal")}
    for name, content in copies.items():
        Path(name).write_bytes(content)


def another_programs_journal(path: Path) -> None:
    """It has died while writing, and left a journal to repair the file with."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE notes (x)")
        connection.execute("PRAGMA cache_size = 2")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO notes VALUES (?)", [("x" * 3000,)] * 50)
        copies = {name: Path(name).read_bytes() for name in (str(path), f"{path}-journal")}
    for name, content in copies.items():
        Path(name).write_bytes(content)


def revision(number: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        shutil.copy(FIXTURE, path)
        sqlite_file(path, f"UPDATE cooldown_version SET version_num = '{number}'", "PRAGMA journal_mode = DELETE")

    make.__name__ = f"revision_{number}"
    return make


@pytest.mark.parametrize("create", [False, True], ids=["read", "create"])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (text_file, "is not a SQLite database"),
        (short_file, "is not a SQLite database"),
        (random_bytes, "is not a SQLite database"),
        (sqlite_header_only, "is not a SQLite database"),
        (cut_ledger, "is damaged"),
        (another_programs, r"is not a Cooldown ledger \(it holds notes\)"),
        (only_a_view, r"is not a Cooldown ledger \(it holds answer\)"),
        (plain_optuna, r"is not a Cooldown ledger \(it holds alembic_version, studies, study_directions, …\)"),
        (empty_version_table, r"is not a Cooldown ledger \(it holds cooldown_version\)"),
        (another_programs_wal, r"is not a Cooldown ledger \(it holds notes\)"),
        (another_programs_journal, r"is not a Cooldown ledger \(it holds notes\)"),
        (revision("9999"), f"was written by a newer Cooldown .*9999.*{REVISION}.*update"),
        (revision("later"), f"was written by a newer Cooldown .*later.*{REVISION}.*update"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_not_a_ledger_is_named_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], None], message: str, create: bool
) -> None:
    path = tmp_path / "it.sqlite"
    make(path)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(LedgerError, match=f"it.sqlite {message}") as raised:
        Ledger(f"sqlite:///{path}", create=create)
    assert "\n" not in str(raised.value)
    assert {file: file.read_bytes() for file in before} == before
    # SQLite's index of a log is made anew whenever it is not there.
    assert {file.name for file in tmp_path.iterdir()} - {"it.sqlite-shm"} == {file.name for file in before}


@pytest.mark.parametrize("create", [False, True], ids=["read", "create"])
def test_what_is_not_a_file_is_named(tmp_path: Path, create: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    for url, message in [
        (f"sqlite:///{tmp_path}", "is a folder, not a file"),
        (f"sqlite:///{tmp_path}/pipe", "is a pipe, not a file"),
        ("sqlite:////dev/null", "is a device or a socket, not a file"),
        (f"sqlite:///{'a' * 300}", "cannot be opened: File name too long"),
    ]:
        with pytest.raises(LedgerError, match=message):
            Ledger(url, create=create)


def test_an_absent_ledger_is_made_only_where_one_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    with pytest.raises(NoLedgerError, match=r"there is no ledger at .*new.sqlite.*cooldown compare"):
        Ledger(f"sqlite:///{path}", create=False)
    assert not path.exists()
    path.touch()
    with pytest.raises(NoLedgerError, match=r"new.sqlite is empty.*cooldown compare"):
        Ledger(f"sqlite:///{path}", create=False)
    assert path.read_bytes() == b""
    assert Ledger(f"sqlite:///{path}").summaries() == []
    assert Ledger(f"sqlite:///{path}", create=False).summaries() == []
    with pytest.raises(LedgerError, match=r"nowhere/new.sqlite cannot be opened: does its folder exist"):
        Ledger(f"sqlite:///{tmp_path}/nowhere/new.sqlite")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cooldown",
        ":memory:",
        "sqlite:cooldown.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://host/cooldown.db",
        "sqlite:///file:cooldown.db?uri=true",
        "sqlite:///cooldown.db?timeout=soon",
        "sqlite:///why?/cooldown.db",
        "sqlite:///why?",
        "sqlite:///a\0b.db",
        "sqlite+unknown:///cooldown.db",
        "sqlite+aiosqlite:///cooldown.db",
        "unknown://cooldown.db",
        "mysql://localhost/cooldown",
        "postgresql://localhost/cooldown",
        "postgresql://[::1",
        "https://example.org/cooldown.db",
    ],
)
def test_an_address_that_names_no_file_is_refused(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for create in (False, True):
        with pytest.raises(LedgerError, match="is not the address of a ledger") as raised:
            Ledger(url, create=create)
        assert str(raised.value).startswith(f"--db {url!r} ")
    assert list(tmp_path.iterdir()) == []


def test_a_password_is_not_shown() -> None:
    with pytest.raises(LedgerError, match="me") as raised:
        Ledger("postgresql://me:secret@localhost/cooldown")
    assert "secret" not in str(raised.value)


def test_a_relative_path_is_of_the_folder_where_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "100% ü?#").mkdir()
    ledger = Ledger("sqlite:///100%25 ü%3F#/it.db")
    monkeypatch.chdir("/")
    complete_experiment(ledger)
    assert (tmp_path / "100% ü?#" / "it.db").exists()
    assert ledger.where == "100% ü?#/it.db"
