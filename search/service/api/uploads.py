"""The routes for data: upload a file, list one's own, and read it again."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from cooldown.search.service import actions
from cooldown.search.service.api.callers import NEEDS_TOKEN, Served, Submitter
from cooldown.search.service.api.problems import problems
from cooldown.search.service.api.schemas import DataSets, DataSetShown
from cooldown.search.service.service import Service
from cooldown.storage.tokens import Role

FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": "length,width,kind\n1.4,0.2,a\n4.7,1.4,b\n"},
            "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}

Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the content, in hexadecimal")]


def router_of(service: Service) -> APIRouter:
    """The routes, of which one takes bodies as large as the service's limit."""
    router = APIRouter(prefix="/datasets", tags=["data"])

    @router.post(
        "",
        response_model=DataSetShown,
        status_code=HTTPStatus.CREATED,
        responses={200: {"model": DataSetShown, "description": "You uploaded it before."}, **problems(409, 413)},
        openapi_extra={**NEEDS_TOKEN, **FILE},
        max_body_size=service.limits.dataset,
    )
    async def upload_dataset(
        who: Submitter,
        served: Served,
        request: Request,
        file: Annotated[str, Query(max_length=200, description="what you call it", examples=["houses.csv"])] = "data",
    ) -> JSONResponse:
        """Upload a table as the body: delimited text or Parquet. `task` of the answer names it in a spec."""
        content = await request.body()
        data, new = await run_in_threadpool(actions.upload, served, who, content, file)
        return JSONResponse(data.to_json(), HTTPStatus.CREATED if new else HTTPStatus.OK)

    @router.get("", response_model=DataSets, responses=problems(), openapi_extra=NEEDS_TOKEN)
    def list_datasets(who: Submitter, served: Served) -> JSONResponse:
        """List the data sets that you uploaded; an admin sees all."""
        owner = None if who.role is Role.ADMIN else who.name
        return JSONResponse({"datasets": [data.to_json() for data in served.ledger.datasets.list(owner)]})

    @router.get(
        "/{digest}",
        response_class=Response,
        responses={200: {"description": "The file.", "content": {"application/octet-stream": {}}}, **problems(404)},
        openapi_extra=NEEDS_TOKEN,
    )
    def read_dataset(who: Submitter, served: Served, digest: Digest) -> Response:
        """Read a data set that you uploaded."""
        actions.readable(served, who, digest)
        headers = {"Content-Disposition": f'attachment; filename="{digest[:8]}"'}
        content = served.ledger.datasets.content(digest)
        return Response(content, headers=headers, media_type="application/octet-stream")

    @router.delete(
        "/{digest}",
        status_code=HTTPStatus.NO_CONTENT,
        response_class=Response,
        responses=problems(404, 409),
        openapi_extra=NEEDS_TOKEN,
    )
    def delete_dataset(who: Submitter, served: Served, digest: Digest) -> Response:
        """Delete a data set that you uploaded, unless an experiment of yours is on it."""
        actions.remove(served, who, digest)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return router
