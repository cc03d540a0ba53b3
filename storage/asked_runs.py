"""The runs that the callers of an experiment are to train: which there are, who was given one, and what was told of it.

A run is named by a hash of what it is, so that it is the same one after a restart, and what was told stays told.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from cooldown.storage import tables
from cooldown.storage.ledger import Ledger
from cooldown.storage.loops import Loop

Report = Mapping[str, float | None]
"""What a run says of an epoch: train_loss, held_out_loss and score; None for what is no finite number."""

MOST_NAMED = 10_000
"""Runs that a query names; databases limit the number of its parameters. Where more are wanted, all are read."""


class NewRun(NamedTuple):
    """A run that waits to be trained. run, job: its name, and that of the job whose part it is. replicate: as JSON."""

    run: str
    job: str
    replicate: Mapping[str, Any]


class AskedRun(NamedTuple):
    """A run. asked_at, told_at: seconds since 1970; None for what has not been. reports: of its epochs."""

    run: str
    job: str
    replicate: Mapping[str, Any]
    asked_at: float | None
    told_at: float | None
    reports: Sequence[Report] | None


def loop_of(ledger: Ledger, name: str) -> Loop | None:
    """What the experiment `name` is on, if its callers train it; raises LedgerError for an unknown one."""
    lo = tables.loops

    def read(connection: Connection) -> Loop | None:
        id = ledger._experiment(connection, name).id
        query = select(lo.c.n_samples, lo.c.kind, lo.c.uninformed_loss).where(lo.c.experiment_id == id)
        found = connection.execute(query).first()
        return None if found is None else Loop(*found)

    return ledger._database.read(read)


def runs_of(ledger: Ledger, name: str, runs: Set[str]) -> dict[str, AskedRun]:
    """Those of `runs` that the experiment `name` has, by their names."""
    a = tables.asked_runs
    columns = (a.c.run, a.c.job, a.c.replicate, a.c.asked_at, a.c.told_at, a.c.reports)

    def read(connection: Connection) -> dict[str, AskedRun]:
        id = ledger._experiment(connection, name).id
        wanted = a.c.experiment_id == id
        if len(runs) <= MOST_NAMED:
            wanted &= a.c.run.in_(runs)
        rows = connection.execute(select(*columns).where(wanted))
        return {row.run: AskedRun(*row) for row in rows if row.run in runs}

    return ledger._database.read(read)


def is_told(ledger: Ledger, name: str, job: str) -> bool:
    """Whether something was told of every run that the experiment `name` has for a job."""
    a = tables.asked_runs

    def read(connection: Connection) -> bool:
        id = ledger._experiment(connection, name).id
        untold = select(a.c.id).where((a.c.experiment_id == id) & (a.c.job == job) & a.c.told_at.is_(None))
        return connection.execute(untold.limit(1)).first() is None

    return ledger._database.read(read)


def add_runs(ledger: Ledger, name: str, runs: Sequence[NewRun]) -> None:
    """Add those runs that are not there yet."""
    a = tables.asked_runs

    def add(connection: Connection) -> None:
        id = ledger._experiment(connection, name, locked=True).id
        known = set(connection.scalars(select(a.c.run).where(a.c.experiment_id == id)))
        rows = {each.run: {"experiment_id": id, **each._asdict()} for each in runs if each.run not in known}
        if rows:
            connection.execute(insert(a), list(rows.values()))

    ledger._database.write(add)


def hand_out(ledger: Ledger, name: str, again_after: float) -> AskedRun | None:
    """The next run that nobody trains, which is handed out now: one that nobody was given, or else the one that was
    given away first, if that is `again_after` seconds ago. None if there is none.
    """
    a = tables.asked_runs

    def hand(connection: Connection) -> AskedRun | None:
        id = ledger._experiment(connection, name, locked=True).id
        untold = select(a).where((a.c.experiment_id == id) & a.c.told_at.is_(None))
        now = ledger._database.now(connection)
        row = connection.execute(untold.where(a.c.asked_at.is_(None)).order_by(a.c.id).limit(1)).first()
        if row is None:
            given = untold.where(a.c.asked_at <= now - again_after).order_by(a.c.asked_at, a.c.id).limit(1)
            row = connection.execute(given).first()
        if row is None:
            return None
        connection.execute(update(a).where(a.c.id == row.id).values(asked_at=now))
        return AskedRun(row.run, row.job, row.replicate, now, None, None)

    return ledger._database.write(hand)


def tell_run(ledger: Ledger, name: str, run: str, reports: Sequence[Report]) -> bool:
    """Record what is told of a run, unless something was; returns whether it is told now with these reports."""
    a = tables.asked_runs

    def tell(connection: Connection) -> bool:
        id = ledger._experiment(connection, name, locked=True).id
        of_run = (a.c.experiment_id == id) & (a.c.run == run)
        row = connection.execute(select(a.c.told_at, a.c.reports).where(of_run)).one()
        if row.told_at is None:
            told = {"reports": list(map(dict, reports)), "told_at": ledger._database.now(connection)}
            connection.execute(update(a).where(of_run).values(**told))
            return True
        return bool(row.reports == list(reports))

    return ledger._database.write(tell)
