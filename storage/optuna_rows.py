"""The ledger's trials in Optuna's own tables, so that Optuna's storage, CLI and dashboard can open the file.

Optuna's table classes are an internal interface: only this module uses them, and the dependency has an upper bound for
this reason. Rows are inserted in bulk: with Optuna's storage a trial would take a hundred times as long.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.storages._rdb import models
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import Connection, Insert, Table, delete, insert, literal_column, select

from cooldown.storage.records import NewTrial
from cooldown.storage.tables import version_table

OF_STUDY = re.compile(r".+/.+(/\d+(?:/default|/widened-\d+)?)", re.DOTALL)
"""The name of a study as the ledger makes it: experiment, arm, repeat, and which study of these it is."""

MIGRATED_TO = "v3.2.0.a"
"""The last of the migrations that the installed Optuna has for its tables."""


def create_tables(connection: Connection) -> None:
    """Create Optuna's tables at the version that the installed Optuna reads."""
    models.BaseModel.metadata.create_all(connection)
    connection.execute(
        insert(models.VersionInfoModel),
        {"version_info_id": 1, "schema_version": models.SCHEMA_VERSION, "library_version": optuna.__version__},
    )
    # As Alembic would do it, whose import takes longer than all of these statements.
    version = version_table("alembic_version")
    version.create(connection)
    connection.execute(insert(version), {"version_num": MIGRATED_TO})


def create_studies(connection: Connection, studies: Sequence[tuple[str, Mapping[str, Any]]]) -> Sequence[int]:
    """Create at least one study, to minimize; returns their ids, which rise in the order of the studies.

    studies: the name of each, which is cut where it is longer than Optuna's, and what Optuna's tools show of it as
    user attributes.
    """
    table = models.StudyModel.__table__
    statement = insert(table).returning(table.c.study_id, sort_by_parameter_order=True)
    ids = list(connection.scalars(statement, [{"study_name": _within_length(name)} for name, _ in studies]))
    rows = [{"study_id": id, "direction": StudyDirection.MINIMIZE, "objective": 0} for id in ids]
    connection.execute(insert(models.StudyDirectionModel), rows)
    attributes = [
        {"study_id": id, "key": key, "value_json": json.dumps(value)}
        for id, (_, about) in zip(ids, studies, strict=True)
        for key, value in about.items()
    ]
    _insert(connection, models.StudyUserAttributeModel, attributes)
    return ids


def _within_length(name: str) -> str:
    if len(name) <= models.MAX_INDEXED_STRING_LENGTH:
        return name
    named = OF_STUDY.fullmatch(name)
    digest = sha256(name.encode()).hexdigest()[:12]
    return f"{name[:400]}…{digest}{named[1] if named else ''}"


def append_trials(connection: Connection, study_id: int, trials: Sequence[NewTrial], finished: float) -> None:
    """Append the trials of one generation with their parameters, values and per-epoch values."""
    rows = [
        {
            "number": trial.number,
            "study_id": study_id,
            "state": TrialState.PRUNED if trial.pruned else TrialState.COMPLETE,
            "datetime_start": _utc(trial.started),
            "datetime_complete": _utc(finished),
        }
        for trial in trials
    ]
    ids = list(connection.scalars(_new_trials(), rows))
    numbered = list(zip(ids, trials, strict=True))
    stored = models.TrialValueModel.value_to_stored_repr
    _insert(
        connection,
        models.TrialValueModel,
        [
            {"trial_id": id, "objective": 0, "value": value, "value_type": kind}
            for id, trial in numbered
            for value, kind in [stored(trial.validation_loss)]
        ],
    )
    _insert(
        connection,
        models.TrialParamModel,
        [
            {
                "trial_id": id,
                "param_name": name,
                "param_value": _distribution(trial.distributions[name]).to_internal_repr(value),
                "distribution_json": trial.distributions[name],
            }
            for id, trial in numbered
            for name, value in trial.parameters.items()
        ],
    )
    _insert_steps(connection, [(id, trial.intermediate.tolist()) for id, trial in numbered])
    _insert(
        connection,
        models.TrialSystemAttributeModel,
        [
            {"trial_id": id, "key": key, "value_json": json.dumps(value)}
            for id, trial in numbered
            for key, value in trial.attributes.items()
        ],
    )
    _insert(
        connection,
        models.TrialUserAttributeModel,
        [
            {"trial_id": id, "key": "seeds", "value_json": json.dumps([curve.seed for curve in trial.curves])}
            for id, trial in numbered
        ],
    )


@cache
def _new_trials() -> Any:
    table = models.TrialModel.__table__
    return insert(table).returning(table.c.trial_id, sort_by_parameter_order=True)


