"""`RefusedError`: why a request is not answered as asked, as an RFC 9457 problem document says it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from cooldown.objectives.errors import InputError
from cooldown.objectives.trust import UntrustedModuleError
from cooldown.search.spec.mistakes import Mistake, mistakes_of
from cooldown.storage import (
    ChangedError,
    LedgerError,
    NoLedgerError,
    QuotaError,
    UnavailableError,
    UnknownExperimentError,
)

PROBLEM = "application/problem+json"

RETRY_UNAVAILABLE = 5
"""Seconds after which a database that is not available is asked again."""


class RefusedError(Exception):
    """A request that is refused. detail: why, as a sentence. mistakes: each wrong field. headers: of the answer."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        mistakes: Sequence[Mistake] = (),
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.mistakes, self.headers = status, detail, tuple(mistakes), headers

    def to_json(self, instance: str) -> dict[str, Any]:
        """The problem document. instance: the path that was asked for."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            "instance": instance,
        }
        if self.mistakes:
            document["errors"] = [{"field": mistake.field, "message": mistake.message} for mistake in self.mistakes]
        return document


def unavailable() -> RefusedError:
    """What is said where the database does not answer."""
    headers = {"Retry-After": str(RETRY_UNAVAILABLE)}
    return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "the database is not available at the moment", (), headers)


def refused_as(error: InputError) -> RefusedError:
    """What an error of the layers below means to a caller."""
    match error:
        case UnknownExperimentError() | NoLedgerError():
            return RefusedError(HTTPStatus.NOT_FOUND, str(error))
        case UnavailableError():
            return unavailable()
        case ChangedError():
            return RefusedError(HTTPStatus.PRECONDITION_FAILED, str(error))
        case QuotaError():
            return RefusedError(HTTPStatus.FORBIDDEN, str(error))
        case LedgerError() | UntrustedModuleError():
            return RefusedError(HTTPStatus.CONFLICT, str(error))
    mistakes = mistakes_of(error)
    detail = str(error) if len(mistakes) < 2 else f"{len(mistakes)} fields are wrong"
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, mistakes)
