"""Webhooks: addresses that are told when an experiment has ended, and what is still to be told to them.

What is to be told is added in the transaction that ends the experiment, so that no crash loses it. A server takes what
is due for a while, in which no other server does; if it dies, it is due again. So everything is told at least once,
with an id by which a receiver knows what it has already.
"""

import secrets
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select, update

from cooldown.storage import tables
from cooldown.storage.acts import note
from cooldown.storage.database import Database
from cooldown.storage.errors import LedgerError
from cooldown.storage.records import Status

MOST = 10
"""Webhooks of an owner."""

IN_FLIGHT = 120.0
"""Seconds after which what a server has taken, and said nothing of, is due again: longer than it tries."""

PAUSES = (10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0, 43200.0)
"""Seconds until it is tried again, after each time; about a day together."""

KEPT = 30 * 86_400.0
"""Seconds for which what was told is kept."""

w, d = tables.webhooks, tables.deliveries


class Webhook(NamedTuple):
    """An address that is told of its owner's experiments, or of everybody's. secret: with which it is signed.
    created_at: seconds since 1970. waiting: what is still to be told. answer: to what was tried last, "" for nothing.
    """

    id: int
    owner: str
    url: str
    every: bool
    secret: str
    created_at: float
    waiting: int = 0
    answer: str = ""

    def to_json(self) -> dict[str, Any]:
        """The webhook as the API shows it: without its secret."""
        return {name: value for name, value in self._asdict().items() if name != "secret"}


class Delivery(NamedTuple):
    """What is to be told. event: its id, the same each time. attempts: how often it was tried, this time included."""

    id: int
    event: str
    experiment: str
    status: str
    ended_at: float
    attempts: int
    url: str
    secret: str


def announce(database: Database, connection: Connection, experiment: str, owner: str, status: Status) -> None:
    """Have it told to whom it concerns that an experiment has this status, if it is over with it. connection: in the
    transaction that ends it.
    """
    if not status.over:
        return
    concerned = ((w.c.owner == owner) | (w.c.every == 1)) & _alive()
    now = database.now(connection)
    for webhook in connection.scalars(select(w.c.id).where(concerned)).all():
        told = {"experiment": experiment, "status": status.value, "ended_at": now, "due_at": now}
        connection.execute(insert(d).values(webhook_id=webhook, event=uuid.uuid4().hex, attempts=0, answer="", **told))


class Webhooks:
    """The webhooks of a ledger. May be used by several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, owner: str, url: str, *, every: bool) -> Webhook:
        """Register an address. every: whether for the experiments of everybody. Raises LedgerError where the owner has
        as many as there may be.
        """
        secret = secrets.token_urlsafe(32)

        def add(connection: Connection) -> Webhook:
            self._database.lock_names(connection)
            count = connection.execute(select(func.count()).select_from(w).where(w.c.owner == owner)).scalar_one()
            if count >= MOST:
                raise LedgerError(f"{owner!r} has {count} webhooks, and there may be {MOST}: delete one first")
            now = self._database.now(connection)
            values = {"owner": owner, "url": url, "every": int(every), "secret": secret, "created_at": now}
            id = connection.execute(insert(w).values(**values).returning(w.c.id)).scalar_one()
            note(self._database, connection, "register webhook", f"webhook {id}", every=every)
            return Webhook(id, owner, url, every, secret, now)

        return self._database.write(add, repeatable=False)

    def list(self, owner: str | None = None) -> Sequence[Webhook]:
        """The webhooks of one owner, or of all, oldest first."""
        theirs = select(w).order_by(w.c.id) if owner is None else select(w).where(w.c.owner == owner).order_by(w.c.id)
        waiting = select(d.c.webhook_id, func.count()).where(d.c.due_at.is_not(None)).group_by(d.c.webhook_id)
        last = select(func.max(d.c.id)).where(d.c.answer != "").group_by(d.c.webhook_id)
        answers = select(d.c.webhook_id, d.c.answer).where(d.c.id.in_(last))

        def read(connection: Connection) -> Sequence[Webhook]:
            left: dict[int, int] = dict(connection.execute(waiting).all())
            told: dict[int, str] = dict(connection.execute(answers).all())
            return [
                Webhook(
                    row.id,
                    row.owner,
                    row.url,
                    bool(row.every),
                    row.secret,
                    row.created_at,
                    left.get(row.id, 0),
                    told.get(row.id, ""),
                )
                for row in connection.execute(theirs)
            ]

        return self._database.read(read)

    def remove(self, id: int) -> None:
        """Remove a webhook, and what was still to be told to it."""

        def remove(connection: Connection) -> None:
            if connection.execute(delete(w).where(w.c.id == id)).rowcount:
                note(self._database, connection, "delete webhook", f"webhook {id}")

        self._database.write(remove)

    def take(self, most: int) -> Sequence[Delivery]:
        """What is due, at most so much: for as long as `IN_FLIGHT` it is this caller's to tell."""

        def due(connection: Connection) -> Select[Any]:
            is_due = (d.c.due_at <= self._database.now(connection)) & _alive()
            columns = (d.c.id, d.c.event, d.c.experiment, d.c.status, d.c.ended_at, d.c.attempts, w.c.url, w.c.secret)
            return select(*columns).join(w, w.c.id == d.c.webhook_id).where(is_due).order_by(d.c.due_at, d.c.id)

        def take(connection: Connection) -> Sequence[Delivery]:
            rows = connection.execute(due(connection).limit(most).with_for_update(of=d, skip_locked=True)).all()
            taken = [Delivery(*row)._replace(attempts=row.attempts + 1) for row in rows]
            until = self._database.now(connection) + IN_FLIGHT
            for each in taken:
                connection.execute(update(d).where(d.c.id == each.id).values(due_at=until, attempts=each.attempts))
            return taken

        # Most of the time there is nothing to write, which would keep others waiting.
        if self._database.read(lambda connection: connection.execute(due(connection).limit(1)).first()) is None:
            return []
        return self._database.write(take, repeatable=False)

    def settle(self, delivery: Delivery, answer: str, *, done: bool) -> None:
        """Keep what came of telling: whether it is done, or to be tried again after a pause. After the last pause it is
        given up.
        """

        def settle(connection: Connection) -> None:
            now, tries = self._database.now(connection), delivery.attempts
            due = None if done or tries > len(PAUSES) else now + PAUSES[tries - 1]
            # One that another server has taken meanwhile is that server's.
            ours = (d.c.id == delivery.id) & (d.c.attempts == tries)
            connection.execute(update(d).where(ours).values(due_at=due, answer=answer[:200]))
            connection.execute(delete(d).where(d.c.due_at.is_(None) & (d.c.ended_at < now - KEPT)))

        self._database.write(settle)


def _alive() -> ColumnElement[bool]:
    """Whether a webhook is that of a user of this machine, or of a token that was not revoked."""
    t = tables.tokens
    return (w.c.owner == "") | w.c.owner.in_(select(t.c.name).where(t.c.revoked_at.is_(None)))
