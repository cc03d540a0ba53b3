"""Ledgers that may not be written to are read, and neither they nor their folders are changed."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ledger_examples import complete_experiment

from cooldown.storage import Ledger, LedgerError, read_only, sqlite
from cooldown.storage.fingerprint import everything, fingerprint

OLD = Path(__file__).parent / "fixtures"


@pytest.fixture
def shut(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Nothing may be written from here on. File modes do not bind root, so this is played; SQLite is kept from writing
    by what it is asked to open.
    """

    def shut_now() -> None:
        monkeypatch.setattr("cooldown.storage.read_only.os.access", lambda path, mode: mode != os.W_OK)

    return shut_now


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def read(url: str) -> tuple[Any, ...]:
    """Everything that a reading command asks for."""
    ledger = Ledger(url, create=False)
    record = ledger.load("digits")
    return [s.trials for s in ledger.summaries()], len(ledger.winners()["digits"]), fingerprint(everything(record))


def refused(url: str) -> None:
    for write in (
        lambda: Ledger(url).create("new", {}, "", []),
        lambda: Ledger(url, create=False).delete("digits"),
        lambda: Ledger(url, create=False).hold("digits").__enter__(),
    ):
        with pytest.raises(LedgerError, match="is read-only: choose another place with --db"):
            write()


def test_a_ledger_at_rest(ledger: Ledger, url: str, tmp_path: Path, shut: Callable[[], None]) -> None:
    complete_experiment(ledger)
    expected, before = read(url), contents(tmp_path)
    assert list(before) == ["cooldown.sqlite"]
    shut()
    assert read(url) == expected
    refused(url)
    assert contents(tmp_path) == before


def test_a_ledger_that_somebody_else_is_writing(
    ledger: Ledger, url: str, tmp_path: Path, shut: Callable[[], None]
) -> None:
    """Its last changes are in the log, and the log has an index."""
    complete_experiment(ledger)
    with ledger._database.kept_open():
        with ledger._database.writing() as connection:
            connection.exec_driver_sql("UPDATE cooldown_experiments SET message = 'the newest'")
        expected = read(url)
        shut()
        assert read(url) == expected
        assert Ledger(url, create=False).load("digits").message == "the newest"
        refused(url)
        # One reader may still be open when the writer goes on.
        reader = Ledger(url, create=False)
        with closing(sqlite3.connect(ledger.where)) as writer, writer:
            writer.execute("UPDATE cooldown_experiments SET message = 'newer still'")
        assert reader.load("digits").message == "newer still"


def test_a_log_without_an_index(ledger: Ledger, tmp_path: Path, shut: Callable[[], None]) -> None:
    """As in an archive that was made while a run went on: its last changes are read too, from a copy."""
    complete_experiment(ledger)
    folder = tmp_path / "archive"
    folder.mkdir()
    with ledger._database.kept_open():
        with ledger._database.writing() as connection:
            connection.exec_driver_sql("UPDATE cooldown_experiments SET message = 'the newest'")
        for suffix in ("", "-wal"):
            shutil.copy(f"{ledger.where}{suffix}", folder / f"kept.sqlite{suffix}")
    before, url = contents(folder), f"sqlite:///{folder}/kept.sqlite"
    assert len(before["kept.sqlite-wal"]) > 0
    shut()
    reader = Ledger(url, create=False)
    assert reader.load("digits").message == "the newest"
    assert len(reader.load("digits").studies) == 2
    refused(url)
    assert contents(folder) == before


def test_an_old_ledger(tmp_path: Path, shut: Callable[[], None]) -> None:
    """It is migrated in a copy, which goes with the reader."""
    (fixture,) = OLD.glob("*0001*")
    shutil.copy(fixture, tmp_path / "old.sqlite")
    before, url = contents(tmp_path), f"sqlite:///{tmp_path}/old.sqlite"
    shut()
    reader = Ledger(url, create=False)
    copy = Path(str(reader._database.engine.url.database))
    assert len(reader.load("digits").studies) == 2
    refused(url)
    assert contents(tmp_path) == before
    assert copy.exists()
    del reader
    assert not copy.exists()


def test_a_folder_without_a_ledger(tmp_path: Path, shut: Callable[[], None]) -> None:
    shut()
    with pytest.raises(LedgerError, match="there is no ledger at"):
        Ledger(f"sqlite:///{tmp_path}/none.db", create=False)


@pytest.mark.parametrize("half", [set(), sqlite3.DatabaseError("database disk image is malformed")])
def test_what_changes_while_it_is_looked_at_is_looked_at_again(
    half: Any, ledger: Ledger, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may bring its log into the file at any moment."""
    (path,) = tmp_path.iterdir()
    found, looks = read_only.look(path), []

    def contents_while_it_changes(execute: Any) -> Any:
        looks.append(execute)
        if len(looks) > 1:
            return sqlite.contents(execute)
        os.utime(path, (1, 1))
        if isinstance(half, Exception):
            raise half
        return half, None

    monkeypatch.setattr(read_only, "contents", contents_while_it_changes)
    assert read_only.look(path) == found
    assert len(looks) == 2


def test_what_is_damaged_and_does_not_change_is_looked_at_once(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = tmp_path.iterdir()
    os.utime(path, (1, 1))
    looks = []

    def damaged(execute: Any) -> Any:
        looks.append(execute)
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(read_only, "contents", damaged)
    with pytest.raises(sqlite3.DatabaseError):
        read_only.look(path)
    assert len(looks) == 1
