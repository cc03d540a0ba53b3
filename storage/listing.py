"""The experiments of a ledger page by page, and the numbers of all: a page costs what is on it, however many there are.

An experiment whose process has died has another status than its row says (`reading.status_of`). Few rows say that they
run, so these are looked at first, and the database finds all others by its indices.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Text, func, or_, select, tuple_, type_coerce

from cooldown.storage import tables
from cooldown.storage.checking import LATEST
from cooldown.storage.errors import UnreadableError
from cooldown.storage.ledger import Ledger
from cooldown.storage.reading import status_of
from cooldown.storage.records import Status, Summary
from cooldown.storage.summaries import NEWEST_FIRST, STORED, Kept, trials_of
from cooldown.storage.winners import Winner

IN_QUEUE = (Status.RUNNING, Status.OPEN, Status.QUEUED, Status.PAUSED)
"""What a list of the queue shows, and in which order."""

e = tables.experiments


class Place(NamedTuple):
    """Where an experiment is in the list of all, newest first. created_at: seconds since 1970."""

    created_at: float
    id: int


@dataclass(frozen=True)
class Wanted:
    """Which experiments a list has: those of this status, task, owner and tag; None for any."""

    status: Status | None = None
    task: str | None = None
    owner: str | None = None
    tag: str | None = None

    def has(self, summary: Summary) -> bool:
        """Whether an experiment is among them."""
        return (
            self.status in (None, summary.status)
            and self.task in (None, summary.spec.get("task"))
            and self.owner in (None, summary.terms.owner)
            and (self.tag is None or self.tag in summary.terms.tags)
        )


ALL = Wanted()


@dataclass(frozen=True)
class Page:
    """A page of experiments, newest first, and the winners of those that have some, by name. next: where the next page
    begins; None on the last one.
    """

    summaries: Sequence[Summary]
    winners: Mapping[str, Sequence[Winner]]
    unreadable: Sequence[UnreadableError]
    next: Place | None


def page(ledger: Ledger, wanted: Wanted = ALL, *, after: Place | None = None, most: int = 50) -> Page:
    """The first `most` experiments after a place, those that cannot be read among them."""

    def read(connection: Connection) -> Page:
        now = ledger._database.now(connection)
        dated = e.c.created_at.between(0, LATEST)
        query = STORED.where(dated, *_conditions(connection, wanted, now)).order_by(*NEWEST_FIRST).limit(most + 1)
        if after is not None:
            query = query.where(tuple_(e.c.created_at, e.c.id) < tuple_(*after))
        found = ledger._experiments.rows(connection, query)
        listed, more = found[:most], len(found) > most
        unreadable = [each.fault for each in listed if each.fault is not None]
        if after is None and wanted == ALL:
            # Their times say nothing about where they belong.
            undated = STORED.where(or_(e.c.created_at < 0, e.c.created_at > LATEST, e.c.created_at.is_(None)))
            unreadable += [each.fault for each in ledger._experiments.rows(connection, undated) if each.fault]
        summaries = _summaries(ledger, connection, listed, now)
        winners = ledger._winners.read(connection, [each.row.id for each in listed])
        return Page(
            # SQLite's own comparison of texts is not that of Python.
            [summary for summary in summaries.values() if wanted.has(summary)],
            {summaries[id].name: of for id, of in winners.items() if id in summaries},
            unreadable,
            Place(listed[-1].row.created_at, listed[-1].row.id) if more else None,
        )

    return ledger._database.read(read)


class Standing(NamedTuple):
    """Where an experiment is in the queue, and with it the order in which workers take what waits. group: the place of
    its status in `IN_QUEUE`. priority: with the sign reversed. since: when it was put there, or created.
    """

    group: int
    priority: int
    since: float
    id: int


class InLine(NamedTuple):
    """An experiment in the queue. position: among those that wait, from 1."""

    summary: Summary
    position: int | None


class QueuePage(NamedTuple):
    """A part of the queue. next: after which the next page begins; None on the last one."""

    entries: Sequence[InLine]
    next: Standing | None


def queue_page(ledger: Ledger, *, after: Standing | None = None, most: int = 100) -> QueuePage:
    """The first `most` experiments after a place in the queue: what runs, what waits in its order, what is paused."""

    def read(connection: Connection) -> QueuePage:
        now = ledger._database.now(connection)
        line = _line(connection, now)
        ahead = sum(each <= after for each in line) if after is not None else 0
        queued = (each for each in line if each.group == IN_QUEUE.index(Status.QUEUED))
        waiting = {each.id: place for place, each in enumerate(queued, start=1)}
        ids = [each.id for each in line[ahead : ahead + most]]
        found = {each.row.id: each for each in ledger._experiments.rows(connection, STORED.where(e.c.id.in_(ids)))}
        summaries = _summaries(ledger, connection, [found[id] for id in ids], now)
        more = len(line) > ahead + most
        return QueuePage(
            [InLine(summary, waiting.get(id)) for id, summary in summaries.items()],
            line[ahead + most - 1] if more else None,
        )

    return ledger._database.read(read)


class Overview(NamedTuple):
    """A ledger in numbers. experiments: by status. trials: all that there are. oldest: since when the experiment waits
    that has waited for longest, in seconds since 1970; None where none waits. now: by the same clock.
    """

    experiments: Mapping[Status, int]
    trials: int
    oldest: float | None
    now: float


def overview(ledger: Ledger) -> Overview:
    """How many experiments and trials a ledger has, and how long the queue has waited."""

    def read(connection: Connection) -> Overview:
        now, known = ledger._database.now(connection), {status.value: status for status in Status}
        rows = connection.execute(select(e.c.status, func.count()).group_by(e.c.status))
        counts = Counter({known[status]: count for status, count in rows if status in known})
        left = _left(connection, now)
        counts[Status.RUNNING] -= len(left)
        counts.update(left.values())
        queued = select(func.min(e.c.queued_at)).where(_has(Status.QUEUED, left))
        trials = connection.execute(select(func.count()).select_from(tables.trials)).scalar_one()
        return Overview(counts, trials, connection.execute(queued).scalar(), now)

    return ledger._database.read(read)


def _conditions(connection: Connection, wanted: Wanted, now: float) -> list[ColumnElement[bool]]:
    """The conditions for the rows that are wanted, among which may be some more (`Wanted.has`)."""
    conditions = []
    if wanted.status is not None:
        conditions.append(_has(wanted.status, _left(connection, now)))
    if wanted.owner is not None:
        conditions.append(e.c.owner == wanted.owner)
    # The JSON of a table or a list with this alone, without its brackets, is a part of that with more.
    parts = [] if wanted.task is None else [(e.c.spec, json.dumps({"task": wanted.task})[1:-1])]
    parts += [] if wanted.tag is None else [(e.c.tags, json.dumps([wanted.tag])[1:-1])]
    return conditions + [type_coerce(column, Text).contains(part, autoescape=True) for column, part in parts]


def _left(connection: Connection, now: float) -> dict[int, Status]:
    """The status of each experiment whose row says that a process runs it, which has died."""
    running = select(e.c.id, e.c.status, e.c.holder, e.c.heartbeat_at, e.c.queued_at, e.c.asked)
    found = connection.execute(running.where(e.c.status == Status.RUNNING.value))
    statuses = {row.id: status_of(row, now) for row in found}
    return {id: status for id, status in statuses.items() if status is not Status.RUNNING}


def _has(status: Status, left: Mapping[int, Status]) -> ColumnElement[bool]:
    """Whether a row is that of an experiment with this status. left: from `_left`."""
    said = e.c.status == status.value
    if status is Status.RUNNING:
        return said & e.c.id.not_in(left)
    more = [id for id, of in left.items() if of is status]
    # As a rule there are none, and an index has the others.
    return said | e.c.id.in_(more) if more else said


def _line(connection: Connection, now: float) -> list[Standing]:
    """Everything in the queue in its order, read from an index alone."""
    left = _left(connection, now)
    line = []
    for group, status in enumerate(IN_QUEUE):
        query = select(e.c.priority, e.c.queued_at, e.c.id).where(_has(status, left))
        # A damaged row has no place in the queue.
        sound = (row for row in connection.execute(query) if isinstance(row.priority, int))
        line += [Standing(group, -row.priority, row.queued_at, row.id) for row in sound]
    # What `compare` runs is not in the queue; its place is that of its creation.
    unqueued = [each.id for each in line if each.since is None]
    created = dict(connection.execute(select(e.c.id, e.c.created_at).where(e.c.id.in_(unqueued))).all())
    placed = (each._replace(since=created.get(each.id, each.since)) for each in line)
    return sorted(each for each in placed if isinstance(each.since, int | float))


def _summaries(ledger: Ledger, connection: Connection, rows: Sequence[Kept], now: float) -> dict[int, Summary]:
    """The summaries of those rows that can be read, by id."""
    trials = trials_of(connection, [each.row.id for each in rows])
    sound = [each for each in rows if each.fault is None]
    return {each.row.id: ledger._experiments.summary(each, trials[each.row.id], now) for each in sound}
