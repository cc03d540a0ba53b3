"""`cooldown serve` and `cooldown dashboard`: the server of one ledger, by default for this machine only.

One process tree: the web server and the worker are processes of their own, which end with this one. A worker that was
lost is replaced.
"""

import errno
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from cooldown.interrupts import orderly, say_when_asked
from cooldown.objectives.errors import InputError
from cooldown.search.service.access.exposure import admitted, told
from cooldown.search.service.access.hosts import EVERYWHERE, only_this_machine
from cooldown.storage import Ledger, NoLedgerError
from cooldown.storage.address import database_url, shown

LOCAL = "127.0.0.1"
PATIENCE = 60.0
"""Seconds to wait until the server has started."""

FAREWELL = 5.0
"""Seconds that a server has to answer what it has begun to answer."""

AGAIN = 5.0
"""Seconds until a worker that was lost is replaced."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """Where a server is reached. allowed: further names by which readers call it. base_path: the path in front of all
    its pages, such as that under which a reverse proxy passes it on.
    """

    host: str = LOCAL
    port: int = 8501
    allowed: Sequence[str] = ()
    base_path: str = ""


@dataclass(frozen=True)
class Offer:
    """What a service has beside the dashboard's pages. workers: processes of its worker, None for one per core.
    worker: whether it has one. tokens: a file of tokens to let in. openml: whether callers may name data sets of
    OpenML. upload: megabytes of an uploaded file. webhooks: whether it tells addresses that callers register when
    experiments end.
    """

    workers: int | None = None
    worker: bool = True
    tokens: Path | None = None
    openml: bool = False
    upload: int = 64
    webhooks: bool = False


def serve(db: str | None, place: Place, say: Say, *, offer: Offer | None = None, trust: bool = False) -> None:
    """Serve the dashboard of the ledger `db` until Ctrl-C, with an offer as a service. say: prints a message.

    Raises InputError for a database that is not a ledger, a port that is in use, and without a token where others than
    this machine's programs can reach the server.
    """
    url = database_url(db)
    for name in place.allowed:
        if not re.fullmatch(r"[A-Za-z0-9.:-]+", name):
            raise InputError(f"--allow-host {name!r:.80}: give a host name without port, such as cooldown.example.org")
    path = _checked_path(place.base_path)
    _check_port(place.host, place.port)
    with suppress(NoLedgerError):
        # For the pages alone it need not exist yet: the first run may start while they are open.
        Ledger(url, create=offer is not None)
    guarded = not only_this_machine(place.host, place.allowed) or (offer is not None and offer.tokens is not None)
    if guarded:
        admitted(url, None if offer is None else offer.tokens)
    environment = {"COOLDOWN_DB": url, "COOLDOWN_TRUST": "1" if trust else "0", "COOLDOWN_ENDS_WITH_STDIN": "1"}
    what = "dashboard" if offer is None else "service"
    say_when_asked(f"{what.capitalize()} stopped.")
    with orderly(), _server(place, path, offer, guarded=guarded, environment=environment) as server:
        _wait(server, place.host, place.port, path)
        at = f"http://{_in_url(_reached(place.host))}:{place.port}{path}"
        api = "" if offer is None else f", its API at {at}/api/docs"
        say(f"The {what} of {shown(url)} is at {at}{api} (Ctrl-C to stop).")
        if guarded:
            say(told(url, place.host, place.port, api=offer is not None))
        if offer is None or not offer.worker:
            server.wait()
        else:
            _work(server, url, offer.workers, environment, say)


@contextmanager
def _server(
    place: Place, path: str, offer: Offer | None, *, guarded: bool, environment: dict[str, str]
) -> "Iterator[subprocess.Popen[bytes]]":
    """The web server. guarded: whether every request needs a token. On exit it may finish its answers, if it is a
    service.
    """
    command = [sys.executable, "-m", "cooldown.dashboard", f"--host={place.host}", f"--port={place.port}"]
    command += [f"--base-path={path}", *(f"--allow-host={name}" for name in place.allowed)]
    command += ["--tokens"] if guarded else []
    if offer is not None:
        switches = [name for name, on in (("--openml", offer.openml), ("--webhooks", offer.webhooks)) if on]
        command += ["--api", f"--upload={offer.upload}", *switches]
    # Its standard input ends with this process, however that ends, and the server ends with its input. In a session of
    # its own it gets no signal of the terminal.
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if offer is not None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(FAREWELL)
        process.kill()
        process.wait()


def _work(
    server: "subprocess.Popen[bytes]", url: str, workers: int | None, environment: dict[str, str], say: Say
) -> None:
    """Keep a worker running as long as the server runs. On exit it finishes what is in flight, and gives it back."""
    command = [sys.executable, "-m", "cooldown.search.service"]
    command += [] if workers is None else [f"--workers={workers}"]
    command += ["--trust"] if environment["COOLDOWN_TRUST"] == "1" else []
    while server.poll() is None:
        worker = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while worker.poll() is None and server.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    worker.wait(0.5)
        finally:
            worker.terminate()
            worker.wait()
        if server.poll() is None:
            say(f"The worker ended with status {worker.returncode}; another one starts in {AGAIN:.0f} s.")
            with suppress(subprocess.TimeoutExpired):
                server.wait(AGAIN)


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
    return LOCAL if host in EVERYWHERE else host


def _in_url(host: str) -> str:
    """The host in a URL, in which an IPv6 address has brackets."""
    return f"[{host}]" if ":" in host else host
