"""`RequestLog`: a line of JSON for each request to the API, and numbers for /metrics."""

import json
import logging
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cooldown.search.service.access.principal import Principal

LOGGER = logging.getLogger("cooldown.service")
LOGGED = re.compile(r"/api/|/sign-(in|out)$")
EXPERIMENT = re.compile(r"/api/v1/experiments/([^/]+)")
HEADER = "X-Request-ID"
ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""The id of a request that a proxy has given it; any other gets a new one."""


class Kind(NamedTuple):
    """Requests that are counted together."""

    method: str
    status: int


class Requests:
    """How many requests were answered, and how long that took in all. May be used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count: Counter[Kind] = Counter()
        self._seconds: Counter[Kind] = Counter()

    def add(self, kind: Kind, seconds: float) -> None:
        """Count a request."""
        with self._lock:
            self._count[kind] += 1
            self._seconds[kind] += seconds  # type: ignore[assignment]

    def counted(self) -> Mapping[Kind, tuple[int, float]]:
        """The number of requests of each kind, and the seconds that they took together."""
        with self._lock:
            return {kind: (count, float(self._seconds[kind])) for kind, count in self._count.items()}


class RequestLog:
    """ASGI middleware that gives each request an id, and logs and counts those to the API when they are answered."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self._app, self._requests = app, requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it."""
        if scope["type"] != "http" or not LOGGED.search(scope["path"]):
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(HEADER.lower().encode(), b"").decode("latin-1")
        id, began, status = given if ID.fullmatch(given) else uuid.uuid4().hex, time.monotonic(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = id
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            seconds = time.monotonic() - began
            self._requests.add(Kind(scope["method"], status), seconds)
            _log(scope, id, status, seconds)


def logged(**fields: Any) -> None:
    """Log a line of JSON with these fields."""
    LOGGER.info(json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **fields}))


def _log(scope: Scope, id: str, status: int, seconds: float) -> None:
    principal: Principal | None = scope.get("state", {}).get("principal")
    # As it was sent: a slash in a name ends it otherwise.
    named = EXPERIMENT.search(scope["raw_path"].decode("latin-1"))
    logged(
        request=id,
        who=principal.shown if principal else None,
        method=scope["method"],
        path=scope["path"],
        status=status,
        seconds=round(seconds, 4),
        experiment=unquote(named[1]) if named else None,
    )


def log_to_stderr() -> None:
    """Write the lines to standard error, one JSON document each."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
