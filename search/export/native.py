"""Source code that calls a framework's own rule or schedule, as a catalog entry declares it, with a config's values."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from cooldown.objectives.relations import Native, Natives
from cooldown.search.export.literals import literal


class Call(NamedTuple):
    """A function's name and its arguments, as source. reported: see `Native`."""

    function: str
    arguments: list[str]
    reported: str = ""


class _NotExactError(Exception):
    """A value that the framework cannot take exactly."""


class _Value:
    """A hyperparameter's value in the format string of an argument."""

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
        raise ValueError(f"{{name:{how}}}: the format must be empty, whole, whole.0 or rate, got {how!r}")


def native_call(natives: Natives, format: str, values: Mapping[str, Any], epochs: int, *, steady: bool) -> Call | None:
    """The call of the framework's own rule or schedule for a format; None if none is exact for these values.

    epochs: of the run. steady: whether the learning rate is constant.
    """
    native = natives.get(format)
    if native is not None and not isinstance(native, Native):
        native = native(values, epochs)
    if native is None or (native.steady and not steady):
        return None
    if any(values[name] != value for name, value in native.only.items()):
        return None
    formattable = {name: _Value(value) for name, value in values.items()}
    try:
        arguments = [argument.format_map(formattable) for argument in native.arguments]
        return Call(native.function, arguments, native.reported)
    except _NotExactError:
        return None
