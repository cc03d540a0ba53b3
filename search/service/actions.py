"""What callers can change: submit, control, extend and delete experiments, and upload data.

Each action checks who asks, and does it through `search.experiments` on their behalf, as the audit then has it. The API
and the dashboard call the same ones.

Whatever comes from a network names no path, no module and no address: a task is built in, an uploaded data set, or
where the service allows it a data set of OpenML; entries are those of the catalogs.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from cooldown.objectives import tasks
from cooldown.objectives.data.uploaded import PREFIX, is_upload
from cooldown.objectives.plain_text import is_untypable
from cooldown.objectives.trust import modules_in, nothing_trusted
from cooldown.search import experiments
from cooldown.search.experiments import telling
from cooldown.search.experiments.queueing import Submitted
from cooldown.search.experiments.telling import Asked
from cooldown.search.service import loops
from cooldown.search.service.access.principal import Principal
from cooldown.search.service.refused import RefusedError
from cooldown.search.service.service import Service
from cooldown.search.spec.experiment import BESIDE, Experiment
from cooldown.search.spec.mistakes import Mistake, SpecError, unknown_settings
from cooldown.search.tuning.dry_run import Estimate
from cooldown.storage import Status
from cooldown.storage.acts import acting
from cooldown.storage.changes import state
from cooldown.storage.datasets import DataSet
from cooldown.storage.loops import Loop
from cooldown.storage.queue import Edited
from cooldown.storage.quotas import within
from cooldown.storage.submissions import submission
from cooldown.storage.tokens import Role

NOT_FOR_CALLERS = ("widened", "protocol", "db", "workers")
"""Settings of `compare` that name this machine, or that only a continued experiment has."""

SETTINGS = tuple(name for name in (*Experiment.model_fields, *BESIDE) if name not in NOT_FOR_CALLERS)
LOOP = "loop"
"""The field that describes a training loop of the caller's own."""

TERMS = ("priority", "time_limit", "max_gradient_evaluations", "tags", "notes")

VERBS: Mapping[str, Callable[..., Status]] = {
    "pause": experiments.pause,
    "stop": experiments.stop,
    "cancel": experiments.cancel,
}

AS_WRITTEN = (
    *("task", "test", "name", "tags", "notes", "target", "groups", "time", "sample_weight"),
    *("missing", "categories", "dates", "drop", "class_weight"),
)
"""Settings whose texts name no entry of a catalog: columns, labels, and the task, which is looked at by itself."""

DEEPEST = 6
"""How deeply the fields of a spec may be nested."""


def submit(service: Service, who: Principal, fields: Mapping[str, Any], key: str | None = None) -> Submitted:
    """Put an experiment in the queue. fields: of its spec, with `name` and `TERMS`. key: the caller's own for this
    submission; if it comes again, it is the same experiment.

    Raises RefusedError and InputError, before anything is written.
    """
    must(who, Role.SUBMIT)
    loop = check(service, who, fields, (*SETTINGS, *TERMS, LOOP))
    sent = submission(who.name, key, json.dumps(fields, sort_keys=True)) if key is not None else None
    if sent is not None and (known := service.ledger.submitted(sent)) is not None:
        return Submitted(known, state(service.ledger, known).status, new=False)
    with within(who.name, who.quota), nothing_trusted(), acting(who.shown, "submit"):
        # A user of this machine continues whatever is there.
        more: Any = {"owner": who.name or None, "submission": sent, "db": service.url}
        return experiments.submit(**fields, **more) if loop is None else telling.offer(**{**fields, LOOP: loop}, **more)


def control(service: Service, who: Principal, name: str, verb: str) -> Status:
    """Pause, stop or cancel an experiment; returns its status, as `experiments.pause` does."""
    _check_owner(service, who, name)
    with acting(who.shown):
        return VERBS[verb](name, db=service.url)


def resume(service: Service, who: Principal, name: str, **changes: Any) -> Status:
    """Put an experiment in the queue again, perhaps to be extended; returns its status. changes: as for
    `experiments.requeue`.
    """
    _check_owner(service, who, name)
    given = {key: value for key, value in changes.items() if value not in (None, False)}
    does = acting(who.shown, "extend" if given else "resume", **given)
    with within(who.name, who.quota), nothing_trusted(), does:
        return experiments.requeue(name, db=service.url, **given)


def prioritize(service: Service, who: Principal, name: str, priority: int) -> None:
    """Give an experiment another priority in the queue, as `experiments.prioritize` does."""
    _check_owner(service, who, name)
    with acting(who.shown, "prioritize", priority=priority):
        experiments.prioritize(name, priority, db=service.url)


def ask(service: Service, who: Principal, name: str) -> Asked | None:
    """A run for the caller to train; None if there is none at the moment. Raises as `telling.ask` does."""
    _check_owner(service, who, name)
    with nothing_trusted():
        return telling.ask(name, db=service.url)


def tell(service: Service, who: Principal, name: str, id: str, reports: Sequence[Mapping[str, Any]]) -> Status:
    """Keep what is told of a run; returns the status of the experiment. Raises as `telling.tell` does."""
    _check_owner(service, who, name)
    with nothing_trusted():
        return telling.tell(name, id, reports, db=service.url)


def annotate(
    service: Service,
    who: Principal,
    name: str,
    *,
    tags: Sequence[str] | None = None,
    notes: str | None = None,
    versions: Collection[str] | None = None,
) -> Edited:
    """Replace the tags or notes of an experiment, as `experiments.annotate` does."""
    _check_owner(service, who, name)
    changed = [field for field, value in (("tags", tags), ("notes", notes)) if value is not None]
    with acting(who.shown, "annotate", changed=changed):
        return experiments.annotate(name, tags=tags, notes=notes, versions=versions, db=service.url)


