"""`cooldown dashboard`: serve the dashboard of one ledger in its own process, by default to this machine only."""

import errno
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException

from cooldown.interrupts import orderly, say_when_asked
from cooldown.objectives.errors import InputError
from cooldown.storage import Ledger, NoLedgerError
from cooldown.storage.address import database_url, shown

LOCAL = "127.0.0.1"
PATIENCE = 60.0
"""Seconds to wait until the server has started."""


def serve(
    db: str | None,
    host: str,
    port: int,
    say: Callable[[str], None],
    *,
    allowed: Sequence[str] = (),
    base_path: str = "",
    trust: bool = False,
) -> None:
    """Serve the dashboard of the ledger `db` at host:port until Ctrl-C. say: prints a message. allowed: further names
    by which readers may call the server. base_path: the path in front of all its pages, such as that under which a
    reverse proxy passes it on.

    Raises InputError for a database that is not a ledger, or a port that is in use.
    """
    url = database_url(db)
    # The ledger need not exist yet: the first run may start while the dashboard is open.
    with suppress(NoLedgerError):
        Ledger(url, create=False)
    _check_port(host, port)
    for name in allowed:
        if not re.fullmatch(r"[A-Za-z0-9.:-]+", name):
            raise InputError(f"--allow-host {name!r:.80}: give a host name without port, such as cooldown.example.org")
    path = _checked_path(base_path)
    command = [sys.executable, "-m", "cooldown.dashboard", f"--host={host}", f"--port={port}", f"--base-path={path}"]
    say_when_asked("Dashboard stopped.")
    environment = {"COOLDOWN_DB": url, "COOLDOWN_TRUST": "1" if trust else "0", "COOLDOWN_ENDS_WITH_STDIN": "1"}
    with orderly():
        # Its standard input ends with this process, however that ends, and the server ends with its input. In a session
        # of its own it gets no signal of the terminal.
        process = subprocess.Popen(
            [*command, *(f"--allow-host={name}" for name in allowed)],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _wait(process, host, port, path)
            say(f"The dashboard of {shown(url)} is at http://{_in_url(_reached(host))}:{port}{path} (Ctrl-C to stop).")
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


def _checked_path(base_path: str) -> str:
    """`/path` for a base path, "" for none; raises InputError for what is no plain path."""
    parts = [part for part in base_path.split("/") if part]
    if not all(re.fullmatch(r"[A-Za-z0-9_~.-]*[A-Za-z0-9_~-][A-Za-z0-9_~.-]*", part) for part in parts):
        raise InputError(f"--base-path {base_path!r:.80}: give a path of letters, digits and -_.~, such as /cooldown")
    return "".join(f"/{part}" for part in parts)


def _wait(process: "subprocess.Popen[bytes]", host: str, port: int, path: str) -> None:
    """Wait until the server answers; raises InputError if it does not."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise InputError(f"the dashboard failed to start (exit status {process.returncode})")
        if _answers(_reached(host), port, f"{path}/_stcore/health"):
            return
        time.sleep(0.1)
    raise InputError(f"the dashboard did not answer within {PATIENCE:.0f} s")


def _answers(host: str, port: int, path: str) -> bool:
    """Whether the server says that it is well. It is asked directly: urllib would ask the proxy of the environment."""
    with closing(HTTPConnection(host, port, timeout=1)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False


def _reached(host: str) -> str:
    """The host by which this machine reaches a server that listens at `host`."""
    return LOCAL if host in ("0.0.0.0", "::") else host


def _in_url(host: str) -> str:
    """The host in a URL, in which an IPv6 address has brackets."""
    return f"[{host}]" if ":" in host else host
