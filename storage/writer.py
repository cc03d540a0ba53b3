"""The single writer of a held experiment.

A process that appends to an experiment holds its lease, and each append checks the lease in its own transaction.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, insert, select, update

from cooldown.objectives.records import Curve, Reference
from cooldown.storage import tables
from cooldown.storage.database import Database
from cooldown.storage.errors import LeaseLostError, LedgerError
from cooldown.storage.lease import HEARTBEAT
from cooldown.storage.records import NewTrial, Purpose, Status, StudyRecord, TrialRecord
from cooldown.storage.rows import curve_rows, reference_row, trial_row

T = TypeVar("T")

RELEASE_TIMEOUT = 5.0
"""Seconds that an interrupted or failed run waits for the write lock to say so; without it, its lease says the same."""


class Writer:
    """The single writer of a held experiment. Every append is one transaction that first checks the lease.

    While another program has locked the database, or its server does not answer, an append waits: nobody else can take
    the lease then. on_wait: called about every half second while it waits.
    """

    def __init__(self, database: Database, experiment_id: int, name: str, token: str) -> None:
        self._database, self._id, self._name, self._token = database, experiment_id, name, token
        self.finished = False
        self.on_wait: Callable[[], None] = lambda: None

    def append_generation(
        self, study: StudyRecord, generation: int, trials: Sequence[NewTrial], sampler_state: Mapping[str, Any]
    ) -> StudyRecord:
        """Append the trials of one generation with their curves and Optuna's rows, and the sampler's state after it.

        Returns the updated study.
        """
        from cooldown.storage import optuna_rows

        now = time.time()
        s, t = tables.studies, tables.trials

        def append(connection: Connection) -> Sequence[int]:
            of_study = (s.c.id == study.id) & (s.c.experiment_id == self._id)
            optuna_id = connection.execute(select(s.c.optuna_study_id).where(of_study)).scalar_one()
            rows = [trial_row(study.id, generation, trial, now) for trial in trials]
            ids = connection.scalars(insert(t).returning(t.c.id, sort_by_parameter_order=True), rows).all()
            curves = {id: trial.curves for id, trial in zip(ids, trials, strict=True)}
            connection.execute(insert(tables.curves), curve_rows(Purpose.SEARCH, curves))
            optuna_rows.append_trials(connection, optuna_id, trials, now)
            if sampler_state != study.sampler_state:
                connection.execute(update(s).where(s.c.id == study.id).values(sampler_state=dict(sampler_state)))
                optuna_rows.set_study_attributes(connection, optuna_id, sampler_state)
            return ids

        ids = self._append(append)
        appended = (
            TrialRecord(
                id,
                trial.number,
                generation,
                trial.parameters,
                trial.attributes,
                trial.config,
                trial.validation_loss,
                {Purpose.SEARCH: tuple(trial.curves)},
            )
            for id, trial in zip(ids, trials, strict=True)
        )
        return replace(study, sampler_state=sampler_state, trials=(*study.trials, *appended))

    def append_curves(self, study: StudyRecord, purpose: Purpose, curves: Mapping[int, Sequence[Curve]]) -> StudyRecord:
        """Append further replicates, by trial id: finalists or evaluations. Returns the updated study."""
        self._append(lambda connection: connection.execute(insert(tables.curves), curve_rows(purpose, curves)))
        trials = tuple(
            replace(trial, curves={**trial.curves, purpose: tuple(curves[trial.id])}) if trial.id in curves else trial
            for trial in study.trials
        )
        return replace(study, trials=trials)

    def append_references(self, repeat: int, references: Sequence[Reference]) -> None:
        """Append the references of one repeat, at least one."""
        rows = [reference_row(self._id, repeat, reference) for reference in references]
        self._append(lambda connection: connection.execute(insert(tables.references), rows))

    def record_arithmetic(self, digest: str) -> None:
        """Keep the arithmetic digest of the machines that train the experiment, beside its environment."""
        e = tables.experiments

        def record(connection: Connection) -> None:
            environment = connection.execute(select(e.c.environment).where(e.c.id == self._id)).scalar_one()
            values = {"environment": {**environment, "arithmetic": digest}}
            connection.execute(update(e).where(e.c.id == self._id).values(**values))

        self._append(record)

    def finish(self, repeats: int) -> None:
        """Declare the experiment complete: the ledger holds everything that the spec asks for, so many repeats. It is
        recorded as a look at its answer.
        """
        e = tables.experiments

        def look(connection: Connection) -> None:
            looks = connection.execute(select(e.c.looks).where(e.c.id == self._id)).scalar_one() or []
            if repeats not in looks:
                connection.execute(update(e).where(e.c.id == self._id).values(looks=[*looks, repeats]))

        self._append(look)
        self.finished = True

    def beat_until(self, stop: threading.Event) -> None:
        """Write a heartbeat every `HEARTBEAT` seconds; if one fails, the next one makes up for it."""
        while not stop.wait(HEARTBEAT):
            try:
                self._database.write(self._beat, lambda _: not stop.is_set())
            except LedgerError:
                continue

    def _beat(self, connection: Connection) -> None:
        connection.execute(
            update(tables.experiments).where(self._mine).values(heartbeat_at=self._database.now(connection))
        )

    def release(self, status: Status, message: str) -> None:
        """Release the lease. If the ledger cannot be written, the lease ends with this process instead."""
        # PostgreSQL's text has no zero byte.
        values: dict[str, Any] = {"status": status.value, "message": message.replace("\0", "\N{REPLACEMENT CHARACTER}")}
        done = status is Status.DONE

        def release(connection: Connection) -> None:
            finished = {"finished_at": self._database.now(connection)} if done else {}
            released = update(tables.experiments).where(self._mine)
            connection.execute(released.values(**values, **finished, holder=None, holder_token=None))

        try:
            self._database.write(release, self._patience if done else lambda waited: waited < RELEASE_TIMEOUT)
        except LedgerError:
            if done:
                raise

    @property
    def _mine(self) -> ColumnElement[bool]:
        """Whether a row is that of the experiment, and still held by this writer."""
        e = tables.experiments
        return (e.c.id == self._id) & (e.c.holder_token == self._token)

    def _append(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns in a transaction that counts itself: where the server was lost before it answered to the
        commit, the count says whether it was written.
        """
        e = tables.experiments
        before: int | None = None
        results: list[T] = []

        def append(connection: Connection) -> T:
            nonlocal before
            appends = connection.execute(select(e.c.appends).where(self._mine).with_for_update()).scalar()
            if appends is None:
                raise LeaseLostError(f"another process has taken over the experiment {self._name!r}: stopped writing")
            if before in (None, appends):
                before = appends
                results.append(work(connection))
                connection.execute(update(e).where(e.c.id == self._id).values(appends=appends + 1))
            return results[-1]

        return self._database.write(append, self._patience)

    def _patience(self, _waited: float) -> bool:
        self.on_wait()
        return True
