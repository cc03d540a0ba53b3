"""`spec_digest`: by which experiments that may have the same spec are found, without reading those of all others."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

FURTHER = ("until", "repeats", "widened")
"""Fields that change while an experiment goes on as it was planned."""


def spec_digest(spec: Mapping[str, Any]) -> str:
    """A digest that is the same for specs which are equal but for fields that are null and those of `FURTHER`."""
    same = {key: value for key, value in spec.items() if value is not None and key not in FURTHER}
    return hashlib.sha256(json.dumps(_equal(same), sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def _equal(value: Any) -> Any:
    """A value of JSON, of which those that are equal have one text: 1 is 1.0."""
    if isinstance(value, Mapping):
        return {str(key): _equal(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_equal(inner) for inner in value]
    return float(value) if isinstance(value, int) and abs(value) < 2**53 else value
