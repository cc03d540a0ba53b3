"""What happens in an experiment, event by event: each trial that was added, and each new status.

Every event has a position. Whoever comes back with the last one that was received gets what came after it: nothing is
missing, and nothing comes twice. The ledger is asked again and again, because any machine may be the one that writes.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool

from cooldown.storage import Ledger, LedgerError, Status, UnknownExperimentError
from cooldown.storage.changes import Change, state, trials_after

PAUSE, SILENCE = 1.0, 15.0
"""Seconds between two looks at the ledger, and until a sign of life is sent where nothing happens."""

LASTS = 900.0
"""Seconds after which a stream ends: its reader comes back, and is asked for the token again."""

AT_ONCE = 500
"""Trials that are read at once."""

OVER = tuple(status for status in Status if status.over)
"""After these, nothing happens until somebody asks for more."""


class Position(NamedTuple):
    """What a reader has seen of an experiment. since: when it was created. trial: the id of the last trial."""

    since: float = 0.0
    trial: int = 0
    status: str = ""

    @classmethod
    def parse(cls, text: str | None) -> "Position":
        """The position of a Last-Event-ID; the start for none, and for what is none."""
        try:
            since, trial, status = (text or "").split("_")
            return cls(float.fromhex(since), int(trial), status)
        except (ValueError, OverflowError):
            return cls()

    def __str__(self) -> str:
        return f"{self.since.hex()}_{self.trial}_{self.status}"


class Event(NamedTuple):
    """An event as the stream has it."""

    name: str
    data: dict[str, Any]
    position: Position


def news(ledger: Ledger, name: str, seen: Position) -> list[Event]:
    """What came after a position, at most `AT_ONCE` trials; raises UnknownExperimentError for one that is deleted."""
    # Read before the trials: once it says that the experiment is over, all of them are there.
    now = state(ledger, name)
    if seen.since != now.created_at:
        seen = Position(now.created_at)
    events = []
    trials = trials_after(ledger, name, seen.trial, AT_ONCE)
    for trial in trials:
        seen = seen._replace(trial=trial.id)
        events.append(Event("trial", _of_trial(trial), seen))
    if now.status.value != seen.status and len(trials) < AT_ONCE:
        seen = seen._replace(status=now.status.value)
        events.append(Event("status", {"status": now.status.value, "message": now.message}, seen))
    return events


def is_over(seen: Position) -> bool:
    """Whether an experiment was over at a position."""
    return seen.status in [status.value for status in OVER]


async def stream(
    ledger: Ledger, name: str, seen: Position, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[bytes]:
    """The events after a position as server-sent events, until the experiment is over or deleted."""
    began = heard = clock()
    yield b"retry: 2000\n\n"
    while clock() - began < LASTS:
        try:
            events = await run_in_threadpool(news, ledger, name, seen)
        except UnknownExperimentError:
            yield b"event: deleted\ndata: {}\n\n"
            return
        except LedgerError:
            # Its reader comes back, and is told then.
            return
        for event in events:
            seen, heard = event.position, clock()
            yield f"event: {event.name}\ndata: {json.dumps(event.data)}\nid: {seen}\n\n".encode()
        if not events:
            if is_over(seen):
                return
            if clock() - heard > SILENCE:
                heard = clock()
                yield b": nothing new\n\n"
            await asyncio.sleep(PAUSE)


def _of_trial(trial: Change) -> dict[str, Any]:
    return {"arm": trial.arm, "repeat": trial.repeat, "trial": trial.number, "validation_loss": trial.validation_loss}
