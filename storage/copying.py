"""An experiment in another ledger: its rows and Optuna's, in one transaction, with the fingerprint that it had.

Numbers of rows are given anew; all else stays as it was, except that nobody holds the copy.
"""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from cooldown.storage import tables
from cooldown.storage.acts import note
from cooldown.storage.datasets import digests_of
from cooldown.storage.errors import LedgerError, UnreadableError
from cooldown.storage.fingerprint import everything, fingerprint
from cooldown.storage.ledger import Ledger
from cooldown.storage.names import first_free
from cooldown.storage.reading import check, read_experiment, status_when_left
from cooldown.storage.records import ExperimentRecord, Status
from cooldown.storage.rows import study_key_from
from cooldown.storage.studies import about_study, optuna_name

FREE = dict.fromkeys(("holder", "holder_token", "heartbeat_at", "requested", "submission", "submitted"))
"""What a copy has not: a process that runs it, and the submission that it came from."""

BATCH = 500
"""Rows that are read and written at once: curves of 500 epochs are 8 MB."""


def copy_experiment(source: Ledger, target: Ledger, name: str) -> tuple[str, bool]:
    """Copy the experiment `name` as it is now. Returns its name in `target`, and whether it was copied: not if it is
    there already, with the same spec, data and fingerprint. Where another experiment has its name, it gets a number.

    Raises LedgerError if a process runs it, UnreadableError if it is damaged; nothing is copied then.
    """

    def copy(there: Connection) -> tuple[str, bool]:
        with source._database.reading() as here:
            row = source._free(here, source._experiment(here, name))
            record = read_experiment(here, row, source.where, source._database.now(here))
            target._database.lock_names(there)
            e = tables.experiments
            taken = set(there.scalars(select(e.c.name)))
            named = re.compile(rf"{re.escape(record.name)}(-\d+)?")
            for other in sorted(filter(named.fullmatch, taken)):
                if _is(record, target, there, other):
                    return other, False
            new = first_free(record.name, taken)
            _copy_rows(here, there, row, {**FREE, "name": new, "status": _left(row)})
            _copy_data(here, there, row)
            if not _is(record, target, there, new):
                raise LedgerError(f"the experiment {name!r} was not copied: read in {target.where}, it was another one")
            note(target._database, there, "copy", new, source=source.where)
            return new, True

    return target._database.write(copy)


def snapshot(source: Ledger, target: Ledger, name: str) -> None:
    """Copy the experiment `name` as it is now, also while a process runs it, to an empty ledger for others to read.

    Its uploaded data set stays where it is: whoever may read the results need not be allowed to read that. Raises
    UnreadableError if it is damaged.
    """

    def copy(there: Connection) -> None:
        with source._database.reading() as here:
            row = source._experiment(here, name)
            _copy_rows(here, there, row, {"submission": None, "submitted": None})

    target._database.write(copy)


def _is(record: ExperimentRecord, ledger: Ledger, connection: Connection, name: str) -> bool:
    """Whether the experiment `name` of a ledger has the same spec, data and fingerprint as this one."""
    e = tables.experiments
    row = connection.execute(select(e).where(e.c.name == name)).one()
    try:
        check(row, ledger.where)
        if (row.spec, row.task_fingerprint) != (record.spec, record.task_fingerprint):
            return False
        found = read_experiment(connection, row, ledger.where, ledger._database.now(connection))
    except UnreadableError:
        return False
    return fingerprint(everything(found)) == fingerprint(everything(record))


def _left(row: Any) -> str:
    """The status of a copy, which nobody runs."""
    return str(status_when_left(row).value if row.status == Status.RUNNING.value else row.status)


def _copy_data(here: Connection, there: Connection, row: Any) -> None:
    """Copy the uploaded data sets of an experiment and whose they are, unless they are there already."""
    d, o = tables.datasets, tables.dataset_owners
    for digest in digests_of(row.spec):
        found = here.execute(select(d).where(d.c.digest == digest)).first()
        if found is None or there.execute(select(d.c.digest).where(d.c.digest == digest)).first() is not None:
            continue
        there.execute(insert(d).values(**found._mapping))
        owners = here.execute(select(o).where(o.c.digest == digest))
        there.execute(insert(o), [dict(owner._mapping) for owner in owners])


def _copy_rows(here: Connection, there: Connection, row: Any, changed: Mapping[str, Any]) -> None:
    """Copy an experiment with all its results. changed: columns of its own row with other values."""
    from cooldown.storage import optuna_rows

    e, s, t = tables.experiments, tables.studies, tables.trials
    # SQLite's text may have a zero byte, PostgreSQL's has none.
    message = row.message.replace("\0", "\N{REPLACEMENT CHARACTER}")
    values = {**_values(e, row), "message": message, **changed}
    name = values["name"]
    experiment = there.execute(insert(e).values(**values).returning(e.c.id)).scalar_one()
    studies: dict[int, int] = {}
    for study in here.execute(select(s).where(s.c.experiment_id == row.id).order_by(s.c.id)).all():
        key = study_key_from(study)
        named = optuna_name(name, key), about_study(name, row.spec, key)
        (optuna_id,) = optuna_rows.create_studies(there, [named])
        optuna_rows.copy_study(here, there, study.optuna_study_id, optuna_id)
        values = {**_values(s, study), "experiment_id": experiment, "optuna_study_id": optuna_id}
        studies[study.id] = there.execute(insert(s).values(**values).returning(s.c.id)).scalar_one()
    ours = select(s.c.id).where(s.c.experiment_id == row.id)
    trials = _copy(here, there, t, t.c.study_id.in_(ours), "study_id", studies)
    c, f, w, lo, a = tables.curves, tables.references, tables.work, tables.loops, tables.asked_runs
    _copy(here, there, c, c.c.trial_id.in_(select(t.c.id).where(t.c.study_id.in_(ours))), "trial_id", trials)
    new = {row.id: experiment}
    _copy(here, there, f, f.c.experiment_id == row.id, "experiment_id", new)
    for work in here.execute(select(w).where(w.c.experiment_id == row.id).order_by(w.c.id)):
        parents = {"experiment_id": experiment, "study_id": studies.get(work.study_id)}
        there.execute(insert(w).values(**{**_values(w, work), **parents}))
    for loop in here.execute(select(lo).where(lo.c.experiment_id == row.id)):
        there.execute(insert(lo).values(**{**loop._mapping, "experiment_id": experiment}))
    _copy(here, there, a, a.c.experiment_id == row.id, "experiment_id", new)


def _copy(
    here: Connection, there: Connection, table: Table, which: Any, parent: str, new: Mapping[int, int]
) -> dict[int, int]:
    """Copy rows, whose column `parent` gets the new number. Returns their own new numbers by the old ones."""
    numbers: dict[int, int] = {}
    query = select(table).where(which).order_by(table.c.id).execution_options(yield_per=BATCH)
    with here.execute(query) as found:
        for rows in found.partitions():
            values = [{**_values(table, row), parent: new[row._mapping[parent]]} for row in rows]
            ids = there.scalars(insert(table).returning(table.c.id, sort_by_parameter_order=True), values)
            numbers.update(zip([row.id for row in rows], ids, strict=True))
    return numbers


def _values(table: Table, row: Any) -> dict[str, Any]:
    """A row's values by column, without its number."""
    return {column.name: row._mapping[column.name] for column in table.columns if column.name != "id"}
