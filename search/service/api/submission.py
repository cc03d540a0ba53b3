"""A submission as the OpenAPI document describes it: the fields of a spec, and those of its run."""

from typing import Any

from pydantic import BaseModel, Field, create_model

from cooldown.search.service.actions import LOOP, SETTINGS, TERMS
from cooldown.search.service.loops import LoopFields
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.settings import OWN

SPEC = {"task": "digits", "arms": ["momentum+cosine", "adam"], "trials": 16, "repeats": 5}
SUBMISSION = {**SPEC, "name": "sgd-or-adam", "priority": 10, "tags": ["baseline"]}
"""Examples."""


class Run(BaseModel):
    """What is asked of an experiment's run; no part of its result."""

    priority: int | None = Field(None, ge=-1000, le=1000, description="in the queue: higher first", examples=[10])
    time_limit: float | str | None = Field(
        None, description="seconds, or as 2h, for all its runs together; none: no limit any more", examples=["2h"]
    )
    max_gradient_evaluations: int | None = Field(None, ge=1, description="of all its replicates", examples=[10**8])


class Words(BaseModel):
    """What people find an experiment by."""

    tags: list[str] | None = Field(None, max_length=20, description="words to find it by", examples=[["baseline"]])
    notes: str | None = Field(None, max_length=10_000, description="text of your own", examples=["After the move."])


class Terms(Run, Words):
    """All that is asked of an experiment beside its spec."""


class Annotation(Words):
    """Other tags or notes; null for those that stay as they are."""

    model_config = {"extra": "forbid", "strict": True}


class Plan(BaseModel):
    """The settings of `compare` that are no fields of the spec."""

    name: str | None = Field(None, max_length=200, description="by default that of the task", examples=["sgd-or-adam"])
    repeats: int | None = Field(None, ge=1, description=OWN["repeats"], examples=[5])
    until_decided: bool | None = Field(None, description=OWN["until_decided"], examples=[True])
    max_repeats: int | None = Field(None, ge=2, description=OWN["max_repeats"], examples=[20])


class Own(BaseModel):
    """For a training loop of the caller's own, which asks for runs and tells of them."""

    loop: LoopFields | None = Field(
        None, description="the data of a loop of your own, which `task` then names", examples=[{"n_samples": 1000}]
    )


def takes(name: str, example: dict[str, Any], settings: tuple[str, ...]) -> dict[str, Any]:
    """The `openapi_extra` of a route whose body has these settings. name: of its schema."""
    fields: dict[str, Any] = {}
    for model in (Experiment, Plan, Terms, Own):
        fields |= {key: (field.annotation, field) for key, field in model.model_fields.items() if key in settings}
    made = create_model(name, __doc__="The spec of an experiment; only `task` is required.", **fields)
    schema = made.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}}


TAKES_SPEC = takes("Spec", SPEC, SETTINGS)
TAKES_SUBMISSION = takes("Submission", SUBMISSION, (*SETTINGS, *TERMS, LOOP))


class Extension(Run):
    """How an experiment goes on: as it was planned, or further."""

    model_config = {"extra": "forbid", "strict": True}

    trials: int | None = Field(None, ge=1, description="extend each study to this many trials", examples=[32])
    repeats: int | None = Field(None, ge=1, description="extend each arm to this many repeats", examples=[10])
    extend: bool = Field(False, description="widen the ranges that boundary alarms name, and search these arms again")
    until_decided: bool = Field(False, description=OWN["until_decided"])
    max_repeats: int | None = Field(None, ge=2, description=OWN["max_repeats"], examples=[40])
