"""What all commands share: the application, output to stdout and stderr, and exit codes."""

import atexit
import gc
import json
import shlex
import signal
import sys
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from cooldown.objectives.catalog import CatalogError
from cooldown.objectives.errors import CooldownWarning, InputError
from cooldown.objectives.trust import nothing_trusted
from cooldown.search.cli import streams

app = typer.Typer(
    help="Tune optimizers and learning-rate schedules under equal budgets, and report which is better.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# Output contains users' texts, in which square brackets are not markup.
OUT = Console(markup=False, emoji=False, highlight=False)
ERR = Console(markup=False, emoji=False, highlight=False, stderr=True)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="print the version", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"cooldown {installed('cooldown')}")
        raise typer.Exit


def show_result(result: Any, db: str | None, json_: bool, more: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Print an experiment's answer as text, or the experiment as JSON, with `more` in its document."""
    from cooldown.search.cli import terminal
    from cooldown.search.spec.recorded import names_modules

    if json_:
        print_json({**result.to_json(), **more})
    else:
        terminal.answer(OUT, result, place(result.name, db, trust=names_modules(result.record.spec)))


def place(name: str, db: str | None, *, trust: bool) -> str:
    """The arguments that name an experiment in a command, quoted for a shell. trust: whether it needs --trust."""
    return shlex.quote(name) + (f" --db {shlex.quote(db)}" if db else "") + (" --trust" if trust else "")


def print_json(value: Any) -> None:
    """Print one JSON document to stdout."""
    text = json.dumps(value, indent=2, ensure_ascii=not streams.is_unicode(sys.stdout), allow_nan=False)
    sys.stdout.write(f"{text}\n")


def say(message: str) -> None:
    """Print a message to stderr, without wrapping its lines."""
    ERR.print(message, soft_wrap=True)


def _notes(show: Callable[..., None]) -> Callable[..., None]:
    """How warnings are shown: those about this machine as notes, each once; others by `show`."""
    said: set[str] = set()

    def noted(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if not issubclass(category, CooldownWarning):
            show(message, category, *place, **more)
        elif str(message) not in said:
            said.add(str(message))
            say(f"Note: {message}.")

    return noted


def main() -> NoReturn:
    """The `cooldown` command."""
    # On its way out the interpreter would search all objects for cycles once more, which takes up to 0.2 s.
    atexit.register(gc.freeze)
    streams.prepare()
    warnings.showwarning = _notes(warnings.showwarning)
    try:
        try:
            # What a ledger or a file names is imported only if the command line names it too, or has --trust.
            with nothing_trusted():
                app(prog_name="cooldown")
        finally:
            sys.stdout.flush()
    except (InputError, CatalogError) as error:
        say(f"cooldown: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        # A second Ctrl-C must not change the exit code.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(130)
    except streams.OutputError as error:
        streams.discard_output()
        if error.reason:
            say(f"cooldown: standard output cannot be written: {error.reason}")
        sys.exit(1)
    except RuntimeError as error:
        from cooldown.search.tuning.runner import RunError

        if not isinstance(error, RunError):
            raise
        say(f"cooldown: {error}")
        sys.exit(1)
    sys.exit(0)
