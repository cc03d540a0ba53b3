"""Values as Python source."""

from typing import Any

import numpy as np

from cooldown.objectives.plain_text import visible

WIDTH = 120
"""Maximum length of a line, as in ruff's configuration."""


def literal(value: Any, indent: int | None = None) -> str:
    """A value as Python source. Strings are escaped, so that a user's text can never become code.

    indent: of the line in which it starts, if a dict or a list is to be written over several lines; None for one line.
    """
    if isinstance(value, str):
        # The quotes that need fewer escapes, as ruff formats it.
        quote = "'" if value.count('"') > value.count("'") else '"'
        return quote + "".join(_escaped(character, quote) for character in value) + quote
    if isinstance(value, dict):
        items = [f"{literal(key)}: {literal(item)}" for key, item in value.items()]
        if indent is None:
            return "{" + ", ".join(items) + "}"
        lines = [f"{' ' * (indent + 4)}{item}," for item in items]
        # A user's text may be longer than a line.
        marked = [line if len(line) <= WIDTH else f"{line}  # noqa: E501" for line in lines]
        return "\n".join(["{", *marked, " " * indent + "}"])
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        if indent is not None and value:
            return "\n".join(["[", *(f"{' ' * (indent + 4)}{literal(item)}," for item in value), " " * indent + "]"])
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, float) and not np.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, float):
        # numpy's floats are instances of float too, but their repr contains the type.
        return repr(float(value)).replace("e+", "e")
    if value is None or isinstance(value, bool | int):
        return repr(value)
    raise TypeError(f"{value!r:.80} has no literal")


def _escaped(character: str, quote: str) -> str:
    if character in (quote, "\\"):
        return f"\\{character}"
    return visible(character if character.isprintable() else repr(character)[1:-1])


def call(function: str, arguments: list[str], indent: int, before: str = "") -> str:
    """A call as ruff formats it: in one line of 120 columns if it fits, else with the arguments in separate lines.

    before: the text before it in its first line, after `indent` spaces.
    """
    line = f"{function}({', '.join(arguments)})"
    if indent + len(before) + len(line) <= WIDTH:
        return line
    pad = " " * indent
    inner = f"{pad}    {', '.join(arguments)}"
    if len(inner) > WIDTH:
        inner = "\n".join(f"{pad}    {argument}," for argument in arguments)
    return f"{function}(\n{inner}\n{pad})"


def assigned(name: str, values: list[Any]) -> str:
    """A list as the value of a constant: in the constant's line if it fits, else over several."""
    text = literal(values)
    return text if len(f"{name} = {text}") <= WIDTH else literal(values, 0)
