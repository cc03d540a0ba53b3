"""`Principal`: on whose behalf a request is made."""

from dataclasses import dataclass

from cooldown.storage.tokens import Role, Token

LOCAL_NAME = ""
"""The owner of what a user of this machine has made, without a token."""


@dataclass(frozen=True)
class Principal:
    """Who makes a request. name: of a token; `LOCAL_NAME` without one. quota: experiments that may be queued at once;
    None for any number.
    """

    name: str
    role: Role
    quota: int | None = None

    def may(self, role: Role) -> bool:
        """Whether this role, or more, is theirs."""
        return self.role.includes(role)

    def owns(self, owner: str) -> bool:
        """Whether they may change what this owner has made."""
        return self.role is Role.ADMIN or (self.role is Role.SUBMIT and owner == self.name)

    @property
    def shown(self) -> str:
        """The name in the audit and in logs."""
        return self.name or "local"


LOCAL = Principal(LOCAL_NAME, Role.ADMIN)
"""A user of this machine, whom its operating system lets in."""


def principal_of(token: Token) -> Principal:
    """The holder of a token."""
    return Principal(token.name, token.role, token.quota)
