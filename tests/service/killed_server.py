"""A server that is killed with SIGKILL at each of its writes in turn, and asked again; see test_killed_server.py.

Run as a program, with the addresses of a ledger and of one for an undisturbed run, and with the word `all` for all
requests; without it, for those that submit and pause. Every request is answered by a process of its own, so that
nothing but the ledger is left of it; one that is killed dies before or after a transaction is committed.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from served import API, SPEC, Served
from sqlalchemy import Connection
from starlette.testclient import TestClient
from statements import compiled_once
from test_asking import LOOP, trained

from cooldown.search import experiments
from cooldown.search.experiments import load
from cooldown.search.service.service import Service
from cooldown.storage import Ledger, audit
from cooldown.storage.database import Database
from cooldown.storage.tokens import Role

Work = Callable[[TestClient], Any]
SETTINGS: dict[str, Any] = {
    **{"arms": ["momentum"], "repeats": 1, "epochs": 1, "trials": 2, "generation": 1, "seeds": 1},
    **{"finalists": 1, "finalist_seeds": 1, "confirm_seeds": 2},
}
CSV = b"length,kind\n" + b"".join(b"%d,%s\n" % (i, b"ab"[i % 2 :][:1]) for i in range(60))
MOST_WRITES = 40
"""More than any request makes."""


class Killed:
    """Servers of one ledger, each of which answers one request."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.kills = 0
        self._token = str(_forked(lambda: Ledger(url).tokens.create("ada", Role.SUBMIT)))
        self.sent(lambda client: client.get(API).status_code)

    def sent(self, work: Work, *, dies_at: tuple[int, bool] | None = None) -> Any:
        """What `work` makes of a client of a server; None if it was killed. dies_at: the number of a write, and whether
        it is committed before.
        """

        def answered() -> Any:
            if dies_at is not None:
                _dying(*dies_at)
            served = Served(Service(Ledger(self._url), self._url), {"ada": self._token})
            return work(served.client("ada"))

        return _forked(answered)

    def at_each_write(
        self, begin: Callable[[str], Work | None], work: Callable[[str], Work]
    ) -> Iterator[tuple[str, Any]]:
        """Kill a server at each write of a request, and send it again: yields the name that it was about, and the
        second answer. begin: what comes before it, undisturbed.
        """
        for number in range(MOST_WRITES):
            for committed in (False, True):
                name = f"{work.__name__}-{number}-{committed}"
                if (before := begin(name)) is not None:
                    assert self.sent(before)
                if self.sent(work(name), dies_at=(number, committed)) is not None:
                    # It has no such write.
                    assert number > 0
                    return
                self.kills += 1
                yield name, self.sent(work(name))
        raise AssertionError("it writes for ever")


