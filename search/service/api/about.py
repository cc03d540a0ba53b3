"""The routes about the service itself: its catalog and its health."""

from functools import cache
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from cooldown.search.service.api.callers import NEEDS_TOKEN, Reader, Served
from cooldown.search.service.api.problems import problems
from cooldown.search.service.api.schemas import Entry, Health
from cooldown.search.service.measures import measures
from cooldown.storage import Ledger, LedgerError, Status
from cooldown.storage.listing import overview

router = APIRouter(tags=["service"])

PATIENCE = 60.0
"""Seconds for which an experiment may wait while none runs."""


@cache
def _catalog() -> bytes:
    """The catalog as JSON; it does not change while the server runs."""
    from cooldown.search.experiments.catalog import contents

    return bytes(JSONResponse(contents()).body)


@router.get("/catalog", response_model=dict[str, list[Entry]], responses=problems(), openapi_extra=NEEDS_TOKEN)
def show_catalog(_: Reader) -> Response:
    """List the optimizers, schedules, tasks, export formats and all else that experiments can name."""
    return Response(_catalog(), media_type="application/json")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Prometheus text.", "content": {"text/plain": {}}}, **problems()},
    openapi_extra=NEEDS_TOKEN,
)
def show_metrics(_: Reader, service: Served) -> Response:
    """Numbers for a monitor, in the text format of Prometheus."""
    text = measures(service.ledger, service.requests.counted())
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/health", response_model=Health, responses={503: {"model": Health}})
def show_health(service: Served) -> JSONResponse:
    """Whether the database answers, and workers take what waits. Needs no token."""
    try:
        workers, database = _workers(service.ledger), "ok"
    except LedgerError:
        workers, database = "unknown", "does not answer"
    well = database == workers == "ok"
    status = HTTPStatus.SERVICE_UNAVAILABLE if database != "ok" else HTTPStatus.OK
    return JSONResponse({"status": "ok" if well else "degraded", "database": database, "workers": workers}, status)


def _workers(ledger: Ledger) -> str:
    """Whether somebody takes what waits, as far as the ledger shows it: an idle worker leaves no trace."""
    found = overview(ledger)
    if found.experiments[Status.RUNNING] or found.oldest is None or found.now - found.oldest < PATIENCE:
        return "ok"
    return f"none: {found.experiments[Status.QUEUED]} experiments wait, and none runs"
