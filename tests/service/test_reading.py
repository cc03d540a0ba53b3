"""The routes that show experiments say what the command line says, page by page, and only what has changed."""

import json
import re

import pytest
from served import API, SPEC, Served

from cooldown.search.experiments import load
from cooldown.search.service.api import about
from cooldown.search.spec.experiment import read_spec
from cooldown.storage import UnavailableError, listing
from cooldown.storage.changes import trials_after
from cooldown.storage.database import Database


def test_an_experiment_is_what_show_prints(shown: Served) -> None:
    client = shown.client("reader")
    answer = client.get("/api/v1/experiments/done")
    document = answer.json()
    expected = json.loads(json.dumps(load("done", db=shown.service.url).to_json()))
    # Commands in it name no database: the reader is elsewhere.
    expected["answer"]["next"] = document["answer"]["next"]
    assert document == expected
    assert str(shown.service.ledger.file) not in answer.text
    assert client.get("/api/v1/experiments/done/trials").json()["trials"] == load("done", db=shown.service.url).trials()


def test_what_has_not_changed_is_not_sent_again(shown: Served) -> None:
    client = shown.client("reader")
    first = client.get("/api/v1/experiments/done")
    for tags in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = client.get("/api/v1/experiments/done", headers={"If-None-Match": tags})
        assert (again.status_code, again.content) == (304, b"")
    assert client.get("/api/v1/experiments/done", headers={"If-None-Match": '"other"'}).content == first.content
    assert client.get("/api/v1/experiments/begun").headers["etag"] != first.headers["etag"]


def test_a_list_has_pages_and_filters(shown: Served) -> None:
    client = shown.client("reader")

    def names(**query: object) -> list[str]:
        page = client.get("/api/v1/experiments", params={key: str(value) for key, value in query.items()}).json()
        return [experiment["name"] for experiment in page["experiments"]]

    assert names() == ["begun", "done"]
    assert names(status="done") == names(status="done", task="iris") == ["done"]
    assert names(task="digits") == names(status="failed") == []
    first = client.get("/api/v1/experiments?limit=1").json()
    assert [experiment["name"] for experiment in first["experiments"]] == ["begun"]
    second = client.get("/api/v1/experiments", params={"limit": 1, "cursor": first["next"]}).json()
    assert [experiment["name"] for experiment in second["experiments"]] == ["done"]
    assert second["next"] is None
    assert second["experiments"][0]["leader"] != ""


def test_exports_and_the_report(shown: Served) -> None:
    client, result = shown.client("reader"), load("done", db=shown.service.url)
    toml = client.get("/api/v1/experiments/done/export", params={"format": "toml", "arm": "adam"})
    assert toml.text == result.export("toml", arm="adam")
    assert toml.headers["content-disposition"].endswith('.toml"')
    table = client.get("/api/v1/experiments/done/export", params={"format": "parquet"})
    assert table.content == result.export("parquet")
    report = client.get("/api/v1/experiments/done/report")
    assert report.headers["content-type"].startswith("text/html")
    assert "sandbox" in report.headers["content-security-policy"]
    assert "<h1" in report.text


def test_the_catalog_and_the_health(shown: Served) -> None:
    assert {"optimizers", "tasks", "formats"} <= shown.client("reader").get("/api/v1/catalog").json().keys()
    assert shown.client().get("/api/v1/health").json() == {"status": "ok", "database": "ok", "workers": "ok"}


def test_health_says_that_nobody_works(empty: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    empty.client("ada").post(API, json=SPEC)
    assert empty.client().get("/api/v1/health").json()["workers"] == "ok", "it has not waited long"
    monkeypatch.setattr(about, "PATIENCE", 0.0)
    answer = empty.client().get("/api/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["workers"] == "none: 1 experiments wait, and none runs"


def test_health_says_that_the_database_is_gone(empty: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise UnavailableError("the server db.example.org does not answer")

    def both() -> None:
        answer = empty.client("reader").get("/api/v1/health")
        assert (answer.status_code, answer.json()["database"]) == (503, "does not answer")
        listed = empty.client("reader").get(API)
        assert (listed.status_code, listed.headers["retry-after"]) == (503, "5")
        assert listed.json()["detail"] == "the database is not available at the moment"

    with monkeypatch.context() as patched:
        patched.setattr(about, "overview", gone)
        patched.setattr(listing, "page", gone)
        both()
    # Who asks cannot be found out either.
    monkeypatch.setattr(Database, "read", gone)
    both()


def test_metrics_count_experiments_and_requests(empty: Served) -> None:
    client = empty.client("ada")
    client.post(API, json=SPEC)
    text = client.get("/api/v1/metrics").text
    assert 'cooldown_experiments{status="queued"} 1\n' in text
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.]+', line) for line in samples)


def test_an_experiment_without_studies_says_so(empty: Served) -> None:
    empty.service.ledger.create("bare", read_spec(**SPEC).to_json(), "data", [])
    for path in ("", "/trials", "/report", "/export"):
        answer = empty.client("reader").get(f"{API}/bare{path}")
        assert answer.status_code == 409
        assert "'bare' in the ledger cannot be read: studies: there are none" in answer.json()["detail"]
    assert [each["name"] for each in empty.client("reader").get(API).json()["experiments"]] == ["bare"]


WRONG = {
    "/experiments/dne": (404, "dne"),
    "/experiments/dne/trials": (404, "done"),
    "/experiments/a%00b": (404, "control characters"),
    f"/experiments/{'x' * 300}": (404, "200 characters"),
    "/experiments?limit=0": (422, "limit"),
    "/experiments?limit=ten": (422, "limit"),
    "/experiments?status=finished": (422, "status"),
    "/experiments?cursor=abc": (422, "cursor"),
    "/experiments?cursor=W10=": (422, "cursor"),
    "/experiments/done/export?format=pickle": (422, "pickle"),
    "/experiments/done/export?format=joblib": (422, "trained when it is exported"),
    "/experiments/done/export?arm=sgd": (422, "sgd"),
    "/experiments/done/export?trial=-1": (422, "trial"),
    "/experiments/begun/export?format=toml": (422, "trial"),
    "/nothing": (404, "no such"),
}


@pytest.mark.parametrize("path", WRONG)
def test_what_cannot_be_shown_is_a_problem_document_with_the_reason(shown: Served, path: str) -> None:
    status, reason = WRONG[path]
    answer = shown.client("reader").get(f"/api/v1{path}")
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["type"]) == (status, status, "about:blank")
    assert reason in problem["detail"]
    assert str(shown.service.ledger.file) not in answer.text


def test_trials_are_found_in_the_order_in_which_they_were_added(shown: Served) -> None:
    ledger = shown.service.ledger
    changes = trials_after(ledger, "done", 0, 1000)
    assert len(changes) == len(load("done", db=shown.service.url).trials())
    assert [change.id for change in changes] == sorted(change.id for change in changes)
    assert trials_after(ledger, "done", changes[3].id, 2) == changes[4:6]
    assert trials_after(ledger, "begun", 0, 10) == []


def test_the_page_of_the_routes_loads_nothing_from_elsewhere(shown: Served) -> None:
    client = shown.client("reader")
    page = client.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    for path in client.get("/api/openapi.json").json()["paths"]:
        assert f"/api{path}" in page.text
    # An example may name an address; nothing is loaded from one, and no link leads there.
    assert not re.findall(r"""(?:src|href|action)\s*=\s*["']?https?:|url\(|@import""", page.text)
    assert "script" not in page.text
    assert shown.client().get("/api/docs").status_code == 401
