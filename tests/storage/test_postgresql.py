"""What is PostgreSQL's own: locks of rows, its clock, its connections, and a server that goes away."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

import psycopg
import pytest
from ledger_examples import change, complete_experiment, curve, generation, held, rows, study_of
from patience import PATIENCE
from postgresql_server import Server
from sqlalchemy import Engine, event

from cooldown.storage import (
    LeaseLostError,
    Ledger,
    LedgerError,
    Purpose,
    Status,
    StudyKey,
    backend,
    database,
    postgresql,
)
from cooldown.storage.errors import UnavailableError
from cooldown.storage.lease import EXPIRY

FOREIGN = '{"machine": "m", "host": "elsewhere", "pid": 1, "started": 1.0, "token": "theirs"}'


@pytest.fixture
def url(postgresql_url: str) -> str:
    return postgresql_url


@pytest.fixture
def other(url: str) -> Iterator["psycopg.Connection[Any]"]:
    """A connection of another program."""
    with closing(psycopg.connect(url.replace("+psycopg", ""))) as connection:
        yield connection


@pytest.fixture
def _without_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but a lease makes a writer wait."""
    monkeypatch.setattr(backend, "LOCK_TIMEOUT", 0.0)
    monkeypatch.setattr(database, "PAUSE", 0.0)


# -- locks and leases --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_without_patience")
def test_an_append_waits_for_a_locked_row_and_says_so(ledger: Ledger, other: "psycopg.Connection[Any]") -> None:
    waited = 0

    def on_wait() -> None:
        nonlocal waited
        waited += 1
        if waited == 2:
            other.rollback()

    with held(ledger) as writer:
        writer.on_wait = on_wait
        other.execute("SELECT * FROM cooldown_experiments FOR UPDATE")
        study = writer.append_generation(study_of(ledger), 0, generation(0), {})
        # Once more where the lease's own renewal had the row at that moment.
        assert waited in (2, 3)
        writer.append_curves(study, Purpose.FINALIST, {study.trials[0].id: [curve(21)]})
        writer.finish(1)
    assert ledger.load("digits").status is Status.DONE
    assert len(study_of(ledger).trials) == 4


def test_a_lease_that_was_lost_meanwhile_is_noticed(ledger: Ledger, other: "psycopg.Connection[Any]") -> None:
    def run() -> None:
        with held(ledger) as writer:
            writer.on_wait = other.commit
            other.execute("UPDATE cooldown_experiments SET holder_token = 'another'")
            writer.append_generation(study_of(ledger), 0, generation(0), {})

    with pytest.raises(LeaseLostError):
        run()
    assert not study_of(ledger).trials


@pytest.mark.usefixtures("_without_patience")
def test_without_a_lease_a_writer_gives_up(ledger: Ledger, other: "psycopg.Connection[Any]") -> None:
    complete_experiment(ledger)
    other.execute("SELECT * FROM cooldown_experiments FOR UPDATE")
    for write in (lambda: ledger.delete("digits"), lambda: ledger.extend("digits", {}, [], [])):
        with pytest.raises(LedgerError, match="is locked by another program"):
            write()
    assert ledger.load("digits").status is Status.DONE, "readers wait for no lock"


def test_two_experiments_are_written_side_by_side(ledger: Ledger, other: "psycopg.Connection[Any]") -> None:
    """A lock of one experiment keeps nobody from another."""
    complete_experiment(ledger, "wine")
    other.execute("SELECT * FROM cooldown_experiments WHERE name = 'wine' FOR UPDATE")
    with held(ledger) as writer:
        writer.on_wait = lambda: pytest.fail("waits")
        writer.append_generation(study_of(ledger), 0, generation(0), {})


