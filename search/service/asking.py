"""What callers can ask before they submit: what is wrong with an experiment, how a file is read, what it takes.

Nothing is written. The checks are those of `actions.submit`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from cooldown.objectives.data.reading import files
from cooldown.objectives.data.reading.options import Reading
from cooldown.objectives.data.reading.svmlight import looks_like_svmlight
from cooldown.objectives.data.uploaded import SHORT, suffix_of
from cooldown.objectives.errors import InputError
from cooldown.objectives.trust import nothing_trusted
from cooldown.search import experiments
from cooldown.search.evidence.columns import columns_table, doubts, heading
from cooldown.search.evidence.table import Table
from cooldown.search.experiments.terms import agreed
from cooldown.search.service.access.principal import Principal
from cooldown.search.service.actions import SETTINGS, TERMS, check, must, readable
from cooldown.search.service.refused import RefusedError
from cooldown.search.service.service import Service
from cooldown.search.spec.experiment import planned_spec
from cooldown.search.spec.mistakes import Mistake, mistakes_of
from cooldown.search.spec.task_fields import TaskFields
from cooldown.search.tuning.splits import task_of
from cooldown.storage.datasets import Uploads
from cooldown.storage.tokens import Role

if TYPE_CHECKING:
    import pandas as pd

    from cooldown.search.tuning.dry_run import Estimate

OF_RUN = ("name", *TERMS)
"""Settings that are no part of the spec."""


@dataclass(frozen=True)
class Described:
    """How a task's table is read. heading: what it is. columns: how each one is read. doubts: what is doubtful."""

    heading: str
    columns: Table
    doubts: Sequence[str]


def mistakes_in(service: Service, who: Principal, fields: Mapping[str, Any]) -> list[Mistake]:
    """All mistakes in the fields of a submission that can be told without its data; of one without a field's name, the
    field is "".
    """
    found = _mistakes(lambda: check(service, who, fields, (*SETTINGS, *TERMS)))
    # What names a module is not looked at any further.
    fine = {name: value for name, value in fields.items() if name not in {mistake.field for mistake in found}}
    spec = {"task": fields.get("task"), **{name: value for name, value in fine.items() if name not in OF_RUN}}
    terms = {name: value for name, value in fine.items() if name in TERMS}
    further = [*_mistakes(lambda: planned_spec(**spec)), *_mistakes(lambda: agreed(**terms))]
    return list(dict.fromkeys([*found, *further]))


def _mistakes(look: Callable[[], Any]) -> Sequence[Mistake]:
    try:
        with nothing_trusted():
            look()
    except RefusedError as refusal:
        return refusal.mistakes or [Mistake("", refusal.detail)]
    except InputError as error:
        return mistakes_of(error) or [Mistake("", str(error))]
    return ()


def head(service: Service, who: Principal, digest: str, rows: int) -> "pd.DataFrame | None":
    """The first rows of a data set of the caller's own, with all of its columns, as they are written; None for a
    svmlight file, whose columns have no names.

    Raises RefusedError for another's, InputError for a file that is no table.
    """
    data = readable(service, who, digest)
    content = service.ledger.datasets.content(data.digest)
    if looks_like_svmlight(content):
        return None
    table = files.read_content(content, suffix_of(content), f"data set {digest[:SHORT]}", Reading(), None)
    return table.head(rows)


def described(service: Service, who: Principal, fields: Mapping[str, Any]) -> Described:
    """How a task is read that the caller may use. fields: those of `TaskFields`. Raises RefusedError and InputError."""
    must(who, Role.SUBMIT)
    check(service, who, fields, tuple(TaskFields.model_fields))
    with nothing_trusted():
        task = task_of(planned_spec(**fields), None, Uploads(service.url))
    return Described(heading(task), columns_table(task), doubts(task))


def estimates(
    service: Service, who: Principal, fields: Mapping[str, Any], choices: Sequence[Mapping[str, Any]]
) -> "list[Estimate]":
    """Estimate time and cost with each of these choices of `experiments.dry_runs`, from one short calibration in this
    process. Raises RefusedError, as where another estimate is being made, and InputError.
    """
    must(who, Role.SUBMIT)
    for choice in choices:
        check(service, who, {**fields, **choice}, SETTINGS)
    if not service.estimating.acquire(blocking=False):
        raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, "another estimate is being made", (), {"Retry-After": "5"})
    try:
        with nothing_trusted():
            return experiments.dry_runs(**fields, choices=choices, db=service.url)
    finally:
        service.estimating.release()
