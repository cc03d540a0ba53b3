"""`EncodedSlashes`: an experiment may be called `team/sgd`, whose address is `/v1/experiments/team%2Fsgd`.

A server decodes an address before it looks at its parts, so a slash in a name would end the name. It is kept apart as a
character that no name has, and that no route has either.
"""

from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

SLASH = "\x1f"
"""A slash within a part of an address."""


class EncodedSlashes:
    """ASGI middleware that writes `SLASH` for each `%2F` in the path of a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        raw = scope.get("raw_path") or b""
        if b"%2f" in raw.lower():
            parts = [unquote(part).replace("/", SLASH) for part in raw.decode("latin-1").split("/")]
            scope = {**scope, "path": "/".join(parts)}
        await self._app(scope, receive, send)


def without_slashes(part: str) -> str:
    """What a part of an address names."""
    return part.replace(SLASH, "/")
