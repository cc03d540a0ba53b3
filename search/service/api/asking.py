"""The routes for training loops of a caller's own: ask for a run, and tell what came of it."""

from dataclasses import asdict
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from cooldown.search.service import actions
from cooldown.search.service.api.callers import NEEDS_TOKEN, Name, Served, Submitter
from cooldown.search.service.api.problems import problems
from cooldown.search.service.api.schemas import Changed
from cooldown.search.service.loops import EpochReport
from cooldown.storage.changes import state

router = APIRouter(prefix="/experiments/{name}", tags=["runs of your own"])

Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="`id` of the run, as it was asked for")]


class Run(BaseModel):
    """A run to train."""

    id: str = Field(description="its name, by which it is told of")
    purpose: str = Field(description="search, finalist or evaluation", examples=["search"])
    repeat: int
    seed: int = Field(description="of everything random in the run")
    epochs: int = Field(description="passes over the training rows, after each of which there is a report")
    config: dict[str, object] = Field(description="what to train, as exports have it")
    learning_rates: list[float] = Field(description="the mean rate of each epoch's updates")
    train: list[int] = Field(description="numbers of the rows to train on, from 0")
    held_out: list[int] = Field(description="numbers of the rows to measure on")


class Asked(BaseModel):
    """A run, or why there is none."""

    status: str = Field(description="of the experiment; done: there are no more runs", examples=["open"])
    run: Run | None = Field(description="null where all are being trained, or none is left")


class Told(BaseModel):
    """What a run reports."""

    model_config = {"extra": "forbid", "strict": True}

    reports: list[EpochReport] = Field(
        min_length=1, max_length=100_000, description="of each epoch, in their order; fewer than epochs: it stopped"
    )


@router.post("/ask", response_model=Asked, responses=problems(404, 409), openapi_extra=NEEDS_TOKEN)
async def ask_for_run(who: Submitter, service: Served, name: Name) -> JSONResponse:
    """Ask for a run that nobody trains; one of which nothing was told is given again after an hour."""
    run = await run_sync(actions.ask, service, who, name, limiter=service.asking)
    status = (await run_sync(state, service.ledger, name)).status
    return JSONResponse({"status": status.value, "run": None if run is None else asdict(run)})


@router.post(
    "/trials/{id}/tell", response_model=Changed, responses=problems(404, 409, 413, 415), openapi_extra=NEEDS_TOKEN
)
async def tell_of_run(who: Submitter, service: Served, name: Name, id: Id, told: Told) -> JSONResponse:
    """Tell the losses of a run. They are kept at once; the same may be told again."""
    reports = [report.model_dump() for report in told.reports]
    status = await run_sync(actions.tell, service, who, name, id, reports, limiter=service.asking)
    return JSONResponse({"name": name, "status": status.value})
