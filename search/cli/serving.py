"""Commands that serve a ledger: serve, dashboard."""

from pathlib import Path
from typing import Annotated

import typer

from cooldown.search.cli.frame import app
from cooldown.search.cli.options import Db, whole
from cooldown.search.cli.screen import say_at_once
from cooldown.search.spec.limits import WORKERS

Port = Annotated[int, typer.Option("--port", help="port to listen on [default: 8501]", **whole(1, 65_535))]
Host = Annotated[
    str,
    typer.Option(
        "--host",
        help="address to listen on; others can reach any but the default, and need a token [default: 127.0.0.1]",
        metavar="HOST",
        show_default=False,
    ),
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host",
        help="another host name of this server, such as its proxy's; can be repeated",
        metavar="NAME",
    ),
]
BasePath = Annotated[
    str,
    typer.Option(
        "--base-path",
        help="path prefix of all pages, as behind a reverse proxy [default: none]",
        metavar="PATH",
        show_default=False,
    ),
]
Importing = Annotated[
    bool, typer.Option("--trust", help="import modules that the ledger names, as in --arm mymodule:Lion")
]


@app.command()
def serve(
    port: Port = 8501,
    host: Host = "127.0.0.1",
    allow_host: AllowHost = None,
    base_path: BasePath = "",
    workers: Annotated[
        int | None,
        typer.Option("--workers", help="processes of the worker [default: one per core]", **whole(1, WORKERS)),
    ] = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="start no worker; run `cooldown worker` here or elsewhere")
    ] = False,
    tokens: Annotated[
        str | None,
        typer.Option(
            "--tokens",
            help="file of accepted tokens, one NAME ROLE TOKEN per line; then every request needs one",
            metavar="FILE",
        ),
    ] = None,
    openml: Annotated[
        bool, typer.Option("--openml", help="allow openml:NAME tasks, which this machine downloads")
    ] = False,
    webhooks: Annotated[
        bool, typer.Option("--webhooks", help="when experiments end, notify the public addresses that callers register")
    ] = False,
    upload: Annotated[
        int, typer.Option("--upload", help="largest uploaded file in megabytes [default: 64]", **whole(1, 1_000))
    ] = 64,
    db: Db = None,
    trust: Importing = False,
) -> None:
    """Serve a ledger: the dashboard, the API and a worker."""
    from cooldown.search.cli.serve import Offer, Place
    from cooldown.search.cli.serve import serve as serving

    offer = Offer(workers, not no_worker, None if tokens is None else Path(tokens), openml, upload, webhooks)
    place = Place(host, port, tuple(allow_host or ()), base_path)
    serving(db, place, say_at_once, offer=offer, trust=trust)


@app.command()
def dashboard(
    port: Port = 8501,
    host: Host = "127.0.0.1",
    allow_host: AllowHost = None,
    base_path: BasePath = "",
    db: Db = None,
    trust: Importing = False,
) -> None:
    """Serve only the dashboard: all experiments, live in the browser."""
    from cooldown.search.cli.serve import Place
    from cooldown.search.cli.serve import serve as serving

    serving(db, Place(host, port, tuple(allow_host or ()), base_path), say_at_once, trust=trust)
