"""What all commands share: the application, where words go, and how a mistake ends."""

import atexit
import gc
import json
import os
import shlex
import signal
import sys
from io import TextIOWrapper
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from cooldown.objectives.errors import InputError

app = typer.Typer(
    help="Tune optimizers and learning-rate schedules under equal budgets, and get an honest answer which is better.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# What is printed is a user's text as often as ours: nothing in it is markup.
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


def show_result(result: Any, db: str | None, json_: bool) -> None:
    """Print what an experiment says, as a text or as its document."""
    from cooldown.search.cli import terminal

    if json_:
        print_json(result.to_json())
    else:
        terminal.answer(OUT, result, place(result.name, db))


def place(name: str, db: str | None) -> str:
    """What a command needs to find an experiment again, as one types it."""
    return shlex.quote(name) + (f" --db {shlex.quote(db)}" if db else "")


def print_json(value: Any) -> None:
    """Print one JSON document to stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def say(message: str) -> None:
    """Print a message to stderr, as long a line as it is."""
    ERR.print(message, soft_wrap=True)


def main() -> NoReturn:
    """The `cooldown` command."""
    # On its way out the interpreter would search all objects for cycles once more, which takes up to 0.2 s.
    atexit.register(gc.freeze)
    for stream in (sys.stdout, sys.stderr):
        # A name may hold what the terminal's encoding lacks.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app(prog_name="cooldown")
        finally:
            sys.stdout.flush()
    except InputError as error:
        say(f"cooldown: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        # An impatient second one must not change how this ends.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read the output has seen enough; what is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except RuntimeError as error:
        from cooldown.search.tuning.runner import RunError

        if not isinstance(error, RunError):
            raise
        say(f"cooldown: {error}")
        sys.exit(1)
    sys.exit(0)
