"""What is wrong with a spec, field by field: all mistakes in one error."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, get_args

from pydantic import ValidationError

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError

MOST_NAMED = 20
"""Mistakes of a spec that a message lists at most."""

FIELD = re.compile(r"([a-z_]+)(?:\[[^\]]*\])*: ")
"""How a message begins that names the field that it is about."""


class Mistake(NamedTuple):
    """A mistake in a field. line: what is said of it on a line of its own."""

    field: str
    line: str

    @property
    def message(self) -> str:
        """What is wrong, beside the field's name."""
        return self.line.removeprefix(f"{self.field}: ")


class SpecError(InputError):
    """A spec that cannot be read. mistakes: the first `MOST_NAMED` that are wrong with it, of `count`."""

    def __init__(self, mistakes: Sequence[Mistake], count: int) -> None:
        self.mistakes = tuple(mistakes[:MOST_NAMED])
        lines = [mistake.line for mistake in self.mistakes]
        if more := count - len(lines):
            lines.append(f"… and {more:,} more")
        alone = count == 1
        super().__init__(lines[0] if alone else "\n  ".join([f"{count:,} problems in the spec:", *lines]))


def mistakes_of(error: InputError) -> tuple[Mistake, ...]:
    """The mistakes that an error names by field; () for one about something else."""
    if isinstance(error, SpecError):
        return error.mistakes
    named = FIELD.match(str(error))
    return (Mistake(named[1], str(error)),) if named else ()


def unknown_settings(names: Sequence[str], known: Sequence[str]) -> tuple[list[Mistake], int]:
    """The first `MOST_NAMED` of settings that there are not, and the number of all of them."""
    shown = [Mistake(name, str(unknown_name("setting", name, known))) for name in names[:MOST_NAMED]]
    return shown, len(names)


def invalid_fields(error: ValidationError, annotations: Mapping[str, Any]) -> list[Mistake]:
    """The mistakes of pydantic's error. annotations: the type of each field."""
    return [mistake for detail in error.errors() for mistake in _mistakes(detail, annotations)]


def _mistakes(error: Any, annotations: Mapping[str, Any]) -> Iterable[Mistake]:
    """The messages for one of pydantic's errors: field, rule, value."""
    field, value = error["loc"][0], error["input"]
    where = field + "".join(f"[{part}]" for part in error["loc"][1:])
    if (cause := error.get("ctx", {}).get("error")) is not None:
        return [Mistake(field, f"{field}: {line}") for line in str(cause).split("\n")]
    match error["type"]:
        case "missing":
            return [Mistake(field, f"{where}: is missing")]
        case "literal_error" if isinstance(value, str) and (choices := _choices(annotations[field])):
            return [Mistake(field, str(unknown_name(field, value, choices)))]
        case "tuple_type":
            return [Mistake(field, f"{where}: should be a list, got {value!r}")]
    message = error["msg"].replace("Input should", "should").replace("String should", "should")
    return [Mistake(field, f"{where}: {message}, got {value!r:.80}")]


def _choices(annotation: Any) -> list[str]:
    """The texts that a field may be, by its annotation: a Literal, or one of several types."""
    parts = get_args(annotation)
    return [text for part in parts for text in ([part] if isinstance(part, str) else _choices(part))]
