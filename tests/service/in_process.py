"""A session of `requests` that speaks to an application in this process."""

import io
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import BaseAdapter
from served import ADDRESS
from starlette.testclient import TestClient
from starlette.types import ASGIApp
from urllib3 import HTTPResponse


class InProcess(BaseAdapter):
    """Sends requests to an application. before: called with each of them, and may raise."""

    def __init__(self, app: ASGIApp, before: Callable[[Any], None] = lambda _: None) -> None:
        super().__init__()
        self._client, self._before = TestClient(app, ADDRESS, follow_redirects=False), before

    def send(self, request: Any, **_: Any) -> requests.Response:
        self._before(request)
        answer = self._client.request(request.method, request.url, content=request.body, headers=dict(request.headers))
        made = requests.Response()
        made.status_code, made.reason, made.request, made.url = (
            answer.status_code,
            answer.reason_phrase,
            request,
            request.url,
        )
        made.headers.update(answer.headers)
        made.encoding = answer.encoding
        made.raw = HTTPResponse(io.BytesIO(answer.content), status=answer.status_code, preload_content=False)
        return made

    def close(self) -> None:
        self._client.close()


def session(app: ASGIApp, before: Callable[[Any], None] = lambda _: None) -> requests.Session:
    """A session for a `Client` of `ADDRESS`."""
    made = requests.Session()
    made.mount(ADDRESS, InProcess(app, before))
    return made
