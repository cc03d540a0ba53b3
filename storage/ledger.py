"""The ledger: create, read, extend and delete experiments, and hold the lease of one to append to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.plain_text import as_name
from cooldown.storage import tables
from cooldown.storage.acts import note
from cooldown.storage.address import elsewhere
from cooldown.storage.budgets import check_budget
from cooldown.storage.database import Database
from cooldown.storage.datasets import DataSets, Uploads, check_there, drop_unused
from cooldown.storage.environment import environment
from cooldown.storage.errors import LedgerError, UnknownExperimentError, UnreadableError
from cooldown.storage.holding import holding, take
from cooldown.storage.lease import holder_in_words, is_alive, this_process
from cooldown.storage.loops import Loop
from cooldown.storage.names import check_stored_name, first_free
from cooldown.storage.quotas import check_room
from cooldown.storage.reading import check, read_experiment, shown_name, status_of, status_without_worker
from cooldown.storage.records import ExperimentRecord, Outline, Status, StudyKey, Summary
from cooldown.storage.rows import terms_from, terms_row
from cooldown.storage.specs import spec_digest
from cooldown.storage.studies import add_studies, extend
from cooldown.storage.submissions import Submission, submitted_as
from cooldown.storage.summaries import NEWEST_FIRST, KeptExperiments, summary_of, trials_of
from cooldown.storage.terms import USUAL, Terms, unchanged
from cooldown.storage.tokens import Tokens
from cooldown.storage.webhooks import Webhooks
from cooldown.storage.winners import KeptWinners, Winner
from cooldown.storage.writer import Lease, Writer


class Ledger:
    """The ledger at an address. `create=False` only reads: a missing database is an error, not a new file.

    where: its address in messages. file: its SQLite file, None on a server. db: its address as a command has to name
    it, None for the default one. tokens: who may use it as a service. datasets: the files that were uploaded to it.
    webhooks: who is told when its experiments end.
    """

    def __init__(self, url: str, *, create: bool = True) -> None:
        self._database = Database(url, create=create)
        self.where, self.file = self._database.where, self._database.file
        self._experiments, self._winners = KeptExperiments(self.where), KeptWinners()
        self.db = elsewhere(url)
        self.tokens, self.datasets = Tokens(self._database), DataSets(self._database)
        self.webhooks = Webhooks(self._database)
        self._uploads = Uploads(url)

    # -- reading ------------------------------------------------------------------------------------------------------

    def summaries(self) -> list[Summary]:
        """All experiments that can be read, newest first."""
        return self._database.read(
            lambda connection: self._experiments.summaries(connection, self._database.now(connection))
        )

    def summary(self, name: str) -> Summary:
        """One experiment as in `summaries`; raises LedgerError as `load` does."""

        def summary(connection: Connection) -> Summary:
            row = self._experiment(connection, name)
            trials = trials_of(connection, [row.id])[row.id]
            return summary_of(row, trials, self._database.now(connection), self.where)

        return self._database.read(summary)

    def names(self) -> list[str]:
        """The names of all experiments, newest first, those that cannot be read last."""
        return self._database.read(self._experiments.names)

    def outlines(self, name: str | None, task_fingerprint: str, spec: Mapping[str, Any]) -> list[Outline]:
        """The experiment of this name, if there is one; without a name those on this data that can be read and may have
        this spec, however far they went on, newest first. Raises UnreadableError for a damaged one of this name.
        """
        e = tables.experiments
        asked = (e.c.task_fingerprint == task_fingerprint) & (e.c.spec_digest == spec_digest(spec))
        which = asked if name is None else e.c.name == name

        def outlines(connection: Connection) -> list[Outline]:
            found = []
            for row in connection.execute(select(e).where(which).order_by(*NEWEST_FIRST)):
                with suppress(UnreadableError) if name is None else nullcontext():
                    check(row, self.where)
                    steps = tuple(row.extended_from or ())
                    found.append(Outline(row.name, row.spec, row.task_fingerprint, steps, terms_from(row)))
            return found

        return self._database.read(outlines)

    def unreadable(self) -> list[UnreadableError]:
        """Why other experiments cannot be read, newest first: what is wrong with their own rows."""
        return self._database.read(self._experiments.unreadable)

    def winners(self) -> dict[str, Sequence[Winner]]:
        """The winners of every experiment that has some, by its name."""
        e = tables.experiments

        def winners(connection: Connection) -> dict[str, Sequence[Winner]]:
            found = self._winners.read(connection)
            return {row.name: found[row.id] for row in connection.execute(select(e.c.id, e.c.name)) if row.id in found}

        return self._database.read(winners)

    def appended(self) -> int:
        """A number that grows with every append to any experiment."""
        total = select(func.sum(tables.experiments.c.appends))
        return self._database.read(lambda connection: connection.execute(total).scalar() or 0)

    def submitted(self, submission: Submission) -> str | None:
        """The name of the experiment that came from a submission, None if there is none; raises LedgerError for another
        submission with the same key.
        """
        return self._database.read(lambda connection: submitted_as(connection, submission))

    def load(self, name: str) -> ExperimentRecord:
        """The experiment `name` with all its studies; raises LedgerError with the nearest match of an unknown name, and
        UnreadableError where something that it holds cannot be read.
        """

        def load(connection: Connection) -> ExperimentRecord:
            row = self._experiment(connection, name)
            return read_experiment(connection, row, self.where, self._database.now(connection))

        return replace(self._database.read(load), db=self.db, uploads=self._uploads)

    # -- writing ------------------------------------------------------------------------------------------------------

    def create(
        self,
        name: str,
        spec: Mapping[str, Any],
        task_fingerprint: str,
        studies: Sequence[StudyKey],
        *,
        numbered: bool = False,
        terms: Terms = USUAL,
        queued: bool = False,
        submission: Submission | None = None,
        loop: Loop | None = None,
    ) -> str:
        """Create an experiment with its studies, and return its name.

        numbered: whether a name that is taken gets a number, chosen in the same transaction: two processes that start
        at the same time get two names. queued: whether it is for workers, or for its caller. submission: what it comes
        from; if an experiment does already, its name is returned. loop: what it is on, if its callers train it. Raises
        LedgerError for an unusable name, and otherwise for one that is taken, and QuotaError where its owner may have
        no more (`quotas.py`).
        """
        # Both come before the transaction: they take their time, in which no other process could write.
        from cooldown.storage.optuna_rows import create_studies

        made_in = environment()
        check_stored_name(name)

        def create(connection: Connection) -> str:
            self._database.lock_names(connection)
            if submission is not None and (known := submitted_as(connection, submission)) is not None:
                return known
            check_room(self._database, connection)
            check_there(connection, spec)
            names = select(tables.experiments.c.name).where(tables.experiments.c.name.startswith(name, autoescape=True))
            taken = set(connection.scalars(names))
            if name in taken and not numbered:
                raise LedgerError(f"the experiment {name!r} already exists in {self.where}")
            free = first_free(name, taken)
            now = self._database.now(connection)
            status = Status.QUEUED if queued else Status.INTERRUPTED if loop is None else Status.OPEN
            experiment_id = connection.execute(
                insert(tables.experiments)
                .values(
                    name=free,
                    spec=dict(spec),
                    spec_digest=spec_digest(spec),
                    task_fingerprint=task_fingerprint,
                    environment=made_in,
                    status=status.value,
                    message="",
                    created_at=now,
                    queued_at=now if queued else None,
                    **terms_row(terms),
                    submission=submission and submission.key,
                    submitted=submission and submission.content,
                    asked=int(loop is not None),
                )
                .returning(tables.experiments.c.id)
            ).scalar_one()
            add_studies(connection, experiment_id, free, spec, studies, create_studies)
            if loop is not None:
                connection.execute(insert(tables.loops).values(experiment_id=experiment_id, **loop._asdict()))
            note(self._database, connection, "submit" if queued else "create", free)
            return free

        return self._database.write(create, repeatable=False)

    def extend(
        self,
        name: str,
        spec: Mapping[str, Any],
        studies: Sequence[StudyKey],
        extended_from: Sequence[Mapping[str, Any]],
    ) -> None:
        """Give the experiment `name` a larger spec and the missing ones of `studies`; existing results stay.

        extended_from: as in `ExperimentRecord`. Raises LedgerError while a process runs the experiment.
        """
        from cooldown.storage.optuna_rows import create_studies

        e = tables.experiments

        def extend_(connection: Connection) -> None:
            row = self._free(connection, self._experiment(connection, name, locked=True))
            extend(connection, row.id, row.name, spec, studies, extended_from, create_studies)
            connection.execute(update(e).where(e.c.id == row.id).values(status=status_without_worker(row).value))

        self._database.write(extend_)

    def delete(self, name: str) -> None:
        """Delete an experiment with all its results, also one that cannot be read, and the table that was kept for it
        alone; raises LedgerError while a process runs it.
        """
        from cooldown.storage import optuna_rows

        s = tables.studies

        def delete_(connection: Connection) -> None:
            self._database.lock_names(connection)
            row = self._free(connection, self._row(connection, name, locked=True))
            ids = list(connection.scalars(select(s.c.optuna_study_id).where(s.c.experiment_id == row.id)))
            optuna_rows.delete_studies(connection, ids)
            connection.execute(delete(tables.experiments).where(tables.experiments.c.id == row.id))
            if isinstance(row.spec, dict):
                drop_unused(connection, row.spec)
            note(self._database, connection, "delete", name)

        self._database.write(delete_, repeatable=False)

    @contextmanager
    def hold(self, name: str, terms: Callable[[Terms], Terms] = unchanged) -> Iterator[Writer]:
        """Hold the lease of the experiment `name`: no other process may run it while the context lasts, and it is not
        in the queue any more.

        terms: new ones, from those that it has. On exit, its status is that of `Writer.outcome`; without one `failed`
        after an exception, else `interrupted`, or `open` where its callers train it. Raises LedgerError with the holder
        if another live process runs it, if nothing is left of its budget, and where its callers are to wait for its
        owner, who has paused or ended it.
        """
        holder = this_process()

        def take_(connection: Connection) -> Lease:
            row = self._experiment(connection, name, locked=True)
            if row.holder_token != holder["token"]:
                self._free(connection, row)
            new = terms(terms_from(row))
            check_budget(connection, row, new)
            now, left = self._database.now(connection), status_without_worker(row)
            if row.asked and not (status := status_of(row, now)).under_way:
                raise LedgerError(f"{row.name!r} is {status.value}: `cooldown resume` opens it again")
            return take(connection, row, holder, now, left=left, terms=new)

        with holding(self._database, self._database.write(take_)) as writer:
            yield writer

    def _free(self, connection: Connection, row: Any) -> Any:
        """The row of an experiment; raises LedgerError if a process runs it."""
        if is_alive(row.holder, row.heartbeat_at, self._database.now(connection)):
            raise LedgerError(
                f"the experiment {row.name!r} is being run by {holder_in_words(row.holder)}: "
                "wait for it, or end it with `cooldown stop`"
            )
        return row

    def _experiment(self, connection: Connection, name: str, *, locked: bool = False) -> Any:
        """The row of the experiment `name`, which can be read."""
        row = self._row(connection, name, locked=locked)
        check(row, self.where)
        return row

    def _row(self, connection: Connection, name: str, *, locked: bool = False) -> Any:
        """The row of the experiment `name`. locked: so that no other process changes it until the transaction ends."""
        check_stored_name(name)
        e = tables.experiments
        rows = select(e).with_for_update() if locked else select(e)
        row = connection.execute(rows.where(e.c.name == name)).first()
        if row is None and (named := as_name(name)) != name:
            # The experiment of `-x.csv` is called `x`, and found by the file's name too.
            row = connection.execute(rows.where(e.c.name == named)).first()
        if row is None:
            names = [shown_name(row) for row in connection.execute(select(e.c.id, e.c.name))]
            if not names:
                raise UnknownExperimentError(
                    f"unknown experiment {name!r}: the ledger {self.where} has no experiments yet"
                )
            raise UnknownExperimentError(str(unknown_name("experiment", name, names)))
        return row
