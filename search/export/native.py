"""A framework's own rule or schedule, as an entry of the catalog declares it, written out with a config's values."""

from collections.abc import Mapping
from typing import Any

from cooldown.objectives.relations import Native, Natives
from cooldown.search.export.literals import literal

Call = tuple[str, list[str]]
"""A function's name and its arguments, as source."""


class _NotExactError(Exception):
    """A value that the framework's own takes in another way."""


class _Value:
    """A hyperparameter's value in the braces of an argument."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __format__(self, how: str) -> str:
        match how:
            case "":
                return literal(self._value)
            case "whole" | "whole.0":
                if not float(self._value).is_integer():
                    raise _NotExactError
                return str(int(self._value)) + how.removeprefix("whole")
            case "rate":
                return f"{literal(self._value)} * LEARNING_RATE" if self._value else "0.0"
        raise ValueError(f"{{name:{how}}}: how is nothing, whole, whole.0 or rate")


def native_call(natives: Natives, format: str, values: Mapping[str, Any], epochs: int, *, steady: bool) -> Call | None:
    """The call of the framework's own for a format; None where there is none that is exact for these values.

    steady: whether the learning rate is constant.
    """
    native = natives.get(format)
    if native is not None and not isinstance(native, Native):
        native = native(values, epochs)
    if native is None or (native.steady and not steady):
        return None
    if any(values[name] != value for name, value in native.only.items()):
        return None
    written = {name: _Value(value) for name, value in values.items()}
    try:
        return native.function, [argument.format_map(written) for argument in native.arguments]
    except _NotExactError:
        return None
