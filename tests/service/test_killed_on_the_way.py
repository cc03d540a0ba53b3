"""kill -9 of a server in the middle of a body that it receives, and of a stream of events that it sends."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE
from search_runs import run_in_threads, spec, surroundings
from test_killed_server import FOLDERS

from cooldown import Client
from cooldown.storage import Ledger, audit

pytestmark = pytest.mark.processes

CSV = b"length,kind\n" + b"".join(b"%d,%s\n" % (i, b"ab"[i % 2 :][:1]) for i in range(6000))


class StoppedError(KeyboardInterrupt):
    """A run that its user interrupts."""


@contextmanager
def serving(url: str, port: int) -> "Iterator[subprocess.Popen[bytes]]":
    """A server of this ledger, once it answers; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("serving.py"), url, str(port)],
        env=surroundings({"PYTHONPATH": ":".join([*FOLDERS, *sys.path])}),
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def test_what_was_under_way_is_whole_afterwards(tmp_path: Path) -> None:
    url, tiny = f"sqlite:///{tmp_path}/cooldown.db", spec()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client, ledger = Client(f"http://127.0.0.1:{port}"), Ledger(url)

    def stop(_: Any) -> None:
        if ledger.summary("mine").trials:
            raise StoppedError

    with pytest.raises(StoppedError):
        run_in_threads(url, tiny, name="mine", report=stop)
    told = []
    with serving(url, port) as server:
        events = client.events("mine")
        while not told or told[-1]["event"] == "trial":
            told.append(next(events))
        assert len(told) > 1, "it has begun"
        sent = socket.create_connection(("127.0.0.1", port))
        head = f"POST /api/v1/datasets?file=mine.csv HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(CSV)}\r\n\r\n"
        sent.sendall(head.encode() + CSV[: len(CSV) // 2])
        # It is there, and waits for the rest.
        assert client.health()["status"] == "ok"
        server.kill()
        server.wait()
        with sent:
            sent.settimeout(PATIENCE)
            with suppress(ConnectionResetError):
                assert sent.recv(1) == b""
    assert not ledger.datasets.list()
    assert not audit.lines(ledger, 10)
    run_in_threads(url, tiny, name="mine")
    with serving(url, port):
        told += events
        trials = [event for event in told if event["event"] == "trial"]
        known = client.trials("mine")
        assert len(trials) == len({event["id"] for event in trials}) == len(known)
        places = [(trial["arm"], trial["repeat"], trial["trial"]) for trial in known]
        assert sorted((event["arm"], event["repeat"], event["trial"]) for event in trials) == sorted(places)
        assert [event["status"] for event in told if event["event"] == "status"] == ["interrupted", "done"]
        digest = client.upload(CSV, "mine.csv")["digest"]
        assert ledger.datasets.content(digest) == CSV
