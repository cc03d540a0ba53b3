"""`Visitors`: who a browser is, by the session that it began with a token."""

from dataclasses import dataclass, field

from cooldown.search.service.access.principal import LOCAL, Principal, principal_of
from cooldown.search.service.access.sessions import Sessions
from cooldown.storage.tokens import Tokens


@dataclass(frozen=True)
class Visitors:
    """The browsers of one server. open: whether one that has not signed in is let in too, as a user of this machine:
    only a server that nobody else can reach may be so. May be used by several threads.
    """

    tokens: Tokens
    open: bool
    sessions: Sessions = field(default_factory=Sessions)

    def of(self, cookie: str) -> Principal | None:
        """Who sends this Cookie header; None for somebody unknown, as after the token was revoked. Raises LedgerError
        where the ledger does not answer.
        """
        id = self.sessions.token_id(cookie)
        token = None if id is None else self.tokens.called(id)
        if token is not None:
            return principal_of(token)
        return LOCAL if self.open else None
