"""The studies that an experiment asks for: added when it is created, and when it is extended."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from cooldown.storage import tables
from cooldown.storage.records import StudyKey
from cooldown.storage.rows import study_key_from, study_row
from cooldown.storage.specs import spec_digest

DEFAULT_CONFIGS = "~default"
"""Behind all other names in the order of the alphabet."""


class Extension(NamedTuple):
    """A larger spec of an experiment, and the studies that it asks for. extended_from: as in `ExperimentRecord`."""

    spec: Mapping[str, Any]
    studies: Sequence[StudyKey]
    extended_from: Sequence[Mapping[str, Any]]


CreateStudies = Callable[[Connection, Sequence[tuple[str, Mapping[str, Any]]]], Sequence[int]]
"""`optuna_rows.create_studies`. Callers load it before the transaction, because that takes a second, in which no other
process could write.
"""


def add_studies(
    connection: Connection,
    experiment_id: int,
    name: str,
    spec: Mapping[str, Any],
    studies: Sequence[StudyKey],
    create_studies: CreateStudies,
) -> None:
    """Add new studies to the experiment `name`, here and in Optuna's tables.

    Optuna Dashboard lists studies by falling number: there the searches get the highest ones, the first search first.
    """
    if studies:
        listed = [*(key for key in studies if not key.is_default), *(key for key in studies if key.is_default)][::-1]
        named = [(optuna_name(name, key), about_study(name, spec, key)) for key in listed]
        numbers = dict(zip(listed, create_studies(connection, named), strict=True))
        rows = [study_row(experiment_id, key, numbers[key]) for key in studies]
        connection.execute(insert(tables.studies), rows)


def extend(
    connection: Connection,
    experiment_id: int,
    name: str,
    spec: Mapping[str, Any],
    studies: Sequence[StudyKey],
    extended_from: Sequence[Mapping[str, Any]],
    create_studies: CreateStudies,
) -> None:
    """Give the experiment `name` a larger spec and the missing ones of `studies`; existing results stay.

    extended_from: as in `ExperimentRecord`.
    """
    e, s = tables.experiments, tables.studies
    values = {"spec": dict(spec), "spec_digest": spec_digest(spec), "finished_at": None, "message": "", "alarms": None}
    connection.execute(
        update(e).where(e.c.id == experiment_id).values(**values, extended_from=list(extended_from) or None)
    )
    present = connection.execute(
        select(s.c.arm, s.c.repeat, s.c.variant, s.c.attempt).where(s.c.experiment_id == experiment_id)
    )
    existing = {study_key_from(study) for study in present}
    new = [key for key in studies if key not in existing]
    add_studies(connection, experiment_id, name, spec, new, create_studies)


def optuna_name(name: str, key: StudyKey) -> str:
    """The name of a study of the experiment `name` in Optuna's tables; by name, default configs come last."""
    before = [DEFAULT_CONFIGS] if key.is_default else []
    after = [f"widened-{key.attempt}"] if key.attempt else []
    return "/".join([name, *before, key.arm, str(key.repeat), *after])


def about_study(name: str, spec: Mapping[str, Any], key: StudyKey) -> dict[str, Any]:
    """What Optuna's tools show of a study of the experiment `name`, whose spec may have been edited."""
    purpose = "default config" if key.is_default else "search"
    widened = {"widened": key.attempt} if key.attempt else {}
    about = {"task": spec.get("task"), "seeds": spec.get("seeds"), "seed": spec.get("seed")}
    return {"experiment": name, "arm": key.arm, "repeat": key.repeat, "purpose": purpose, **widened, **about}
