"""The routes that change experiments: submit, pause, resume, stop, cancel, extend, delete, and the price before."""

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from anyio.to_thread import run_sync
from fastapi import APIRouter, Body, Header, Response
from fastapi.responses import JSONResponse

from cooldown.search.service import actions
from cooldown.search.service.api import schemas
from cooldown.search.service.api.callers import NEEDS_TOKEN, Name, Served, Submitter
from cooldown.search.service.api.paging import IfMatch, expected
from cooldown.search.service.api.problems import problems
from cooldown.search.service.api.schemas import Changed, Estimated, Submitted
from cooldown.search.service.api.submission import TAKES_SPEC, TAKES_SUBMISSION, Annotation, Extension

router = APIRouter(tags=["control"])

Fields = Annotated[dict[str, Any], Body()]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="of your own, such as a UUID: the same submission with the same key is the same experiment",
    ),
]
EMPTY: Any = Body(None)


@router.post(
    "/experiments",
    response_model=Submitted,
    status_code=HTTPStatus.CREATED,
    responses={200: {"model": Submitted, "description": "It was submitted before."}, **problems(404, 409, 413, 415)},
    openapi_extra={**NEEDS_TOKEN, **TAKES_SUBMISSION},
)
async def submit_experiment(who: Submitter, service: Served, fields: Fields, key: Key = None) -> JSONResponse:
    """Put an experiment in the queue: a spec, with what is asked of its run."""
    made = await run_sync(actions.submit, service, who, fields, key, limiter=service.submitting)
    status = HTTPStatus.CREATED if made.new else HTTPStatus.OK
    headers = {"Location": f"/api/v1/experiments/{quote(made.name, safe='')}"}
    return JSONResponse({"name": made.name, "status": made.status.value, "new": made.new}, status, headers)


@router.post(
    "/estimate",
    response_model=Estimated,
    responses=problems(404, 409, 413, 415),
    openapi_extra={**NEEDS_TOKEN, **TAKES_SPEC},
)
def estimate_experiment(who: Submitter, service: Served, fields: Fields) -> JSONResponse:
    """Estimate time and cost of an experiment, from a short calibration; nothing is written."""
    return JSONResponse(actions.estimate(service, who, fields).to_json())


def _controls(verb: str, about: str) -> None:
    """Add the route of a verb that takes nothing but the experiment's name."""

    @router.post(
        f"/experiments/{{name}}/{verb}",
        name=f"{verb}_experiment",
        operation_id=f"{verb}_experiment",
        description=about,
        response_model=Changed,
        responses=problems(404, 409),
        openapi_extra=NEEDS_TOKEN,
    )
    def change(who: Submitter, service: Served, name: Name) -> JSONResponse:
        return _changed(name, actions.control(service, who, name, verb).value)


_controls("pause", "Pause an experiment when the generation in flight is finished; `resume` continues it.")
_controls("stop", "End an experiment when the generation in flight is finished, and keep that.")
_controls("cancel", "End an experiment, and drop the generation in flight; what was finished is kept.")


@router.post(
    "/experiments/{name}/resume", response_model=Changed, responses=problems(404, 409), openapi_extra=NEEDS_TOKEN
)
def resume_experiment(who: Submitter, service: Served, name: Name) -> JSONResponse:
    """Put an experiment in the queue to be continued."""
    return _changed(name, actions.resume(service, who, name).value)


@router.post(
    "/experiments/{name}/extend",
    response_model=Changed,
    responses=problems(404, 409, 413, 415),
    openapi_extra=NEEDS_TOKEN,
)
def extend_experiment(who: Submitter, service: Served, name: Name, extension: Extension) -> JSONResponse:
    """Put an experiment that is done in the queue again: more trials or repeats, wider ranges, or until it answers."""
    return _changed(name, actions.resume(service, who, name, **extension.model_dump()).value)


@router.patch(
    "/experiments/{name}",
    response_model=schemas.Annotated,
    responses=problems(404, 409, 412, 413, 415),
    openapi_extra=NEEDS_TOKEN,
)
def annotate_experiment(
    who: Submitter, service: Served, name: Name, words: Annotation, if_match: IfMatch = None
) -> JSONResponse:
    """Replace the tags or notes of an experiment; with `If-Match` only if it has not changed meanwhile."""
    changed = actions.annotate(service, who, name, **words.model_dump(), versions=expected(if_match))
    document = {"status": changed.status.value, "tags": list(changed.terms.tags), "notes": changed.terms.notes}
    return JSONResponse({"name": name, **document})


@router.delete(
    "/experiments/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=problems(404, 409),
    openapi_extra=NEEDS_TOKEN,
)
def delete_experiment(who: Submitter, service: Served, name: Name) -> Response:
    """Delete an experiment with all its trials; not while it runs."""
    actions.delete(service, who, name)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _changed(name: str, status: str) -> JSONResponse:
    return JSONResponse({"name": name, "status": status})
