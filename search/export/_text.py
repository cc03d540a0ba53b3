"""Values as Python source."""

from typing import Any

import numpy as np


def literal(value: Any, indent: int | None = None) -> str:
    """A value as Python source that means exactly it, and nothing else: whatever stands in a text stays text.

    indent: of the line that it begins in, for a table that is written over several lines.
    """
    if isinstance(value, str):
        return '"' + "".join(_escaped(character) for character in value) + '"'
    if isinstance(value, dict):
        items = [f"{literal(key)}: {literal(each)}" for key, each in value.items()]
        if indent is None:
            return "{" + ", ".join(items) + "}"
        pad = " " * (indent + 4)
        return "{\n" + "".join(f"{pad}{item},\n" for item in items) + " " * indent + "}"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, float) and not np.isfinite(value):
        return f'float("{value}")'
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    raise TypeError(f"{value!r:.80} has no literal")


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else repr(character)[1:-1]


def call(function: str, arguments: list[str], indent: int, before: str = "") -> str:
    """A call as ruff writes it: in one line of 120 columns where it fits, else its arguments in a line of their own.

    before: what stands before it in its first line, behind `indent` spaces.
    """
    line = f"{function}({', '.join(arguments)})"
    if indent + len(before) + len(line) <= 120:
        return line
    pad = " " * indent
    inner = f"{pad}    {', '.join(arguments)}"
    if len(inner) > 120:
        inner = "\n".join(f"{pad}    {argument}," for argument in arguments)
    return f"{function}(\n{inner}\n{pad})"
