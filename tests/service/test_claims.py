"""The route of claims, `Client.claims`, and `cooldown claims --server`: what a ledger says of the survey's claims."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from in_process import session
from served import ADDRESS, Served, served

from cooldown.search.claims import claim, every
from cooldown.search.cli import main
from cooldown.search.service.client import Client
from cooldown.search.service.connection import ServiceError
from cooldown.storage import Ledger

TINY = {"trials": 2, "repeats": 2, "epochs": 1, "seeds": 1, "finalists": 1, "finalist_seeds": 1, "confirm_seeds": 1}
ROUTE = "/api/v1/claims"


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A service whose ledger has the experiment of C3 on iris."""
    with pytest.MonkeyPatch.context() as patched:
        settings = dict.fromkeys(("small", "standard", "full"), TINY)
        patched.setattr("cooldown.search.claims.entry.SETTINGS", settings)
        one = served(tmp_path_factory.mktemp("claims"))
        claim("C3", "iris", db=one.service.url, workers=1)
        yield one


def test_a_claim_is_what_the_command_prints(checked: Served) -> None:
    client = checked.client("reader")
    (found,) = client.get(ROUTE, params={"task": "iris", "id": "c3"}).json()["claims"]
    expected = claim("C3", "iris", db=checked.service.url).to_json()
    assert {name: found[name] for name in expected} == {**expected, "budget": "full"}
    assert (found["state"], found["target"]) == (found["verdict"], None)
    states = {each["id"]: each for each in client.get(ROUTE, params={"task": "iris"}).json()["claims"]}
    assert list(states) == [each.id for each in every()]
    assert (states["C1"]["state"], states["C1"]["verdict"], states["C1"]["sentence"]) == ("not run", None, None)
    assert states["C7"]["state"] == "on request"
    assert states["C5"]["verdict"] == "not applicable"
    assert "150 rows" in states["C5"]["sentence"]


def test_pages_are_the_whole_list(checked: Served) -> None:
    client = checked.client("reader")
    whole = client.get(ROUTE, params={"limit": 500}).json()
    assert whole["next"] is None
    assert [each["task"] for each in whole["claims"]] == [
        task for task in ("iris", "ravine", "saddle") for _ in every()
    ]
    found, cursor = [], None
    while True:
        page = client.get(ROUTE, params={"limit": 25, **({"cursor": cursor} if cursor else {})}).json()
        found += page["claims"]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == whole["claims"]


def test_what_has_not_changed_is_not_sent_again(checked: Served) -> None:
    client = checked.client("reader")
    first = client.get(ROUTE)
    again = client.get(ROUTE, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(ROUTE, params={"task": "iris"}, headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"id": "C99"}, "unknown claim 'C99'"),
        ({"cursor": "no"}, "cursor"),
        ({"cursor": "W10="}, "cursor"),
        ({"limit": 0}, "limit"),
    ],
)
def test_what_is_refused(checked: Served, query: dict[str, Any], message: str) -> None:
    answer = checked.client("reader").get(ROUTE, params=query)
    assert answer.status_code == 422
    assert message in answer.json()["detail"]
    assert checked.client().get(ROUTE).status_code == 401


def test_a_client_lists_all_pages(checked: Served) -> None:
    client = Client(ADDRESS, checked.tokens["reader"], session=session(checked.app()))
    assert [each["id"] for each in client.claims(task="saddle")] == [each.id for each in every()]
    assert len(list(client.claims())) == 3 * len(every())
    assert [each["verdict"] for each in client.claims(id="C11", task="saddle")] == ["supported"]
    with pytest.raises(ServiceError, match="unknown claim"):
        list(client.claims(id="C99"))


def test_an_empty_ledger_has_the_surfaces(empty: Served) -> None:
    listed = empty.client("reader").get(ROUTE).json()["claims"]
    assert {each["task"] for each in listed} == {"ravine", "saddle"}


def test_commands_show_what_a_service_has(
    checked: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = Client.__init__
    monkeypatch.setattr(
        Client, "__init__", lambda self, url, token: made(self, url, token, session=session(checked.app()))
    )
    monkeypatch.setenv("COOLDOWN_SERVER", ADDRESS)
    monkeypatch.setenv("COOLDOWN_TOKEN", checked.tokens["reader"])
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cooldown", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    document = json.loads(run("claim", "C3", "iris", "--json")[1])
    assert (document["id"], document["verdict"], len(document["parts"])) == ("C3", "open", 1)
    assert f"cooldown show {document['experiments'][0]}" in run("claim", "C3", "iris")[1]
    assert "No verdict: not run." in run("claim", "C1", "iris")[1]
    code, out, _ = run("claims", "iris", "saddle")
    assert code == 0
    assert "not run" in out
    assert "supported" in out
    assert "about the surface" in out
    assert "C18" in run("claims")[1]
    for arguments, message in (
        (("claims", "wine"), "no claims on 'wine'"),
        (("claim", "C3", "iris", "--budget", "full"), "--budget and --server cannot be used together"),
        (("claims", "iris", "--workers", "1"), "--workers and --server cannot be used together"),
    ):
        code, out, said = run(*arguments)
        assert (code, out) == (2, "")
        assert message in said
    assert [each.name for each in Ledger(checked.service.url).summaries()] == document["experiments"], "nothing was run"
