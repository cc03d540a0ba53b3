"""Errors as RFC 9457 problem documents, and how the OpenAPI document describes them."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cooldown.objectives.errors import InputError
from cooldown.search.service.api.paths import without_slashes
from cooldown.search.service.refused import PROBLEM, RefusedError, refused_as
from cooldown.search.service.service import Service
from cooldown.search.spec.mistakes import MOST_NAMED, Mistake


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="the field's name", examples=["trials"])
    message: str = Field(
        description="the rule, and the value", examples=["should be greater than or equal to 1, got 0"]
    )


class Problem(BaseModel):
    """A problem document of RFC 9457."""

    type: str = Field(description="always about:blank: the status says what kind of problem it is")
    title: str = Field(description="the phrase of the status", examples=["Unprocessable Entity"])
    status: int = Field(description="the status", examples=[422])
    detail: str = Field(description="why the request is refused", examples=["2 fields are wrong"])
    instance: str = Field(description="the path that was asked for", examples=["/api/v1/experiments"])
    errors: list[FieldError] | None = Field(None, description="every wrong field, where fields are wrong")


WHY = {
    400: "The request cannot be read.",
    401: "The token is missing or unknown.",
    403: "The token's role does not allow it, or what is asked for belongs to somebody else.",
    404: "There is no such experiment, data set or page.",
    405: "The path has no such method.",
    409: "What is asked for does not go with the state of the experiment.",
    412: "It has changed since the version in `If-Match`: read it again.",
    413: "The request is too large.",
    415: "The content is of another type.",
    422: "Fields are wrong: `errors` lists each of them.",
    429: "Too many requests: try again after `Retry-After` seconds.",
    503: "The database is not available at the moment: try again after `Retry-After` seconds.",
}

ALWAYS = (400, 401, 403, 405, 422, 429, 503)
"""Statuses that any route may answer."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer these statuses, beside those of any."""
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": WHY[status], "content": content} for status in sorted({*ALWAYS, *statuses})}


def answer_with_problems(app: FastAPI) -> None:
    """Let an application answer every error with a problem document."""

    @app.exception_handler(RefusedError)
    def _refused(request: Request, refusal: RefusedError) -> JSONResponse:
        service: Service = request.app.state.service
        document = refusal.to_json(without_slashes(request.scope["path"]))
        document["detail"] = service.without_place(document["detail"])
        return JSONResponse(document, refusal.status, {**refusal.headers}, media_type=PROBLEM)

    @app.exception_handler(InputError)
    def _bad_input(request: Request, error: InputError) -> JSONResponse:
        return _refused(request, refused_as(error))

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        mistakes = [_mistake(detail) for detail in error.errors()[:MOST_NAMED]]
        told = mistakes[0].line if len(mistakes) == 1 else f"{len(mistakes)} fields are wrong"
        return _refused(request, RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, told, mistakes))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        detail = WHY.get(status, status.phrase) if error.detail == status.phrase else str(error.detail)
        return _refused(request, RefusedError(status, detail, (), error.headers or {}))

    @app.exception_handler(Exception)
    def _failed(request: Request, _: Exception) -> JSONResponse:
        # The server logs what it was.
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return _refused(request, RefusedError(status, "this is a fault of the server; its log says more"))


class AsProblems:
    """ASGI middleware that makes problem documents of errors that the framework answers as plain text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        replaced = False

        async def sent(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.BAD_REQUEST:
                headers = Headers(raw=message["headers"])
                replaced = headers.get("content-type", "").startswith("text/plain")
                if replaced:
                    status = HTTPStatus(message["status"])
                    document = RefusedError(status, WHY.get(status, status.phrase)).to_json(
                        without_slashes(scope["path"])
                    )
                    await JSONResponse(document, status, media_type=PROBLEM)(scope, receive, send)
            if not replaced:
                await send(message)

        await self._app(scope, receive, sent)


def _mistake(detail: Any) -> Mistake:
    """A mistake in a parameter of a route."""
    place = [str(part) for part in detail["loc"] if part not in ("query", "path", "header", "body")]
    field = ".".join(place) or "body"
    message = str(detail["msg"]).replace("Input should", "should").replace("String should", "should")
    return Mistake(field, f"{field}: {message}")
