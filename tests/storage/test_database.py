"""Whose file it is, what happens to it and what is said about it; settings, migrations, full disks, early deaths."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import optuna
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from ledger_examples import child_environment, complete_experiment, generation, held, study_of
from patience import PATIENCE
from sqlalchemy import Engine, event, text

from cooldown.objectives import Outcome
from cooldown.storage import Ledger, LedgerError, NoLedgerError, StudyKey, database, sqlite, tables
from cooldown.storage.errors import explained
from cooldown.storage.fingerprint import arm_fingerprints, fingerprint

FIXTURE = Path(__file__).parent / "fixtures" / "ledger_0001.sqlite"
FIXTURE_PRINTS = {
    "adam": "a22583c8e2b050b2dd6435302ef4a553daaa92412618cdc7140a39b2ef2689f4",
    "momentum+sgdr": "a22583c8e2b050b2dd6435302ef4a553daaa92412618cdc7140a39b2ef2689f4",
}


def sqlite_file(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def run_child(script: str, *arguments: str) -> str:
    """The script's output; its stderr is shown where it fails."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        env=child_environment(),
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- not a ledger -----------------------------------------------------------------------------------------------------


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
        (revision("0005"), "was written by a newer Cooldown .*0005.*0004.*update"),
        (revision("later"), "was written by a newer Cooldown .*later.*0004.*update"),
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
        (f"sqlite:///{tmp_path}/pipe", "is a device or pipe, not a file"),
        ("sqlite:////dev/null", "is a device or pipe, not a file"),
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
        "cooldown.db",
        "/tmp/cooldown.db",
        "sqlite:cooldown.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://host/cooldown.db",
        "sqlite:///file:cooldown.db?uri=true",
        "sqlite:///cooldown.db?timeout=soon",
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


# -- settings and migrations ------------------------------------------------------------------------------------------


def test_the_settings_of_every_connection(ledger: Ledger) -> None:
    for transaction in (ledger._database.reading, ledger._database.writing):
        with transaction() as connection:
            settings = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        assert settings == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30_000}


def test_a_writer_takes_the_lock_at_once_and_a_reader_none(ledger: Ledger, url: str) -> None:
    other = sqlite3.connect(ledger.where, timeout=0, isolation_level=None)
    with closing(other):
        with ledger._database.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        with ledger._database.reading() as connection:
            connection.exec_driver_sql("SELECT * FROM cooldown_experiments")
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")


