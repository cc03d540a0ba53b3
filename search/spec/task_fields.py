"""`TaskFields`: the part of a spec that says what is trained on, and how a table is read."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cooldown.objectives.tasks import Reading

OWN_TEST = "the task's own"
"""The `test` of a spec whose task, an object or a `module:attribute`, has test rows of its own, and the `groups` or
`time` of one that keeps those of its own apart. No file and no column is named so."""

BY_TASK = ("test", "groups", "time")
"""Fields of a table that a task object brings itself; `OWN_TEST` then stands in the spec."""

LISTS = ("missing", "categories", "dates", "drop")
READING = ("decimal", *LISTS)
"""Fields that say how a file is read, where its cells do not decide."""


class TaskFields(BaseModel):
    """What is trained on: see `Experiment`. A list may be given as its only text."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    task: str = Field(min_length=1, title="Task", description="what is trained on", examples=["digits"])
    target: str | None = Field(None, title="Target column", description="a table's target column", examples=["price"])
    test: str | None = Field(
        None,
        title="Test set",
        description="a table of test rows for all repeats, for a task that is a table; dataset:DIGEST if uploaded",
        examples=["test.csv"],
    )
    groups: str | None = Field(
        None,
        title="Groups",
        description="a table's column of groups, which splits keep whole",
        examples=["patient"],
    )
    time: str | None = Field(
        None,
        title="Time",
        description="a table's column of times: validation and test rows are later than training rows",
        examples=["sold"],
    )
    kind: Literal["classification", "regression"] | None = Field(
        None, title="Kind of task", description="classification or regression, for a table", examples=["regression"]
    )
    decimal: Literal[".", ","] | None = Field(
        None,
        title="Decimal mark",
        description="decimal mark of numbers that can be read in two ways, such as 1,234",
        examples=[","],
    )
    missing: tuple[str, ...] = Field(
        (), title="Missing cells", description="text that marks a missing cell", examples=[["-999"]]
    )
    categories: tuple[str, ...] = Field(
        (), title="Categories", description="column whose texts are labels as written", examples=[["zip"]]
    )
    dates: tuple[str, ...] = Field(
        (), title="Dates", description="column of dates, or column=%d.%m.%Y in a format", examples=[["sold=%d.%m.%Y"]]
    )
    drop: tuple[str, ...] = Field((), title="Columns left out", description="column to leave out", examples=[["id"]])

    @field_validator(*LISTS, mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value

    @cached_property
    def reading(self) -> Reading:
        """How a file is read, where its cells do not decide."""
        return Reading(**{name: getattr(self, name) for name in READING})


def data_options(spec: Mapping[str, Any]) -> list[str]:
    """The options with which a command names a spec's target column and test set, and says how the table is split and
    read.
    """
    # Joined with "=", because a column or a file may be named like an option.
    options = []
    for key in ("target", *BY_TASK, "kind", *READING):
        value = spec.get(key)
        for text in (value,) if value is None or isinstance(value, str) else value:
            options += [f"--{key}={text}"] if text not in (None, OWN_TEST) else []
    return options
