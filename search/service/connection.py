"""`Connection`: requests to a service with its token, sent again where that helps, and refusals as errors."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3 import Retry

from cooldown.objectives.errors import InputError
from cooldown.objectives.plain_text import visible

CONNECT, READ = 10.0, 300.0
"""Seconds that a server has to accept a connection, and to say something."""

AGAIN = Retry(
    total=5, connect=2, backoff_factor=0.5, status_forcelist=(429, 503), allowed_methods=None, raise_on_status=False
)
"""How often a request is repeated. Each may be: a submission has a key, and a verb says what is to be so."""


class ServiceError(InputError):
    """A service that refuses what it was asked. status: of HTTP; None for one that was not reached. problem: its
    document, {} for none.
    """

    def __init__(self, message: str, status: int | None = None, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(visible(message))
        self.status, self.problem = status, problem or {}


class Connection:
    """A service at `url`. token: None for none. session: of `requests`; None for one that repeats what may be repeated.

    Raises InputError for what is no address.
    """

    def __init__(self, url: str, token: str | None, session: requests.Session | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise InputError(f"server {url!r:.200}: should be an address such as http://127.0.0.1:8501")
        self.url = url.rstrip("/")
        self.session = requests.Session() if session is None else session
        if session is None:
            for scheme in ("http://", "https://"):
                self.session.mount(scheme, HTTPAdapter(max_retries=AGAIN))
        self.session.auth = _Bearer(token)

    def asked(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer to a request; raises ServiceError for a refusal."""
        url = f"{self.url}/api/v1/{path}"
        try:
            answer = self.session.request(method, url, timeout=(CONNECT, READ), allow_redirects=False, **options)
        except requests.RequestException as error:
            raise ServiceError(f"the service at {self.url} cannot be reached: {_reason(error)}") from None
        if answer.ok and answer.status_code < requests.codes.multiple_choices:
            return answer
        raise _refusal(self.url, answer)


class _Bearer(AuthBase):
    """Sends a token, or nothing: also where a file of this machine has a password for the server."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _refusal(url: str, answer: requests.Response) -> ServiceError:
    """The error for a refusal: the problem, and every wrong field."""
    try:
        problem = answer.json()
        lines = [str(problem["detail"])]
    except (ValueError, KeyError, TypeError):
        told = f"the service at {url} answers {answer.status_code} {answer.reason}: is it a Cooldown service?"
        return ServiceError(told, answer.status_code)
    errors = problem.get("errors") or ()
    if len(errors) > 1:
        lines += [f"  {error['field']}: {error['message']}" for error in errors]
    return ServiceError("\n".join(lines), answer.status_code, problem)


def _reason(error: requests.RequestException) -> str:
    """Why a server was not reached, without what the libraries wrap around it."""
    inner: Any = error
    while (deeper := getattr(inner, "reason", None) or next(iter(getattr(inner, "args", ())), None)) is not None:
        if not isinstance(deeper, BaseException):
            break
        inner = deeper
    return str(inner).rpartition(": ")[2] or type(error).__name__
