"""Who is let in: nothing is answered to a foreign host, nor to a page of another site, and no setting changes that."""

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from covering import in_short
from patience import PATIENCE
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from cooldown.dashboard.gate import Gate
from cooldown.objectives.errors import InputError
from cooldown.search.cli.serve import Place, serve
from cooldown.storage import Ledger
from cooldown.storage.tokens import Role

ROOT = Path(__file__).parents[2]
HERE = socket.gethostname().lower()


async def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"origin {request.headers.get('origin')}")


async def _stream(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


APP = Starlette(routes=[Route("/", _page), WebSocketRoute("/", _stream)])


def answer(gate: Gate, kind: str, headers: list[tuple[str, str]]) -> tuple[str | int, bytes]:
    """The status of an HTTP answer and its body; "accept" or "close" for a websocket."""
    sent: list[dict[str, Any]] = []
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    scope = {"type": kind, "path": "/", "method": "GET", "headers": raw, "query_string": b"", "subprotocols": []}

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect" if kind == "websocket" else "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(gate(scope, receive, send))
    if kind == "websocket":
        return sent[0]["type"].rpartition(".")[2], b""
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


KNOWN = {
    "127.0.0.1": ["127.0.0.1", "127.0.0.1:8501", "localhost:8501", "LOCALHOST", "localhost.", "[::1]:8501"],
    "192.168.1.5": ["192.168.1.5:8501", "192.168.1.5"],
    "0.0.0.0": ["192.168.1.5:8501", "10.0.0.7", "[fe80::1]:8501", "localhost", HERE, f"{HERE}.local:8501"],
    "::": ["192.168.1.5", "[2001:db8::1]:8501", "localhost:8501", HERE],
    "box.example": ["box.example", "Box.Example:8501"],
}
FOREIGN = ["evil.example", "localhost.evil.example", "evil.example:1", "127.0.0.1@evil.example", "a b", "", "x:y", "é"]
"""What no server of these is called."""


@pytest.mark.parametrize("host", KNOWN)
def test_only_a_host_that_is_known_is_answered(host: str) -> None:
    gate = Gate(APP, host)
    for name in KNOWN[host]:
        assert answer(gate, "http", [("host", name)])[0] == 200, name
        assert answer(gate, "websocket", [("host", name)])[0] == "accept", name
    for name in FOREIGN:
        assert answer(gate, "http", [("host", name)]) == (403, b""), name
        assert answer(gate, "websocket", [("host", name)])[0] == "close", name
    known = KNOWN[host][0]
    assert answer(gate, "http", []) == (403, b"")
    assert answer(gate, "http", [("host", known), ("host", "evil.example")]) == (403, b"")


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.1.5"])
def test_another_address_than_the_servers_is_foreign(host: str) -> None:
    assert answer(Gate(APP, host), "http", [("host", "10.0.0.7:8501")])[0] == 403


@pytest.mark.parametrize("host", KNOWN)
def test_only_a_page_of_the_server_may_ask_it(host: str) -> None:
    gate, name = Gate(APP, host), KNOWN[host][0]
    ours = [("host", name), ("origin", f"http://{name}")]
    assert answer(gate, "http", ours) == (200, b"origin None"), "Streamlit need not judge it again"
    assert answer(gate, "websocket", ours)[0] == "accept"
    # Another program's page on the same machine is foreign too.
    for origin in ("http://evil.example", "null", "", "http://localhost:3000", f"http://{name}.evil.example"):
        theirs = [("host", name), ("origin", origin)]
        assert answer(gate, "http", theirs) == (403, b""), origin
        assert answer(gate, "websocket", theirs)[0] == "close", origin
        assert answer(gate, "websocket", [*ours, ("origin", origin)])[0] == "close", origin


def test_a_name_that_is_allowed_is_a_host_and_an_origin() -> None:
    gate = Gate(APP, "0.0.0.0", ["cooldown.example.org"])
    behind_a_proxy = [("host", "127.0.0.1:8501"), ("origin", "https://cooldown.example.org")]
    assert answer(gate, "websocket", behind_a_proxy)[0] == "accept"
    assert answer(gate, "http", [("host", "Cooldown.example.org")])[0] == 200
    assert answer(gate, "http", [("host", "other.example.org")])[0] == 403


@pytest.mark.parametrize("name", ["", "http://a.example", "a.example/", "a b", "*"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="--allow-host"):
        serve(f"sqlite:///{tmp_path}/a.db", Place(allowed=[name]), print)


LOOSE = """
[server]
enableCORS = false
enableXsrfProtection = false
allowedHosts = ["*"]
corsAllowedOrigins = ["http://evil.example"]
enableAgentApi = true
enableStaticServing = true
address = "0.0.0.0"
port = {port}
baseUrlPath = "elsewhere"
[client]
showErrorDetails = "full"
[browser]
gatherUsageStats = true
"""
ENVIRONMENT = {
    "STREAMLIT_SERVER_ENABLE_CORS": "false",
    "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false",
    "STREAMLIT_SERVER_ALLOWED_HOSTS": "*",
    "STREAMLIT_SERVER_CORS_ALLOWED_ORIGINS": "http://evil.example",
    "STREAMLIT_SERVER_ENABLE_AGENT_API": "true",
    "STREAMLIT_SERVER_ADDRESS": "0.0.0.0",
    "STREAMLIT_SERVER_BASE_URL_PATH": "elsewhere",
    "STREAMLIT_SERVER_COOKIE_SECRET": "known",
}


@contextmanager
def dashboard(folder: Path, *options: str, **environment: str) -> Iterator[int]:
    """The port of a dashboard that runs in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-c", "from cooldown.search.cli import main; main()", "dashboard", f"--port={port}"]
    process = subprocess.Popen(
        [*command, "--db", f"sqlite:///{folder}/cooldown.db", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert f"is at http://127.0.0.1:{port}" in process.stderr.readline()
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


def bearer(folder: Path) -> dict[str, str]:
    """The header with a token of the ledger in `folder`, which then has one."""
    text = Ledger(f"sqlite:///{folder}/cooldown.db").tokens.create("reader", Role.READ)
    return {"Authorization": f"Bearer {text}"}


def asked(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def websocket(port: int, base_path: str = "", **headers: str) -> socket.socket:
    """A connection on which a websocket has been asked for."""
    lines = [
        f"GET {base_path}/_stcore/stream HTTP/1.1",
        *(f"{name}: {value}" for name, value in {"Host": f"127.0.0.1:{port}", **headers}.items()),
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
    ]
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


@pytest.mark.processes
@pytest.mark.parametrize("places", in_short(["folder", "home", "environment", "all three"], ["all three"]))
def test_no_surroundings_loosen_the_server(tmp_path: Path, places: str) -> None:
    folder, home = tmp_path / "folder", tmp_path / "home"
    for each in (folder, home):
        (each / ".streamlit").mkdir(parents=True)
        if places in (each.name, "all three"):
            (each / ".streamlit" / "config.toml").write_text(LOOSE.format(port=1))
    environment = ENVIRONMENT if places in ("environment", "all three") else {}
    with dashboard(folder, HOME=str(home), USERPROFILE=str(home), **environment) as port:
        ours = f"127.0.0.1:{port}"
        assert asked(port, "/_stcore/health") == (200, b"ok")
        for path in ("/", "/_stcore/health", "/_stcore/host-config", "/verdict"):
            assert asked(port, path, Host="evil.example") == (403, b"")
            assert asked(port, path, Origin="http://evil.example") == (403, b"")
        assert asked(port, "/_stcore/agent/interact")[0] in (403, 404, 405)
        assert b'"enabled":true' not in asked(port, "/_stcore/agent/openapi.json")[1].replace(b" ", b"")
        for headers, status in (
            ({"Host": "evil.example"}, 403),
            ({"Origin": "http://evil.example"}, 403),
            ({"Origin": f"http://{ours}"}, 101),
        ):
            with websocket(port, **headers) as connection:
                assert connection.recv(64).startswith(f"HTTP/1.1 {status} ".encode()), headers


@pytest.mark.processes
def test_a_foreign_origin_is_refused_on_all_networks(tmp_path: Path) -> None:
    token = bearer(tmp_path)
    with dashboard(tmp_path, "--host", "0.0.0.0", "--allow-host", "cooldown.example.org") as port:
        for headers, status in (
            ({"Origin": "http://evil.example"}, 403),
            ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
            ({"Origin": f"http://127.0.0.1:{port}"}, 101),
            ({"Origin": "https://cooldown.example.org"}, 101),
        ):
            with websocket(port, **token, **headers) as connection:
                assert connection.recv(64).startswith(f"HTTP/1.1 {status} ".encode()), headers
        assert asked(port, "/_stcore/health", Host="evil.example") == (403, b"")
        with websocket(port) as connection:
            assert connection.recv(64).startswith(b"HTTP/1.1 403 "), "others need a token"
        # It also ends while somebody looks at it.
        held = websocket(port, **token)
        assert held.recv(12) == b"HTTP/1.1 101"
    held.close()


@pytest.mark.processes
def test_the_gate_stands_before_a_base_path_too(tmp_path: Path) -> None:
    token = bearer(tmp_path)
    with dashboard(tmp_path, "--base-path", "cool", "--allow-host", "cooldown.example.org") as port:
        proxied = {"Host": f"127.0.0.1:{port}", "Origin": "https://cooldown.example.org", **token}
        for path in ("/cool/", "/cool/_stcore/health"):
            assert asked(port, path, **token)[0] == asked(port, path, **proxied)[0] == 200
            assert asked(port, path, **token, Host="cooldown.example.org")[0] == 200
        assert asked(port, "/cool/")[0] == 401, "others come through a proxy, and need a token"
        for path in ("/", "/cool/", "/cool/_stcore/health", "/elsewhere"):
            assert asked(port, path, Host="evil.example") == (403, b"")
            assert asked(port, path, Origin="http://evil.example") == (403, b"")
        for headers, status in ((proxied, 101), ({"Origin": "http://evil.example"}, 403)):
            with websocket(port, "/cool", **headers) as connection:
                assert connection.recv(64).startswith(f"HTTP/1.1 {status} ".encode()), headers
