"""Webhooks: whom they reach, what is sent, that nothing is lost, and who may have one."""

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from in_process import session
from patience import PATIENCE
from search_runs import run_in_threads, spec
from served import ADDRESS, API, SPEC, Served, dump

from cooldown import Client
from cooldown.search.experiments import cancel, requeue
from cooldown.search.service import outgoing
from cooldown.search.service.delivery import Deliverer
from cooldown.search.service.outgoing import UndeliverableError, is_public, post
from cooldown.search.service.service import Limits
from cooldown.storage import Ledger, Queue, Terms, audit
from cooldown.storage.records import Status
from cooldown.storage.tokens import Role
from cooldown.storage.webhooks import PAUSES
from cooldown.storage.writer import Ending

URL = "https://example.org/ended?key=1"


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty ledger: a SQLite file, or a PostgreSQL database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path}/cooldown.db"


class Receiver:
    """What would be sent. answers: of each request in turn, a status or an error; 200 for all others."""

    def __init__(self, *answers: int | UndeliverableError) -> None:
        self.sent: list[tuple[str, bytes, Mapping[str, str]]] = []
        self._answers = list(answers)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.sent.append((url, body, headers))
        answer = self._answers.pop(0) if self._answers else 200
        if isinstance(answer, UndeliverableError):
            raise answer
        return answer

    @property
    def told(self) -> list[tuple[str, str]]:
        """Which experiments have which status."""
        return [(told["experiment"], told["status"]) for told in map(json.loads, (body for _, body, _ in self.sent))]


def delivered(ledger: Ledger, receiver: Receiver) -> int:
    """Have everything told that is due; returns how much that was."""
    count = 0
    while done := Deliverer(ledger, receiver).deliver():
        count += done
    return count


def ended(ledger: Ledger, name: str, owner: str, status: Status) -> None:
    """A queued experiment whose run ends so."""
    ledger.create(name, spec().to_json(), "data", [], terms=Terms(owner=owner), queued=True)
    with Queue(ledger).claimed() as writer:
        assert writer is not None
        writer.outcome = Ending(status)


@pytest.mark.databases
def test_every_end_is_told_to_whom_it_concerns(url: str) -> None:
    ledger, receiver = Ledger(url), Receiver()
    for name, role in (("ada", Role.SUBMIT), ("root", Role.ADMIN), ("gone", Role.SUBMIT)):
        ledger.tokens.create(name, role)
    ledger.webhooks.add("ada", "https://ada", every=False)
    ledger.webhooks.add("root", "https://root", every=True)
    ledger.webhooks.add("gone", "https://gone", every=True)
    ledger.tokens.revoke("gone")
    for status in (Status.DONE, Status.STOPPED, Status.FAILED, Status.PAUSED, Status.QUEUED):
        ended(ledger, status.value, "ada", status)
    cancel("queued", db=url)
    cancel("paused", db=url)
    ended(ledger, "another's", "bob", Status.DONE)
    hers = {
        ("done", "done"),
        ("stopped", "stopped"),
        ("failed", "failed"),
        ("queued", "cancelled"),
        ("paused", "cancelled"),
    }
    assert delivered(ledger, receiver) == 11
    by_url: dict[str, set[tuple[str, str]]] = {}
    for (to, _, _), told in zip(receiver.sent, receiver.told, strict=True):
        by_url.setdefault(to, set()).add(told)
    assert by_url == {"https://ada": hers, "https://root": {*hers, ("another's", "done")}}
    assert delivered(ledger, receiver) == 0
    assert {(hook.owner, hook.waiting, hook.answer) for hook in ledger.webhooks.list()} == {
        ("ada", 0, "status 200"),
        ("root", 0, "status 200"),
        ("gone", 0, ""),
    }


