"""What callers say of training loops of their own: the data, and the epochs of a run."""

from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from cooldown.objectives.tasks import origin
from cooldown.search.experiments.telling import MOST_SAMPLES
from cooldown.search.spec.mistakes import Mistake
from cooldown.storage.loops import Loop


class LoopFields(BaseModel):
    """What is known of the data of a caller's own training loop."""

    model_config = {"extra": "forbid", "strict": True}

    n_samples: int = Field(
        ge=10, le=MOST_SAMPLES, description="rows, which are split by their numbers", examples=[1000]
    )
    kind: Literal["classification", "regression"] = Field("regression", description="what is learned")
    uninformed_loss: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="held-out loss of a predictor that has learned nothing; by default each run's first",
        examples=[2.3],
    )


class EpochReport(BaseModel):
    """What a run reports after an epoch; null for a loss that is not finite, with which the run has diverged."""

    model_config = {"extra": "forbid", "strict": True}

    train_loss: float | None = Field(
        allow_inf_nan=False, description="mean loss of the epoch's batches", examples=[0.7]
    )
    held_out_loss: float | None = Field(
        allow_inf_nan=False, description="loss of the held-out rows after it", examples=[0.8]
    )
    score: float | None = Field(None, allow_inf_nan=False, description="score of the held-out rows", examples=[0.9])


def loop_of(fields: Any) -> tuple[Loop | None, list[Mistake]]:
    """The loop that a caller describes, and what is wrong with the description."""
    try:
        return Loop(**LoopFields.model_validate(fields).model_dump()), []
    except ValidationError as error:
        places = [(".".join(["loop", *map(str, detail["loc"])]), detail["msg"]) for detail in error.errors()]
        return None, [Mistake("loop", f"loop: {place}: {message}") for place, message in places]


def of_task(task: Any) -> list[Mistake]:
    """What is wrong with the name of a caller's own task."""
    if isinstance(task, str) and task.strip() and origin(task) == "object":
        return []
    told = "with a loop, it is a name of your own: of no built-in task, file, module or data set"
    return [Mistake("task", f"task: {told}, got {task!r:.80}")]