@cache
def _finite_steps() -> Insert:
    """They are most of the rows of a trial: their kind is part of the statement, and not looked up for each."""
    table = models.TrialIntermediateValueModel
    is_finite: Any = literal_column(f"'{table.TrialIntermediateValueType.FINITE.name}'")
    return insert(table.__table__).values(intermediate_value_type=is_finite)


@lru_cache(maxsize=1024)
def _distribution(text: str) -> BaseDistribution:
    """A range of Optuna's: those of a study's trials are the same."""
    return json_to_distribution(text)


def _insert_steps(connection: Connection, trials: Sequence[tuple[int, Sequence[float]]]) -> None:
    """Insert the values of trials, by id, after each of their epochs."""
    table = models.TrialIntermediateValueModel
    finite, others = [], []
    for id, losses in trials:
        for epoch, loss in enumerate(losses, start=1):
            of_epoch = {"trial_id": id, "step": epoch, "intermediate_value": loss}
            if math.isfinite(loss):
                finite.append(of_epoch)
            else:
                value, kind = table.intermediate_value_to_stored_repr(loss)
                others.append({**of_epoch, "intermediate_value": value, "intermediate_value_type": kind})
    if finite:
        connection.execute(_finite_steps(), finite)
    _insert(connection, table, others)


def copy_study(here: Connection, there: Connection, study_id: int, new: int) -> None:
    """Copy the sampler's attributes and the trials of a study to the one with the id `new` in another database."""
    trials: dict[int, int] = {}
    for table in models.BaseModel.metadata.sorted_tables:
        if table.name in ("studies", "study_directions", "study_user_attributes") or not {"study_id", "trial_id"} & {
            *table.c.keys()
        }:
            continue
        (key,) = table.primary_key.columns
        of_study = "study_id" in table.c
        ours = select(models.TrialModel.trial_id).where(models.TrialModel.study_id == study_id)
        which = table.c.study_id == study_id if of_study else table.c.trial_id.in_(ours)
        found = here.execute(select(table).where(which).order_by(key)).all()
        rows = [{name: value for name, value in row._mapping.items() if name != key.name} for row in found]
        for row in rows:
            row |= {"study_id": new} if of_study else {"trial_id": trials[row["trial_id"]]}
        if table.name == "trials" and rows:
            ids = there.scalars(insert(table).returning(key, sort_by_parameter_order=True), rows)
            trials = dict(zip([row.trial_id for row in found], ids, strict=True))
        else:
            _insert(there, table, rows)


def set_study_attributes(connection: Connection, study_id: int, attributes: Mapping[str, Any]) -> None:
    """Replace the attributes that the sampler stores with the study."""
    attribute = models.StudySystemAttributeModel
    connection.execute(delete(attribute).where(attribute.study_id == study_id))
    _insert(
        connection,
        attribute,
        [{"study_id": study_id, "key": key, "value_json": json.dumps(value)} for key, value in attributes.items()],
    )


def delete_studies(connection: Connection, study_ids: Sequence[int]) -> None:
    """Delete studies and all rows that refer to them."""
    trial_ids = select(models.TrialModel.trial_id).where(models.TrialModel.study_id.in_(study_ids))
    for table in reversed(models.BaseModel.metadata.sorted_tables):
        if "trial_id" in table.c and table.name != "trials":
            connection.execute(delete(table).where(table.c.trial_id.in_(trial_ids)))
    for table in reversed(models.BaseModel.metadata.sorted_tables):
        if "study_id" in table.c:
            connection.execute(delete(table).where(table.c.study_id.in_(study_ids)))


def losses(connection: Connection) -> dict[int, dict[int, float | None]]:
    """The value of every trial in Optuna's tables, by study and number."""
    study, trial, value = models.StudyModel, models.TrialModel, models.TrialValueModel
    query = (
        select(study.study_id, trial.number, value.value, value.value_type)
        .outerjoin(trial, trial.study_id == study.study_id)
        .outerjoin(value, value.trial_id == trial.trial_id)
    )
    found: dict[int, dict[int, float | None]] = {}
    for study_id, number, stored, kind in connection.execute(query):
        of_study = found.setdefault(study_id, {})
        if number is not None:
            of_study[number] = None if kind is None else value.stored_repr_to_value(stored, kind)
    return found


def made_here(connection: Connection) -> dict[int, str]:
    """The studies in Optuna's tables that are named as the ledger names them, by id: others are the user's own."""
    study = models.StudyModel
    rows = connection.execute(select(study.study_id, study.study_name))
    return {id: name for id, name in rows if OF_STUDY.fullmatch(str(name))}


def _insert(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """table: one of Optuna's, or its class."""
    if rows:
        connection.execute(_insertion(getattr(table, "__table__", table)), rows)


@cache
def _insertion(table: Table) -> Insert:
    """The statement, which takes longer to build than to execute; of a class, even more."""
    return insert(table)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
