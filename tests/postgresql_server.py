"""A PostgreSQL server of the tests' own: Debian's package, on a free port of this machine, in a temporary folder.

As root it runs as the user `postgres`, because the server refuses to run as root. It keeps nothing for a crash of the
machine (`fsync=off`), but all for one of its own: `kill -9` and a new start lose no transaction.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

PATIENCE = 60.0
"""Seconds until a server that starts has answered."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "lc_messages": "C",
}


@cache
def programs() -> Path | None:
    """The folder of the newest installed server's programs; None without one."""
    found = shutil.which("postgres")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    if folders:
        return folders[-1]
    return None if found is None else Path(found).resolve().parent


class Server:
    """A running server with one superuser, `tester`. Must be closed. fsync: whether it is safe from a power failure."""

    def __init__(self, *, fsync: bool = False) -> None:
        self._settings = {**SETTINGS, "fsync": "on" if fsync else "off", "full_page_writes": "on" if fsync else "off"}
        folder = programs()
        if folder is None:
            raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
        self._programs = folder
        self.password = secrets.token_urlsafe(12)
        self._folder = Path(tempfile.mkdtemp(prefix="cooldown-postgresql-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0
        word = self._folder / "password"
        word.write_text(self.password)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            for path in (self._folder, word):
                os.chown(path, user.pw_uid, user.pw_gid)
        data = ["--pgdata", str(self._folder / "data"), "--username", "tester", "--pwfile", str(word)]
        made = [
            *data,
            "--auth",
            "scram-sha-256",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
            "--no-instructions",
        ]
        subprocess.run(
            [str(folder / "initdb"), *made], check=True, capture_output=True, timeout=PATIENCE, **self._as_user
        )
        self.port = _free_port()
        self.start()

    @property
    def _as_user(self) -> dict[str, Any]:
        as_other = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        return {**as_other, "cwd": self._folder, "env": {"PATH": "/usr/bin:/bin"}}

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.port)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **self._as_user)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.execute("postgres", "SELECT 1")
                return
            except psycopg.OperationalError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
                time.sleep(0.02)

    def kill(self) -> None:
        """Kill it without a warning, and wait until all of its processes have ended, as they do by themselves."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop it in order; transactions that are under way are rolled back."""
        self._end(signal.SIGINT)

    def _end(self, number: int) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)
        self._process.wait(PATIENCE)
        end = time.monotonic() + PATIENCE
        while _group_lives(self._process.pid):
            assert time.monotonic() < end, "the server's processes do not end"
            time.sleep(0.01)
        self._process = None

    def close(self) -> None:
        """Stop it, and remove its folder."""
        if self._process is not None:
            self._end(signal.SIGQUIT)
        shutil.rmtree(self._folder)

    def url(self, database: str, user: str = "tester", password: str | None = None) -> str:
        """The address of a database, as a ledger's."""
        secret = self.password if password is None else password
        return f"postgresql+psycopg://{user}:{secret}@127.0.0.1:{self.port}/{database}"

    def execute(self, database: str, statement: str, parameters: Sequence[Any] | None = None) -> list[Any]:
        """The rows of a statement, executed outside of a transaction."""
        place: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "user": "tester", "password": self.password}
        with closing(psycopg.connect(dbname=database, autocommit=True, **place)) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def create(self, template: str = "template0") -> str:
        """A new database, a copy of `template`; returns its name."""
        self._count += 1
        name = f"test_{self._count}"
        self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        """Remove a database, also one that is in use."""
        self.execute("postgres", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


def _free_port() -> int:
    with closing(socket.socket()) as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
