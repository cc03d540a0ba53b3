"""What the API answers, as its OpenAPI document describes it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Listed(BaseModel):
    """An experiment in a list."""

    name: str = Field(examples=["digits"])
    task: str = Field(examples=["digits"])
    status: str = Field(examples=["running"])
    trials: int = Field(description="trials that are done")
    leader: str = Field(description="who leads, in a few words", examples=["momentum+cosine by 8 %"])
    wins: int | None = Field(description="in how many of the compared repeats", examples=[4])
    compared_repeats: int | None = Field(description="repeats of both arms", examples=[5])
    probability_better: float | None = Field(description="that the leader is better", examples=[0.93])
    alarms: int | None = Field(description="how many alarms its answer has; null where that is not known", examples=[0])
    created_at: float = Field(description="seconds since 1970")
    finished_at: float | None


class Damaged(BaseModel):
    """An experiment that cannot be read."""

    name: str
    status: str = Field(description="always damaged")
    message: str = Field(description="what is wrong with it")


class Experiments(BaseModel):
    """A page of experiments, newest first."""

    experiments: list[Listed]
    damaged: list[Damaged] = Field(description="those of this page that cannot be read")
    next: str | None = Field(description="the cursor of the next page; null on the last one")


class Step(BaseModel):
    """What to do next, with its price."""

    model_config = ConfigDict(extra="allow")

    command: str | None = None
    seconds: float | None = None


class Answer(BaseModel):
    """The answer of an experiment."""

    model_config = ConfigDict(extra="allow")

    question: str | None = Field(examples=["Does momentum+cosine beat adam?"])
    word: str = Field(description="yes, no, no difference that matters, or open", examples=["yes"])
    sentence: str
    next: Step | None


class Document(BaseModel):
    """What `cooldown show NAME --json` prints: the answer, and all of its evidence."""

    model_config = ConfigDict(extra="allow")

    name: str
    task: str
    status: str
    message: str = Field(description="why it failed, if it did")
    fingerprint: str
    answer: Answer
    spec: dict[str, Any]
    arms: list[dict[str, Any]]
    verdicts: list[dict[str, Any]] = Field(description="one for each pair of arms")
    alarms: list[dict[str, Any]] = Field(description="reasons to doubt the verdicts")


class Trial(BaseModel):
    """A trial, with its parameters by name beside these fields."""

    model_config = ConfigDict(extra="allow")

    arm: str
    repeat: int
    trial: int
    validation_loss: float
    finalist_loss: float | None = Field(description="of a finalist, over its further seeds")
    test_loss: float | None = Field(description="of a winner, over the seeds of its evaluation")
    pruned: bool


class Trials(BaseModel):
    """The trials of an experiment."""

    trials: list[Trial]


class ClaimPart(BaseModel):
    """One effect that a claim is about."""

    effect: str = Field(description="what is measured", examples=["test loss of adam+cosine over that of adam"])
    verdict: str = Field(description="supported, contradicted or open", examples=["open"])
    value: float | None
    low: float | None
    high: float | None
    claimed: str = Field(description="between which limits the claim says that it lies", examples=["below 1"])
    why: str = Field(description="why nothing could be decided, if so")
    repeats: int


class ClaimListed(BaseModel):
    """A claim of the survey on a task or a surface; its numbers are null while there is no verdict."""

    id: str = Field(examples=["C3"])
    statement: str
    source: str
    published: str | None = Field(description="the figure that it is held against")
    kind: str = Field(description="experiment, computed or measured", examples=["experiment"])
    task: str = Field(examples=["digits"])
    target: str | None = Field(description="the column to predict, of a table")
    state: str = Field(
        description="its verdict; or running, not finished, not run, or on request: computed by `cooldown claim`",
        examples=["open"],
    )
    verdict: str | None = Field(description="supported, contradicted, open or not applicable", examples=["open"])
    effect: float | None = Field(description="of the part that decided")
    low: float | None
    high: float | None
    sentence: str | None
    experiments: list[str] = Field(description="those that it rests on, or waits for")
    budget: str | None = Field(description="of its experiments: small, standard or full", examples=["small"])
    parts: list[ClaimPart]


class Claims(BaseModel):
    """A page of claims: task by task, in the survey's order."""

    claims: list[ClaimListed]
    next: str | None = Field(description="the cursor of the next page; null on the last one")


class Entry(BaseModel):
    """An entry of a catalog."""

    model_config = ConfigDict(extra="allow")

    name: str
    about: str


class Health(BaseModel):
    """Whether the service is well."""

    status: str = Field(description="ok, or degraded: what is wrong is below", examples=["ok"])
    database: str = Field(description="ok, or does not answer", examples=["ok"])
    workers: str = Field(description="ok, or that experiments wait and none runs", examples=["ok"])


class Submitted(BaseModel):
    """What became of a submission."""

    name: str = Field(examples=["sgd-or-adam"])
    status: str = Field(examples=["queued"])
    new: bool = Field(description="whether it is a new experiment")


class Changed(BaseModel):
    """An experiment after a change was asked for; a running one still runs until it comes to a generation's edge."""

    name: str = Field(examples=["sgd-or-adam"])
    status: str = Field(examples=["paused"])


class Annotated(Changed):
    """An experiment with other tags or notes."""

    tags: list[str] = Field(examples=[["baseline"]])
    notes: str


class Estimated(BaseModel):
    """Time and cost of an experiment."""

    model_config = ConfigDict(extra="allow")

    task: str
    seconds: float
    gradient_evaluations: int


class DataSetShown(BaseModel):
    """An uploaded file."""

    task: str = Field(description="its name as the task of a spec", examples=["dataset:9f86d081…"])
    digest: str = Field(description="SHA-256 of its content, in hexadecimal")
    owner: str
    file: str = Field(description="what its owner calls it", examples=["houses.csv"])
    size: int = Field(description="bytes")
    created_at: float = Field(description="seconds since 1970")


class DataSets(BaseModel):
    """Uploaded files, newest first."""

    datasets: list[DataSetShown]


class InQueue(BaseModel):
    """An experiment in the queue, with the terms of its run."""

    model_config = ConfigDict(extra="allow")

    name: str
    task: str
    status: str = Field(examples=["queued"])
    position: int | None = Field(description="its place among those that wait, from 1")
    trials: int = Field(description="trials that are done")
    priority: int
    owner: str = Field(description="the name of the token that submitted it; empty for a user of the server")
    tags: list[str]


class Waiting(BaseModel):
    """A page of what runs, what waits and what is paused."""

    queue: list[InQueue]
    next: str | None = Field(description="the cursor of the next page; null on the last one")
