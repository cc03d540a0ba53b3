"""TOML and JSON files as tables: specs, and configurations written by `cooldown export`."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from cooldown.objectives.data.reading.text import decoded
from cooldown.objectives.errors import InputError
from cooldown.objectives.files import DOCUMENT_BYTES, read_file

OPAQUE = re.compile(
    r'"""[\s\S]*?"""|' r"'''[\s\S]*?'''|" r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'|" r"#[^\n]*",
)
"""Strings and comments in TOML, in which dots separate nothing."""

DEEP_KEY = re.compile(r"(?:\.[^.,=\n]*){8}")
"""A dotted key that no document of ours has; the standard library's parser takes quadratic time and memory for it."""


def read_document(path: Path, what: str) -> dict[str, Any]:
    """The table in a TOML file or, with any other suffix than `.toml`, in a JSON file; both in UTF-8, or in UTF-16 with
    its byte order mark.

    what: the file in messages. Raises InputError for a file that cannot be read or parsed, and for one that holds no
    table.
    """
    content = read_file(path, what, DOCUMENT_BYTES)
    text = decoded(content, what)
    kind = "TOML" if path.suffix.lower() == ".toml" else "JSON"
    try:
        document = _toml(text) if kind == "TOML" else json.loads(text)
    except RecursionError:
        raise InputError(f"{what}: cannot be read as {kind}: it is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{what}: is not valid {kind}: {error}") from None
    if not isinstance(document, dict):
        raise InputError(f"{what}: is not a configuration: expected a table, got {type(document).__name__}")
    return document


def _toml(text: str) -> dict[str, Any]:
    """The table of a TOML text; raises RecursionError for keys or values that are nested too deeply."""
    if DEEP_KEY.search(OPAQUE.sub("''", text)):
        raise RecursionError
    # TOML knows two of the three kinds of line ends.
    return tomllib.loads(text.replace("\r\n", "\n").replace("\r", "\n"))
