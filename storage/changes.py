"""What is new of an experiment, without reading all of it: for those who ask again and again."""

import hashlib
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from cooldown.storage import tables
from cooldown.storage.ledger import Ledger
from cooldown.storage.reading import status_of
from cooldown.storage.records import Status
from cooldown.storage.rows import TUNED

BEATS = ("heartbeat_at", "seconds")
"""Columns that change while there is nothing more to read."""


class Change(NamedTuple):
    """A trial of a search that was added. id: grows with each trial of an experiment. repeat, number: from 0."""

    id: int
    arm: str
    repeat: int
    number: int
    validation_loss: float


class State(NamedTuple):
    """Where an experiment stands. created_at: seconds since 1970; one that was deleted and made again has another.
    version: another text whenever there may be more to read of it.
    """

    owner: str
    status: Status
    message: str
    created_at: float
    version: str


def state(ledger: Ledger, name: str) -> State:
    """The state of the experiment `name`; raises as `Ledger.load` does."""

    def read(connection: Connection) -> State:
        row = ledger._experiment(connection, name)
        status = status_of(row, ledger._database.now(connection))
        return State(row.owner, status, row.message, row.created_at, version_of(row, status))

    return ledger._database.read(read)


def version_of(row: Any, status: Status) -> str:
    """The version of an experiment's row, as `State` has it. status: from `status_of`."""
    values = [(key, repr(value)) for key, value in row._mapping.items() if key not in BEATS]
    return hashlib.sha256(repr((status, values)).encode()).hexdigest()[:32]


def trials_after(ledger: Ledger, name: str, last: int, most: int) -> list[Change]:
    """The first trials of an experiment's searches whose id is above `last`, at most `most`, in the order in which
    they were added.
    """
    s, t = tables.studies, tables.trials

    def read(connection: Connection) -> list[Change]:
        row = ledger._experiment(connection, name)
        query = (
            select(t.c.id, s.c.arm, s.c.repeat, t.c.number, t.c.validation_loss)
            .join(s, s.c.id == t.c.study_id)
            .where((s.c.experiment_id == row.id) & (s.c.variant == TUNED) & (t.c.id > last))
            .order_by(t.c.id)
            .limit(most)
        )
        return [Change(*found) for found in connection.execute(query)]

    return ledger._database.read(read)
