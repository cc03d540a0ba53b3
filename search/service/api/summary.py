"""The route behind `cooldown summary`: what a comparison over tasks takes of every experiment."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from cooldown.search.evidence.across.document import sent
from cooldown.search.experiments.across import of_ledger
from cooldown.search.service.api.callers import NEEDS_TOKEN, Reader, Served
from cooldown.search.service.api.problems import problems

router = APIRouter(tags=["experiments"])

MOST_NAMES = 100


class Measured(BaseModel):
    """An experiment as one task among several."""

    experiment: str = Field(examples=["digits"])
    task: str = Field(examples=["digits"])
    data: str = Field(description="the fingerprint of the task's data")
    created_at: float = Field(description="seconds since 1970")
    done: bool
    kind: Literal["classification", "regression", "other"]
    rows: int | None = Field(description="training rows", examples=[1437])
    losses: dict[str, dict[str, float]] = Field(description="the winners' mean test losses, by arm and repeat")
    question: list[str] | None = Field(description="the best annealed SGD and the best adaptive arm")
    margin: float = Field(description="losses that differ by less than this fraction are practically equal")
    level: float = Field(description="the error rate of the experiment's intervals", examples=[0.05])
    alarms: list[tuple[str, str]] | None = Field(description="kind and arm of each alarm; null where not known")


class LeftOut(BaseModel):
    """An experiment that cannot be compared."""

    experiment: str
    why: str


class Summary(BaseModel):
    """The experiments of the ledger, newest first."""

    experiments: list[Measured]
    left_out: list[LeftOut]


@router.get("/summary", response_model=Summary, responses=problems(404), openapi_extra=NEEDS_TOKEN)
def summarize(
    _: Reader,
    service: Served,
    name: Annotated[
        list[str] | None, Query(max_length=MOST_NAMES, description="only these experiments", examples=[["digits"]])
    ] = None,
) -> JSONResponse:
    """Summarize experiments for a comparison over tasks, which `cooldown summary` makes of it."""
    return JSONResponse(sent(of_ledger(service.ledger, name or (), service.measuring)))
