"""`cooldown dashboard`: the dashboard in a process of its own, for one ledger and, as a rule, for this machine only."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from cooldown.objectives.errors import InputError
from cooldown.storage import Ledger, NoLedgerError
from cooldown.storage.address import database_url

LOCAL = "127.0.0.1"
PATIENCE = 60.0
"""Seconds in which a server that will ever start has started."""

OPTIONS = {
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": "false",
    "server.maxUploadSize": "1",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "runner.magicEnabled": "false",
    "logger.level": "warning",
    "theme.light.primaryColor": "#0072B2",
    "theme.dark.primaryColor": "#56B4E9",
}
"""Nothing is sent anywhere, nothing is uploaded, and no reader sees a stack trace."""


def serve(db: str | None, host: str, port: int, say: Callable[[str], None]) -> None:
    """Show the ledger `db` at host:port until Ctrl-C. say: tells the reader where.

    Raises InputError for what is no ledger or a port that is taken.
    """
    url = database_url(db)
    # Where there is none yet, a first run may begin while the dashboard is open.
    with suppress(NoLedgerError):
        Ledger(url, create=False)
    _check_port(host, port)
    found = find_spec("cooldown.dashboard")
    assert found is not None
    assert found.origin is not None
    app = Path(found.origin).with_name("app.py")
    # Whoever is given another name for this machine could read the ledger through a reader's browser.
    names = ["--server.allowedHosts", LOCAL, "--server.allowedHosts", "localhost"] if host == LOCAL else []
    options = [part for name, value in OPTIONS.items() for part in (f"--{name}", value)]
    command = [sys.executable, "-m", "cooldown.dashboard", "run", str(app), "--server.address", host]
    process = subprocess.Popen(
        [*command, "--server.port", str(port), *options, *names],
        env={**os.environ, "COOLDOWN_DB": url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(process, host, port)
        say(f"The dashboard of {url} is at http://{_shown(host)}:{port}. Ctrl-C ends it.")
        if host != LOCAL:
            say(f"Everyone who can reach this machine at {host}, port {port}, can read all experiments of this ledger.")
        process.wait()
    except KeyboardInterrupt:
        say("The dashboard has ended.")
    finally:
        process.terminate()
        process.wait()


def _check_port(host: str, port: int) -> None:
    if not 1 <= port <= 65535:
        raise InputError(f"--port {port}: a port is a number from 1 to 65535")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except OSError as error:
        raise InputError(
            f"--host {host} --port {port}: cannot be listened at ({error.strerror or error}); choose another --port"
        ) from error


def _wait(process: "subprocess.Popen[bytes]", host: str, port: int) -> None:
    """Until the server answers."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise InputError(f"the dashboard ended at once, with exit status {process.returncode}")
        try:
            with urlopen(f"http://{_shown(host)}:{port}/_stcore/health", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise InputError("the dashboard does not answer")


def _shown(host: str) -> str:
    """The host as a browser on this machine reaches it."""
    if host in ("0.0.0.0", "::"):
        return LOCAL
    return f"[{host}]" if ":" in host else host
