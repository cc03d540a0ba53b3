"""What routes ask of a request: whose it is, and of which service."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Path, Request

from cooldown.search.service.access.principal import Principal
from cooldown.search.service.api.paths import without_slashes
from cooldown.search.service.refused import RefusedError
from cooldown.search.service.service import Service
from cooldown.storage import LedgerError
from cooldown.storage.names import check_stored_name
from cooldown.storage.tokens import Role


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _caller(role: Role) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency: the caller, who has this role or more."""

    async def caller(request: Request) -> Principal:
        # Set by the middleware around the server; without it, nobody is let in.
        principal: Principal | None = getattr(request.state, "principal", None)
        if principal is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "give a token: Authorization: Bearer TOKEN")
        if not principal.may(role):
            told = f"this needs a token of the role {role.value}; that of {principal.shown!r} is {principal.role.value}"
            raise RefusedError(HTTPStatus.FORBIDDEN, told)
        return principal

    return caller


async def _name(name: Annotated[str, Path(description="the experiment's name", examples=["digits"])]) -> str:
    name = without_slashes(name)
    try:
        check_stored_name(name)
    except LedgerError as error:
        raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from None
    return name


# They are awaited, because each function that is not would wait for a thread.
Served = Annotated[Service, Depends(_service)]
Reader = Annotated[Principal, Depends(_caller(Role.READ))]
Submitter = Annotated[Principal, Depends(_caller(Role.SUBMIT))]
Name = Annotated[str, Depends(_name)]

NEEDS_TOKEN: dict[str, Any] = {"security": [{"token": []}]}
"""In the OpenAPI document of a route that needs a token."""
