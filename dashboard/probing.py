"""The probes of an experiment's winners, whose networks are trained again for it: on request, by a process of its own.

The server's process trains nothing, and no page waits: it asks again and again what the process has come to. Results
are kept while the server runs.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from cooldown.dashboard import data
from cooldown.dashboard.data import Newest
from cooldown.search.evidence.generalization import Generalization, read_document
from cooldown.search.spec.recorded import names_modules
from cooldown.storage import Summary

OUT, ERR = "out", "err"
FAILED = "the process that trains the networks has ended without a result"


@dataclass(frozen=True)
class Measured:
    """What came out. error: why nothing did, else ""."""

    found: Sequence[Generalization] = ()
    error: str = ""


@dataclass(frozen=True)
class _Running:
    """A process that probes the winners of an experiment. folder: with the files OUT and ERR that it writes."""

    of: Summary
    process: subprocess.Popen[bytes]
    folder: TemporaryDirectory[str]

    def measured(self) -> Measured:
        """What a process that has ended came to."""
        with self.folder as folder:
            out, err = (Path(folder, name).read_text("utf-8", "replace") for name in (OUT, ERR))
        if self.process.returncode:
            return Measured(error=err.strip().removeprefix("cooldown: ") or FAILED)
        return Measured(read_document(json.loads(out)))


class Probing:
    """What was measured, and the one process that measures. May be used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._kept: Newest[Measured] = Newest(most=16)

    def begin(self, of: Summary) -> None:
        """Measure the winners of an experiment, unless a process is at work already."""
        with self._lock:
            self._collect()
            if self._running is None:
                self._running = _start(of)

    def known(self, of: Summary) -> Measured | None:
        """What was measured of this version of an experiment; None for nothing yet."""
        with self._lock:
            self._collect()
            return self._kept.peek(of)

    def running(self) -> str | None:
        """The experiment that is being measured; None for none."""
        with self._lock:
            self._collect()
            return None if self._running is None else self._running.of.name

    def _collect(self) -> None:
        """Keep what a process that has ended came to."""
        done = self._running
        if done is not None and done.process.poll() is not None:
            self._running = None
            self._kept.get(done.of, done.measured)


@st.cache_resource(show_spinner=False)
def probing() -> Probing:
    """That of this server."""
    return Probing()


def _start(of: Summary) -> _Running:
    trusted = ["--trust"] if names_modules(of.spec) else []
    # A name of an older ledger may begin like an option.
    words = [sys.executable, "-m", "cooldown", "show", "--json", *trusted, "--", of.name, "generalization"]
    environment = {name: value for name, value in os.environ.items() if name != "COOLDOWN_SERVER"}
    # Not an option, which every user of the machine can read: an address may have a password.
    environment["COOLDOWN_DB"] = data.where()
    folder = TemporaryDirectory(prefix="cooldown-")
    with Path(folder.name, OUT).open("wb") as out, Path(folder.name, ERR).open("wb") as err:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment)
    return _Running(of, process, folder)
