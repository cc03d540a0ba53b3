"""The experiments of a ledger in a list: those that can be read, and why the others cannot.

`KeptExperiments` keeps their rows between reads, so that a list that is updated every few seconds decodes and checks
only those that have changed.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from cooldown.storage import tables
from cooldown.storage.errors import UnreadableError
from cooldown.storage.reading import check, status_of
from cooldown.storage.records import Summary
from cooldown.storage.rows import TUNED, place_from, terms_from

NEWEST_FIRST = tables.experiments.c.created_at.desc(), tables.experiments.c.id.desc()


class KeptExperiments:
    """The rows of the experiments of the ledger `where`, also of damaged ones, each decoded and checked again only
    after a change. May be used by several threads.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._lock = threading.Lock()
        self._stored: Mapping[int, Sequence[Any]] = {}
        self._kept: dict[int, tuple[Any, UnreadableError | None]] = {}

    def summaries(self, connection: Connection, now: float) -> list[Summary]:
        """All experiments that can be read, newest first. connection: in a transaction that reads. now: by the
        database's clock.
        """
        trials = trials_of(connection)
        read = [row for row, fault in self._read(connection) if fault is None]
        return [summary_of(row, trials[row.id], now, self._where) for row in read]

    def unreadable(self, connection: Connection) -> list[UnreadableError]:
        """Why other experiments cannot be read, newest first: what is wrong with their own rows."""
        return [fault for _, fault in self._read(connection) if fault is not None]

    def _read(self, connection: Connection) -> list[tuple[Any, UnreadableError | None]]:
        """Each row, and what is wrong with it, newest first."""
        e = tables.experiments
        # As the driver gives them: the JSON in them is still text.
        query = str(select(e).order_by(*NEWEST_FIRST).compile(connection))
        with self._lock:
            stored = {row.id: tuple(row) for row in connection.exec_driver_sql(query)}
            same = {id for id, row in stored.items() if self._stored.get(id) == row}
            kept = {id: self._kept[id] for id in same}
            if len(same) < len(stored):
                changed = select(e).where(e.c.id.in_(stored.keys() - same)) if same else select(e)
                kept |= {row.id: (row, self._fault(row)) for row in connection.execute(changed)}
            self._stored, self._kept = stored, kept
            return [kept[id] for id in stored]

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
    )


def trials_of(connection: Connection, experiment_id: int | None = None) -> dict[int, int]:
    """The number of trials of every experiment, or of one, by its id; those of each arm's last attempt in a repeat
    alone.
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
    if experiment_id is not None:
        counted = counted.where(e.c.id == experiment_id)
    return {row.id: row.trials for row in connection.execute(counted)}
