"""The single writer of a held experiment.

A process that appends to an experiment holds its lease, and each append checks the lease in its own transaction.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Update, bindparam, insert, select, update

from cooldown.objectives.records import Curve, Reference
from cooldown.storage import studies as studies_of
from cooldown.storage import tables
from cooldown.storage.budgets import reached
from cooldown.storage.database import Database
from cooldown.storage.environment import environment
from cooldown.storage.errors import LeaseLostError, LedgerError
from cooldown.storage.lease import HEARTBEAT
from cooldown.storage.records import Change, NewTrial, Purpose, Status, StudyKey, StudyRecord, TrialRecord, Work
from cooldown.storage.rows import CHANGES, curve_rows, reference_row, trial_row, work_rows
from cooldown.storage.terms import Terms
from cooldown.storage.webhooks import announce

T = TypeVar("T")

NEW_TRIALS = insert(tables.trials).returning(tables.trials.c.id, sort_by_parameter_order=True)
NEW_CURVES = insert(tables.curves)
NEW_WORK = insert(tables.work)
"""What is written again and again: building a statement takes as long as executing it."""

PAUSE = 1.0
"""Seconds between a worker's tries to release a lease."""

RELEASE_TIMEOUT = 5.0
"""Seconds that an interrupted or failed run waits for the write lock to say so; without it, its lease says the same."""


@dataclass(frozen=True)
class Lease:
    """An experiment that a process holds. left: its status when it is given back before its end. terms: with its
    limits; seconds, evaluations: what it had used when it was taken.
    """

    id: int
    name: str
    token: str
    left: Status
    terms: Terms
    seconds: float
    evaluations: int


@dataclass(frozen=True)
class Ending:
    """How a run ends. message: why. change: what it was asked for, if that is why."""

    status: Status
    message: str = ""
    change: Change | None = None

    @property
    def at_once(self) -> bool:
        """Whether what is in flight is dropped, and not finished first."""
        return self.change is Change.CANCEL


