"""JSON in a column of text."""

import json
from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from cooldown.storage.checking import from_json


class JSONText(TypeDecorator[Any]):
    """A JSON value as text; None is null. What is no JSON is read as `from_json` says."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        """The value's text."""
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Any:
        """The text's value."""
        return None if value is None else from_json(value)
