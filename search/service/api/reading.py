"""The routes that show experiments: the list, one document, its trials, exports and report."""

import json
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse, StreamingResponse

from cooldown.search import export as formats
from cooldown.search.evidence.standing import lines
from cooldown.search.evidence.status import queued_document
from cooldown.search.service.api.callers import NEEDS_TOKEN, Name, Reader, Served
from cooldown.search.service.api.paging import (
    PAGE,
    Cursor,
    IfNoneMatch,
    Limit,
    cursor_of,
    matches,
    read_cursor,
    tagged,
)
from cooldown.search.service.api.problems import problems
from cooldown.search.service.api.schemas import Document, Experiments, Trials, Waiting
from cooldown.search.service.events import Position, is_over, news, stream
from cooldown.search.service.refused import RefusedError
from cooldown.search.spec.mistakes import Mistake
from cooldown.storage import Status, listing
from cooldown.storage.changes import state
from cooldown.storage.listing import Place, Standing, Wanted

router = APIRouter(prefix="/experiments", tags=["experiments"])
queue = APIRouter(tags=["experiments"])

FORMATS = tuple(name for name in formats.names() if not isinstance(formats.get(name), formats.ModelFormat))
"""What the server exports: models are trained when they are exported, and a server trains nothing."""

LEDGER = "ledger"
"""The format that holds a whole experiment, for `Client.load` and `--server`."""

SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
)
"""A report may run its own script, but not in the name of the server's pages, and may load nothing."""


@router.get("", response_model=Experiments, responses=problems(), openapi_extra=NEEDS_TOKEN)
def list_experiments(
    _: Reader,
    service: Served,
    status: Annotated[Status | None, Query(description="only those of this status")] = None,
    task: Annotated[str | None, Query(max_length=4000, description="only those on this task")] = None,
    owner: Annotated[str | None, Query(max_length=200, description="only those of this token")] = None,
    tag: Annotated[str | None, Query(max_length=50, description="only those with this tag")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> JSONResponse:
    """List experiments, newest first."""
    after = None if cursor is None else Place(*read_cursor(cursor, (float, int)))
    found = listing.page(service.ledger, Wanted(status, task, owner, tag), after=after, most=limit)
    listed, damaged = lines(found.summaries, found.winners, service.leaders)
    document = {
        "experiments": [line.to_json() for line in listed],
        "damaged": [error.to_json() for error in (*damaged, *found.unreadable)],
        "next": None if found.next is None else cursor_of(found.next),
    }
    return JSONResponse(document)


@queue.get("/queue", response_model=Waiting, responses=problems(), openapi_extra=NEEDS_TOKEN)
def list_queue(_: Reader, service: Served, limit: Limit = PAGE, cursor: Cursor = None) -> JSONResponse:
    """List what runs, what waits in the order in which workers take it, and what is paused."""
    after = None if cursor is None else Standing(*read_cursor(cursor, (int, int, float, int)))
    found = listing.queue_page(service.ledger, after=after, most=limit)
    entries = [queued_document(summary, position) for summary, position in found.entries]
    return JSONResponse({"queue": entries, "next": None if found.next is None else cursor_of(found.next)})


@router.get("/{name}", response_model=Document, responses={304: {}, **problems(404, 409)}, openapi_extra=NEEDS_TOKEN)
def show_experiment(
    _: Reader,
    service: Served,
    name: Name,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Show an experiment: what `cooldown show NAME --json` prints."""
    version = state(service.ledger, name).version
    if matches(if_none_match, version):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=tagged(version))
    content = service.documents.get(name, version, lambda: _json(service.result(name).to_json()))
    return Response(content, headers=tagged(version), media_type="application/json")


@router.get("/{name}/trials", response_model=Trials, responses=problems(404, 409), openapi_extra=NEEDS_TOKEN)
def list_trials(_: Reader, service: Served, name: Name) -> Response:
    """List the trials of an experiment, with their losses, scores, cost and parameters."""
    return Response(_json({"trials": service.result(name).trials()}), media_type="application/json")


@router.get(
    "/{name}/export",
    response_class=Response,
    responses={200: {"description": "The file.", "content": {"*/*": {}}}, **problems(404, 409)},
    openapi_extra=NEEDS_TOKEN,
)
def export_experiment(
    _: Reader,
    service: Served,
    name: Name,
    format: Annotated[
        str,
        Query(description="ledger, the whole experiment as a SQLite file; or " + ", ".join(FORMATS), examples=["toml"]),
    ] = "json",
    arm: Annotated[str | None, Query(max_length=4000, description="by default the best")] = None,
    repeat: Annotated[int | None, Query(ge=0, le=10**6, description="by default the arm's best")] = None,
    trial: Annotated[int | None, Query(ge=0, le=10**6, description="by default the winner")] = None,
    curves: Annotated[bool, Query(description="in a table: a row per epoch of every run")] = False,
) -> Response:
    """Export the best configuration as a file or a program, or all trials as a table."""
    if format == LEDGER:
        headers = {"Content-Disposition": 'attachment; filename="export.db"'}
        return Response(service.copied(name), headers=headers, media_type="application/vnd.sqlite3")
    entry = formats.get(format)
    if format not in FORMATS:
        told = f"format: {format!r} is a model, which is trained when it is exported: use `cooldown export` with --db"
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, told, [Mistake("format", told)])
    exported = formats.export(
        service.result(name).view, format, arm=arm, repeat=repeat, trial=trial, curves=curves, opens=False
    )
    text = isinstance(exported.content, str)
    headers = {
        "Content-Disposition": f'attachment; filename="export{entry.suffix}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(
        exported.content,
        headers=headers,
        media_type="text/plain; charset=utf-8" if text else "application/octet-stream",
    )


@router.get(
    "/{name}/report",
    response_class=Response,
    responses={200: {"description": "The report.", "content": {"text/html": {}}}, **problems(404, 409)},
    openapi_extra=NEEDS_TOKEN,
)
def report_experiment(_: Reader, service: Served, name: Name) -> Response:
    """The report of an experiment as one web page."""
    from cooldown.search.report import report

    page = report(service.result(name))
    return Response(page, headers={"Content-Security-Policy": SANDBOX}, media_type="text/html")


@router.get(
    "/{name}/events",
    response_class=Response,
    responses={
        200: {"description": "Server-sent events: `trial`, `status`, `deleted`.", "content": {"text/event-stream": {}}},
        204: {"description": "The experiment is over, and nothing came after `Last-Event-ID`."},
        **problems(404, 409),
    },
    openapi_extra=NEEDS_TOKEN,
)
def follow_experiment(
    _: Reader,
    service: Served,
    name: Name,
    last_event_id: Annotated[str | None, Header(description="the id of the last event that was received")] = None,
) -> Response:
    """Follow an experiment: each trial that is added, and each new status, as server-sent events.

    After a break, `Last-Event-ID` continues where it was: nothing is missing, and nothing comes twice.
    """
    seen = Position.parse(last_event_id)
    if not news(service.ledger, name, seen) and is_over(seen):
        # Tells a browser not to come back.
        return Response(status_code=HTTPStatus.NO_CONTENT)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream(service.ledger, name, seen), media_type="text/event-stream", headers=headers)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")
