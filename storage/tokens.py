"""Tokens: who may use the service, and for what. The ledger keeps a salted hash of each, from which it cannot be had.

A token is 256 random bits, which nobody guesses from their hash: one round of SHA-256 with a salt is enough, and quick
enough for every request.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.storage import tables
from cooldown.storage.acts import note
from cooldown.storage.database import Database
from cooldown.storage.errors import LedgerError

PREFIX = "cooldown_"
"""How a token begins, so that one in the wrong place is recognised for what it is."""

SHORTEST, LONGEST = 32, 200
"""Characters of a token that was made elsewhere."""

SEEN_EVERY = 60.0
"""Seconds between two notes of when a token was last used: reading requests do not write each time."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


class Role(Enum):
    """What the holder of a token may do; each role may do what those before it may."""

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether it may do whatever `other` may."""
        roles = list(Role)
        return roles.index(self) >= roles.index(other)


@dataclass(frozen=True)
class Token:
    """A token as it is listed, without its text. quota: experiments that it may have queued at once; None for any
    number. created_at, last_used_at, revoked_at: seconds since 1970.
    """

    id: int
    name: str
    role: Role
    quota: int | None
    created_at: float
    last_used_at: float | None
    revoked_at: float | None

    def to_json(self) -> dict[str, Any]:
        """The token in `cooldown token list --json`."""
        fields = ("name", "quota", "created_at", "last_used_at", "revoked_at")
        return {**{field: getattr(self, field) for field in fields}, "role": self.role.value}


class Tokens:
    """The tokens of a ledger. May be used by several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, role: Role, quota: int | None = None, text: str | None = None) -> str:
        """Add a token called `name`, and return its text, which nothing will show again.

        text: a token that was made elsewhere, None for a new one. Raises InputError for a name or a text that cannot be
        used, and LedgerError for a name that is taken, if only by a revoked token: the audit names it.
        """
        if not NAME.fullmatch(name):
            raise InputError(f"token name {name!r:.80}: use 1 to 64 letters, digits and ._@-, beginning with one")
        if quota is not None and quota < 0:
            raise InputError(f"quota: should be 0 or more experiments, got {quota}")
        text = f"{PREFIX}{secrets.token_urlsafe(32)}" if text is None else text
        if not SHORTEST <= len(text) <= LONGEST or not text.isascii() or not text.isprintable() or " " in text:
            raise InputError(f"token {name!r}: its text should have {SHORTEST} to {LONGEST} visible ASCII characters")
        salt = secrets.token_bytes(16)

        def create(connection: Connection) -> None:
            self._database.lock_names(connection)
            t = tables.tokens
            if connection.execute(select(t.c.id).where(t.c.name == name)).first():
                raise LedgerError(f"a token called {name!r} exists, or was revoked: choose another name")
            row = {"name": name, "role": role.value, "quota": quota, "salt": salt, "digest": _digest(salt, text)}
            connection.execute(insert(t).values(**row, created_at=self._database.now(connection)))
            note(self._database, connection, "create token", name, role=role.value, quota=quota)

        self._database.write(create, repeatable=False)
        return text

    def list(self) -> Sequence[Token]:
        """All tokens, also revoked ones, by name."""
        query = select(tables.tokens).order_by(tables.tokens.c.name)
        return self._database.read(lambda connection: [_token(row) for row in connection.execute(query)])

    def revoke(self, name: str) -> None:
        """End a token at once; raises LedgerError for an unknown name."""
        t = tables.tokens

        def revoke(connection: Connection) -> None:
            names = list(connection.scalars(select(t.c.name)))
            if name not in names:
                raise LedgerError(str(unknown_name("token", name, names)) if names else f"unknown token {name!r}")
            now = self._database.now(connection)
            connection.execute(update(t).where((t.c.name == name) & t.c.revoked_at.is_(None)).values(revoked_at=now))
            note(self._database, connection, "revoke token", name)

        self._database.write(revoke)

    def any(self) -> bool:
        """Whether there is a token that can be used."""
        query = select(tables.tokens.c.id).where(tables.tokens.c.revoked_at.is_(None)).limit(1)
        return self._database.read(lambda connection: connection.execute(query).first() is not None)

    def of(self, text: str) -> Token | None:
        """The token with this text; None for none. It takes the same time for any text: all tokens are compared."""
        if len(text) > LONGEST:
            return None
        return self._used(lambda row: hmac.compare_digest(_digest(row.salt, text), row.digest))

    def called(self, id: int) -> Token | None:
        """The token of this id, unless it was revoked."""
        return self._used(lambda row: row.id == id)

    def _used(self, is_meant: Callable[[Any], bool]) -> Token | None:
        """The token that is meant, noted as used now; None for none."""
        t = tables.tokens

        def read(connection: Connection) -> tuple[list[Any], float]:
            known = connection.execute(select(t).where(t.c.revoked_at.is_(None))).all()
            return [row for row in known if is_meant(row)], self._database.now(connection)

        found, now = self._database.read(read)
        if not found:
            return None
        row = found[0]
        if row.last_used_at is None or now - row.last_used_at > SEEN_EVERY:
            self._database.write(
                lambda connection: connection.execute(update(t).where(t.c.id == row.id).values(last_used_at=now))
            )
        return _token(row)


def _digest(salt: bytes, text: str) -> bytes:
    return hashlib.sha256(salt + text.encode()).digest()


def _token(row: Any) -> Token:
    times = row.created_at, row.last_used_at, row.revoked_at
    return Token(row.id, row.name, Role(row.role), row.quota, *times)
