"""`Access`: pure ASGI middleware around everything that a server has: pages, websockets and the API.

It finds out who asks, by a token or by the session of a browser that has signed in, and keeps out everybody else. What
those who are let in may do is for the routes to say. A wrong token costs its sender time: after a few, an address has
to wait.
"""

import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cooldown.search.service.access import sign_in
from cooldown.search.service.access.buckets import Buckets
from cooldown.search.service.access.principal import LOCAL, Principal, principal_of
from cooldown.search.service.access.sessions import set_cookie
from cooldown.search.service.access.visitors import Visitors
from cooldown.search.service.refused import PROBLEM, RefusedError, unavailable
from cooldown.storage import LedgerError
from cooldown.storage.tokens import Role, Token

PUBLIC = ("/_stcore/health", "/api/v1/health")
"""What is answered without a token: whether the server is well."""

UPLOADS = "/_stcore/upload_file/"
"""Where the dashboard's pages take files, which wait in the server's memory."""

FORM = 4096
"""Bytes of a form that signs in."""

GUESSES_PER_SECOND, GUESSES = 0.1, 10
REQUESTS_PER_SECOND, REQUESTS = 50.0, 200
"""Wrong tokens of an address, and requests of a token to the API: in the long run, and at once."""

LOOK_AGAIN = 30.0
"""Seconds after which the token of an open websocket is looked at again."""


