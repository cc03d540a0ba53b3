"""Queued experiments are taken in the order of their priorities, each once, by workers that train nothing."""

import random
import threading
import time
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

from benchmarks.service.server import SPEC
from cooldown.search.spec.experiment import read_spec
from cooldown.storage import Ledger, Queue, Status, StudyKey, Terms
from cooldown.storage.writer import Ending


class Drained(NamedTuple):
    """What came of it. seconds: processor time of one claim and its end, the two workers' together. faults: experiments
    that came out of turn, and those that were taken twice or not at all.
    """

    seconds: float
    faults: int


def drain(url: str, count: int) -> Drained:
    """Queue so many experiments, and take them all. What other parts have left in the queue comes last."""
    ledger, order = Ledger(url), random.Random(0)
    spec = read_spec(**SPEC).to_json()
    expected = {}
    for number in range(count):
        priority = order.randint(-900, 1000)
        name = ledger.create(
            f"q{number}", spec, "queued", [StudyKey("adam", 0)], terms=Terms(priority=priority), queued=True
        )
        expected[name] = priority
    taken: list[list[str]] = [[], []]

    def work(ours: list[str]) -> None:
        queue = Queue(ledger)
        while sum(map(len, taken)) < count:
            with queue.claimed() as writer:
                if writer is None:
                    return
                ours.append(writer.lease.name)
                writer.outcome = Ending(Status.CANCELLED)

    began = time.process_time()
    workers = [threading.Thread(target=work, args=(ours,)) for ours in taken]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds = (time.process_time() - began) / max(count, 1)
    once = Counter(name for ours in taken for name in ours)
    # What one of them takes after another can have no higher priority, whatever the other one takes meanwhile.
    turns = sum(expected.get(b, -1000) > expected.get(a, -1000) for ours in taken for a, b in pairwise(ours))
    return Drained(seconds, turns + sum(once[name] != 1 for name in expected))
