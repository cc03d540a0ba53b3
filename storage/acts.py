"""Who acts: the audit has a line for every change that somebody makes, added in the transaction that makes it.

Whoever lets somebody change a ledger, as the service and the command line do, says so with `acting`; the methods that
change something then `note` it. What a program of the user's own does, and what a run writes, has no line.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert

from cooldown.storage import tables
from cooldown.storage.database import Database

LOCAL = "local"
"""Who a user of this machine is."""


class Act(NamedTuple):
    """What somebody does. action: None for what the method is called that does it."""

    who: str
    action: str | None
    details: Mapping[str, Any]


_act: ContextVar[Act | None] = ContextVar("what somebody does", default=None)


@contextmanager
def acting(who: str, action: str | None = None, **details: Any) -> Iterator[None]:
    """In here, somebody makes a change. who: a token's name, or `LOCAL`. action, details: as the audit shows them."""
    token = _act.set(Act(who, action, details))
    try:
        yield
    finally:
        _act.reset(token)


def note(database: Database, connection: Connection, action: str, subject: str, **details: Any) -> None:
    """Add the line of a change to the audit, if somebody acts. connection: in the transaction that makes it. subject:
    the experiment, data set or token. details: where the act has none.
    """
    act = _act.get()
    if act is not None:
        values = {
            "who": act.who,
            "action": act.action or action,
            "subject": subject,
            "details": dict(act.details or details),
            "at": database.now(connection),
        }
        connection.execute(insert(tables.audit).values(**values))
