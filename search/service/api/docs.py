"""`/api/docs`: the OpenAPI document as a page. It loads nothing from other servers, as the usual viewers of it do."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from cooldown.search.service.api.callers import Reader

router = APIRouter(include_in_schema=False)

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self'"
METHODS = ("get", "post", "delete")


@router.get("/docs", response_class=HTMLResponse)
def show_docs(_: Reader, request: Request) -> HTMLResponse:
    """The routes, their parameters and what they answer."""
    page = _template().render(api=request.app.openapi(), methods=METHODS, type_of=type_of)
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})


@cache
def _template() -> Any:
    source = (files(__package__) / "docs.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(source)


def type_of(schema: Mapping[str, Any]) -> str:
    """The type of a schema in words: `integer`, `array of Trial`, `text or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(type_of, schema["anyOf"])))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    kind = {"string": "text"}.get(schema.get("type", "any"), schema.get("type", "any"))
    return f"array of {type_of(schema['items'])}" if kind == "array" and schema.get("items") else str(kind)