@pytest.mark.databases
def test_what_is_due_is_taken_by_one_and_tried_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(url)
    ledger.webhooks.add("", URL, every=False)
    ended(ledger, "mine", "", Status.DONE)
    clock = [time.time()]
    monkeypatch.setattr(type(ledger._database), "now", lambda *_: clock[0])
    clock[0] += 1
    (taken,) = ledger.webhooks.take(9)
    # Another server does not take it as well, until the first one is taken for dead.
    assert not Ledger(url).webhooks.take(9)
    clock[0] += 121
    (again,) = Ledger(url).webhooks.take(9)
    assert again == taken._replace(attempts=2)
    # What the first one says late does not count.
    ledger.webhooks.settle(taken, "status 200", done=True)
    assert ledger.webhooks.list()[0].waiting == 1
    ledger.webhooks.settle(again, "status 500", done=False)
    receiver = Receiver(*[302, UndeliverableError("no answer")] * 8)
    for pause in PAUSES[1:]:
        assert delivered(ledger, receiver) == 0
        clock[0] += pause + 1
        assert delivered(ledger, receiver) == 1
    assert len({json.loads(body)["id"] for _, body, _ in receiver.sent}) == 1, "the same id each time"
    clock[0] += 10 * PAUSES[-1]
    assert delivered(ledger, receiver) == 0, "given up"
    (hook,) = ledger.webhooks.list()
    assert (hook.waiting, hook.answer) == (0, "no answer" if len(PAUSES) % 2 else "status 302")


def test_a_request_is_signed_with_its_time(empty: Served) -> None:
    ledger, receiver = empty.service.ledger, Receiver()
    made = ledger.webhooks.add("", URL, every=False)
    run_in_threads(empty.service.url, spec(arms=("adam",), repeats=1), name="mine")
    assert delivered(ledger, receiver) == 1
    ((to, body, headers),) = receiver.sent
    assert to == URL
    time_part, _, signed = headers["X-Cooldown-Signature"].partition(",v1=")
    text = time_part.removeprefix("t=").encode() + b"." + body
    assert hmac.compare_digest(signed, hmac.new(made.secret.encode(), text, hashlib.sha256).hexdigest())
    assert json.loads(body)["id"] == headers["X-Cooldown-Event"]
    # It ends once more when it is continued and stopped.
    requeue("mine", repeats=2, db=empty.service.url)
    cancel("mine", db=empty.service.url)
    assert delivered(ledger, receiver) == 1
    assert receiver.told == [("mine", "done"), ("mine", "cancelled")]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1"),
    ],
)
def test_an_address_within_a_network_is_not_public(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_public(address)
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))
    bad = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 443, 0, 0))
    for found in ([bad], [public, bad]):
        monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *_, of=found, **__: of)
        monkeypatch.setattr(outgoing, "HTTPSConnection", lambda *_, **__: pytest.fail("connected"))
        with pytest.raises(UndeliverableError, match="within a network"):
            post("https://rebound.example/x", b"", {})


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "2002:808:808::"])
def test_a_public_address(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.0.0.1:22"]
)
def test_no_way_of_writing_this_machine_reaches_it(host: str) -> None:
    with pytest.raises(UndeliverableError):
        post(f"http://{host}/", b"", {})