def test_a_lease_is_judged_by_the_databases_clock(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.create("digits", {}, "", [StudyKey("adam", 0)])
    now = "extract(epoch FROM clock_timestamp())"
    held_elsewhere = "UPDATE cooldown_experiments SET status = 'running', holder_token = 'theirs', holder = :holder"
    real = time.time
    for ahead in (-10 * EXPIRY, 10 * EXPIRY):
        monkeypatch.setattr(time, "time", lambda ahead=ahead: real() + ahead)
        change(ledger, f"{held_elsewhere}, heartbeat_at = {now} - {EXPIRY - 10}", holder=FOREIGN)
        assert ledger.load("digits").status is Status.RUNNING
        with pytest.raises(LedgerError, match="by process 1 on elsewhere"), ledger.hold("digits"):
            pass
        change(ledger, f"{held_elsewhere}, heartbeat_at = {now} - {EXPIRY + 1}", holder=FOREIGN)
        assert ledger.summaries()[0].status is Status.INTERRUPTED
        with ledger.hold("digits"):
            ((behind,),) = rows(ledger, f"SELECT {now} - heartbeat_at FROM cooldown_experiments")
            assert 0 <= behind < EXPIRY


# -- a server that goes away ------------------------------------------------------------------------------------------


@contextmanager
def without_server(server: Server, how: str) -> Iterator[None]:
    getattr(server, how)()
    try:
        yield
    finally:
        server.start()


@pytest.mark.processes
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_run_goes_on_when_its_server_is_there_again(ledger: Ledger, postgresql_server: Server, how: str) -> None:
    restart = threading.Thread(target=postgresql_server.start)

    def on_wait() -> None:
        if restart.ident is None:
            restart.start()

    with held(ledger) as writer:
        writer.on_wait = on_wait
        study = writer.append_generation(study_of(ledger), 0, generation(0), {"state": 0})
        getattr(postgresql_server, how)()
        study = writer.append_generation(study, 1, generation(1), {"state": 1})
        restart.join(PATIENCE)
        writer.append_generation(study, 2, generation(2), {"state": 2})
        writer.finish(1)
    assert [trial.number for trial in study_of(ledger).trials] == list(range(12))
    assert ledger.load("digits").status is Status.DONE


@pytest.mark.processes
def test_what_reads_waits_for_its_server_and_what_opens_it_does_not(
    ledger: Ledger, url: str, postgresql_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete_experiment(ledger)
    with without_server(postgresql_server, "kill"):
        with pytest.raises(UnavailableError, match=r"cannot be reached: .*refused"):
            Ledger(url)
        monkeypatch.setattr(database, "RECONNECT", 0.0)
        with pytest.raises(UnavailableError, match=r"cannot be reached|was lost"):
            ledger.load("digits")
        monkeypatch.undo()
        loaded: list[Any] = []
        reading = threading.Thread(target=lambda: loaded.append(ledger.load("digits")))
        reading.start()
    reading.join(PATIENCE)
    assert loaded[0].status is Status.DONE


@contextmanager
def lost_answer(ledger: Ledger) -> Iterator[None]:
    """The connection breaks once: the next commit is done, but its answer does not arrive."""
    dialect = ledger._database.engine.dialect
    commit, lost = dialect.do_commit, False

    def committing(connection: Any) -> None:
        nonlocal lost
        commit(connection)
        if not lost:
            lost = True
            connection.dbapi_connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    dialect.do_commit = committing  # type: ignore[method-assign]
    try:
        yield
    finally:
        del dialect.do_commit
    assert lost


def test_what_was_committed_without_an_answer_is_not_written_twice(ledger: Ledger) -> None:
    with held(ledger) as writer:
        with lost_answer(ledger):
            study = writer.append_generation(study_of(ledger), 0, generation(0), {"state": 0})
        assert [trial.id for trial in study.trials] == [trial.id for trial in study_of(ledger).trials]
        with lost_answer(ledger):
            study = writer.append_curves(study, Purpose.FINALIST, {study.trials[0].id: [curve(21)]})
        with lost_answer(ledger):
            writer.finish(1)
    record = ledger.load("digits")
    assert (record.looks, len(record.studies[0].trials), len(record.studies[0].curves())) == ((1,), 4, 9)


def test_a_lease_that_was_taken_without_an_answer_is_ones_own(ledger: Ledger) -> None:
    ledger.create("digits", {}, "", [StudyKey("adam", 0)])
    with ExitStack() as stack:
        with lost_answer(ledger):
            writer = stack.enter_context(ledger.hold("digits"))
        writer.append_generation(study_of(ledger), 0, generation(0), {})
    with lost_answer(ledger), pytest.raises(UnavailableError, match="was lost"):
        ledger.create("digits", {}, "", [StudyKey("adam", 0)], numbered=True)
    assert {summary.name for summary in ledger.summaries()} == {"digits", "digits-2"}


# -- connections ------------------------------------------------------------------------------------------------------


def test_a_process_has_at_most_so_many_connections(
    ledger: Ledger, url: str, postgresql_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = ledger._database.engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.01)
    name = url.rpartition("/")[2]
    ours = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"
    with ExitStack() as stack:
        for _ in range(backend.MOST_CONNECTIONS // 2):
            for each in (ledger, Ledger(url)):
                stack.enter_context(each._database.reading())
        assert postgresql_server.execute("postgres", ours) == [(backend.MOST_CONNECTIONS,)]
        with pytest.raises(UnavailableError, match="is in use: 16 connections"):
            stack.enter_context(Ledger(url)._database.reading())
    assert backend.MOST_CONNECTIONS <= 20
    assert ledger.summaries() == []


def test_a_stopped_process_keeps_nobody_waiting(ledger: Ledger) -> None:
    with ledger._database.writing() as connection:
        timeout = connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar()
    assert timeout == "30s"


# -- creation ---------------------------------------------------------------------------------------------------------


def test_processes_that_create_the_same_ledger_at_once_all_succeed(postgresql_server: Server) -> None:
    name = postgresql_server.create()
    url = postgresql_server.url(name)
    start, errors = threading.Barrier(6), []

    def create(number: int) -> None:
        try:
            start.wait(PATIENCE)
            ledger = Ledger(url)
            ledger.create("twin", {}, "", [StudyKey("adam", 0)], numbered=True)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    try:
        assert errors == []
        ledger = Ledger(url, create=False)
        names = {summary.name for summary in ledger.summaries()}
        assert names == {"twin", *(f"twin-{number}" for number in range(2, 7))}
        ledger._database.engine.dispose()
    finally:
        postgresql_server.drop(name)


def test_an_arm_and_a_message_of_any_length_and_text_are_kept(ledger: Ledger) -> None:
    arm = "+".join(["momentum"] * 300)
    with (
        suppress(ValueError),
        held(ledger, "n" * 200, [StudyKey(arm, 0), StudyKey(arm, 1)]) as writer,
    ):
        writer.append_generation(study_of(ledger, "n" * 200, arm), 0, generation(0), {})
        raise ValueError("a zero byte: \0")
    record = ledger.load("n" * 200)
    assert [study.arm for study in record.studies] == [arm, arm]
    assert record.message == "a zero byte: \N{REPLACEMENT CHARACTER}"


def test_no_password_is_in_what_is_read(ledger: Ledger, url: str) -> None:
    complete_experiment(ledger)
    password = url.partition("tester:")[2].partition("@")[0]
    assert len(password) > 10
    record = ledger.load("digits")
    for text in (repr(record), ledger.where, str(ledger.db), repr(ledger.summaries())):
        assert password not in text
    assert ledger.db == ledger.where == url.replace(f":{password}@", "@")


def test_the_pool_is_shared_by_all_ledgers_of_a_process(ledger: Ledger, url: str) -> None:
    assert isinstance(ledger._database.engine, Engine)
    assert Ledger(url)._database.engine is ledger._database.engine
    assert postgresql.KEPT_CONNECTIONS < backend.MOST_CONNECTIONS
    made = []
    event.listen(ledger._database.engine, "connect", lambda *_: made.append(1))
    for _ in range(5):
        Ledger(url).summaries()
    assert len(made) <= 1
