"""Clients that submit, poll and cancel at once, each over a connection of its own, and what became of it all.

Half of what they submit is short, and runs to its end. The other half would take minutes, and is cancelled, while it
waits or while it runs.
"""

import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

from benchmarks.service.server import LONG, SPEC, Running
from cooldown.storage import Ledger, Status

API = "/api/v1"
READS = {"list": "/experiments", "show": "/experiments/{name}", "queue": "/queue", "health": "/health"}
ENDED = (Status.DONE, Status.CANCELLED)

EVERY, AFTER = 5, 4
"""Rounds from one submission to the next, and from a submission to its cancellation."""


class Client:
    """A holder of a token. seconds: what each of its requests took, by kind. accepted, cancelled: names."""

    def __init__(self, run: Running, number: int) -> None:
        self._number, self._random = number, random.Random(number)
        self._connection = HTTPConnection("127.0.0.1", run.port, timeout=300)
        self._headers = {"Authorization": f"Bearer {run.tokens[number]}", "Content-Type": "application/json"}
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.statuses: Counter[int] = Counter()
        self.accepted: list[str] = []
        self.cancelled: list[str] = []

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def rounds(self, count: int, pause: float, started: threading.Barrier) -> None:
        """In each round a submission or a cancellation, and reads."""
        started.wait()
        # They do not all come at the same moment of each round.
        time.sleep(self._random.uniform(0, pause))
        doomed = False
        for round in range(count):
            if round % EVERY == 0:
                doomed = (self._number + round // EVERY) % 2 == 0 and round + AFTER < count
                self._submit(round, LONG if doomed else SPEC)
            elif round % EVERY == AFTER and doomed:
                self._cancel(self.accepted[-1])
            else:
                self.poll()
            time.sleep(self._random.uniform(0.5, 1.5) * pause)

    def poll(self) -> None:
        """One of the reads."""
        kind = self._random.choice([*READS])
        name = self.accepted[-1] if self.accepted else "old"
        self._ask(kind, "GET", READS[kind].format(name=name))

    def _submit(self, round: int, spec: Mapping[str, Any]) -> None:
        body = {**spec, "name": f"c{self._number}-{round}", "seed": self._number * 1000 + round, "tags": ["load"]}
        key = f"{self._number}-{round}"
        status, answer = self._ask("submit", "POST", "/experiments", body, {"Idempotency-Key": key})
        if status in (200, 201):
            self.accepted.append(answer["name"])

    def _cancel(self, name: str) -> None:
        if self._ask("cancel", "POST", f"/experiments/{name}/cancel")[0] == 200:
            self.cancelled.append(name)

    def _ask(
        self, kind: str, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str]]:
        content = None if body is None else json.dumps(body)
        began = time.perf_counter()
        asked = (method, API + path, content, {**self._headers, **(headers or {})})
        try:
            self._connection.request(*asked)
            answer = self._connection.getresponse()
        except ConnectionError:
            # A server ends a connection that was quiet for some seconds.
            self._connection.close()
            self._connection.request(*asked)
            answer = self._connection.getresponse()
        text = answer.read()
        self.seconds[kind].append(time.perf_counter() - began)
        self.statuses[answer.status] += 1
        return answer.status, json.loads(text) if answer.status < 300 else {}


def at_once(run: Running, count: int, rounds: int, pause: float) -> Sequence[Client]:
    """Clients that do so many rounds at the same time."""
    clients, started = [Client(run, number) for number in range(count)], threading.Barrier(count)
    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(client.rounds, rounds, pause, started) for client in clients]:
            done.result()
    for client in clients:
        client.close()
    return clients


def faults(run: Running, clients: Sequence[Client], patience: float) -> Counter[str]:
    """What became of the accepted experiments, once workers have had time for them: lost, run twice, not run, run
    although it was cancelled or the other way round, with a part of a generation, and answers that were not good.
    patience: seconds without an end.
    """
    ledger, found = Ledger(run.url), Counter[str]()
    accepted = [name for client in clients for name in client.accepted]
    left, ended_at = {*accepted}, time.monotonic()
    summaries = {}
    while left and time.monotonic() - ended_at < patience:
        time.sleep(1)
        summaries = {each.name: each for each in ledger.summaries() if "load" in each.terms.tags}
        now = {name for name in left if name not in summaries or summaries[name].status not in ENDED}
        ended_at = time.monotonic() if now != left else ended_at
        left = now
    found["lost"] = len({*accepted} - summaries.keys())
    found["accepted twice"] = len(accepted) - len({*accepted})
    found["not run"] = len(left & summaries.keys())
    found["run twice"] = sum(count > 1 for count in run.started.values())
    cancelled = {name for client in clients for name in client.cancelled}
    for each in (summaries[name] for name in {*accepted} & summaries.keys()):
        if each.status is Status.DONE:
            found["incomplete"] += each.trials != len(SPEC["arms"]) * SPEC["trials"]
            found["not cancelled"] += each.name in cancelled
        elif each.status is Status.CANCELLED:
            found["torn"] += each.trials % SPEC["generation"] != 0
            found["cancelled unasked"] += each.name not in cancelled
    for client in clients:
        found["refused"] += sum(count for status, count in client.statuses.items() if status not in (200, 201))
    return found
