"""The experiments of a ledger in a list: those that can be read, and why the others cannot.

`KeptExperiments` keeps their rows between reads, so that a list that is updated every few seconds decodes and checks
only those that have changed.
"""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Connection, Select, Text, func, select, type_coerce

from cooldown.storage import tables
from cooldown.storage.errors import UnreadableError
from cooldown.storage.reading import check, status_of
from cooldown.storage.records import Summary
from cooldown.storage.rows import TUNED, alarms_from, place_from, terms_from

NEWEST_FIRST = tables.experiments.c.created_at.desc(), tables.experiments.c.id.desc()

STORED = select(
    *(type_coerce(c, Text).label(c.name) if isinstance(c.type, JSON) else c for c in tables.experiments.columns)
)
"""All experiments as the database holds them: the JSON in them is still text."""

MOST_KEPT = 1_000
"""Rows of other experiments that are kept beside those that were read last."""


@dataclass
class Kept:
    """The row of an experiment, and what is wrong with it. stored: as the database holds it. summary: the last one."""

    stored: Sequence[Any]
    row: Any
    fault: UnreadableError | None
    summary: Summary | None = None


class KeptExperiments:
    """The rows of the experiments of the ledger `where`, also of damaged ones, each decoded and checked again only
    after a change. May be used by several threads.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._lock = threading.Lock()
        self._kept: dict[int, Kept] = {}

    def summaries(self, connection: Connection, now: float) -> list[Summary]:
        """All experiments that can be read, newest first. connection: in a transaction that reads. now: by the
        database's clock.
        """
        trials = trials_of(connection)
        rows = self.rows(connection, STORED.order_by(*NEWEST_FIRST))
        return [self.summary(each, trials[each.row.id], now) for each in rows if each.fault is None]

    def unreadable(self, connection: Connection) -> list[UnreadableError]:
        """Why other experiments cannot be read, newest first: what is wrong with their own rows."""
        rows = self.rows(connection, STORED.order_by(*NEWEST_FIRST))
        return [each.fault for each in rows if each.fault is not None]

    def names(self, connection: Connection) -> list[str]:
        """The names of all experiments, newest first, those of damaged ones behind the others."""
        rows = self.rows(connection, STORED.order_by(*NEWEST_FIRST))
        readable = [each.row.name for each in rows if each.fault is None]
        return [*readable, *(each.fault.experiment for each in rows if each.fault is not None)]

    def rows(self, connection: Connection, query: Select[Any]) -> list[Kept]:
        """The rows that a query for some of `STORED` finds, in its order."""
        e = tables.experiments
        stored = {row.id: tuple(row) for row in connection.execute(query)}
        with self._lock:
            kept = {
                id: self._kept[id] for id, row in stored.items() if id in self._kept and self._kept[id].stored == row
            }
        if changed := stored.keys() - kept.keys():
            # Nothing but a list of all has so many.
            wanted = select(e).where(e.c.id.in_(changed)) if len(changed) <= MOST_KEPT else select(e)
            found = (row for row in connection.execute(wanted) if row.id in changed)
            kept |= {row.id: Kept(stored[row.id], row, self._fault(row)) for row in found}
        with self._lock:
            self._kept |= kept
            if len(self._kept) > len(kept) + MOST_KEPT:
                self._kept = kept
        return [kept[id] for id in stored]

    def summary(self, kept: Kept, trials: int, now: float) -> Summary:
        """The summary of a row that can be read. trials: from `trials_of`. now: by the database's clock."""
        known = kept.summary
        if known is None or (known.trials, known.status) != (trials, status_of(kept.row, now)):
            known = kept.summary = summary_of(kept.row, trials, now, self._where)
        return known

    def _fault(self, row: Any) -> UnreadableError | None:
        try:
            check(row, self._where)
        except UnreadableError as error:
            return error
        return None


def summary_of(row: Any, trials: int, now: float, where: str) -> Summary:
    """The summary of an experiment's row that has been checked. trials: from `trials_of`. now: by the database's
    clock.
    """
    return Summary(
        row.name,
        row.spec,
        row.task_fingerprint,
        status_of(row, now),
        row.created_at,
        row.finished_at,
        trials,
        tuple(row.extended_from or ()),
        tuple(row.looks or ()),
        where,
        terms_from(row),
        place_from(row),
        alarms_from(row),
    )


def trials_of(connection: Connection, of: Collection[int] | None = None) -> dict[int, int]:
    """The number of trials of every experiment, or of those with the ids `of`, by its id; those of each arm's last
    attempt in a repeat alone.
    """
    e, s, t = tables.experiments, tables.studies, tables.trials
    other = s.alias()
    same = (other.c.experiment_id == s.c.experiment_id) & (other.c.arm == s.c.arm) & (other.c.repeat == s.c.repeat)
    newest = s.c.attempt == select(func.max(other.c.attempt)).where(same).scalar_subquery()
    count = (
        select(func.count(t.c.id))
        .join(s, s.c.id == t.c.study_id)
        .where((s.c.experiment_id == e.c.id) & (s.c.variant == TUNED) & newest)
    ).scalar_subquery()
    counted = select(e.c.id, count.label("trials"))
    if of is not None:
        counted = counted.where(e.c.id.in_(of))
    return {row.id: row.trials for row in connection.execute(counted)}
