"""`Client`, and `--server` on the command line: the verbs of a ledger here, done by a service elsewhere."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from in_process import session
from served import ADDRESS, SPEC, Served

import cooldown
from cooldown.objectives.errors import InputError
from cooldown.search.cli import main
from cooldown.search.experiments import compare, load, queued
from cooldown.search.service import client as clients
from cooldown.search.service import connection
from cooldown.search.service.client import Client
from cooldown.search.service.connection import ServiceError

Run = Callable[..., tuple[int, str, str]]
SETTINGS = {name: value for name, value in SPEC.items() if name != "task"}


def client(one: Served, name: str | None, **options: Any) -> Client:
    token = None if name is None else one.tokens[name]
    return Client(ADDRESS, token, session=session(one.app(), **options))


def test_it_shows_what_the_ledger_has(shown: Served) -> None:
    ours, theirs = client(shown, "reader"), load("done", db=shown.service.url)
    assert [each["name"] for each in ours.experiments()] == ["begun", "done"]
    assert [each["name"] for each in ours.experiments(status="done")] == ["done"]
    assert ours.show("done")["fingerprint"] == theirs.view.fingerprint
    assert ours.trials("done") == theirs.trials()
    assert ours.export("done", "toml", arm="adam").decode() == theirs.export("toml", arm="adam")
    assert ours.report("done").startswith("<!DOCTYPE html>")
    assert ours.health()["status"] == "ok"
    assert "optimizers" in ours.catalog()
    assert [event["event"] for event in ours.events("done")][-1] == "status"


def test_a_whole_experiment_is_loaded(shown: Served) -> None:
    ours, theirs = client(shown, "reader").load("done"), load("done", db=shown.service.url)
    assert ours.view.fingerprint == theirs.view.fingerprint
    assert str(ours.answer) == str(theirs.answer)


def test_it_submits_controls_and_deletes(empty: Served) -> None:
    ada = client(empty, "ada")
    made = ada.submit("iris", **SETTINGS, name="mine", priority=3)
    assert made == {"name": "mine", "status": "queued", "new": True}
    assert [each["position"] for each in ada.queue()] == [1]
    assert [getattr(ada, verb)("mine") for verb in ("pause", "resume", "stop")] == ["paused", "queued", "stopped"]
    assert ada.cancel(ada.submit("iris", **{**SETTINGS, "seed": 4})["name"]) == "cancelled"
    assert ada.estimate("iris", **SETTINGS)["gradient_evaluations"] > 0
    compare(**SPEC, name="mine", db=empty.service.url, workers=1)
    assert ada.extend("mine", repeats=2) == "queued"
    ada.stop("mine")
    assert ada.annotate("mine", tags=["baseline"]) == {
        "name": "mine",
        "status": "stopped",
        "tags": ["baseline"],
        "notes": "",
    }
    assert ada.annotate("mine", notes="Before the move.")["tags"] == ["baseline"]
    ada.delete("mine")
    with pytest.raises(ServiceError, match="unknown experiment 'mine'") as refused:
        ada.show("mine")
    assert refused.value.status == 404


def test_a_table_is_uploaded_with_its_submission(empty: Served, tmp_path: Path) -> None:
    ada, frame = client(empty, "ada"), pd.DataFrame({"x": range(40), "kind": ["a", "b"] * 20})
    frame.to_csv(tmp_path / "mine.csv", index=False)
    for task in (tmp_path / "mine.csv", frame):
        made = ada.submit(task, target="kind", **SETTINGS)
        assert made["new"]
        assert made["name"].startswith("data-" if task is frame else "mine-")
    assert [data.file for data in empty.service.ledger.datasets.list()] == ["data.parquet", "mine.csv"]
    assert ada.upload(b"a,b\n1,2\n", "own.csv")["file"] == "own.csv"
    frame.assign(x=frame.x + 0.5).to_csv(tmp_path / "test.csv", index=False)
    tested = ada.submit(frame, target="kind", test=tmp_path / "test.csv", **{**SETTINGS, "seed": 1})
    test = next(data for data in empty.service.ledger.datasets.list() if data.file == "test.csv")
    assert empty.service.ledger.load(tested["name"]).spec["test"] == f"dataset:{test.digest}"


def test_a_refusal_names_every_field(empty: Served) -> None:
    with pytest.raises(ServiceError) as refused:
        client(empty, "ada").submit("iris", **{**SETTINGS, "trials": 0, "epochs": 0})
    assert str(refused.value).splitlines() == [
        "2 fields are wrong",
        "  trials: should be greater than or equal to 1, got 0",
        "  epochs: should be greater than or equal to 1, got 0",
    ]
    assert refused.value.status == 422
    with pytest.raises(ServiceError, match="needs a token of the role submit"):
        client(empty, "reader").submit("iris", **SETTINGS)
    with pytest.raises(ServiceError, match="give a token"):
        list(client(empty, None).experiments())


def test_a_lost_answer_makes_no_second_experiment(empty: Served) -> None:
    sent: list[Any] = []
    ada = client(empty, "ada", before=sent.append)
    first = ada.submit("iris", **SETTINGS)
    # What the session does where the answer was lost: the same request again.
    again = ada._connection.session.send(sent[-1])
    assert again.json() == {**first, "new": False}
    assert len(queued(empty.service.url)) == 1


def test_events_go_on_after_a_break(shown: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(client(shown, "reader").events("done"))
    breaks = iter([False, True, False, False, False])
    monkeypatch.setattr(clients.time, "sleep", lambda _: None)
    original = clients._events

    def broken(lines: Any) -> Any:
        for number, event in enumerate(original(lines)):
            if number == 2 and next(breaks):
                raise requests.ConnectionError
            yield event

    next(breaks)
    monkeypatch.setattr(clients, "_events", broken)
    assert list(client(shown, "reader").events("done")) == whole


@pytest.mark.parametrize("url", ["", "localhost:8501", "ftp://a", "http://", "http://user:secret@a", "file:///etc"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(InputError, match="should be an address"):
        Client(url)


def test_a_service_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "AGAIN", connection.Retry(0, raise_on_status=False))
    with pytest.raises(ServiceError, match=r"http://127.0.0.1:9 cannot be reached: .*refused"):
        cooldown.Client("http://127.0.0.1:9").health()


@pytest.fixture
def remotely(
    shown: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Run]:
    """The `cooldown` command with a service in this process as its server, on behalf of a token's holder."""
    made = Client.__init__

    def of(one: Served, name: str) -> Run:
        monkeypatch.setattr(
            Client, "__init__", lambda self, url, token: made(self, url, token, session=session(one.app()))
        )
        monkeypatch.setenv("COOLDOWN_SERVER", ADDRESS)
        monkeypatch.setenv("COOLDOWN_TOKEN", one.tokens[name])
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.chdir(tmp_path)

        def run(*arguments: str) -> tuple[int, str, str]:
            monkeypatch.setattr(sys, "argv", ["cooldown", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
            said = capsys.readouterr()
            return int(ended.value.code or 0), said.out, said.err

        return run

    return of


READ = [
    "show done",
    "show done pairs",
    "show done --json",
    "trials done --csv",
    "export done -f toml",
    "report done -o -",
]


@pytest.mark.parametrize("command", READ)
def test_the_command_line_shows_the_same_from_elsewhere(
    shown: Served, remotely: Callable[..., Run], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = remotely(shown, "reader")(*command.split())
    here = remotely(shown, "reader")(*command.split(), "--db", shown.service.url)
    assert elsewhere[0] == here[0] == 0
    # Commands in it name no ledger.
    assert elsewhere[1] == here[1].replace(f" --db {shown.service.url}", "") or command == "show done"
    assert "/tmp" not in elsewhere[1]


def test_the_command_line_submits_and_controls(empty: Served, remotely: Callable[..., Run]) -> None:
    run = remotely(empty, "ada")
    small = [
        "--arm",
        "momentum",
        "--arm",
        "adam",
        "--trials",
        "4",
        "--repeats",
        "1",
        "--epochs",
        "1",
        "--priority",
        "2",
    ]
    assert run("submit", "iris", *small, "--name", "mine") == (0, "mine\n", "mine is queued.\n")
    assert json.loads(run("submit", "iris", *small, "--name", "mine", "--json")[1])["new"] is False
    assert "mine" in run("queue")[1]
    assert json.loads(run("queue", "--json")[1])[0]["priority"] == 2
    assert json.loads(run("list", "--json")[1])[0]["name"] == "mine"
    for verb, status in (("pause", "paused"), ("resume", "queued"), ("stop", "stopped"), ("cancel", "stopped")):
        code, _, said = run(verb, "mine")
        assert (code, status in said) == (2 if verb == "cancel" else 0, True)
    annotated = run("annotate", "mine", "--tag", "a", "--tag", "b", "--notes", "why", "--json")[1]
    assert json.loads(annotated) == {"name": "mine", "status": "stopped", "tags": ["a", "b"], "notes": "why"}
    assert json.loads(run("annotate", "mine", "--no-tags", "--json")[1])["tags"] == []
    assert run("annotate", "mine", "--no-tags", "--tag", "a")[0] == run("annotate", "mine")[0] == 2
    assert run("delete", "mine", "--yes")[2] == "Deleted mine.\n"
    assert "No experiments yet" in run("list")[1]
    code, out, said = run("submit", "iris", "--trials", "0")
    assert (code, out) == (2, "")
    assert "trials: should be greater than or equal to 1" in said
    assert run("submit", "iris", "--executor", "inline")[0] == 2


def test_a_run_elsewhere_is_followed_to_its_end(empty: Served, remotely: Callable[..., Run]) -> None:
    run = remotely(empty, "ada")
    fields = {**SPEC, "name": "mine"}
    Path("spec.toml").write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in fields.items()))
    assert run("submit", "spec.toml")[0] == 0
    # In place of a worker.
    compare(**SPEC, name="mine", db=empty.service.url, workers=1)
    code, out, said = run("compare", "spec.toml")
    assert (code, "mine: done" in said) == (0, True), said
    assert "momentum" in out


def test_other_commands_are_done_here(remotely: Callable[..., Run], shown: Served) -> None:
    run = remotely(shown, "reader")
    assert "done" in run("list", "--db", shown.service.url)[1]
    assert run("doctor", "--db", shown.service.url)[0] == 0
    assert "No such option" in run("doctor", "--server", ADDRESS)[2]
