"""`cooldown dashboard`: serve the dashboard of one ledger in its own process, by default to this machine only."""

import errno
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

from cooldown.interrupts import orderly, say_when_asked
from cooldown.objectives.errors import InputError
from cooldown.storage import Ledger, NoLedgerError
from cooldown.storage.address import database_url

LOCAL = "127.0.0.1"
PATIENCE = 60.0
"""Seconds to wait until the server has started."""

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
"""Streamlit's options: no usage statistics, no uploads, and no stack traces for readers."""


def serve(db: str | None, host: str, port: int, say: Callable[[str], None], *, trust: bool = False) -> None:
    """Serve the dashboard of the ledger `db` at host:port until Ctrl-C. say: prints a message.

    Raises InputError for a database that is not a ledger, or a port that is in use.
    """
    url = database_url(db)
    # The ledger need not exist yet: the first run may start while the dashboard is open.
    with suppress(NoLedgerError):
        Ledger(url, create=False)
    _check_port(host, port)
    package = find_spec("cooldown.dashboard")
    assert package is not None
    assert package.origin is not None
    app = Path(package.origin).with_name("app.py")
    # Against DNS rebinding: a web page could otherwise read the ledger through the reader's browser.
    names = ["--server.allowedHosts", LOCAL, "--server.allowedHosts", "localhost"] if host == LOCAL else []
    options = [part for name, value in OPTIONS.items() for part in (f"--{name}", value)]
    command = [sys.executable, "-m", "cooldown.dashboard", "run", str(app), "--server.address", host]
    say_when_asked("Dashboard stopped.")
    environment = {"COOLDOWN_DB": url, "COOLDOWN_TRUST": "1" if trust else "0", "COOLDOWN_ENDS_WITH_STDIN": "1"}
    with orderly():
        # Its standard input ends with this process, however that ends, and the server ends with its input. In a session
        # of its own it gets no signal of the terminal.
        process = subprocess.Popen(
            [*command, "--server.port", str(port), *options, *names],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _wait(process, host, port)
            say(f"Dashboard of {url}: http://{_shown(host)}:{port} (Ctrl-C to stop).")
            if host != LOCAL:
                say(
                    f"Everyone who can reach this machine at {host}, port {port}, can read all experiments of this "
                    "ledger."
                )
            process.wait()
        finally:
            process.kill()
            process.wait()


def _check_port(host: str, port: int) -> None:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except UnicodeError:
        raise InputError(f"cannot listen on --host {host:.80}: it is not a host name") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"port {port} is in use; try --port {port % 65535 + 1}") from error
        raise InputError(f"cannot listen on --host {host} --port {port}: {error.strerror or error}") from error


def _wait(process: "subprocess.Popen[bytes]", host: str, port: int) -> None:
    """Wait until the server answers; raises InputError if it does not."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise InputError(f"the dashboard failed to start (exit status {process.returncode})")
        try:
            with urlopen(f"http://{_shown(host)}:{port}/_stcore/health", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise InputError(f"the dashboard did not answer within {PATIENCE:.0f} s")


def _shown(host: str) -> str:
    """The host in the URL for a browser on this machine."""
    if host in ("0.0.0.0", "::"):
        return LOCAL
    return f"[{host}]" if ":" in host else host
