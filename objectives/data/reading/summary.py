"""What is told of a table as it was read: one `ReadColumn` for each of its columns."""

from dataclasses import dataclass
from typing import Any, Literal

from cooldown.objectives.data.reading.columns import Column

Role = Literal["target", "weights", "groups", "time", "feature", "left out"]


@dataclass(frozen=True, repr=False)
class ReadColumn:
    """How one column of a table was read.

    kind: "numbers", "categories", "booleans" or "dates"; "" for a column that is left out. how: how its cells were
    read, in words. missing: how many cells are missing. places: its columns in a task's X, () if it is no feature.
    labels: of a feature, what its codes 0, 1, … in X stand for, () if it has none. column: the decision itself, None
    for a column that is left out.
    """

    name: str
    role: Role
    kind: str = ""
    how: str = ""
    missing: int = 0
    places: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    column: Column | None = None

    def __repr__(self) -> str:
        return f"<{self.role} {self.name!r}: {self.kind}>"

    def to_json(self) -> dict[str, Any]:
        """The fields that a reader of JSON can use."""
        return {name: getattr(self, name) for name in ("name", "role", "kind", "how", "missing")}


@dataclass(frozen=True)
class Doubt:
    """A column that may not belong to its table. kind: "identifier", "constant" or "leak". why: a sentence on it."""

    column: str
    kind: Literal["identifier", "constant", "leak"]
    why: str
