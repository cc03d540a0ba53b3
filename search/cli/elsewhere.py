"""`--server URL`: the seam by which a command is done by a service elsewhere, instead of in a ledger here.

`served` gives a command the two options. Where a server is named, commands that show an experiment are the same ones as
ever, on a copy of it that the server sends; what is done for any other verb is said in `remote`.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cooldown.storage.address import Unnamed

if TYPE_CHECKING:
    from cooldown.search.service.client import Client

Server = Annotated[
    str | None,
    typer.Option("--server", help="use the service at this address", metavar="URL", envvar="COOLDOWN_SERVER"),
]
Token = Annotated[
    str | None, typer.Option("--token", help="the token for --server", metavar="TOKEN", envvar="COOLDOWN_TOKEN")
]
OPTIONS = {"server": Server, "token": Token}

Parameters = Mapping[str, Any]
Function = Callable[..., None]
Remote = Callable[["Client", Parameters], None]

COPIED = ("show", "trials", "export", "report", "figure")
"""Verbs that show one experiment."""

OTHERS = (
    "list",
    "summary",
    "queue",
    "submit",
    "annotate",
    "compare",
    "tune",
    "resume",
    "pause",
    "stop",
    "cancel",
    "delete",
    "claims",
    "claim",
)

_done: dict[str, Remote] = {}


def done(verb: str) -> Callable[[Remote], Remote]:
    """Declare what is done for one of the other verbs, from the command's parameters."""

    def declared(function: Remote) -> Remote:
        _done[verb] = function
        return function

    return declared


def served(verb: str, function: Function) -> Function:
    """A command's function, with --server if a service can do what it does."""
    if verb not in (*COPIED, *OTHERS):
        return function

    @functools.wraps(function)
    def either(*, server: str | None = None, token: str | None = None, **parameters: Any) -> None:
        # A ledger that is named is meant, also where the environment names a server.
        if server is None or parameters["db"] is not None:
            function(**parameters)
            return
        from cooldown.search.service.client import Client

        client = Client(server, token)
        if verb in COPIED:
            with _copy(client, [parameters["name"], *(parameters.get("others") or ())]) as db:
                function(**{**parameters, "db": db})
        else:
            parameters.pop("context", None)
            _done[verb](client, parameters)

    signature = inspect.signature(function)
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option)
        for name, option in OPTIONS.items()
    ]
    # As functools.wraps says what a wrapper stands for.
    setattr(either, "__signature__", signature.replace(parameters=[*signature.parameters.values(), *more]))  # noqa: B010
    either.__annotations__ = {**function.__annotations__, **OPTIONS}
    return either


@contextmanager
def _copy(client: "Client", names: Sequence[str]) -> Iterator[str]:
    """The address of a ledger with copies of experiments, which no command need name."""
    from cooldown.search.experiments.copying import copied

    with TemporaryDirectory(prefix="cooldown-") as folder:
        first, *others = (client.copied(name, _made(Path(folder) / str(place))) for place, name in enumerate(names))
        for other in others:
            list(copied(other, first))
        yield Unnamed(f"sqlite:///{first}")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
