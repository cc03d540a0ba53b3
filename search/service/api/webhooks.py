"""The routes for webhooks: register an address that is told when experiments end, list and delete."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from cooldown.search.service import hooks
from cooldown.search.service.api.callers import NEEDS_TOKEN, Served, Submitter
from cooldown.search.service.api.problems import problems
from cooldown.search.service.outgoing import LONGEST

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

Id = Annotated[int, Path(ge=1, le=2**31 - 1, description="`id` of the webhook")]


class WebhookFields(BaseModel):
    """An address to be told."""

    model_config = {"extra": "forbid", "strict": True}

    url: str = Field(max_length=LONGEST, description="a public address", examples=["https://example.org/ended"])
    every: bool = Field(False, description="of the experiments of everybody; for an admin")


class Webhook(BaseModel):
    """An address that is told when experiments end."""

    id: int
    owner: str = Field(description="the name of the token whose it is; empty for a user of the server")
    url: str
    every: bool
    created_at: float = Field(description="seconds since 1970")
    waiting: int = Field(description="what is still to be told")
    answer: str = Field(description="what came of the last try; empty before the first", examples=["status 200"])


class Registered(Webhook):
    """A new one."""

    secret: str = Field(description="with which requests are signed; nothing shows it again")


class Webhooks(BaseModel):
    """Webhooks, oldest first."""

    webhooks: list[Webhook]


@router.post(
    "",
    response_model=Registered,
    status_code=HTTPStatus.CREATED,
    responses=problems(409, 413, 415),
    openapi_extra=NEEDS_TOKEN,
)
def register_webhook(who: Submitter, service: Served, webhook: WebhookFields) -> JSONResponse:
    """Have an address told when an experiment of yours has ended, where the service sends webhooks."""
    made = hooks.register(service, who, webhook.url, every=webhook.every)
    return JSONResponse({**made.to_json(), "secret": made.secret}, HTTPStatus.CREATED)


@router.get("", response_model=Webhooks, responses=problems(), openapi_extra=NEEDS_TOKEN)
def list_webhooks(who: Submitter, service: Served) -> JSONResponse:
    """List your webhooks; an admin sees all."""
    return JSONResponse({"webhooks": [webhook.to_json() for webhook in hooks.registered(service, who)]})


@router.delete(
    "/{id}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=problems(404),
    openapi_extra=NEEDS_TOKEN,
)
def delete_webhook(who: Submitter, service: Served, id: Id) -> Response:
    """Delete a webhook of yours; what was still to be told is not."""
    hooks.unregister(service, who, id)
    return Response(status_code=HTTPStatus.NO_CONTENT)