def _forked(work: Callable[[], Any]) -> Any:
    """What `work` returns in a process of its own; None if that was killed."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(write, json.dumps(work()).encode())
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        content = answer.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return None
    assert os.WEXITSTATUS(status) == 0
    return json.loads(content)


def _dying(number: int, committed: bool) -> None:
    """Have this process killed at one of its writes."""
    original, count = Database.writing, iter(range(10**6))

    @contextmanager
    def writing(self: Database) -> Iterator[Connection]:
        dies = next(count) == number
        with original(self) as connection:
            yield connection
            if dies and not committed:
                os.kill(os.getpid(), signal.SIGKILL)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(Database, "writing", writing)  # noqa: B010


def prepare(url: str) -> None:
    """Send each of the requests once."""
    service = Service(Ledger(url), url)
    client = Served(service, {"ada": service.ledger.tokens.create("ada", Role.SUBMIT)}).client("ada")
    submit("one")(client)
    upload("one")(client)
    for change in (pause, delete):
        change(submitted("two")(client))(client)


def submit(name: str) -> Work:
    """A submission with a key, whose name the server chooses."""
    body, key = {**SPEC, "seed": abs(hash(name)) % 10**6, "tags": [name]}, {"Idempotency-Key": name}
    return lambda client: client.post(API, json=body, headers=key).json()["name"]


def submitted(name: str) -> Work:
    """A submission of this name."""
    body = {**SPEC, "name": name, "seed": abs(hash(name)) % 10**6}
    return lambda client: client.post(API, json=body).json()["name"]


def upload(name: str) -> Work:
    return lambda client: client.post("/api/v1/datasets", content=CSV + name[-5:].encode() + b",a\n").json()["digest"]


def pause(name: str) -> Work:
    return lambda client: client.post(f"{API}/{name}/pause").json()["status"]


def delete(name: str) -> Work:
    return lambda client: client.delete(f"{API}/{name}").status_code


def main(url: str, calm: str, requests: str = "") -> None:
    """Kill, ask again, and look at what there is."""
    # Here, so that no process loads or compiles what they all need.
    prepare(calm)
    expected = undisturbed(calm) if requests == "all" else ""
    killed = Killed(url)
    for name, answer in killed.at_each_write(lambda _: None, submit):
        tagged = _forked(lambda tag=name: [s.name for s in Ledger(url).summaries() if tag in s.terms.tags])
        assert tagged == [answer], "one submission is one experiment"
    for _, answer in killed.at_each_write(submitted, pause):
        assert answer == "paused"
    if expected:
        upload_and_delete(killed, url)
    lines = _forked(lambda: [(line.action, line.subject) for line in audit.lines(Ledger(url), 1000)])
    # What was not committed has no line, and what was has one.
    assert len(lines) == len({*map(tuple, lines)})
    if expected:
        tell(killed, url)
        assert _forked(lambda: load("mine", db=url).view.fingerprint) == expected
    sys.stdout.write(str(killed.kills))


def upload_and_delete(killed: Killed, url: str) -> None:
    """What was uploaded is there, and what was deleted is not."""
    digests = [answer for _, answer in killed.at_each_write(lambda _: None, upload)]
    assert {*digests} <= {*_forked(lambda: [data.digest for data in Ledger(url).datasets.list("ada")])}
    for name, answer in killed.at_each_write(submitted, delete):
        assert answer in (204, 404)
        assert name not in _forked(lambda: [summary.name for summary in Ledger(url).summaries()])


def tell(killed: Killed, url: str) -> None:
    """A loop whose server is killed at another write of each request, until all is told."""
    body = {**SETTINGS, "task": "my net", "loop": LOOP, "name": "mine"}
    assert killed.sent(lambda client: client.post(API, json=body).json()["name"]) == "mine"
    number, run = 0, None
    while True:
        dies_at = number % 7, number % 2 == 0
        number += 1
        if run is None:
            asked = killed.sent(lambda client: client.post(f"{API}/mine/ask").json(), dies_at=dies_at)
            if asked is None:
                killed.kills += 1
                # Whom a run was given to has not got it: in an hour it is given to another one.
                asked = killed.sent(_ask_again)
            run = asked["run"]
            if run is None:
                break
        reports = trained(run["config"], run["seed"], len(run["train"]))
        path, told = f"{API}/mine/trials/{run['id']}/tell", {"reports": reports}
        if killed.sent(lambda client, at=path, of=told: client.post(at, json=of).status_code, dies_at=dies_at) is None:
            killed.kills += 1
            again = killed.sent(lambda client, at=path, of=told: client.post(at, json=of).status_code)
            assert again == 200, again
        run = None
    assert _forked(lambda: load("mine", db=url).status.value) == "done"


def _ask_again(_: TestClient) -> Any:
    from dataclasses import asdict

    from cooldown.search.experiments.telling import ask

    run = ask("mine", db=sys.argv[1], again_after=0.0)
    return {"run": None if run is None else asdict(run)}


def undisturbed(url: str) -> str:
    """The fingerprint of the same experiment that one program trains."""
    for run in experiments.runs("my net", **LOOP, db=url, **SETTINGS):
        for epoch, report in enumerate(trained(run.config.to_json(), run.seed, len(run.rows("train")))):
            run.report(epoch, **report)
    return load("my net", db=url).view.fingerprint


if __name__ == "__main__":
    with compiled_once():
        main(*sys.argv[1:])
