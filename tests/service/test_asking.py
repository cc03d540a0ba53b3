"""Ask and tell: an experiment that callers train is what `runs` makes of it, whoever asks and whatever is lost."""

import math
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from in_process import session
from served import ADDRESS, API, SPEC, Served

from cooldown import Client
from cooldown.search import experiments
from cooldown.search.experiments import load
from cooldown.search.experiments.telling import ask, tell
from cooldown.search.service.service import Service
from cooldown.storage import Ledger, LedgerError, Queue, Status
from cooldown.storage.asked_runs import runs_of
from cooldown.storage.copying import copy_experiment
from cooldown.storage.tokens import Role

LOOP = {"n_samples": 60, "uninformed_loss": 3.0}
SETTINGS = {**{name: value for name, value in SPEC.items() if name != "task"}, "epochs": 2}
SETTINGS |= {"trials": 2, "generation": 1, "finalists": 1, "finalist_seeds": 1}
BODY = {**SETTINGS, "task": "my net", "loop": LOOP, "name": "mine"}


def trained(config: Any, seed: int, rows: int) -> list[dict[str, float]]:
    """What a loop reports, which is a function of what it is given."""
    rate = math.log10(config["optimizer"]["learning_rate"])
    losses = [
        1.0 + (rate + 2) ** 2 / (epoch + 1) + (seed % 97) / 1000 + rows / 1e4 for epoch in range(config["epochs"])
    ]
    return [{"train_loss": loss * 0.9, "held_out_loss": loss, "score": 1 / loss} for loss in losses]


def expected(url: str, settings: dict[str, Any]) -> str:
    """The fingerprint of the same experiment, trained by a program that asks `runs`."""
    for run in experiments.runs("my net", **LOOP, db=url, **settings):
        reports = trained(run.config.to_json(), run.seed, len(run.rows("train")))
        for epoch, report in enumerate(reports):
            run.report(epoch, **report)
    return load("my net", db=url).view.fingerprint


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty ledger: a SQLite file, or a PostgreSQL database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path}/cooldown.db"


@pytest.mark.databases
def test_two_callers_train_what_one_program_would(url: str, tmp_path: Path) -> None:
    token = Ledger(url).tokens.create("ada", Role.SUBMIT)
    # On a server, one arm: what differs there is the transaction.
    settings = SETTINGS if url.startswith("sqlite") else SETTINGS | {"arms": ["adam"]}

    def client() -> Client:
        """Of a server that has just been started."""
        return Client(ADDRESS, token, session=session(Served(Service(Ledger(url), url), {}).app()))

    first, chosen = client(), random.Random(0)
    assert first.submit("my net", **settings, loop=LOOP, name="mine") == {
        "name": "mine",
        "status": "open",
        "new": True,
    }
    asked, told = [], 0
    while True:
        # What is in flight is told in any order, to a server that knows nothing but the ledger.
        run = first.ask("mine")
        if run is not None:
            asked.append(run)
        if not asked:
            break
        if run is None or len(asked) > 3:
            done = asked.pop(chosen.randrange(len(asked)))
            assert len(done["learning_rates"]) == done["epochs"] == 2
            assert not {*done["train"]} & {*done["held_out"]}
            reports = trained(done["config"], done["seed"], len(done["train"]))
            first = client() if told % 5 == 0 else first
            # Every third one is told twice.
            for _ in range(1 if told % 3 else 2):
                first.tell("mine", done["id"], reports)
            told += 1
    assert first.show("mine")["status"] == "done"
    assert first.show("mine")["fingerprint"] == expected(f"sqlite:///{tmp_path}/calm.db", settings)


@pytest.fixture
def begun(empty: Served) -> Served:
    """A service with an experiment `mine` of ada's."""
    made = empty.client("ada").post(API, json=BODY)
    assert made.status_code == 201, made.text
    return empty


def test_a_run_is_given_to_one_and_again_when_it_is_lost(begun: Served) -> None:
    ada = begun.client("ada")
    runs = []
    while (run := ada.post(f"{API}/mine/ask").json()["run"]) is not None:
        runs.append(run)
    assert len({run["id"] for run in runs}) == len(runs) > 1
    again = ask("mine", db=begun.service.url, again_after=0.0)
    assert again is not None
    assert asdict(again) == runs[0]


