"""`Sessions`: a browser that has signed in is known by a signed cookie, which says whose token it gave."""

import hmac
import secrets
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from cooldown.storage.tokens import Token

COOKIE = "cooldown_session"
LASTS = 12 * 3600
"""Seconds until a browser has to sign in again; it also has to after a restart of the server."""


class Sessions:
    """The sessions of one server process, whose key nothing else has. clock: seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = secrets.token_bytes(32), clock

    def begin(self, token: Token) -> str:
        """The cookie's value for the holder of a token."""
        said = f"{token.id}.{int(self._clock()) + LASTS}"
        return f"{said}.{self._signature(said)}"

    def token_id(self, header: str) -> int | None:
        """The id of the token that a Cookie header's session began with; None for none, or one that is over."""
        try:
            value = SimpleCookie(header)[COOKIE].value
        except (CookieError, KeyError):
            return None
        said, _, signature = value.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(said).encode()):
            return None
        id, expires = said.split(".")
        return int(id) if self._clock() < int(expires) else None

    def _signature(self, said: str) -> str:
        return hmac.new(self._key, said.encode(), "sha256").hexdigest()


def set_cookie(value: str, base_path: str, *, secure: bool) -> str:
    """The Set-Cookie header for a session; an empty value ends it."""
    ends = f"Max-Age={LASTS}" if value else "Max-Age=0"
    safe = "; Secure" if secure else ""
    return f"{COOKIE}={value}; Path={base_path or '/'}; {ends}; HttpOnly; SameSite=Strict{safe}"
