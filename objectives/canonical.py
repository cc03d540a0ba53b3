"""Canonical JSON for hashing: equal values give equal bytes."""

import json
from typing import Any

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces; floats in their shortest exact form."""
    return _ENCODER.encode(value).encode()
