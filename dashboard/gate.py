"""Who is let in to the server: requests that name it by a known host, and that no page of another site has made.

A web page anywhere can make the reader's browser ask this server: by its address, or by a name of its own that leads
here (DNS rebinding). The first has a foreign Origin, the second a foreign Host. The gate stands before everything that
the server has, its health check and websockets included.
"""

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cooldown.search.service.access.hosts import EVERYWHERE, LOOPBACK


class Gate:
    """ASGI middleware that answers 403, without a body, to what is not let in.

    host: where the server listens. allowed: further names by which readers may call it, such as that of a proxy.
    """

    def __init__(self, app: ASGIApp, host: str, allowed: Collection[str] = ()) -> None:
        self._app = app
        self._allowed = {_plain(name) for name in allowed}
        self._names = {*self._allowed, _plain(host)}
        self._any_address = host in EVERYWHERE
        if host in LOOPBACK or self._any_address:
            self._names |= set(LOOPBACK)
        if self._any_address:
            name = _plain(socket.gethostname())
            self._names |= {name, f"{name}.local"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) == 1 and self._knows(hosts[0]) and all(self._is_ours(origin, hosts[0]) for origin in origins):
            # It has been judged here; Streamlit would ask another server for this machine's address to judge it again.
            del MutableHeaders(scope=scope)["origin"]
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Closed before it is accepted: the server answers 403.
            await send({"type": "websocket.close", "code": 1008})
        else:
            await Response(status_code=403)(scope, receive, send)

    def _knows(self, host: str) -> bool:
        """Whether a Host header names this server. An address cannot be made to lead elsewhere, as a name can."""
        name = _name(f"//{host}")
        return name is not None and (name in self._names or (self._any_address and _is_address(name)))

    def _is_ours(self, origin: str, host: str) -> bool:
        """Whether a page of this origin is the server's own: it has the request's host, or a name that was allowed."""
        return urlsplit(origin).netloc.lower() == host.lower() or _name(origin) in self._allowed


def _name(url: str) -> str | None:
    """The host name in a URL, None for what is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # checks that it is a number
    except ValueError:
        return None
    odd = parts.username is not None or parts.path or parts.query or parts.fragment
    return None if parts.hostname is None or odd else _plain(parts.hostname)


def _plain(name: str) -> str:
    return name.strip().strip("[]").lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