class Answering(BaseHTTPRequestHandler):
    """A receiver that redirects, and counts who comes."""

    came: list[tuple[str, str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.came.append((self.path, self.headers["Host"], body))
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[tuple[int, list[tuple[str, str, bytes]]]]:
    """A port of this machine on which somebody answers, and what came there."""
    came: list[tuple[str, str, bytes]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Here", (Answering,), {"came": came}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port, came
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_connects_to_the_address_that_was_checked_and_follows_nothing(
    receiver: tuple[int, list[tuple[str, str, bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, came = receiver
    resolved: list[str] = []

    def once(host: str, *_: object, **__: object) -> list[Any]:
        resolved.append(host)
        # A second question would be answered with something else.
        assert len(resolved) == 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    original = socket.getaddrinfo
    monkeypatch.setattr(
        outgoing.socket,
        "getaddrinfo",
        lambda host, *more, **named: (once if host == "hooks.example" else original)(host, *more, **named),
    )
    answer = post(f"http://hooks.example:{port}/a?b=1", b"told", {"X": "y"}, allowed=lambda a: a == "127.0.0.1")
    assert answer == 302
    assert came == [("/a?b=1", f"hooks.example:{port}", b"told")]


def test_a_receiver_that_never_ends_is_left() -> None:
    """It sends a byte whenever it would be given up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HT")
                while not gone.wait(0.05):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with pytest.raises(UndeliverableError, match="no answer"):
                post_here(f"http://127.0.0.1:{server.getsockname()[1]}/", seconds=0.3)
        finally:
            gone.set()
            thread.join(PATIENCE)
        assert not thread.is_alive()


def post_here(url: str, seconds: float) -> int:
    """A request to this machine, which is never allowed otherwise."""
    parts = outgoing.urlsplit(url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outgoing, "checked", lambda _: parts)
        return post(url, b"", {}, seconds=seconds, allowed=lambda _: True)


def sending(one: Served) -> Served:
    """The same service, which sends webhooks."""
    return Served(replace(one.service, limits=Limits(webhooks=True)), one.tokens)


def test_whose_they_are(empty: Served) -> None:
    assert empty.client("ada").post("/api/v1/webhooks", json={"url": URL}).status_code == 403
    one = sending(empty)
    ada, root, bob, at = one.client("ada"), one.client("root"), one.client("bob"), "/api/v1/webhooks"
    made = ada.post(at, json={"url": URL})
    assert made.status_code == 201
    secret = made.json().pop("secret")
    assert len(secret) > 32
    (shown,) = ada.get(at).json()["webhooks"]
    assert shown == {name: value for name, value in made.json().items() if name != "secret"}
    assert secret not in root.get(at).text
    assert bob.get(at).json() == {"webhooks": []}
    before = dump(one)
    assert bob.delete(f"{at}/{shown['id']}").status_code == ada.delete(f"{at}/99").status_code == 404
    assert ada.post(at, json={"url": URL, "every": True}).status_code == 403
    for wrong in (
        *("", "example.org", "ftp://example.org", "file:///etc/passwd", "https://user:pw@example.org", "http://[::1]/"),
        *("http://127.0.0.1/", "http://169.254.169.254/latest", "https://a b", "https://é.org", "https://a/\r\nX: y"),
        *("http://example.org:0/", "http://example.org:99999/", "https://a#b", f"https://{'a' * 3000}.org", "http://"),
    ):
        answer = ada.post(at, json={"url": wrong})
        assert (answer.status_code, bool(answer.json()["detail"])) == (422, True), wrong
    assert dump(one) == before
    assert root.post(at, json={"url": URL, "every": True}).status_code == 201
    for number in range(9):
        assert ada.post(at, json={"url": f"{URL}{number}"}).status_code == 201
    assert ada.post(at, json={"url": URL}).status_code == 409
    assert ada.delete(f"{at}/{shown['id']}").status_code == 204
    told = [(line.who, line.action, line.subject) for line in audit.lines(one.service.ledger, 100)]
    assert told[0] == ("ada", "delete webhook", f"webhook {shown['id']}")
    assert told[-1] == ("ada", "register webhook", f"webhook {shown['id']}")


def test_a_client_has_webhooks(empty: Served) -> None:
    one = sending(empty)
    ada = Client(ADDRESS, one.tokens["ada"], session=session(one.app()))
    made = ada.add_webhook(URL)
    ada.submit("iris", **{name: value for name, value in SPEC.items() if name != "task"}, name="mine")
    ada.cancel("mine")
    receiver = Receiver()
    assert delivered(one.service.ledger, receiver) == 1
    assert receiver.told == [("mine", "cancelled")]
    assert [(each["id"], each["answer"]) for each in ada.webhooks()] == [(made["id"], "status 200")]
    ada.delete_webhook(made["id"])
    assert ada.webhooks() == []


def test_the_end_and_what_is_told_of_it_are_one_transaction(empty: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    empty.client("ada").post(API, json={**SPEC, "name": "mine"})

    def broken(*_: object) -> None:
        raise OSError("killed")

    monkeypatch.setattr("cooldown.storage.queue.announce", broken)
    with pytest.raises(OSError, match="killed"):
        cancel("mine", db=empty.service.url)
    assert empty.service.ledger.summary("mine").status is Status.QUEUED
