"""The command line: arguments in, one call, words out.

Results go to stdout, progress and messages to stderr.
Exit 0 done · 1 failed while running · 2 bad input · 130 interrupted.
"""

import csv
import json
import os
import shlex
import signal
import sys
from contextlib import nullcontext
from io import TextIOWrapper
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from objectives.catalog import unknown_name
from objectives.errors import InputError
from search.spec import Experiment

app = typer.Typer(
    help="Tune optimizers and learning-rate schedules under equal budgets, and get an honest answer which is better.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# What is printed is a user's text as often as ours: nothing in it is markup.
_out = Console(markup=False, emoji=False, highlight=False)
_err = Console(markup=False, emoji=False, highlight=False, stderr=True)


def _default(field: str) -> str:
    """For a help text: the spec is the one place that knows a default."""
    value = Experiment.model_fields[field].default
    return f"[default: {', '.join(value) if isinstance(value, tuple) else value}]"


def _option(field: str, text: str) -> Any:
    return typer.Option(f"--{field}", help=f"{text} {_default(field)}", metavar=field.upper(), show_default=False)


def _whole(text: str) -> int:
    """A whole number, or an error that names the value: Typer's own does not."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r:.80} is not a whole number") from None


WHOLE: dict[str, Any] = {"parser": _whole, "metavar": "INTEGER", "show_default": False}


def _count(field: str, text: str) -> Any:
    return typer.Option(f"--{field.replace('_', '-')}", help=f"{text} {_default(field)}", **WHOLE)


Task = Annotated[
    str, typer.Argument(help="a built-in task, a CSV or Parquet file, module:attribute, or a spec.toml", metavar="TASK")
]
Name = Annotated[str, typer.Argument(help="the experiment's name", metavar="NAME")]
Db = Annotated[
    str | None,
    typer.Option("--db", help="database URL [default: $COOLDOWN_DB, then sqlite:///cooldown.db]", metavar="URL"),
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON document")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="show no progress")]
Workers = Annotated[int | None, typer.Option("--workers", help="processes [default: one per core]", **WHOLE)]
Arms = Annotated[
    list[str] | None,
    typer.Option("--arm", help=f"optimizers, or optimizers+schedules; repeatable {_default('arms')}", metavar="ARM"),
]
Trials = Annotated[int | None, _count("trials", "configs tried per study")]
Repeats = Annotated[int | None, _count("repeats", "independent studies per arm")]
Epochs = Annotated[int | None, _count("epochs", "passes over the training rows")]
Seeds = Annotated[int | None, _count("seeds", "seeds per trial")]
Finalists = Annotated[int | None, _count("finalists", "best trials of a study that are trained again")]
ConfirmSeeds = Annotated[int | None, _count("confirm_seeds", "fresh seeds of a winner's evaluation")]
Seed = Annotated[int | None, _count("seed", "fixes everything random")]
Sampler = Annotated[str | None, _option("sampler", "tpe, random, qmc, cmaes or gp")]
Pruner = Annotated[str | None, _option("pruner", "none")]
BatchSize = Annotated[int | None, _count("batch_size", "rows per update")]
Hidden = Annotated[
    str | None,
    typer.Option(
        "--hidden",
        help="widths of hidden layers, as in 64,32; 0 for none [default: the task's, mostly 32]",
        metavar="WIDTHS",
    ),
]
Target = Annotated[str | None, typer.Option("--target", help="a table's target column", metavar="COLUMN")]
NewName = Annotated[
    str | None, typer.Option("--name", help="what to call the experiment [default: after the task]", metavar="NAME")
]


@app.command()
def compare(
    context: typer.Context,
    task: Task,
    arm: Arms = None,
    trials: Trials = None,
    repeats: Repeats = None,
    epochs: Epochs = None,
    seeds: Seeds = None,
    finalists: Finalists = None,
    confirm_seeds: ConfirmSeeds = None,
    seed: Seed = None,
    workers: Workers = None,
    sampler: Sampler = None,
    pruner: Pruner = None,
    batch_size: BatchSize = None,
    hidden: Hidden = None,
    target: Target = None,
    name: NewName = None,
    db: Db = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tune every arm on TASK and say which is better."""
    _compare(context, {})


@app.command()
def tune(
    context: typer.Context,
    task: Task,
    arm: Annotated[
        list[str] | None,
        typer.Option("--arm", metavar="ARM", help="choose among these only [default: all optimizers and schedules]"),
    ] = None,
    trials: Trials = None,
    repeats: Annotated[int | None, typer.Option("--repeats", help="independent studies [default: 1]", **WHOLE)] = None,
    epochs: Epochs = None,
    seeds: Seeds = None,
    finalists: Finalists = None,
    confirm_seeds: ConfirmSeeds = None,
    seed: Seed = None,
    workers: Workers = None,
    sampler: Sampler = None,
    pruner: Pruner = None,
    batch_size: BatchSize = None,
    hidden: Hidden = None,
    target: Target = None,
    name: NewName = None,
    db: Db = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Search one joint arm on TASK for a good config: no evidence between optimizers."""
    if arm and len(arm) > 1:
        raise InputError("tune searches one joint arm, written as --arm momentum,adam+cosine,sgdr")
    from search.experiments import joint_arm

    _compare(context, {"arms": [joint_arm()], "repeats": 1})


@app.command()
def resume(name: Name, workers: Workers = None, db: Db = None, json_: Json = False, quiet: Quiet = False) -> None:
    """Continue an experiment that was interrupted."""
    from search import experiments

    _run(lambda report: experiments.resume(name, db=db, workers=workers, report=report), db, json_, quiet)


@app.command("list")
def list_(db: Db = None, json_: Json = False) -> None:
    """List all experiments."""
    from search import experiments, terminal

    summaries = experiments.summaries(db)
    if json_:
        _print_json(
            [{"name": s.name, "task": s.spec["task"], "status": s.status.value, "trials": s.trials} for s in summaries]
        )
    elif summaries:
        _out.print(terminal.experiments(summaries))
    else:
        _out.print("No experiments yet: `cooldown compare digits` starts one.")


@app.command()
def show(name: Name, db: Db = None, json_: Json = False) -> None:
    """Show what an experiment says."""
    from search import experiments

    _show(experiments.load(name, db=db), db, json_)


@app.command()
def trials(
    name: Name,
    db: Db = None,
    json_: Json = False,
    csv_: Annotated[bool, typer.Option("--csv", help="print comma-separated values")] = False,
) -> None:
    """Show every trial of an experiment."""
    from search import experiments, terminal

    if json_ and csv_:
        raise InputError("--json and --csv exclude each other")
    rows = experiments.load(name, db=db).trials()
    if json_:
        _print_json(rows)
    elif csv_:
        columns = list(dict.fromkeys(key for row in rows for key in row)) or ["arm", "repeat", "trial"]
        writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        _out.print(terminal.trials(rows))


@app.command()
def delete(
    name: Name,
    db: Db = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Delete an experiment with all its trials."""
    from search import experiments

    experiments.load(name, db=db)
    if not yes and sys.stdin.isatty() and not typer.confirm(f"Delete {name!r} with all its trials?", err=True):
        return
    experiments.delete(name, db=db)
    _err.print(f"Deleted {name}.")


@app.command()
def catalog(
    section: Annotated[
        str | None,
        typer.Argument(help="optimizers, schedules, tasks or arms only", metavar="SECTION", show_default=False),
    ] = None,
    json_: Json = False,
) -> None:
    """List optimizers, schedules, tasks and default arms."""
    from search import terminal
    from search.contents import contents

    found = contents()
    if section is not None and section not in found:
        raise unknown_name("section of the catalog", section, found)
    wanted = [section] if section else list(found)
    if json_:
        _print_json(found[section] if section else found)
        return
    for i, kind in enumerate(wanted):
        if i:
            _out.print()
        _out.print(terminal.catalog(kind, found[kind]))


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="print the version", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"cooldown {installed('cooldown')}")
        raise typer.Exit


def _compare(context: typer.Context, defaults: dict[str, Any]) -> None:
    """Compare as a command's arguments say, over the command's own `defaults` and those of the spec."""
    from search import experiments

    given = dict(context.params)
    task, arms, json_, quiet = (given.pop(name) for name in ("task", "arm", "json_", "quiet"))
    flags = given | {"arms": arms or None, "hidden": _widths(given["hidden"])}
    settings = experiments.settings(task, flags, defaults)
    _run(lambda report: experiments.compare(**settings, report=report), settings.get("db"), json_, quiet)


def _run(work: Any, db: str | None, json_: bool, quiet: bool) -> None:
    """Do `work` under a live display; tell how to go on where it is interrupted."""
    from search import terminal

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    running: list[str] = []
    try:
        with nullcontext(lambda _: None) if quiet else terminal.live(_err) as report:

            def noting(progress: Any) -> None:
                running[:] = [progress.name]
                report(progress)

            result = work(noting)
    except KeyboardInterrupt:
        if running:
            _say(f"Interrupted; what was done is kept. Go on with:\n  cooldown resume {_place(running[0], db)}")
        raise
    _show(result, db, json_)


def _show(result: Any, db: str | None, json_: bool) -> None:
    from search import terminal

    if json_:
        _print_json(result.to_json())
    else:
        terminal.answer(_out, result, _place(result.name, db))


def _place(name: str, db: str | None) -> str:
    """What a command needs to find an experiment again, as one types it."""
    return shlex.quote(name) + (f" --db {shlex.quote(db)}" if db else "")


def _widths(text: str | None) -> tuple[int, ...] | None:
    """`"64,32"` as (64, 32), `"0"` as no hidden layer."""
    if text is None:
        return None
    try:
        widths = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--hidden: widths are whole numbers as in 64,32, got {text!r}") from None
    return () if widths == (0,) else widths


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _say(message: str) -> None:
    _err.print(message, soft_wrap=True)


def main() -> NoReturn:
    """The `cooldown` command."""
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
        _say(f"cooldown: {error}")
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
        from search.runner import RunError

        if not isinstance(error, RunError):
            raise
        _say(f"cooldown: {error}")
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main()
