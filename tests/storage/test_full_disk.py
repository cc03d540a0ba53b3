"""A full disk, and a ledger that may only be read: what is said, and what is kept."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from child_scripts import run_child
from ledger_examples import complete_experiment, generation, held, study_of
from sqlalchemy import Engine, event

from cooldown.storage import Ledger, LedgerError, StudyKey
from cooldown.storage.sqlite_file import SQLiteFile


@contextmanager
def on_connect(*statements: str) -> Iterator[None]:
    """Every connection begins with these statements."""

    def execute(connection: sqlite3.Connection, _: object) -> None:
        for statement in statements:
            connection.execute(statement)

    event.listen(Engine, "connect", execute)
    try:
        yield
    finally:
        event.remove(Engine, "connect", execute)


def pages(path: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA page_count").fetchone()[0])


@contextmanager
def noted() -> Iterator[list[sqlite3.Connection]]:
    """The connections that are opened meanwhile."""
    opened: list[sqlite3.Connection] = []

    def note(connection: sqlite3.Connection, _: object) -> None:
        opened.append(connection)

    event.listen(Engine, "connect", note)
    try:
        yield opened
    finally:
        event.remove(Engine, "connect", note)


def let_grow(opened: list[sqlite3.Connection], most: int) -> None:
    """Let the connections that are still open make the file so many pages large."""
    for connection in opened:
        with suppress(sqlite3.ProgrammingError):
            connection.execute(f"PRAGMA max_page_count = {most}")


def test_a_full_disk_is_told_and_what_was_written_is_kept(ledger: Ledger) -> None:
    with noted() as opened, held(ledger) as writer:
        study = writer.append_generation(study_of(ledger), 0, generation(0), {})
        let_grow(opened, pages(ledger.where) + 2)
        error = None
        while error is None:
            index = len(study.trials) // 4
            try:
                study = writer.append_generation(study, index, generation(index), {})
            except LedgerError as raised:
                error = str(raised)
        assert error.endswith("could not be written: the disk is full. What was written before is kept")
        n_trials = len(study.trials)
        assert len(study_of(ledger).trials) == n_trials
        # Somebody has made room: the same run goes on.
        let_grow(opened, 10_000)
        writer.append_generation(study, n_trials // 4, generation(n_trials // 4), {})
    assert len(study_of(ledger).trials) == n_trials + 4


def test_a_disk_that_is_full_from_the_start_leaves_a_file_that_can_become_a_ledger(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.sqlite"
    with on_connect("PRAGMA max_page_count = 3"), pytest.raises(LedgerError, match="the disk is full"):
        Ledger(url)
    assert Ledger(url).summaries() == []


@pytest.mark.processes
def test_a_write_that_the_system_refuses_leaves_whole_generations(ledger: Ledger, url: str) -> None:
    ledger.create("digits", {}, "", [StudyKey("adam", 0)])
    script = """
import resource, signal, sys
from ledger_examples import generation, study_of
from cooldown.storage import Ledger, LedgerError
ledger = Ledger(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
study = study_of(ledger)
try:
    with ledger.hold("digits") as writer:
        study = writer.append_generation(study, 0, generation(0), {})
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
        for index in range(1, 100):
            study = writer.append_generation(study, index, generation(index), {})
except LedgerError as error:
    print(len(study.trials), error)
"""
    n_trials, message = run_child(script, url).split(" ", 1)
    assert "disk" in message
    assert "What was written before is kept" in message
    assert 4 <= len(study_of(ledger).trials) == int(n_trials) < 400


def test_a_ledger_that_may_not_be_written_can_be_read(ledger: Ledger, url: str) -> None:
    complete_experiment(ledger)
    with on_connect("PRAGMA query_only = ON"):
        assert len(Ledger(url).load("digits").studies) == 2
        for write in (lambda: ledger.delete("digits"), lambda: ledger.hold("digits").__enter__()):
            with pytest.raises(LedgerError, match="is read-only: choose another place with --db"):
                write()
    assert len(ledger.load("digits").studies) == 2


@pytest.mark.processes
def test_a_read_only_folder_and_file_are_told(path: Path, url: str, ledger: Ledger, tmp_path: Path) -> None:
    complete_experiment(ledger)
    folder = tmp_path / "shut"
    folder.mkdir()
    shutil.copy(path, folder / "kept.sqlite")
    (folder / "kept.sqlite").chmod(0o444)
    before = (folder / "kept.sqlite").read_bytes()
    folder.chmod(0o555)
    # File modes bind root too once it has given up its privilege to overrule them.
    script = """
import ctypes, os, sys
if "again" not in sys.argv:
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], "again"])
if os.access(sys.argv[1], os.W_OK):
    print("overruled")
    sys.exit()
from cooldown.storage import Ledger, LedgerError
for name in ("new.sqlite", "kept.sqlite"):
    try:
        Ledger(f"sqlite:///{sys.argv[1]}/{name}").delete("digits")
    except LedgerError as error:
        print(error)
"""
    try:
        messages = run_child(script, str(folder)).splitlines()
    finally:
        folder.chmod(0o755)
    if messages == ["overruled"]:
        pytest.skip("file modes do not bind this user")
    new, existing = messages
    assert "new.sqlite cannot be opened: does its folder exist, and may you write there?" in new
    assert "kept.sqlite" in existing
    assert "read-only" in existing or "cannot be opened" in existing
    assert [file.name for file in folder.iterdir()] == ["kept.sqlite"]
    assert (folder / "kept.sqlite").read_bytes() == before


def test_an_error_that_nobody_foresaw_is_told_in_the_drivers_words() -> None:
    assert (
        str(SQLiteFile(Path("x.db")).explained(sqlite3.OperationalError("odd")))
        == "the ledger x.db cannot be used: odd"
    )