def test_studies_are_read_only_when_all_runs_of_a_job_are_told(begun: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    url = begun.service.url
    runs = [run for run in iter(lambda: ask("mine", db=url), None) if run is not None]
    *before, last = [run for run in runs if run.config == runs[0].config]
    read: list[str] = []

    def load(ledger: Ledger, name: str, load: Any = Ledger.load) -> Any:
        read.append(name)
        return load(ledger, name)

    monkeypatch.setattr(Ledger, "load", load)
    for run in (*before, last):
        assert not read
        tell("mine", run.id, trained(run.config, run.seed, len(run.train)), db=url)
    assert before
    assert read


def test_many_runs_are_found_as_few_are(begun: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = begun.service.ledger
    names = {run.id for run in iter(lambda: ask("mine", db=begun.service.url), None) if run is not None}
    some = {min(names), max(names), "0" * 32}
    few = runs_of(ledger, "mine", some)
    monkeypatch.setattr("cooldown.storage.asked_runs.MOST_NAMED", 2)
    assert runs_of(ledger, "mine", some) == few
    assert {*few} == some & names


def test_what_is_told_stays(begun: Served) -> None:
    ada = begun.client("ada")
    run = ada.post(f"{API}/mine/ask").json()["run"]
    path, reports = f"{API}/mine/trials/{run['id']}/tell", trained(run["config"], run["seed"], len(run["train"]))
    diverged = [{"train_loss": None, "held_out_loss": None}]
    assert ada.post(path, json={"reports": diverged}).status_code == 200
    other = ada.post(path, json={"reports": reports})
    assert (other.status_code, "which are kept" in other.json()["detail"]) == (409, True)
    assert ada.post(path, json={"reports": diverged}).status_code == 200


WRONG: dict[str, tuple[Any, int]] = {
    "nothing": ({}, 422),
    "no epoch": ({"reports": []}, 422),
    "too many epochs": ({"reports": [{"train_loss": 1.0, "held_out_loss": 1.0}] * 3}, 422),
    "a text": ({"reports": [{"train_loss": "1", "held_out_loss": 1.0}]}, 422),
    "another field": ({"reports": [{"train_loss": 1.0, "held_out_loss": 1.0, "loss": 1.0}]}, 422),
    "a list": ([], 422),
    "deep": ({"reports": [{"train_loss": [[1.0]], "held_out_loss": 1.0}]}, 422),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_no_run_can_report(begun: Served, case: str) -> None:
    ada = begun.client("ada")
    run = ada.post(f"{API}/mine/ask").json()["run"]
    body, status = WRONG[case]
    answer = ada.post(f"{API}/mine/trials/{run['id']}/tell", json=body)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_it_is_open_until_its_owner_holds_it_back(begun: Served) -> None:
    ada = begun.client("ada")
    run = ada.post(f"{API}/mine/ask").json()["run"]
    (line,) = ada.get("/api/v1/queue").json()["queue"]
    assert (line["name"], line["status"], line["position"]) == ("mine", "open", None)
    assert [each["name"] for each in ada.get(f"{API}?status=open").json()["experiments"]] == ["mine"]
    for verb, status in (("pause", "paused"), ("stop", "stopped"), ("cancel", "cancelled")):
        assert ada.post(f"{API}/mine/{verb}").json()["status"] == status
        assert ada.post(f"{API}/mine/ask").json() == {"status": status, "run": None}
        assert ada.get("/api/v1/queue").json()["queue"][:1] == ([line | {"status": status}] if verb == "pause" else [])
        # What was trained meanwhile is not lost.
        told = {"reports": trained(run["config"], run["seed"], len(run["train"]))}
        assert ada.post(f"{API}/mine/trials/{run['id']}/tell", json=told).json()["status"] == status
        assert ada.post(f"{API}/mine/resume").json()["status"] == "open"
    assert ada.post(f"{API}/mine/ask").json()["run"]["id"] != run["id"]
    # A worker leaves it alone.
    with Queue(begun.service.ledger).claimed() as writer:
        assert writer is None


def test_it_is_held_for_a_moment_only_while_it_is_open(begun: Served) -> None:
    ledger = begun.service.ledger
    with ledger.hold("mine"):
        assert ledger.summary("mine").status is Status.RUNNING
        # Somebody cancels it between a look at it and its lease.
        assert begun.client("ada").post(f"{API}/mine/cancel").json()["status"] == "running"
    assert ledger.summary("mine").status is Status.CANCELLED
    with pytest.raises(LedgerError, match="is cancelled"), ledger.hold("mine"):
        pass


def test_one_that_is_done_is_extended(empty: Served) -> None:
    ada = empty.client("ada")
    assert ada.post(API, json=BODY | {"arms": ["adam"], "seeds": 1, "finalists": 1}).status_code == 201

    def train() -> int:
        """Train all runs that there are; returns how many."""
        count = 0
        while (run := ada.post(f"{API}/mine/ask").json()["run"]) is not None:
            told = {"reports": trained(run["config"], run["seed"], len(run["train"]))}
            assert ada.post(f"{API}/mine/trials/{run['id']}/tell", json=told).status_code == 200
            count += 1
        return count

    first = train()
    assert first > 3
    assert ada.get(f"{API}/mine").json()["status"] == "done"
    repeats = SETTINGS["repeats"]
    assert ada.post(f"{API}/mine/extend", json={"repeats": repeats + 1}).json()["status"] == "open"
    assert train() * repeats == first
    assert ada.get(f"{API}/mine").json()["status"] == "done"


def test_whose_it_is_not(begun: Served) -> None:
    empty = begun.client("ada").post(API, json={**SPEC, "name": "queued"})
    assert empty.status_code == 201
    nobody = "0" * 32
    for name, path, status, reason in (
        ("bob", "mine/ask", 403, "belongs to 'ada'"),
        ("reader", "mine/ask", 403, "role submit"),
        ("bob", f"mine/trials/{nobody}/tell", 403, "belongs to 'ada'"),
        ("ada", f"mine/trials/{nobody}/tell", 409, "has no run"),
        ("ada", "mine/trials/..%2Fx/tell", 422, "id"),
        ("ada", "queued/ask", 422, "not trained by its callers"),
        ("ada", "none/ask", 404, "unknown experiment"),
    ):
        body = {"reports": [{"train_loss": 1.0, "held_out_loss": 1.0}]} if "tell" in path else None
        answer = begun.client(name).post(f"{API}/{path}", json=body)
        assert (answer.status_code, reason in answer.json()["detail"]) == (status, True), (path, answer.text)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"loop": {}}, "loop"),
        ({"loop": {"n_samples": 9}}, "loop"),
        ({"loop": {"n_samples": 10**7}}, "loop"),
        ({"loop": {"n_samples": "60"}}, "loop"),
        ({"loop": {"n_samples": 60, "uninformed_loss": -1.0}}, "loop"),
        ({"loop": {"n_samples": 60, "path": "/etc/passwd"}}, "loop"),
        ({"loop": [60]}, "loop"),
        ({"task": "iris"}, "task"),
        ({"task": "/etc/passwd.csv"}, "task"),
        ({"task": "os:system"}, "task"),
        ({"task": 7}, "task"),
        ({"pruner": "median"}, "pruner"),
        ({"target": "y"}, "target"),
    ],
    ids=str,
)
def test_what_is_no_loop(empty: Served, changes: dict[str, Any], field: str) -> None:
    answer = empty.client("ada").post(API, json={**BODY, **changes})
    assert answer.status_code == 422
    assert field in answer.json()["detail"]
    assert empty.service.ledger.summaries() == []


def test_a_loss_that_is_no_number_is_null(begun: Served) -> None:
    ada = begun.client("ada")
    run = ada.post(f"{API}/mine/ask").json()["run"]
    body = b'{"reports": [{"train_loss": NaN, "held_out_loss": Infinity}]}'
    answer = ada.post(f"{API}/mine/trials/{run['id']}/tell", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


def test_a_copy_of_it_goes_on(begun: Served, tmp_path: Path) -> None:
    run = begun.client("ada").post(f"{API}/mine/ask").json()["run"]
    url = f"sqlite:///{tmp_path}/copy.db"
    copy_experiment(begun.service.ledger, Ledger(url), "mine")
    tell("mine", run["id"], trained(run["config"], run["seed"], len(run["train"])), db=url)
    again = ask("mine", db=url)
    assert again is not None
    assert again.id != run["id"]


def test_a_key_makes_one_experiment(begun: Served) -> None:
    ada, key = begun.client("ada"), {"Idempotency-Key": "one"}
    made = [ada.post(API, json={**BODY, "name": "keyed", "seed": 3}, headers=key).json() for _ in range(2)]
    assert [(each["name"], each["new"]) for each in made] == [("keyed", True), ("keyed", False)]
