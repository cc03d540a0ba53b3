"""What is said of a PostgreSQL database that cannot be used: one line, without the password; it stays as it is."""

import sys

import pytest
from ledger_examples import change, complete_experiment
from postgresql_server import Server

from cooldown.storage import Ledger, LedgerError, NoLedgerError, Status


@pytest.fixture
def url(postgresql_url: str) -> str:
    return postgresql_url


def refused(url: str, match: str, *, create: bool = False, kind: type[LedgerError] = LedgerError) -> None:
    with pytest.raises(kind, match=match) as raised:
        Ledger(url, create=create)
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_server_that_lets_nobody_in_is_told_in_one_line(postgresql_server: Server, url: str) -> None:
    server, name = postgresql_server, url.rpartition("/")[2]
    refused(server.url(name, password="secret"), r"was refused: wrong password, or unknown user \(.*tester")
    refused(server.url(name, user="nobody", password="secret"), "was refused: wrong password, or unknown user")
    refused(
        server.url("missing"),
        'cannot be opened: .*"missing" does not exist; an administrator can create it',
        create=True,
    )
    refused(f"postgresql+psycopg://me:secret@127.0.0.1:1/{name}", "cannot be reached: ", create=True)
    refused(f"postgresql+psycopg://me:secret@no.such.host.invalid/{name}", "cannot be reached: .*no.such.host")
    refused(
        f"postgresql+psycopg://me@127.0.0.1:{server.port}/{name}?passfile=/none", "needs a password: set PGPASSWORD"
    )
    refused(f"{server.url(name)}?sslmode=sometimes", "cannot be opened: ")
    server.execute(
        "postgres", f"CREATE ROLE guest LOGIN PASSWORD 'secret'; REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"
    )
    try:
        refused(server.url(name, "guest", "secret"), "its user may not connect to this database")
    finally:
        server.execute("postgres", "DROP ROLE guest")


def test_a_database_that_is_no_ledger_is_left_as_it_is(postgresql_server: Server) -> None:
    server = postgresql_server
    name = server.create()
    try:
        refused(server.url(name), "is empty: `cooldown compare digits` makes it a ledger", kind=NoLedgerError)
        server.execute(name, "CREATE TABLE notes (id int)")
        refused(server.url(name), r"is not a Cooldown ledger \(it holds notes\)", create=True)
        server.execute(name, "CREATE TABLE cooldown_version (version_num text)")
        server.execute(name, "INSERT INTO cooldown_version VALUES ('9999')")
        refused(server.url(name), "was written by a newer Cooldown .*9999.*update", create=True)
        server.execute(name, "CREATE SCHEMA team")
        # A schema of its own beside other tables.
        url = f"{server.url(name)}?options=-csearch_path%3Dteam"
        complete_experiment(Ledger(url))
        assert server.execute(name, "SELECT name FROM team.cooldown_experiments") == [("digits",)]
        Ledger(url)._database.engine.dispose()
        refused(f"{server.url(name)}?options=-csearch_path%3Dnone", "none of the schemas in its user's search_path")
    finally:
        server.drop(name)
    server.execute("postgres", "CREATE DATABASE odd TEMPLATE template0 ENCODING 'LATIN1'")
    try:
        refused(server.url("odd"), "has the encoding LATIN1, and a ledger needs UTF8", create=True)
    finally:
        server.drop("odd")


def test_missing_rights_are_told_and_a_reader_may_read(postgresql_server: Server, url: str, ledger: Ledger) -> None:
    server, name = postgresql_server, url.rpartition("/")[2]
    complete_experiment(ledger)
    empty = server.create()
    server.execute(name, "CREATE ROLE reader LOGIN PASSWORD 'secret'")
    reader = server.url(name, "reader", "secret")
    try:
        refused(reader, "does not allow this to its user .*permission denied")
        refused(
            server.url(empty, "reader", "secret"), "does not allow this .*permission denied for schema", create=True
        )
        server.execute(name, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        reading = Ledger(reader, create=False)
        assert reading.load("digits").status is Status.DONE
        with pytest.raises(LedgerError, match="does not allow this to its user"):
            reading.delete("digits")
        with pytest.raises(LedgerError, match="does not allow this to its user"), reading.hold("digits"):
            pass
        reading._database.engine.dispose()
    finally:
        server.drop(empty)
        server.execute(name, "DROP OWNED BY reader; DROP ROLE reader")
    assert len(ledger.load("digits").studies) == 2


def test_without_psycopg_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    refused("postgresql+psycopg://me:secret@h/d", r"needs psycopg: pip install 'cooldown\[postgres\]'")


def test_a_damaged_ledger_is_named(url: str, ledger: Ledger) -> None:
    complete_experiment(ledger)
    change(ledger, "ALTER TABLE cooldown_experiments DROP COLUMN looks")
    with pytest.raises(LedgerError, match=r"is damaged \(.*looks.*; `cooldown doctor`"):
        ledger.load("digits")
    change(ledger, "DELETE FROM cooldown_version")
    refused(url, "is damaged: its table cooldown_version is missing or empty")
