"""Taking the lease of an experiment, and holding it while the experiment is run."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, update

from cooldown.storage import tables
from cooldown.storage.budgets import gradient_evaluations
from cooldown.storage.database import Database
from cooldown.storage.errors import GivenBackError
from cooldown.storage.records import Status
from cooldown.storage.rows import terms_from, terms_row
from cooldown.storage.terms import Terms
from cooldown.storage.writer import Ending, Lease, Writer


def take(
    connection: Connection, row: Any, holder: dict[str, Any], now: float, *, left: Status, terms: Terms | None = None
) -> Lease:
    """Take an experiment, whose row is locked and which nobody holds.

    holder: of `lease.this_process`. now: by the database's clock. left: its status if it is given back before its end:
    a worker keeps its place in the queue, any other process takes it out. terms: new ones.
    """
    e = tables.experiments
    agreed = terms_from(row) if terms is None else terms
    values = {
        "holder": holder,
        "holder_token": holder["token"],
        "heartbeat_at": now,
        "status": Status.RUNNING.value,
        "message": "",
        "finished_at": None,
        "requested": None,
        "queued_at": row.queued_at if left is Status.QUEUED else None,
    }
    connection.execute(update(e).where(e.c.id == row.id).values(**values, **terms_row(agreed)))
    used = 0 if agreed.max_gradient_evaluations is None else gradient_evaluations(connection, row.id)
    return Lease(row.id, row.name, holder["token"], left, agreed, row.seconds, used)


@contextmanager
def holding(database: Database, lease: Lease) -> Iterator[Writer]:
    """Hold a lease that was taken: no other process may run its experiment while the context lasts.

    On exit, its status is that of `Writer.outcome`; without one it is `failed` after an exception, else the one in
    which it is left.
    """
    writer = Writer(database, lease)
    stop = threading.Event()
    beat = threading.Thread(target=writer.beat_until, args=(stop,), daemon=True)
    outcome = Ending(lease.left)
    try:
        beat.start()
        with database.kept_open():
            yield writer
        outcome = writer.outcome or outcome
    except GivenBackError as error:
        outcome = Ending(lease.left, str(error))
        raise
    except Exception as error:
        outcome = Ending(Status.FAILED, str(error))
        raise
    finally:
        # A second Ctrl-C here must not leave the lease with a process that lives on.
        try:
            stop.set()
            if beat.ident is not None:
                beat.join()
        finally:
            writer.release(outcome)
