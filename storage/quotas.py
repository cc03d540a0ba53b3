"""Quotas: how many experiments of an owner may be under way at once.

Whoever lets somebody add experiments, as the service does, says so with `within`. They are counted in the transaction
that adds one more, in which nobody else adds any: also where several servers share a ledger.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from sqlalchemy import Connection, select

from cooldown.storage import tables
from cooldown.storage.database import Database
from cooldown.storage.errors import QuotaError
from cooldown.storage.reading import status_of
from cooldown.storage.records import Status


class Quota(NamedTuple):
    """How many experiments of an owner may be under way at once."""

    owner: str
    most: int


_quota: ContextVar[Quota | None] = ContextVar("how many experiments somebody may add", default=None)


@contextmanager
def within(owner: str, most: int | None) -> Iterator[None]:
    """In here, an experiment is only added or continued while fewer than `most` of the owner's are under way; None: any
    number may be. QuotaError is raised otherwise.
    """
    token = _quota.set(None if most is None else Quota(owner, most))
    try:
        yield
    finally:
        _quota.reset(token)


def lock_count(database: Database, connection: Connection) -> None:
    """Until the end of this writing transaction, the count of a quota does not grow; to be called before a row is
    locked.
    """
    if _quota.get() is not None:
        database.lock_names(connection)


def check_room(database: Database, connection: Connection) -> None:
    """Raise QuotaError where there is no room for one more. connection: in the transaction that adds it, after
    `lock_count` or `Database.lock_names`.
    """
    quota = _quota.get()
    if quota is None:
        return
    e, now = tables.experiments, database.now(connection)
    going = e.c.status.in_([status.value for status in Status if status.under_way])
    columns = (e.c.status, e.c.holder, e.c.heartbeat_at, e.c.queued_at, e.c.asked)
    rows = connection.execute(select(*columns).where(going & (e.c.owner == quota.owner)))
    # One whose process was lost may wait for its user.
    count = sum(status_of(row, now).under_way for row in rows)
    if count >= quota.most:
        raise QuotaError(f"the quota of {quota.owner!r} is {quota.most} experiments under way at once, and {count} are")
