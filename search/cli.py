"""The command line: arguments in, one call, words out.

Results go to stdout, progress and messages to stderr.
Exit 0 done · 1 failed while running · 2 bad input · 130 interrupted.
"""

import csv
import json
import shlex
import signal
import sys
from contextlib import nullcontext
from enum import StrEnum
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from objectives.errors import InputError
from search.spec import Experiment

app = typer.Typer(
    help="Tune optimizers and learning-rate schedules under equal budgets, and get an honest answer which is better.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_out, _err = Console(), Console(stderr=True)


def _default(field: str) -> str:
    """For a help text: the spec is the one place that knows a default."""
    value = Experiment.model_fields[field].default
    return f"[default: {', '.join(value) if isinstance(value, tuple) else value}]"


def _option(field: str, text: str) -> Any:
    return typer.Option(f"--{field.replace('_', '-')}", help=f"{text} {_default(field)}", show_default=False)


Task = Annotated[str, typer.Argument(help="a built-in task, a CSV or Parquet file, module:attribute, or a spec.toml")]
Name = Annotated[str, typer.Argument(help="the experiment's name")]
Db = Annotated[
    str | None,
    typer.Option("--db", help="database URL [default: $COOLDOWN_DB, then sqlite:///cooldown.db]", metavar="URL"),
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON document")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="show no progress")]
Workers = Annotated[int | None, typer.Option("--workers", help="processes [default: one per core]", show_default=False)]
Arms = Annotated[
    list[str] | None,
    typer.Option("--arm", help=f"optimizers, or optimizers+schedules; repeatable {_default('arms')}", metavar="ARM"),
]
Trials = Annotated[int | None, _option("trials", "configs tried per study")]
Repeats = Annotated[int | None, _option("repeats", "independent studies per arm")]
Epochs = Annotated[int | None, _option("epochs", "passes over the training rows")]
Seeds = Annotated[int | None, _option("seeds", "seeds per trial")]
Finalists = Annotated[int | None, _option("finalists", "best trials of a study that are trained again")]
ConfirmSeeds = Annotated[int | None, _option("confirm_seeds", "fresh seeds of a winner's evaluation")]
Seed = Annotated[int | None, _option("seed", "fixes everything random")]
Sampler = Annotated[str | None, _option("sampler", "tpe, random, qmc, cmaes or gp")]
Pruner = Annotated[str | None, _option("pruner", "none")]
BatchSize = Annotated[int | None, _option("batch_size", "rows per update")]
Hidden = Annotated[
    str | None,
    typer.Option("--hidden", help="widths of hidden layers, as in 64,32; 0 for none [default: the task's, mostly 32]"),
]
Target = Annotated[str | None, typer.Option("--target", help="a table's target column")]
NewName = Annotated[str | None, typer.Option("--name", help="what to call the experiment [default: after the task]")]


@app.command()
def compare(
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
    settings = {
        "arms": arm,
        "trials": trials,
        "repeats": repeats,
        "epochs": epochs,
        "seeds": seeds,
        "finalists": finalists,
        "confirm_seeds": confirm_seeds,
        "seed": seed,
        "sampler": sampler,
        "pruner": pruner,
        "batch_size": batch_size,
        "hidden": _widths(hidden),
        "target": target,
        "name": name,
    }
    _compare(task, settings, db=db, workers=workers, json_=json_, quiet=quiet)


@app.command()
def tune(
    task: Task,
    arm: Annotated[
        str | None,
        typer.Option("--arm", metavar="ARM", help="choose among these only [default: all optimizers and schedules]"),
    ] = None,
    trials: Trials = None,
    repeats: Annotated[int | None, typer.Option("--repeats", help="independent studies [default: 1]")] = 1,
    epochs: Epochs = None,
    seeds: Seeds = None,
    finalists: Finalists = None,
    confirm_seeds: ConfirmSeeds = None,
    seed: Seed = None,
    workers: Workers = None,
    sampler: Sampler = None,
    batch_size: BatchSize = None,
    hidden: Hidden = None,
    target: Target = None,
    name: NewName = None,
    db: Db = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Search one joint arm on TASK for a good config: no evidence between optimizers."""
    from search.experiments import joint_arm

    settings = {
        "arms": [joint_arm(arm)],
        "trials": trials,
        "repeats": repeats,
        "epochs": epochs,
        "seeds": seeds,
        "finalists": finalists,
        "confirm_seeds": confirm_seeds,
        "seed": seed,
        "sampler": sampler,
        "batch_size": batch_size,
        "hidden": _widths(hidden),
        "target": target,
        "name": name,
    }
    _compare(task, settings, db=db, workers=workers, json_=json_, quiet=quiet)


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
        _out.print(terminal.experiments(summaries), highlight=False)
    else:
        _out.print("No experiments yet: `cooldown compare digits` starts one.", highlight=False)


@app.command()
def show(name: Name, db: Db = None, json_: Json = False) -> None:
    """Show what an experiment says."""
    from search import experiments

    _show(experiments.load(name, db=db), json_)


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
        writer = csv.DictWriter(sys.stdout, fieldnames=list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        writer.writerows(rows)
    else:
        _out.print(terminal.trials(rows), highlight=False)


@app.command()
def delete(
    name: Name,
    db: Db = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Delete an experiment with all its trials."""
    from search import experiments

    experiments.load(name, db=db)
    if not yes and sys.stdin.isatty() and not typer.confirm(f"Delete {name!r} with all its trials?"):
        raise typer.Exit(0)
    experiments.delete(name, db=db)
    _err.print(f"Deleted {name}.", highlight=False, markup=False)


class Section(StrEnum):
    """What the catalog can list."""

    OPTIMIZERS = "optimizers"
    SCHEDULES = "schedules"
    TASKS = "tasks"
    ARMS = "arms"


@app.command()
def catalog(
    section: Annotated[Section | None, typer.Argument(help="one section only", show_default=False)] = None,
    json_: Json = False,
) -> None:
    """List optimizers, schedules, tasks and default arms."""
    from search import terminal
    from search.contents import contents

    found = contents()
    wanted = [section.value] if section else list(found)
    if json_:
        _print_json(found[section.value] if section else found)
        return
    for i, kind in enumerate(wanted):
        if i:
            _out.print()
        _out.print(terminal.catalog(kind, found[kind]), highlight=False)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="print the version", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"cooldown {installed('cooldown')}")
        raise typer.Exit


def _compare(
    task: str, flags: dict[str, Any], *, db: str | None, workers: int | None, json_: bool, quiet: bool
) -> None:
    from search import experiments

    settings = experiments.settings(task, flags)
    _run(
        lambda report: experiments.compare(**settings, db=db, workers=workers, report=report),
        db,
        json_,
        quiet,
    )


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
            place = f" --db {shlex.quote(db)}" if db else ""
            _say(f"Interrupted; what was done is kept. Go on with:\n  cooldown resume {shlex.quote(running[0])}{place}")
        raise
    _show(result, json_)


def _show(result: Any, json_: bool) -> None:
    from search import terminal

    if json_:
        _print_json(result.to_json())
    else:
        terminal.answer(_out, result)


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
    _err.print(message, highlight=False, markup=False, soft_wrap=True)


def main() -> NoReturn:
    """The `cooldown` command."""
    try:
        app()
    except InputError as error:
        _say(f"cooldown: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        sys.stderr.close()
        sys.exit(0)
    except RuntimeError as error:
        from search.runner import RunError

        if not isinstance(error, RunError):
            raise
        _say(f"cooldown: {error}")
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main()
