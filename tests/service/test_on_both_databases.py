"""What the service keeps, on each database: tokens, the audit, uploaded data, submissions that come again, changes."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from patience import PATIENCE
from search_runs import run_in_threads, spec
from served import API, SPEC, Served

from cooldown.search.experiments import load
from cooldown.search.service.events import Position, news
from cooldown.search.service.service import Service
from cooldown.storage import Change, Ledger, Queue, QuotaError, Terms, audit
from cooldown.storage.copying import copy_experiment
from cooldown.storage.quotas import within
from cooldown.storage.submissions import submission
from cooldown.storage.tokens import Role

pytestmark = pytest.mark.databases

CSV = b"length,kind\n" + b"".join(b"%d,%s\n" % (i, b"ab"[i % 2 :][:1]) for i in range(60))


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty ledger: a SQLite file, or a PostgreSQL database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path}/cooldown.db"


@pytest.fixture
def one(url: str) -> Served:
    """A service of this ledger, with a token that may submit."""
    ledger = Ledger(url)
    return Served(Service(ledger, url), {"ada": ledger.tokens.create("ada", Role.SUBMIT)})


def test_a_quota_holds_for_all_servers_together(url: str) -> None:
    ledger = Ledger(url)
    token = ledger.tokens.create("ada", Role.SUBMIT, quota=2)
    # Each has a server of its own.
    clients = [Served(Service(Ledger(url), url), {"ada": token}).client("ada") for _ in range(4)]
    for client in clients:
        # FastAPI builds routes with the first request that looks at them, and not in several threads at once.
        assert client.get("/api/openapi.json").status_code == 200
    at_once = threading.Barrier(len(clients), timeout=PATIENCE)

    def submit(number: int) -> int:
        at_once.wait()
        return int(clients[number].post(API, json={**SPEC, "name": f"e{number}", "seed": number}).status_code)

    with ThreadPoolExecutor(len(clients)) as pool:
        assert sorted(pool.map(submit, range(len(clients)))) == [201] * 2 + [403] * 2
    assert len(ledger.summaries()) == 2


def test_a_quota_is_counted_while_nobody_else_adds_or_resumes(url: str) -> None:
    ledgers, at_once = [Ledger(url), Ledger(url)], threading.Barrier(2, timeout=PATIENCE)
    fields, theirs = spec().to_json(), Terms(owner="ada")
    ledgers[0].create("old", fields, "data", [], terms=theirs)

    def add() -> None:
        ledgers[0].create("new", fields, "data", [], terms=theirs, queued=True)

    def resume() -> None:
        Queue(ledgers[1]).put("old")

    def within_one(act: Callable[[], None]) -> bool:
        with within("ada", 1):
            at_once.wait()
            try:
                act()
            except QuotaError:
                return False
        return True

    with ThreadPoolExecutor(2) as pool:
        for _ in range(8):
            added, resumed = pool.map(within_one, (add, resume))
            assert added is not resumed
            ledgers[0].delete("new") if added else Queue(ledgers[0]).request("old", Change.CANCEL)


def test_a_submission_on_uploaded_data(one: Served) -> None:
    client = one.client("ada")
    data = client.post("/api/v1/datasets", params={"file": "mine.csv"}, content=CSV).json()
    assert client.get(f"/api/v1/datasets/{data['digest']}").content == CSV
    spec_ = {**SPEC, "task": data["task"], "target": "kind"}
    first = client.post(API, json=spec_, headers={"Idempotency-Key": "one"})
    assert (first.status_code, first.json()["status"]) == (201, "queued")
    again = client.post(API, json=spec_, headers={"Idempotency-Key": "one"})
    assert (again.status_code, again.json()["name"]) == (200, first.json()["name"])
    assert client.post(f"{API}/{first.json()['name']}/pause").json()["status"] == "paused"
    assert [line.action for line in audit.lines(one.service.ledger, 9)] == ["pause", "submit", "upload"]
    assert client.get("/api/v1/health").json()["status"] == "ok"


def test_one_experiment_of_a_submission_that_comes_at_once(one: Served) -> None:
    sent, made = submission("ada", "one", "x"), []

    def submit() -> None:
        ledger = Ledger(one.service.url)
        made.append(ledger.create("a", spec().to_json(), "", [], numbered=True, submission=sent))

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["a"] * 4
    assert len(one.service.ledger.summaries()) == 1


def test_events_and_a_copy_for_others(one: Served, tmp_path: Path) -> None:
    run_in_threads(one.service.url, spec(repeats=1), name="mine")
    events = news(one.service.ledger, "mine", Position())
    assert [event.name for event in events] == ["trial"] * (len(events) - 1) + ["status"]
    assert news(one.service.ledger, "mine", events[2].position) == events[3:]
    copy = tmp_path / "copy.db"
    copy.write_bytes(one.client("ada").get(f"{API}/mine/export?format=ledger").content)
    assert load("mine", db=copy).view.fingerprint == load("mine", db=one.service.url).view.fingerprint


def test_uploaded_data_go_with_a_copy_to_another_ledger(one: Served, tmp_path: Path) -> None:
    client = one.client("ada")
    data = client.post("/api/v1/datasets", content=CSV).json()
    name = client.post(API, json={**SPEC, "task": data["task"], "target": "kind"}).json()["name"]
    other = Ledger(f"sqlite:///{tmp_path}/other.db")
    assert copy_experiment(one.service.ledger, other, name) == (name, True)
    assert other.datasets.content(data["digest"]) == CSV
    assert [found.owner for found in other.datasets.list()] == ["ada"]
    # What others may read of it has no data.
    shown = tmp_path / "shown.db"
    shown.write_bytes(client.get(f"{API}/{name}/export?format=ledger").content)
    assert Ledger(f"sqlite:///{shown}").datasets.list() == []