class Access:
    """ASGI middleware. visitors: who is let in. base_path: `/path` in front of all pages, or nothing."""

    def __init__(self, app: ASGIApp, visitors: Visitors, *, base_path: str = "") -> None:
        self._app, self._visitors, self._base = app, visitors, base_path
        self._guesses = Buckets(GUESSES_PER_SECOND, GUESSES)
        self._requests = Buckets(REQUESTS_PER_SECOND, REQUESTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its principal, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path = str(scope["path"]).removeprefix(self._base)
        try:
            answer = await self._answer(scope, receive, path)
        except RefusedError as refusal:
            answer = self._refused(scope, path, refusal)
        except LedgerError:
            # Whether the database answers is what some ask without a token.
            answer = None if path in PUBLIC else self._refused(scope, path, unavailable())
        if answer is None:
            watched = self._watched(scope, receive, send) if scope["type"] == "websocket" else receive
            await self._app(scope, watched, _unframed(send) if scope["type"] == "http" else send)
        elif scope["type"] == "websocket":
            # Closed before it is accepted: the server answers 403.
            await send({"type": "websocket.close", "code": 1008})
        else:
            await answer(scope, receive, _unframed(send))

    async def _answer(self, scope: Scope, receive: Receive, path: str) -> Response | None:
        """The answer to a request that goes no further; None for one that is let in."""
        if scope["type"] == "http" and path in ("/sign-in", "/sign-out"):
            return await self._sign(Request(scope, receive), path)
        principal = await self._principal(scope)
        if principal is None and path not in PUBLIC:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "give a token: Authorization: Bearer TOKEN")
        if path.startswith(UPLOADS) and principal is not None and not principal.may(Role.SUBMIT):
            raise RefusedError(HTTPStatus.FORBIDDEN, "this needs a token of the role submit")
        counted = path.startswith("/api/") and principal != LOCAL
        if counted and (wait := self._requests.take(_who(scope, principal))):
            raise _later("too many requests", wait)
        scope.setdefault("state", {})["principal"] = principal
        return None

    async def _principal(self, scope: Scope) -> Principal | None:
        """Who makes a request; None for somebody unknown. Raises RefusedError for a wrong token."""
        headers = Headers(scope=scope)
        scheme, _, text = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return principal_of(await self._token(scope, text.strip()))
        return await run_in_threadpool(self._visitors.of, headers.get("cookie", ""))

    async def _token(self, scope: Scope, text: str) -> Token:
        """The token with this text; raises RefusedError for none, and for an address that gave too many wrong ones."""
        address = scope["client"][0] if scope.get("client") else ""
        if wait := self._guesses.wait(address):
            raise _later("too many wrong tokens from this address", wait)
        token = await run_in_threadpool(self._visitors.tokens.of, text)
        if token is None:
            self._guesses.take(address)
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "the token is unknown, or was revoked")
        return token

    async def _sign(self, request: Request, path: str) -> Response:
        """The page that signs in and out, and its forms."""
        secure, start = request.url.scheme == "https", f"{self._base}/"
        if request.method == "GET" and path == "/sign-in":
            principal = await self._principal(request.scope)
            return self._page("", HTTPStatus.OK, start, principal.shown if principal else "")
        if request.method != "POST":
            return Response(status_code=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})
        if path == "/sign-out":
            return RedirectResponse(
                f"{start}sign-in", HTTPStatus.SEE_OTHER, {"Set-Cookie": set_cookie("", self._base, secure=secure)}
            )
        form = parse_qs(await _form(request))
        then = sign_in.place(form.get("then", [""])[0], self._base)
        try:
            token = await self._token(request.scope, form.get("token", [""])[0].strip())
        except RefusedError as refusal:
            return self._page(f"{refusal.detail.capitalize()}.", refusal.status, then)
        cookie = set_cookie(self._visitors.sessions.begin(token), self._base, secure=secure)
        return RedirectResponse(then, HTTPStatus.SEE_OTHER, {"Set-Cookie": cookie})

    def _refused(self, scope: Scope, path: str, refusal: RefusedError) -> Response:
        """A refusal as a program reads it from the API, or a person on a page."""
        headers = {**refusal.headers, "WWW-Authenticate": "Bearer"}
        if path.startswith("/api/"):
            return JSONResponse(refusal.to_json(scope["path"]), refusal.status, headers, media_type=PROBLEM)
        if (
            scope["type"] == "http"
            and scope["method"] == "GET"
            and "text/html" in Headers(scope=scope).get("accept", "")
        ):
            query = scope["query_string"].decode("ascii", "replace")
            asked = f"{scope['path']}?{query}" if query else scope["path"]
            return self._page("", refusal.status, sign_in.place(asked, self._base))
        return Response(status_code=refusal.status, headers=headers)

    def _page(self, wrong: str, status: HTTPStatus, then: str, who: str = "") -> Response:
        headers = {"Content-Security-Policy": sign_in.POLICY, "Cache-Control": "no-store"}
        return HTMLResponse(sign_in.page(self._base, then, wrong, who), status, headers)

    def _watched(self, scope: Scope, receive: Receive, send: Send) -> Receive:
        """What a websocket receives, which ends soon after its token was revoked or its session is over."""
        looked = time.monotonic()

        async def watched() -> Message:
            nonlocal looked
            message = await receive()
            if time.monotonic() - looked > LOOK_AGAIN:
                looked = time.monotonic()
                if not await self._still(scope):
                    await send({"type": "websocket.close", "code": 1008})
                    return {"type": "websocket.disconnect", "code": 1008}
            return message

        return watched

    async def _still(self, scope: Scope) -> bool:
        """Whether who was let in would be let in again; as long as the ledger does not answer, they would."""
        try:
            return await self._principal(scope) is not None
        except RefusedError:
            return False
        except LedgerError:
            return True


def _who(scope: Scope, principal: Principal | None) -> str:
    """Whose requests are counted together: a token's, or without one an address's."""
    if principal is not None and principal.name:
        return principal.name
    return f"address {scope['client'][0] if scope.get('client') else ''}"


def _later(why: str, wait: float) -> RefusedError:
    seconds = str(int(wait) + 1)
    told = f"{why}: try again in {seconds} s"
    return RefusedError(HTTPStatus.TOO_MANY_REQUESTS, told, (), {"Retry-After": seconds})


async def _form(request: Request) -> str:
    """The body of a small form; raises RefusedError for a larger one."""
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > FORM:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a form has at most {FORM} bytes")
    return content.decode("ascii", "replace")


def _unframed(send: Send) -> Callable[[Message], Awaitable[None]]:
    """Send answers that no page of another site may show in a frame."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Frame-Options", "SAMEORIGIN")
            headers.setdefault("X-Content-Type-Options", "nosniff")
        await send(message)

    return sent
