"""A service in this process: its ledger, its callers, and clients that speak to it without a network."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search_runs import TINY, run_in_threads, spec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from cooldown.search.service.access.middleware import Access
from cooldown.search.service.access.visitors import Visitors
from cooldown.search.service.api import api
from cooldown.search.service.service import Service
from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger, tables
from cooldown.storage.tokens import Role

ADDRESS = "http://testserver"
API = "/api/v1/experiments"
SPEC: dict[str, Any] = {**TINY, "arms": ["momentum", "adam"], "repeats": 1}

CHANGES = [
    ("post", API, SPEC),
    ("post", "/api/v1/estimate", SPEC),
    ("post", "/api/v1/datasets", b"a,b\n1,2\n"),
    *[("post", f"{API}/done/{verb}", None) for verb in ("pause", "resume", "stop", "cancel")],
    ("post", f"{API}/done/extend", {}),
    ("post", f"{API}/done/ask", None),
    ("post", f"{API}/done/trials/{'0' * 32}/tell", {"reports": [{"train_loss": 1.0, "held_out_loss": 1.0}]}),
    ("patch", f"{API}/done", {"notes": "mine now"}),
    ("delete", f"{API}/done", None),
    ("get", "/api/v1/datasets", None),
    ("post", "/api/v1/webhooks", {"url": "https://example.org/ended"}),
    ("get", "/api/v1/webhooks", None),
    ("delete", "/api/v1/webhooks/1", None),
]
"""Every request that changes something, or reads what belongs to somebody: method, path and body."""


async def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"page {request.url.path}")


async def _socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("here")
    with suppress(WebSocketDisconnect):
        while True:
            await websocket.send_text(await websocket.receive_text())


@dataclass(frozen=True)
class Served:
    """A ledger that is served, with a token of each role by its name."""

    service: Service
    tokens: dict[str, str]

    def app(self, *, open: bool = False, base_path: str = "") -> Access:
        """Everything that a server has: the API, and in place of the dashboard a page and a websocket."""
        routes = [
            Mount(f"{base_path}/api", api(self.service)),
            WebSocketRoute(f"{base_path}/_stcore/stream", _socket),
            Route(f"{base_path}/{{path:path}}", _page),
        ]
        visitors = Visitors(self.service.ledger.tokens, open=open)
        return Access(Starlette(routes=routes), visitors, base_path=base_path)

    def client(self, name: str | None = None, *, open: bool = False, base_path: str = "") -> TestClient:
        """A client with the token of this name; None for one without a token."""
        headers = {} if name is None else {"Authorization": f"Bearer {self.tokens[name]}"}
        return TestClient(self.app(open=open, base_path=base_path), ADDRESS, headers=headers, follow_redirects=False)


def served(folder: Path) -> Served:
    """A new ledger with tokens `reader`, `ada`, `bob` (who may submit) and `root`."""
    url = f"sqlite:///{folder}/cooldown.db"
    service = Service(Ledger(url), url)
    roles = {"reader": Role.READ, "ada": Role.SUBMIT, "bob": Role.SUBMIT, "root": Role.ADMIN}
    return Served(service, {name: service.ledger.tokens.create(name, role) for name, role in roles.items()})


def with_experiments(one: Served) -> Served:
    """The same with two experiments: `done`, and `begun`, which has no trial yet."""
    run_in_threads(one.service.url, spec(), name="done")
    begun = spec(seed=1)
    one.service.ledger.create("begun", begun.to_json(), "data", planned(begun))
    return one


def dump(one: Served) -> dict[str, list[Any]]:
    """All rows of a ledger but those of its tokens, which say when these were used."""
    with one.service.ledger._database.reading() as connection:
        return {
            name: list(map(tuple, connection.execute(table.select())))
            for name, table in tables.metadata.tables.items()
            if name != "cooldown_tokens"
        }
