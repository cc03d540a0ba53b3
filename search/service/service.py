"""`Service`: the ledger that is served, and what its callers may ask for."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from anyio import CapacityLimiter

from cooldown.search.evidence.standing import Leaders
from cooldown.search.experiments.across import Measuring
from cooldown.search.experiments.result import Result
from cooldown.search.service.access.log import Requests
from cooldown.search.spec.recorded import with_studies
from cooldown.storage import Ledger
from cooldown.storage.backup import back_up
from cooldown.storage.copying import snapshot

MB = 2**20

SUBMISSIONS = 2
"""Submissions that are checked at once."""


@dataclass(frozen=True)
class Limits:
    """What callers may ask for. openml: whether tasks may be `openml:NAME`, which this machine downloads. webhooks:
    whether addresses are told when experiments end. body, dataset: bytes of a request, and of an uploaded file.
    datasets: bytes that all files of an owner may have together.
    """

    openml: bool = False
    webhooks: bool = False
    body: int = MB
    dataset: int = 64 * MB
    datasets: int = 512 * MB


@dataclass(frozen=True)
class Service:
    """One ledger as it is served. May be used by several threads.

    estimating: held by the only estimate at a time.
    asking: taken by each who asks for a run or tells of one, because one process at a time appends to an experiment.
    submitting: taken by each submission, whose check takes a processor for a moment: others wait without a thread, and
    keep no reader waiting.
    """

    ledger: Ledger
    url: str
    limits: Limits = Limits()
    leaders: Leaders = field(default_factory=Leaders)
    measuring: Measuring = field(default_factory=Measuring)
    documents: "Newest" = field(default_factory=lambda: Newest(most=64))
    claims: "Newest" = field(default_factory=lambda: Newest(most=64))
    requests: Requests = field(default_factory=Requests)
    estimating: threading.Lock = field(default_factory=threading.Lock)
    asking: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    submitting: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(SUBMISSIONS))

    def result(self, name: str) -> Result:
        """The experiment `name` in its current state, as a caller elsewhere sees it: commands in it name no database.
        Raises as `Ledger.load` does.
        """
        return Result(replace(with_studies(self.ledger.load(name)), db=None))

    def copied(self, name: str) -> bytes:
        """A SQLite file with a copy of an experiment, as a ledger of its own, without its uploaded data."""
        with TemporaryDirectory(prefix="cooldown-") as folder:
            copy, whole = Ledger(f"sqlite:///{Path(folder) / 'copy.db'}"), Path(folder) / "whole.db"
            snapshot(self.ledger, copy, name)
            # With what is still in the log of the copy.
            back_up(copy, whole)
            return whole.read_bytes()

    def without_place(self, text: str) -> str:
        """A message that does not say where on this machine the ledger is."""
        return text.replace(f"the ledger {self.ledger.where}", "the ledger").replace(self.ledger.where, "the ledger")


class Newest:
    """The newest version of the documents of the `most` experiments that were asked for last."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._kept: OrderedDict[str, tuple[str, bytes]] = OrderedDict()

    def get(self, name: str, version: str, make: Callable[[], bytes]) -> bytes:
        """The document of this version, made now where there is none."""
        with self._lock:
            kept = self._kept.get(name)
        document = kept[1] if kept and kept[0] == version else make()
        with self._lock:
            self._kept[name] = version, document
            self._kept.move_to_end(name)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return document
