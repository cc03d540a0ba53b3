"""The route that shows the survey's claims: what the ledger's experiments say of each, on all of their tasks."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from cooldown.search.claims import every
from cooldown.search.claims.entry import Claim
from cooldown.search.claims.standing import Place, of_claims, places, standing, version
from cooldown.search.claims.survey import get
from cooldown.search.evidence.view import View
from cooldown.search.service.api.callers import NEEDS_TOKEN, Reader, Served
from cooldown.search.service.api.paging import (
    PAGE,
    Cursor,
    IfNoneMatch,
    Limit,
    cursor_of,
    matches,
    read_cursor,
    tagged,
)
from cooldown.search.service.api.problems import problems
from cooldown.search.service.api.schemas import Claims
from cooldown.search.service.service import Service
from cooldown.storage import Summary

router = APIRouter(tags=["claims"])


@router.get("/claims", response_model=Claims, responses={304: {}, **problems(404, 409)}, openapi_extra=NEEDS_TOKEN)
def list_claims(
    _: Reader,
    service: Served,
    task: Annotated[str | None, Query(max_length=4000, description="only on this task or surface")] = None,
    id: Annotated[str | None, Query(max_length=100, description="only this claim", examples=["C3"])] = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the survey's claims on the tasks of the ledger's experiments of claims, and on surfaces.

    Nothing is run: `cooldown claim` runs what a claim takes.
    """
    claims = every() if id is None else [get(id)]
    after = None if cursor is None else read_cursor(cursor, (int, str, str, str, int))
    found = of_claims(service.ledger.summaries())
    known = repr((task, id, limit, after, sorted(map(version, found.values()), key=repr)))
    state = sha256(known.encode()).hexdigest()[:16]
    if matches(if_none_match, state):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=tagged(state))
    rows = {
        (*of.order, nth): (claim, of)
        for of in places(list(found.values()))
        for nth, claim in enumerate(claims)
        if task in (None, of.name)
    }
    left = [row for row in rows if after is None or row > after]
    page = [rows[row] for row in left[:limit]]
    following = cursor_of(left[limit - 1]) if len(left) > limit else None
    content = service.claims.get(state, state, lambda: _document(service, page, found, following))
    return Response(content, headers=tagged(state), media_type="application/json")


def _document(
    service: Service, page: Sequence[tuple[Claim, Place]], found: Mapping[str, Summary], following: str | None
) -> bytes:
    """A page of the list. An experiment that several claims share is read once."""

    @cache
    def load(name: str) -> View:
        return service.result(name).view

    listed = [standing(claim, of, found, load).to_json() for claim, of in page]
    return json.dumps({"claims": listed, "next": following}, ensure_ascii=False, allow_nan=False).encode()