def delete(service: Service, who: Principal, name: str) -> None:
    """Delete an experiment with all its results; raises LedgerError while it runs."""
    _check_owner(service, who, name)
    with acting(who.shown):
        experiments.delete(name, db=service.url)


def upload(service: Service, who: Principal, content: bytes, file: str) -> tuple[DataSet, bool]:
    """Keep a file of data for its owner. Returns it, and whether it is new to this owner.

    Raises RefusedError for one that is too large, and where the owner's files would be too large together.
    """
    must(who, Role.SUBMIT)
    if not file or any(map(is_untypable, file)):
        told = f"file: should be one line of visible text, got {file!r:.80}"
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, told, [Mistake("file", told)])
    if not content.strip():
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "the file is empty")
    if len(content) > service.limits.dataset:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a file has at most {service.limits.dataset:,} bytes")
    with acting(who.shown):
        return service.ledger.datasets.add(content, who.name, file, room=service.limits.datasets)


def remove(service: Service, who: Principal, digest: str) -> None:
    """Remove a data set of the caller's own, to an admin anybody's; raises LedgerError where an experiment needs it."""
    data = readable(service, who, digest)
    with acting(who.shown, "delete data", file=data.file):
        service.ledger.datasets.remove(digest, data.owner)


def estimate(service: Service, who: Principal, fields: Mapping[str, Any]) -> Estimate:
    """Estimate time and cost of an experiment, from a short calibration in this process; nothing is written."""
    must(who, Role.SUBMIT)
    check(service, who, fields, SETTINGS)
    if not service.estimating.acquire(blocking=False):
        raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, "another estimate is being made", (), {"Retry-After": "5"})
    try:
        with nothing_trusted():
            return experiments.dry_run(**fields, db=service.url, workers=1)
    finally:
        service.estimating.release()


def readable(service: Service, who: Principal, digest: str) -> DataSet:
    """An uploaded data set of the caller's own, to an admin anybody's; raises RefusedError for any other."""
    found = service.ledger.datasets.of(None if who.role is Role.ADMIN else who.name, digest)
    if found is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"you have no data set {digest:.70}")
    return found


def must(who: Principal, role: Role) -> None:
    """Raise RefusedError for a caller who has not this role, or more."""
    if not who.may(role):
        told = f"this needs a token of the role {role.value}; that of {who.shown!r} is {who.role.value}"
        raise RefusedError(HTTPStatus.FORBIDDEN, told)


def _check_owner(service: Service, who: Principal, name: str) -> None:
    """Raise RefusedError unless the experiment is the caller's, and LedgerError if there is none."""
    must(who, Role.SUBMIT)
    owner = state(service.ledger, name).owner
    if not who.owns(owner):
        raise RefusedError(
            HTTPStatus.FORBIDDEN, f"the experiment {name!r} belongs to {owner or 'a user of the server'!r}"
        )


def check(service: Service, who: Principal, fields: Mapping[str, Any], known: tuple[str, ...]) -> Loop | None:
    """Raise SpecError for settings that callers do not have, and for what names a path, a module or an address. Returns
    the loop of an experiment that callers train.
    """
    mistakes, count = unknown_settings([name for name in fields if name not in known], known)
    further: list[Mistake] = []
    for field, value in fields.items():
        texts = list(_texts(value))
        if None in texts:
            further.append(Mistake(field, f"{field}: is nested too deeply"))
        elif field not in AS_WRITTEN and (named := [module for text in texts for module in modules_in(text or "")]):
            told = f"{field}: names the module {named[0]!r:.80}; a service uses entries of the catalog alone"
            further.append(Mistake(field, told))
    loop = None
    if fields.get(LOOP) is None:
        further += _of_task(service, who, fields.get("task"))
    else:
        loop, wrong = loops.loop_of(fields[LOOP])
        further += [*wrong, *loops.of_task(fields.get("task"))]
    further += _of_test(service, who, fields.get("test"))
    if count or further:
        raise SpecError([*mistakes, *further], count + len(further))
    return loop


def _of_task(service: Service, who: Principal, task: Any) -> list[Mistake]:
    """What is wrong with a task that a caller names."""
    if not isinstance(task, str) or task in tasks.names():
        return [] if isinstance(task, str) else [Mistake("task", f"task: should be a text, got {task!r:.80}")]
    origin = tasks.origin(task)
    if origin == "upload":
        readable(service, who, task.removeprefix(PREFIX))
        return []
    if origin == "OpenML":
        return [] if service.limits.openml else [Mistake("task", "task: this service loads no data sets of OpenML")]
    told = "task: should be a built-in task (see the catalog) or dataset:DIGEST of an uploaded file"
    return [Mistake("task", f"{told}, got {task!r:.80}")]


def _of_test(service: Service, who: Principal, test: Any) -> list[Mistake]:
    """What is wrong with the test rows that a caller names."""
    if test is None:
        return []
    if not isinstance(test, str) or not is_upload(test):
        return [Mistake("test", f"test: should be dataset:DIGEST of an uploaded file, got {test!r:.80}")]
    readable(service, who, test.removeprefix(PREFIX))
    return []


def _texts(value: Any, depth: int = 0) -> Iterator[str | None]:
    """All texts in a value of JSON, keys included; None for what is nested too deeply to look at."""
    if depth > DEEPEST:
        yield None
    elif isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, depth + 1)
