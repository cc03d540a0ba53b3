"""The application: its routes, its errors, its OpenAPI document and the page that shows it."""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from cooldown.search.service.api import about, asking, claims, control, docs, reading, summary, uploads, webhooks
from cooldown.search.service.api.paths import EncodedSlashes
from cooldown.search.service.api.problems import AsProblems, Problem, answer_with_problems
from cooldown.search.service.service import Service

ABOUT = (
    "Submit, watch and control experiments. Give a token as `Authorization: Bearer TOKEN`; a server that only this "
    "machine reaches needs none. Errors are problem documents of RFC 9457."
)


def api(service: Service) -> ASGIApp:
    """The API of a service, to be mounted at `/api`, behind the middleware that knows the callers."""
    app = FastAPI(
        title="Cooldown",
        version=version("cooldown"),
        description=ABOUT,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=service.limits.body,
        servers=[{"url": "/api"}],
        root_path_in_servers=False,
    )
    app.state.service = service
    answer_with_problems(app)
    for router in (
        reading.router,
        reading.queue,
        summary.router,
        control.router,
        asking.router,
        uploads.router_of(service),
        claims.router,
        about.router,
        webhooks.router,
    ):
        app.include_router(router, prefix="/v1")
    app.include_router(docs.router)
    document = app.openapi

    def described() -> dict[str, Any]:
        """The OpenAPI document, with what is described by hand."""
        if app.openapi_schema is None:
            components = document().setdefault("components", {})
            schemas = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            components.setdefault("schemas", {}).update({**schemas.pop("$defs"), "Problem": schemas})
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        return document()

    setattr(app, "openapi", described)  # noqa: B010
    # Around everything: the limit of bodies, which answers by itself, is outside of an application's own middleware.
    return EncodedSlashes(AsProblems(app))
