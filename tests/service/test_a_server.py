"""`cooldown serve` as a process: pages, API and worker on one port, in one process tree that ends with it."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from patience import PATIENCE
from search_runs import surroundings
from served import SPEC

from cooldown import Client
from cooldown.search.service.connection import ServiceError
from cooldown.storage import Ledger
from cooldown.storage.tokens import Role

pytestmark = pytest.mark.processes


class Running(NamedTuple):
    """A server, its address, and a token of its ledger."""

    process: "subprocess.Popen[str]"
    url: str
    token: str


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """`cooldown serve` on all networks, with one worker."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    db = f"sqlite:///{tmp_path}/cooldown.db"
    token = Ledger(db).tokens.create("ada", Role.SUBMIT)
    command = [sys.executable, "-m", "cooldown", "serve", "--host=0.0.0.0", f"--port={port}", "--workers=1", "--db", db]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=surroundings(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert f"is at http://127.0.0.1:{port}, its API at" in process.stderr.readline()
        assert "ada (submit)" in process.stderr.readline()
        yield Running(process, f"http://127.0.0.1:{port}", token)
    finally:
        process.kill()
        process.communicate()


def test_a_submission_is_run_followed_and_taken_home(server: Running) -> None:
    client = Client(server.url, server.token)
    with pytest.raises(ServiceError, match="give a token"):
        Client(server.url).show("mine")
    tree = psutil.Process(server.process.pid).children(recursive=True)
    settings = {name: value for name, value in SPEC.items() if name != "task"}
    submitted = client.submit("iris", **settings, name="mine")
    assert submitted["new"]
    events = list(client.events("mine"))
    assert events[-1]["status"] == "done"
    trials = [(event["arm"], event["repeat"], event["trial"]) for event in events if event["event"] == "trial"]
    assert len(trials) == len({*trials}) == len(client.trials("mine"))
    assert client.load("mine").status.value == "done"
    assert 'cooldown_experiments{status="done"} 1' in client._asked("GET", "metrics").text
    # The worker has nothing in flight: all ends with the first signal.
    server.process.send_signal(signal.SIGTERM)
    _, said = server.process.communicate(timeout=PATIENCE)
    assert server.process.returncode == 130
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert {"request", "who", "path", "status", "seconds", "experiment"} <= lines[0].keys()
    assert any("mine: done" in line.get("worker", "") for line in lines)
    assert ("ada", "mine") in [(line.get("who"), line.get("experiment")) for line in lines]
    assert "Service stopped." in said
    assert "Traceback" not in said
    assert not psutil.wait_procs(tree, timeout=PATIENCE)[1]


def test_its_worker_ends_when_nobody_holds_its_input(tmp_path: Path) -> None:
    """As when `cooldown serve` is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cooldown.search.service", "--workers=1"],
        env=surroundings({"COOLDOWN_DB": f"sqlite:///{tmp_path}/cooldown.db"}),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, "")
