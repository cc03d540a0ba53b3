"""The ledger as a queue: experiments wait in it for workers, by priority and then by age.

What is in the queue has a time since when (`queued_at`), and keeps it while a worker runs it: if that worker is lost,
the experiment is back in its place. An experiment that another process runs, as `compare` does, has none, and waits for
its user when that process ends.

**Once each.** A worker takes an experiment in a transaction that locks its row, so that no two get the same one.

**Lost workers.** The next worker that looks for work puts the experiment of a lost one back, at most `MOST_REQUEUES`
times in a row: what kills every worker would otherwise keep them all from the rest of the queue.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select, update

from cooldown.storage import tables
from cooldown.storage.acts import note
from cooldown.storage.budgets import check_budget
from cooldown.storage.changes import version_of
from cooldown.storage.errors import ChangedError, LedgerError
from cooldown.storage.holding import holding, take
from cooldown.storage.lease import holder_in_words, is_alive, this_process
from cooldown.storage.ledger import Ledger
from cooldown.storage.quotas import check_room, lock_count
from cooldown.storage.reading import status_of
from cooldown.storage.records import Change, Status
from cooldown.storage.rows import CHANGES, terms_from, terms_row
from cooldown.storage.studies import Extension, extend
from cooldown.storage.terms import Terms, unchanged
from cooldown.storage.webhooks import announce
from cooldown.storage.writer import Lease, Writer

MOST_REQUEUES = 3
"""How often in a row an experiment is put back in the queue whose worker was lost."""

FREE = {"holder": None, "holder_token": None, "requested": None}


class Edited(NamedTuple):
    """An experiment after its terms were changed."""

    status: Status
    terms: Terms


class Queue:
    """The queue of a ledger. Each of its methods is one transaction; LedgerError is raised for an unknown name."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._database = ledger, ledger._database

    def put(
        self,
        name: str,
        terms: Callable[[Terms], Terms] = unchanged,
        *,
        follows_plan: bool = True,
        extension: Extension | None = None,
    ) -> Status:
        """Put an experiment in the queue, behind those of its priority, or open it for its callers where these train
        it; where it waits, runs or is open already, withdraw what it is asked for. Returns its status: `queued`,
        `open`, or `running`.

        terms: new ones, from those that it has. follows_plan: whether it goes on with its plan when its spec is done.
        extension: what it is extended to. Raises LedgerError if nothing is left of its budget, and if one that is to be
        extended goes on already; QuotaError where its owner may have no more under way.
        """
        if extension is not None:
            # Before the transaction: loading it takes a second, in which no other process could write.
            from cooldown.storage.optuna_rows import create_studies

        e = tables.experiments

        def put(connection: Connection) -> Status:
            lock_count(self._database, connection)
            row, now = self._ledger._experiment(connection, name, locked=True), self._database.now(connection)
            status, new = status_of(row, now), terms(terms_from(row))
            values = {**terms_row(new), "requested": None}
            if extension is not None and status.under_way:
                raise LedgerError(f"the experiment {row.name!r} is {status.value}: it can be extended when it is done")
            if not status.under_way:
                check_room(self._database, connection)
                check_budget(connection, row, new)
                if extension is not None:
                    extend(connection, row.id, row.name, *extension, create_studies)
                status = Status.OPEN if row.asked else Status.QUEUED
                values |= {
                    **FREE,
                    "status": status.value,
                    "queued_at": None if row.asked else now,
                    "requeues": 0,
                    "follows_plan": int(follows_plan),
                    "message": "",
                    "finished_at": None,
                }
            connection.execute(update(e).where(e.c.id == row.id).values(**values))
            note(self._database, connection, "resume", row.name)
            return status

        return self._database.write(put, repeatable=extension is None)

    def request(self, name: str, change: Change) -> Status:
        """Ask for a change. Returns the status after it: a running experiment is still `running`, until its run comes
        to an edge; any other has changed.

        Raises LedgerError where there is nothing to change, as for an experiment that is done.
        """
        e = tables.experiments

        def request(connection: Connection) -> Status:
            row = self._ledger._experiment(connection, name, locked=True)
            status = status_of(row, self._database.now(connection))
            if status is change.status:
                return status
            if status is Status.RUNNING:
                values: dict[str, Any] = {"requested": change.value}
            elif status.under_way or (status is Status.PAUSED and change is not Change.PAUSE):
                values = {**FREE, "status": change.status.value}
                status = change.status
                announce(self._database, connection, row.name, row.owner, status)
            else:
                raise LedgerError(f"the experiment {row.name!r} is {status.value}: there is nothing to {change.value}")
            connection.execute(update(e).where(e.c.id == row.id).values(**values))
            note(self._database, connection, change.value, row.name)
            return status

        return self._database.write(request)

    def edit(self, name: str, terms: Callable[[Terms], Terms], versions: Collection[str] | None = None) -> Edited:
        """Give an experiment new terms, from those that it has. New limits hold from its next run.

        versions: those of `changes.state` one of which it has to have; None for any. Raises ChangedError otherwise.
        """
        e = tables.experiments

        def edit(connection: Connection) -> Edited:
            row = self._ledger._experiment(connection, name, locked=True)
            status = status_of(row, self._database.now(connection))
            if versions is not None and version_of(row, status) not in versions:
                raise ChangedError(f"the experiment {row.name!r} has changed meanwhile: read it again")
            new = terms(terms_from(row))
            connection.execute(update(e).where(e.c.id == row.id).values(**terms_row(new)))
            note(self._database, connection, "edit", row.name)
            return Edited(status, new)

        return self._database.write(edit)

    @contextmanager
    def claimed(self, left_alone: Collection[int] = ()) -> Iterator[Writer | None]:
        """Hold the experiment that is next in the queue while the context lasts; None if there is none.

        left_alone: numbers of experiments (`Lease.id`) that this worker cannot run. On exit, its status is that of
        `Writer.outcome`; without one `failed` after an exception, else `queued`, in its place.
        """
        lease = None
        # Most of the time there is nothing to write, which would keep others waiting.
        if self._database.read(lambda connection: self._has_work(connection, left_alone)):
            holder = this_process()
            lease = self._database.write(lambda connection: self._claim(connection, holder, left_alone))
        if lease is None:
            yield None
            return
        with holding(self._database, lease) as writer:
            yield writer

    def _has_work(self, connection: Connection, left_alone: Collection[int]) -> bool:
        now = self._database.now(connection)
        return bool(self._lost(connection, now)) or connection.execute(_next(left_alone)).first() is not None

    def _claim(self, connection: Connection, holder: dict[str, Any], left_alone: Collection[int]) -> Lease | None:
        e, now = tables.experiments, self._database.now(connection)
        ours = connection.execute(select(e).where(e.c.holder_token == holder["token"])).first()
        if ours is None:
            for id in self._lost(connection, now):
                self._put_back(connection, id, now)
            # What another worker is just taking is left to it.
            ours = connection.execute(_next(left_alone).with_for_update(skip_locked=True)).first()
        return None if ours is None else take(connection, ours, holder, now, left=Status.QUEUED)

    def _lost(self, connection: Connection, now: float) -> list[int]:
        """The experiments of the queue that a worker ran which was lost."""
        e = tables.experiments
        running = select(e.c.id, e.c.holder, e.c.heartbeat_at).where(
            e.c.status == Status.RUNNING.value, e.c.queued_at.is_not(None)
        )
        return [row.id for row in connection.execute(running) if not is_alive(row.holder, row.heartbeat_at, now)]

    def _put_back(self, connection: Connection, id: int, now: float) -> None:
        """Put the experiment of a lost worker back in its place, unless another worker is just doing so."""
        e = tables.experiments
        row = connection.execute(select(e).where(e.c.id == id).with_for_update(skip_locked=True)).first()
        if row is None or row.status != Status.RUNNING.value or is_alive(row.holder, row.heartbeat_at, now):
            return
        values: dict[str, Any] = {"status": Status.QUEUED.value, "requeues": row.requeues + 1}
        if row.requested in CHANGES:
            values = {"status": CHANGES[row.requested].status.value}
        elif row.requeues >= MOST_REQUEUES:
            last = "a process" if row.holder is None else holder_in_words(row.holder)
            reason = f"its worker was lost {row.requeues + 1} times, the last time {last}; is there enough memory?"
            values = {"status": Status.FAILED.value, "message": reason}
        connection.execute(update(e).where(e.c.id == id).values(**values, **FREE))
        announce(self._database, connection, row.name, row.owner, Status(values["status"]))


def _next(left_alone: Collection[int]) -> Select[Any]:
    """The row that is next in the queue: the order of an index."""
    e = tables.experiments
    queued = select(e).where(e.c.status == Status.QUEUED.value)
    if left_alone:
        queued = queued.where(e.c.id.not_in(left_alone))
    return queued.order_by(e.c.priority.desc(), e.c.queued_at, e.c.id).limit(1)