def test_another_programs_lock_is_told(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.01)
    with closing(sqlite3.connect(ledger.where, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="is locked by another program"):
            ledger.create("digits", {}, "", [StudyKey("adam", 0)])


def test_the_migrations_lead_to_the_tables(ledger: Ledger) -> None:
    scripts = ScriptDirectory(str(database.MIGRATIONS))
    assert scripts.get_heads() == [tables.REVISION]
    with ledger._database.reading() as connection:
        options = {
            "include_name": lambda name, kind, _: kind != "table" or str(name).startswith("cooldown_"),
            "version_table": tables.VERSION_TABLE,
            "compare_type": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.metadata) == []
        assert connection.execute(text(f"SELECT version_num FROM {tables.VERSION_TABLE}")).scalar() == tables.REVISION


def test_a_ledger_of_the_first_revision_opens_and_keeps_its_fingerprint(tmp_path: Path) -> None:
    path = shutil.copy(FIXTURE, tmp_path / "old.sqlite")
    ledger = Ledger(f"sqlite:///{path}", create=False)
    record = ledger.load("digits")
    assert arm_fingerprints(record.studies) == FIXTURE_PRINTS
    assert fingerprint(record.studies) == "0b96582d114ce329e85b9d2a4a9d5c7868098f060a269e6caea0275b69f8c42c"
    curves = [curve for study in record.studies for curve in study.curves()]
    assert {curve.learning_rate.size for curve in curves} == {0}, "was not kept then"
    assert all(
        curve.kept_epoch == (0 if curve.outcome is Outcome.DIVERGED else len(curve.train_loss)) for curve in curves
    )
    study = study_of(ledger)
    with ledger.hold("digits") as writer:
        assert len(writer.append_generation(study, 3, generation(2), {}).trials) == 9
    ledger.delete("digits")


@pytest.mark.processes
def test_opening_and_reading_load_nothing_heavy(url: str, ledger: Ledger) -> None:
    complete_experiment(ledger)
    script = """
import sys
from cooldown.storage import Ledger
ledger = Ledger(sys.argv[1], create=False)
assert [summary.name for summary in ledger.summaries()] == ["digits"]
ledger.load("digits")
print(*({"optuna", "alembic", "numba", "sklearn", "scipy", "pandas", "sqlalchemy"} & set(sys.modules)))
"""
    assert run_child(script, url).split() == ["sqlalchemy"]


# -- full and read-only -----------------------------------------------------------------------------------------------


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


def test_a_full_disk_is_told_and_what_was_written_is_kept(ledger: Ledger) -> None:
    with held(ledger) as writer:
        study = writer.append_generation(study_of(ledger), 0, generation(0), {})
        with on_connect(f"PRAGMA max_page_count = {pages(ledger.where) + 2}"):
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
    assert str(explained(sqlite3.OperationalError("odd"), "x.db")) == "the ledger x.db cannot be used: odd"


# -- early deaths and twins -------------------------------------------------------------------------------------------

DIE_WHILE_CREATING = """
import itertools, os, signal, sys
import optuna.storages, alembic.command
from sqlalchemy import Engine, event
from cooldown.storage import Ledger, StudyKey, database, optuna_rows
for at in itertools.count():
    if child := os.fork():
        status = os.waitpid(child, 0)[1]
        print(at, -os.waitstatus_to_exitcode(status), flush=True)
        if not os.WIFSIGNALED(status):
            break
    else:
        count = itertools.count()
        @event.listens_for(Engine, "before_cursor_execute")
        @event.listens_for(Engine, "commit")
        def die(*_):
            if next(count) == at:
                os.kill(os.getpid(), signal.SIGKILL)
        Ledger(f"sqlite:///{sys.argv[1]}/{at}.sqlite")
        os._exit(0)
"""


@pytest.mark.processes
def test_kill_9_at_any_statement_of_the_creation_leaves_a_file_that_becomes_a_ledger(tmp_path: Path) -> None:
    lines = [tuple(map(int, line.split())) for line in run_child(DIE_WHILE_CREATING, str(tmp_path)).splitlines()]
    assert len(lines) > 20
    assert [code for _, code in lines] == [signal.SIGKILL] * (len(lines) - 1) + [0]
    for at, _ in lines[:: len(lines) // 6] + lines[-2:]:
        url = f"sqlite:///{tmp_path}/{at}.sqlite"
        ledger = Ledger(url)
        complete_experiment(ledger)
        ledger.delete("digits")
        with closing(sqlite3.connect(ledger.where)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("SELECT count(*) FROM alembic_version").fetchall() == [(1,)]
            assert connection.execute("SELECT count(*) FROM version_info").fetchall() == [(1,)]


TWINS = """
import os, sys
import optuna.storages, alembic.command
from cooldown.storage import Ledger, StudyKey, database, optuna_rows
for turn in range(4):
    reading, writing = os.pipe()
    children = []
    for twin in range(5):
        if child := os.fork():
            children.append(child)
            continue
        try:
            os.close(writing)
            os.read(reading, 1)
            ledger = Ledger(f"sqlite:///{sys.argv[1]}/{turn}.sqlite")
            ledger.create(f"twin {twin}", {}, "", [StudyKey("adam", 0)])
            with ledger.hold(f"twin {twin}") as writer:
                writer.finish()
            os._exit(0)
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            os._exit(1)
    os.close(writing)
    for child in children:
        os.waitpid(child, 0)
"""


@pytest.mark.processes
def test_processes_that_create_the_same_ledger_at_once_all_succeed(tmp_path: Path) -> None:
    assert run_child(TWINS, str(tmp_path)) == ""
    for turn in range(4):
        ledger = Ledger(f"sqlite:///{tmp_path}/{turn}.sqlite", create=False)
        assert {summary.name for summary in ledger.summaries()} == {f"twin {twin}" for twin in range(5)}
