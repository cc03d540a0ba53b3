"""Pages of a list: the cursor at which the next one begins, and the tag of an answer that has not changed."""

import base64
import binascii
import json
from typing import Annotated, Any

from fastapi import Header, Query

from cooldown.objectives.errors import InputError

PAGE, MOST = 50, 500
"""Entries on a page, by default and at most."""

LARGEST = 2**53
"""Numbers of a place are below it."""

Limit = Annotated[int, Query(ge=1, le=MOST, description="entries on a page")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before")]
IfNoneMatch = Annotated[str | None, Header(description="the ETag of an earlier answer")]
IfMatch = Annotated[str | None, Header(description="the ETag of the answer that the change is meant for")]


def cursor_of(place: tuple[Any, ...]) -> str:
    """The text that says where the next page begins: after this place, of numbers and texts."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def read_cursor(cursor: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """The place in a `cursor_of`, of values of these `kinds`; raises InputError for any other text."""
    try:
        values = json.loads(base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True))
        place = tuple(kind(value) for kind, value in zip(kinds, values, strict=True))
        if not all(isinstance(value, str) or abs(value) < LARGEST for value in place):
            raise ValueError("no place has such a number")
        return place
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
        raise InputError("cursor: give `next` of the previous page unchanged") from None


def tagged(version: str) -> dict[str, str]:
    """The headers of an answer that is the same until its version changes."""
    return {"ETag": f'"{version}"', "Cache-Control": "private, no-cache"}


def matches(if_none_match: str | None, version: str) -> bool:
    """Whether a caller has this version already."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return f'"{version}"' in tags or "*" in tags


def expected(if_match: str | None) -> list[str] | None:
    """The versions one of which a caller expects; None for any."""
    tags = [tag.strip() for tag in (if_match or "*").split(",")]
    return None if "*" in tags else [tag[1:-1] for tag in tags if tag[:1] == tag[-1:] == '"']
