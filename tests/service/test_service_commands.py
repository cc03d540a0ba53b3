"""The commands of whoever runs a service: token, audit, backup, and what serve says before it starts."""

import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from search_runs import run_in_threads, spec

from cooldown.objectives.errors import InputError
from cooldown.search.cli import main
from cooldown.search.cli.serve import Offer, Place, serve
from cooldown.search.experiments import load
from cooldown.search.service.access.exposure import admitted, told
from cooldown.search.service.access.hosts import only_this_machine
from cooldown.storage import Ledger, LedgerError
from cooldown.storage.backup import back_up
from cooldown.storage.tokens import Role

Run = Callable[..., tuple[int, str, str]]
OWN = "made-elsewhere-" * 3


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of a ledger that is not there yet."""
    return f"sqlite:///{tmp_path}/cooldown.db"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str) -> Run:
    """The `cooldown` command in this process, with the ledger `url`."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("COOLDOWN_DB", url)

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cooldown", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return command


def test_a_token_from_its_creation_to_its_end(run: Run, url: str) -> None:
    code, text, said = run("token", "create", "ada", "--role", "submit", "--quota", "3")
    assert code == 0
    assert "not shown again" in said
    known = Ledger(url).tokens.of(text.strip())
    assert known is not None
    assert (known.name, known.role, known.quota) == ("ada", Role.SUBMIT, 3)
    listed = run("token", "list")[1]
    assert "ada" in listed
    assert text.strip() not in listed + run("token", "list", "--json")[1]
    assert json.loads(run("token", "list", "--json")[1])[0]["role"] == "submit"
    assert run("token", "revoke", "ada")[0] == 0
    assert Ledger(url).tokens.of(text.strip()) is None
    assert json.loads(run("token", "list", "--json")[1])[0]["revoked_at"] is not None
    actions = [(line["who"], line["action"], line["subject"]) for line in json.loads(run("audit", "--json")[1])]
    assert actions == [("local", "revoke token", "ada"), ("local", "create token", "ada")]
    assert "role submit, quota 3" in run("audit", "--last", "5")[1]


def test_changes_by_commands_are_in_the_audit(run: Run, url: str) -> None:
    small = ("--trials=2", "--repeats=1", "--epochs=1", "--finalists=1", "--confirm-seeds=2")
    assert run("submit", "iris", "--name=mine", *small)[0] == 0
    for words in (
        ("pause", "mine"),
        ("pause", "mine"),
        ("resume", "mine"),
        ("cancel", "mine"),
        ("delete", "mine", "--yes"),
    ):
        assert run(*words)[0] == 0
    done = [(line["who"], line["action"], line["subject"]) for line in json.loads(run("audit", "--json")[1])]
    verbs = ("submit", "pause", "resume", "cancel", "delete")
    assert done == [("local", verb, "mine") for verb in reversed(verbs)]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("token", "create", "ada", "--role", "root"), "unknown role 'root'"),
        (("token", "create", "a b"), "token name"),
        (("token", "create", "ada", "--quota", "-1"), "less than 0"),
        (("token", "revoke", "ada"), "unknown token 'ada'"),
        (("audit", "--last", "0"), "less than 1"),
    ],
)
def test_what_cannot_be_done_with_tokens(run: Run, url: str, arguments: tuple[str, ...], reason: str) -> None:
    Ledger(url)
    code, out, said = run(*arguments)
    assert (code, out) == (2, "")
    assert reason in said


def test_a_backup_while_somebody_writes(run: Run, url: str, tmp_path: Path) -> None:
    run_in_threads(url, spec(), name="mine")
    copy = tmp_path / "copy.db"
    # A transaction that is not committed is no part of the copy, and keeps nobody from making one.
    with closing(sqlite3.connect(tmp_path / "cooldown.db")) as writer:
        writer.execute("UPDATE cooldown_experiments SET name = 'half'")
        assert run("backup", str(copy))[0] == 0
        writer.rollback()
    there = load("mine", db=copy)
    assert there.view.fingerprint == load("mine", db=url).view.fingerprint
    code, _, said = run("backup", str(copy))
    assert (code, "already exists" in said) == (2, True)
    assert run("backup", str(copy), "--force")[0] == 0
    for wrong, reason in (
        (tmp_path / "cooldown.db", "the ledger itself"),
        (tmp_path / "no" / "x.db", "does not exist"),
    ):
        code, _, said = run("backup", str(wrong), "--force")
        assert (code, reason in said) == (2, True), said
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".part") == []


def test_a_database_on_a_server_has_tools_of_its_own(url: str, tmp_path: Path) -> None:
    ledger = Ledger(url)
    ledger.file, ledger.where = None, "postgresql://db.example.org/cooldown"
    with pytest.raises(InputError, match="pg_dump"):
        back_up(ledger, tmp_path / "copy.db")


def test_who_can_reach_a_server() -> None:
    for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost"):
        assert only_this_machine(host, ())
        assert not only_this_machine(host, ["cooldown.example.org"]), "a proxy lets others in"
    for host in ("0.0.0.0", "::", "192.168.1.5", "box.example", "2001:db8::1"):
        assert not only_this_machine(host, ())


@pytest.mark.parametrize("offer", [None, Offer()])
def test_a_server_for_others_does_not_start_without_a_token(url: str, offer: Offer | None) -> None:
    place = Place("0.0.0.0", 0)
    with pytest.raises(InputError, match="no token that would keep them out"):
        serve(url, place, print, offer=offer)
    Ledger(url).tokens.create("ada", Role.READ)
    Ledger(url).tokens.revoke("ada")
    with pytest.raises(InputError, match="no token that would keep them out"):
        serve(url, place, print, offer=offer)


def test_what_is_exposed_is_said(url: str) -> None:
    Ledger(url).tokens.create("ada", Role.SUBMIT)
    Ledger(url).tokens.create("old", Role.ADMIN)
    Ledger(url).tokens.revoke("old")
    said = told(url, "0.0.0.0", 8501, api=True)
    assert "0.0.0.0, port 8501" in said
    assert "ada (submit)" in said
    assert "old" not in said
    assert "submit and control" not in told(url, "0.0.0.0", 8501, api=False)


def test_a_file_of_tokens(url: str, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# ours\nproxy read {OWN}\n\nci submit {OWN}2\n")
    for _ in range(2):
        admitted(url, file)
    assert [(token.name, token.role) for token in Ledger(url).tokens.list()] == [
        ("ci", Role.SUBMIT),
        ("proxy", Role.READ),
    ]
    Ledger(url).tokens.revoke("ci")
    with pytest.raises(LedgerError, match="was revoked"):
        admitted(url, file)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "has no token"),
        ("ada submit", "entry 1 should be NAME ROLE TOKEN"),
        (f"ada root {OWN}", "with a role of read, submit, admin"),
        ("ada read short", "32 to 200"),
        (f"ada read {OWN}\nbob read {OWN}", "that of 'ada'"),
    ],
)
def test_a_file_that_is_none_of_tokens(url: str, tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "tokens").write_text(content)
    with pytest.raises(InputError, match=reason):
        admitted(url, tmp_path / "tokens")
    with pytest.raises(InputError, match="--tokens"):
        admitted(url, tmp_path / "none")
