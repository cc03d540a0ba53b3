"""The command line: arguments in, one call, words out.

Results go to stdout, progress and messages to stderr.
Exit 0 done · 1 failed while running · 2 bad input · 130 interrupted.
"""

import csv
import json
import math
import os
import shlex
import signal
import sys
from contextlib import nullcontext
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from objectives.catalog import unknown_name
from objectives.errors import InputError
from search.options import (
    WHOLE,
    Arms,
    BatchSize,
    ConfirmSeeds,
    Db,
    DryRun,
    Epochs,
    Finalists,
    Hidden,
    Json,
    Name,
    NewName,
    Pruner,
    Quiet,
    Repeats,
    Sampler,
    Section,
    Seed,
    Seeds,
    Settings,
    Target,
    Task,
    Trials,
    Workers,
)

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
    set_: Settings = None,
    target: Target = None,
    name: NewName = None,
    db: Db = None,
    json_: Json = False,
    quiet: Quiet = False,
    dry_run: DryRun = False,
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
    set_: Settings = None,
    target: Target = None,
    name: NewName = None,
    db: Db = None,
    json_: Json = False,
    quiet: Quiet = False,
    dry_run: DryRun = False,
) -> None:
    """Search one joint arm on TASK for a good config: no evidence between optimizers."""
    from search.experiments import joint_arm

    _compare(context, {"arms": [joint_arm()], "repeats": 1}, joint=True)


@app.command()
def resume(
    name: Name,
    trials: Annotated[
        int | None, typer.Option("--trials", help="extend each study to so many configs", **WHOLE)
    ] = None,
    repeats: Annotated[
        int | None, typer.Option("--repeats", help="extend each arm to so many studies", **WHOLE)
    ] = None,
    extend: Annotated[
        bool, typer.Option("--extend", help="widen the ranges that a boundary alarm names, and search there again")
    ] = False,
    workers: Workers = None,
    db: Db = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Continue an experiment that was interrupted, or extend a finished one in place."""
    from search import experiments

    def work(report: Any) -> Any:
        return experiments.resume(
            name, trials=trials, repeats=repeats, extend=extend, db=db, workers=workers, report=report
        )

    _run(work, db, json_, quiet)


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
def show(
    name: Name,
    section: Section = None,
    target_loss: Annotated[
        float | None,
        typer.Option("--target-loss", help="validation loss that section target asks for", metavar="LOSS"),
    ] = None,
    db: Db = None,
    json_: Json = False,
) -> None:
    """Show what an experiment says, or one SECTION of its evidence."""
    from search import experiments
    from search.sections import section as made

    if target_loss is not None and (section != "target" or not math.isfinite(target_loss)):
        raise InputError(f"--target-loss {target_loss:g}: is a finite loss, for `cooldown show NAME target`")
    result = experiments.load(name, db=db)
    if section is None or json_:
        _show(result, db, json_)
    else:
        _out.print(made(result, section, target_loss))


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
        typer.Argument(
            help="optimizers, schedules, strategies, tasks, surfaces or arms", metavar="SECTION", show_default=False
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """List optimizers, schedules, strategies, tasks, surfaces and known arms."""
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


@app.command()
def surface(
    name: Annotated[str, typer.Argument(help="a surface: `cooldown catalog surfaces` lists them", metavar="NAME")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="HTML file to write [default: NAME.html]", metavar="FILE")
    ] = None,
    optimizer: Annotated[
        list[str] | None, typer.Option("--optimizer", help="repeatable [default: all]", metavar="NAME")
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="updates [default: the surface's own]", **WHOLE)] = None,
    force: Annotated[bool, typer.Option("--force", help="write over a file that exists")] = False,
    json_: Json = False,
) -> None:
    """Draw the paths of all optimizers over a surface, each at its tuned learning rate."""
    from objectives import surfaces
    from search import surface as drawing
    from search import terminal

    drawn = surfaces.get(name)
    path = None if json_ and output is None else Path(f"{name}.html" if output is None else output)
    if path is not None:
        drawing.check_output(path, force)
    with _err.status(f"Tuning learning rates on {name} …"):
        found = surfaces.trajectories(drawn, optimizer, steps)
        if path is not None:
            drawing.write(path, drawn, found, force)
    document = drawing.document(drawn, found)
    if json_:
        _print_json(document)
    else:
        _out.print(terminal.surface(document))
    if path is not None:
        _say(f"Wrote {path}: open it in a browser.")


@app.command()
def dashboard(
    port: Annotated[int, typer.Option("--port", help="where to listen [default: 8501]", **WHOLE)] = 8501,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            help="an address of this machine, to let others read too [default: 127.0.0.1]",
            metavar="HOST",
            show_default=False,
        ),
    ] = "127.0.0.1",
    db: Db = None,
) -> None:
    """Show all experiments in the browser, live."""
    from search.serve import serve

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    serve(db, host, port, _say)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="print the version", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"cooldown {installed('cooldown')}")
        raise typer.Exit


def _compare(context: typer.Context, defaults: dict[str, Any], *, joint: bool = False) -> None:
    """Compare as a command's arguments say, over the command's own `defaults` and those of the spec.

    joint: whether the command takes one arm only.
    """
    from search import experiments, terminal
    from search.ranges import read_settings

    given = dict(context.params)
    task, arms, set_, json_, quiet = (given.pop(name) for name in ("task", "arm", "set_", "json_", "quiet"))
    dry_run = given.pop("dry_run")
    flags = given | {
        "arms": arms or None,
        "hidden": _widths(given["hidden"]),
        "ranges": read_settings(set_) if set_ else None,
    }
    settings = experiments.settings(task, flags, defaults)
    if joint and isinstance(settings["arms"], list) and len(settings["arms"]) > 1:
        raise InputError(f"{experiments.ONE_ARM}, written as --arm momentum,adam+cosine,sgdr")
    if dry_run:
        with nullcontext() if quiet else _err.status("Timing a small experiment of the same kind …"):
            found = experiments.dry_run(**settings)
        if json_:
            _print_json(found.to_json())
        else:
            _out.print(terminal.estimate(found))
        return
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
