"""`cooldown dashboard` asks its server whether it is well: directly, and below its base path."""

import http.client
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from browser import free_port

from cooldown.objectives.errors import InputError
from cooldown.search.cli import serve

PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Well(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/cool/_stcore/health" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    for name in PROXIES:
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Well) as server:
        port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert serve._answers("127.0.0.1", port, "/cool/_stcore/health")
        assert not serve._answers("127.0.0.1", port, "/_stcore/health")
        server.shutdown()
    assert not serve._answers("127.0.0.1", port, "/cool/_stcore/health"), "nobody listens any more"


@pytest.mark.parametrize(
    ("given", "path"), [("", ""), ("/", ""), ("cool", "/cool"), ("/cool/", "/cool"), ("a/b-c_d.e~f", "/a/b-c_d.e~f")]
)
def test_a_base_path_may_be_written_as_one_likes(given: str, path: str) -> None:
    assert serve._checked_path(given) == path


@pytest.mark.parametrize("given", ["..", "a/../b", "a b", "a?b", "a#b", "%2e", "http://x", "ä", "a\n"])
def test_what_is_no_plain_path_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="--base-path"):
        serve._checked_path(given)


@pytest.mark.processes
def test_the_dashboard_behind_a_proxy(tmp_path: Path) -> None:
    """With proxies for everything else, and settings of Streamlit's that say another path."""
    kept = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "cooldown", "dashboard", "--port", str(port), "--base-path", "cool"],
        cwd=tmp_path,
        env={**kept, **dict.fromkeys(PROXIES, "http://127.0.0.1:9"), "STREAMLIT_SERVER_BASE_URL_PATH": "other"},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert f"is at http://127.0.0.1:{port}/cool (Ctrl-C to stop)" in process.stderr.readline()
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/cool/")
        assert connection.getresponse().status == 200
        connection.close()
    finally:
        process.terminate()
        process.communicate()
