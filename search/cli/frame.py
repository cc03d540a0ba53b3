"""What all commands share: the application, output to stdout and stderr, and exit codes."""

import atexit
import gc
import json
import logging
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from cooldown import interrupts
from cooldown.objectives.catalog import CatalogError
from cooldown.objectives.errors import CooldownWarning, InputError
from cooldown.objectives.plain_text import visible_in_json
from cooldown.objectives.trust import nothing_trusted
from cooldown.search.cli import streams
from cooldown.search.cli.elsewhere import served
from cooldown.search.cli.named import Plain
from cooldown.search.cli.screen import ERR, OUT
from cooldown.search.tuning.held import RunError
from cooldown.storage.acts import LOCAL, acting

Command = TypeVar("Command", bound=Callable[..., Any])


class App(typer.Typer):
    """The application. Commands that a service can do have --server."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Command], Command]:
        """As for any application, but the list of commands has the whole first sentence of each, and help is plain."""

        def registered(function: Command) -> Command:
            about = " ".join((function.__doc__ or "").split("\n\n")[0].split())
            register = super(App, self).command(name, **{"short_help": about, "cls": Plain, **settings})
            register(served(name or function.__name__, function))
            return function

        return registered


app = App(
    help="Tune optimizers and learning-rate schedules under equal budgets, and report which is better.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

LONGEST_MESSAGE = 8_000
"""Characters of a message, which may quote what somebody else wrote."""


@cache
def command_line() -> Any:
    """All commands, for Click. Made once: it takes as long as a small command."""
    return typer.main.get_command(app)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="print the version", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"cooldown {installed('cooldown')}")
        raise typer.Exit


def show_result(result: Any, json_: bool, more: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Print an experiment's answer as text, or the experiment as JSON, with `more` in its document."""
    from cooldown.search.cli import terminal

    if json_:
        print_json({**result.to_json(), **more})
    else:
        terminal.answer(OUT, result)


def print_json(value: Any) -> None:
    """Print one JSON document to stdout."""
    text = json.dumps(value, indent=2, ensure_ascii=not streams.is_unicode(sys.stdout), allow_nan=False)
    sys.stdout.write(f"{visible_in_json(text)}\n")


def say(message: str) -> None:
    """Print a message to stderr, without wrapping its lines."""
    ERR.print(message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]} …", soft_wrap=True)


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
    """The `cooldown` command, once its handlers of signals are installed."""
    # On its way out the interpreter would search all objects for cycles once more, which takes up to 0.2 s.
    atexit.register(gc.freeze)
    streams.prepare()
    warnings.showwarning = _notes(warnings.showwarning)
    # It would print a traceback where Ctrl-C comes while a connection is closed.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    try:
        try:
            # What a ledger or a file names is imported only if the command line names it too, or has --trust.
            with nothing_trusted(), acting(LOCAL):
                command_line()(prog_name="cooldown")
        finally:
            sys.stdout.flush()
    except BaseException as error:
        # What fails after a signal, such as a worker that got it too, fails because of it.
        if interrupts.was_asked() or isinstance(error, KeyboardInterrupt):
            interrupts.tell()
            sys.exit(interrupts.EXIT_CODE)
        sys.exit(_exit_code(error))
    sys.exit(0)


def _exit_code(error: BaseException) -> int:
    """Say what is wrong, and return the exit code; raises what is a fault of the program."""
    if isinstance(error, SystemExit):
        raise error
    if isinstance(error, InputError | CatalogError):
        say(f"cooldown: {error}")
        return 2
    if isinstance(error, streams.OutputError):
        streams.discard_output()
        if error.reason:
            say(f"cooldown: standard output cannot be written: {error.reason}")
        return 1
    if isinstance(error, RunError):
        say(f"cooldown: {error}")
        return 1
    raise error
