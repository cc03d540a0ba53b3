"""TOML: the same document as JSON, easier to edit; null values are left out, as TOML has no null."""

from typing import Any

from tomli_w import dumps

from cooldown.objectives.plain_text import visible_in_toml
from cooldown.search.export.document import document
from cooldown.search.export.format import Chosen, ConfigFormat, Exported


def write(chosen: Chosen) -> Exported:
    """The document in TOML 1.0."""
    return Exported(visible_in_toml(dumps(_without_null(document(chosen)), multiline_strings=False)))


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    return [_without_null(item) for item in value] if isinstance(value, list | tuple) else value


toml = ConfigFormat("toml", ".toml", "the same document, easier to edit; null values are left out", write, "toml")