class Writer:
    """The single writer of a held experiment. Every append is one transaction that first checks the lease.

    While another program has locked the database, or its server does not answer, an append waits: nobody else can take
    the lease then. on_wait: called about every half second while it waits. draining: set when its process is to end.
    outcome: how the run ends, once that is known.
    """

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database, self.lease = database, lease
        self.outcome: Ending | None = None
        self.on_wait: Callable[[], None] = lambda: None
        self.draining = threading.Event()
        self._requested: Change | None = None
        self._began, self._evaluations = time.monotonic(), lease.evaluations
        self._optuna_studies: dict[int, int] = {}

    @property
    def finished(self) -> bool:
        """Whether the ledger holds everything that the spec asks for."""
        return self.outcome is not None and self.outcome.status is Status.DONE

    def ending(self) -> Ending | None:
        """Why the run should end at its next edge, when nothing is in flight, as it stands now; None to go on.

        It was asked to, as the last append or heartbeat has read; a limit is reached; or its process is to end.
        """
        if (change := self._requested) is not None:
            return Ending(change.status, change=change)
        if (limit := reached(self.lease.terms, self._seconds(), self._evaluations)) is not None:
            return Ending(Status.STOPPED, limit.words)
        return Ending(self.lease.left) if self.draining.is_set() else None

    def append_generation(
        self,
        study: StudyRecord,
        generation: int,
        trials: Sequence[NewTrial],
        sampler_state: Mapping[str, Any],
        work: Sequence[Work] = (),
    ) -> StudyRecord:
        """Append the trials of one generation with their curves and Optuna's rows, and the sampler's state after it.

        work: who trained them. Returns the updated study.
        """
        from cooldown.storage import optuna_rows

        now = time.time()
        s = tables.studies

        def append(connection: Connection) -> Sequence[int]:
            optuna_id = self._optuna_study(connection, study.id)
            rows = [trial_row(study.id, generation, trial, now) for trial in trials]
            ids = connection.scalars(NEW_TRIALS, rows).all()
            curves = {id: trial.curves for id, trial in zip(ids, trials, strict=True)}
            connection.execute(NEW_CURVES, curve_rows(Purpose.SEARCH, curves))
            optuna_rows.append_trials(connection, optuna_id, trials, now)
            self._add_work(connection, work_rows(self.lease.id, study, study.repeat, Purpose.SEARCH, work, generation))
            if sampler_state != study.sampler_state:
                connection.execute(update(s).where(s.c.id == study.id).values(sampler_state=dict(sampler_state)))
                optuna_rows.set_study_attributes(connection, optuna_id, sampler_state)
            return ids

        ids = self._append(append)
        self._count(curve for trial in trials for curve in trial.curves)
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

    def append_curves(
        self,
        study: StudyRecord,
        purpose: Purpose,
        curves: Mapping[int, Sequence[Curve]],
        work: Sequence[Work] = (),
    ) -> StudyRecord:
        """Append further replicates, by trial id: finalists or evaluations. work: who trained them. Returns the updated
        study.
        """

        def append(connection: Connection) -> None:
            connection.execute(NEW_CURVES, curve_rows(purpose, curves))
            self._add_work(connection, work_rows(self.lease.id, study, study.repeat, purpose, work))

        self._append(append)
        self._count(curve for of_trial in curves.values() for curve in of_trial)
        trials = tuple(
            replace(trial, curves={**trial.curves, purpose: tuple(curves[trial.id])}) if trial.id in curves else trial
            for trial in study.trials
        )
        return replace(study, trials=trials)

    def append_references(self, repeat: int, references: Sequence[Reference], work: Sequence[Work] = ()) -> None:
        """Append the references of one repeat, at least one. work: who trained them."""
        rows = [reference_row(self.lease.id, repeat, reference) for reference in references]

        def append(connection: Connection) -> None:
            connection.execute(insert(tables.references), rows)
            self._add_work(connection, work_rows(self.lease.id, None, repeat, Purpose.EVALUATION, work))

        self._append(append)

    def _add_work(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            connection.execute(NEW_WORK, rows)

    def record_arithmetic(self, digest: str, *, begins: bool) -> None:
        """Keep the arithmetic digest of the machines that train the experiment, beside its environment.

        begins: whether nothing was trained before. The environment is then that of this process, and not of the one
        that submitted the experiment.
        """
        e = tables.experiments
        here = environment() if begins else None

        def record(connection: Connection) -> None:
            made_in = here or connection.execute(select(e.c.environment).where(e.c.id == self.lease.id)).scalar_one()
            values = {"environment": {**made_in, "arithmetic": digest}}
            connection.execute(update(e).where(e.c.id == self.lease.id).values(**values))

        self._append(record)

    def finish(self, repeats: int) -> None:
        """Declare the experiment complete: the ledger holds everything that the spec asks for, so many repeats. It is
        recorded as a look at its answer.
        """
        e = tables.experiments

        def look(connection: Connection) -> None:
            looks = connection.execute(select(e.c.looks).where(e.c.id == self.lease.id)).scalar_one() or []
            if repeats not in looks:
                connection.execute(update(e).where(e.c.id == self.lease.id).values(looks=[*looks, repeats]))

        self._append(look)
        self.outcome = Ending(Status.DONE)

    def record_alarms(self, alarms: Sequence[tuple[str, str]]) -> None:
        """Keep the alarms of the answer, kind and arm of each, for lists: they are worked out of all results."""
        e = tables.experiments
        kept = update(e).where(e.c.id == self.lease.id).values(alarms=[list(alarm) for alarm in alarms])
        self._append(lambda connection: connection.execute(kept))

    def extend(
        self, spec: Mapping[str, Any], studies: Sequence[StudyKey], extended_from: Sequence[Mapping[str, Any]]
    ) -> None:
        """Give the experiment a larger spec, as `Ledger.extend` does."""
        from cooldown.storage.optuna_rows import create_studies

        def extend(connection: Connection) -> None:
            studies_of.extend(connection, self.lease.id, self.lease.name, spec, studies, extended_from, create_studies)

        self._append(extend)
        self.outcome = None

    def beat_until(self, stop: threading.Event) -> None:
        """Write a heartbeat every `HEARTBEAT` seconds; if one fails, the next one makes up for it."""
        while not stop.wait(HEARTBEAT):
            try:
                self._database.write(self._beat, lambda _: not stop.is_set())
            except LedgerError:
                continue

    def _beat(self, connection: Connection) -> None:
        e = tables.experiments
        values = {"heartbeat_at": self._database.now(connection), "seconds": self._seconds()}
        beat = update(e).where(self._mine).values(**values).returning(e.c.requested)
        if (row := connection.execute(beat).first()) is not None:
            self._requested = CHANGES.get(row.requested)

    def release(self, outcome: Ending) -> None:
        """Release the lease. If the ledger cannot be written, the lease ends with this process instead; a worker, which
        lives on, tries again until it is to end.

        Before the end of the spec, it counts what the run is asked for by now: also what it had no time to read, and
        not what was withdrawn meanwhile. `outcome` is then what counted.
        """
        e = tables.experiments
        done = outcome.status is Status.DONE

        def release(connection: Connection) -> Ending:
            columns = (e.c.requested, e.c.name, e.c.owner)
            row = connection.execute(select(*columns).where(self._mine).with_for_update()).first()
            if row is None:
                return outcome
            ends, requested = outcome, CHANGES.get(row.requested)
            if not done and ends.status is not Status.FAILED:
                if requested is not None:
                    ends = Ending(requested.status)
                elif ends.change is not None:
                    ends = Ending(self.lease.left)
            values: dict[str, Any] = {
                "status": ends.status.value,
                # PostgreSQL's text has no zero byte.
                "message": ends.message.replace("\0", "\N{REPLACEMENT CHARACTER}"),
                "finished_at": self._database.now(connection) if done else None,
                "seconds": self._seconds(),
            }
            free = {"holder": None, "holder_token": None, "requested": None}
            connection.execute(update(e).where(self._mine).values(**values, **free))
            announce(self._database, connection, row.name, row.owner, ends.status)
            return ends

        patience = self._patience if done else lambda waited: waited < RELEASE_TIMEOUT
        while True:
            try:
                self.outcome = self._database.write(release, patience)
                return
            except LedgerError:
                if self.lease.left is Status.QUEUED and not self.draining.wait(PAUSE):
                    continue
                if done:
                    raise
                return

    @cached_property
    def _mine(self) -> ColumnElement[bool]:
        """Whether a row is that of the experiment, and still held by this writer."""
        e = tables.experiments
        return (e.c.id == self.lease.id) & (e.c.holder_token == self.lease.token)

    @cached_property
    def _looked_at(self) -> Select[Any]:
        """What each append asks first."""
        e = tables.experiments
        return select(e.c.appends, e.c.requested).where(self._mine).with_for_update()

    @cached_property
    def _counted(self) -> Update:
        """What each append writes last."""
        e = tables.experiments
        values: dict[str, Any] = {"appends": bindparam("count"), "seconds": bindparam("used")}
        return update(e).where(e.c.id == self.lease.id).values(**values)

    def _optuna_study(self, connection: Connection, study_id: int) -> int:
        """The id of a study of this experiment in Optuna's tables."""
        if study_id not in self._optuna_studies:
            s = tables.studies
            of_study = (s.c.id == study_id) & (s.c.experiment_id == self.lease.id)
            found = connection.execute(select(s.c.optuna_study_id).where(of_study)).scalar_one()
            self._optuna_studies[study_id] = found
        return self._optuna_studies[study_id]

    def _append(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns in a transaction that counts itself: where the server was lost before it answered to the
        commit, the count says whether it was written.
        """
        before: int | None = None
        results: list[T] = []

        def append(connection: Connection) -> T:
            nonlocal before
            row = connection.execute(self._looked_at).first()
            if row is None:
                raise LeaseLostError(
                    f"another process has taken over the experiment {self.lease.name!r}: stopped writing"
                )
            self._requested = CHANGES.get(row.requested)
            if before in (None, row.appends):
                before = row.appends
                results.append(work(connection))
                connection.execute(self._counted, {"count": row.appends + 1, "used": self._seconds()})
            return results[-1]

        return self._database.write(append, self._patience)

    def _count(self, curves: Iterable[Curve]) -> None:
        self._evaluations += sum(curve.gradient_evaluations for curve in curves)

    def _seconds(self) -> float:
        """For how long the experiment has been run, now."""
        return self.lease.seconds + time.monotonic() - self._began

    def _patience(self, _waited: float) -> bool:
        self.on_wait()
        return True
