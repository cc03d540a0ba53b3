"""Commands that run an experiment: compare, tune, resume."""

import signal
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from cooldown.objectives.errors import InputError
from cooldown.search.cli.frame import ERR, OUT, app, place, print_json, say, show_result
from cooldown.search.cli.options import (
    WHOLE,
    Arms,
    BatchSize,
    ConfirmSeeds,
    Db,
    DryRun,
    Epochs,
    Finalists,
    From,
    Hidden,
    Json,
    Name,
    NewName,
    OptionalTask,
    Pruner,
    Quiet,
    Repeats,
    Sampler,
    Seed,
    Seeds,
    Settings,
    Target,
    Task,
    Trials,
    Workers,
)


@app.command()
def compare(
    context: typer.Context,
    task: OptionalTask = None,
    from_: From = None,
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
    from cooldown.search.spec.arms import joint_arm

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
    from cooldown.search import experiments

    def work(report: Any) -> Any:
        return experiments.resume(
            name, trials=trials, repeats=repeats, extend=extend, db=db, workers=workers, report=report
        )

    _run(work, db, json_, quiet)


def _compare(context: typer.Context, defaults: dict[str, Any], *, joint: bool = False) -> None:
    """Compare as a command's arguments say, over the command's own `defaults` and those of the spec.

    joint: whether the command takes one arm only.
    """
    from cooldown.search import experiments
    from cooldown.search.cli import listings
    from cooldown.search.cli.settings import merged_settings
    from cooldown.search.experiments.service import ONE_ARM
    from cooldown.search.spec.ranges import read_settings

    given = dict(context.params)
    exported = given.pop("from_", None)
    if given["task"] is None and exported is None:
        raise InputError(
            "missing TASK: name a task such as digits (`cooldown catalog tasks` lists them), or --from FILE"
        )
    task, arms, set_, json_, quiet = (given.pop(name) for name in ("task", "arm", "set_", "json_", "quiet"))
    dry_run = given.pop("dry_run")
    flags = given | {
        "arms": arms or None,
        "hidden": _widths(given["hidden"]),
        "ranges": read_settings(set_) if set_ else None,
    }
    settings = merged_settings(task, flags, defaults, None if exported is None else Path(exported))
    if joint and isinstance(settings["arms"], list) and len(settings["arms"]) > 1:
        raise InputError(f"{ONE_ARM}, written as --arm momentum,adam+cosine,sgdr")
    if dry_run:
        with nullcontext() if quiet else ERR.status("Timing a small experiment of the same kind …"):
            found = experiments.dry_run(**settings)
        if json_:
            print_json(found.to_json())
        else:
            OUT.print(listings.estimate(found))
        return
    _run(lambda report: experiments.compare(**settings, report=report), settings.get("db"), json_, quiet)


def _run(work: Any, db: str | None, json_: bool, quiet: bool) -> None:
    """Do `work` under a live display; tell how to go on where it is interrupted."""
    from cooldown.search.cli.live import live

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    running: list[str] = []
    try:
        with nullcontext(lambda _: None) if quiet else live(ERR) as report:

            def noting(progress: Any) -> None:
                running[:] = [progress.name]
                report(progress)

            result = work(noting)
    except KeyboardInterrupt:
        if running:
            say(f"Interrupted. Finished work is kept; continue with:\n  cooldown resume {place(running[0], db)}")
        raise
    show_result(result, db, json_)


def _widths(text: str | None) -> tuple[int, ...] | None:
    """`"64,32"` as (64, 32), `"0"` as no hidden layer."""
    if text is None:
        return None
    try:
        widths = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--hidden: widths are whole numbers as in 64,32, got {text!r}") from None
    return () if widths == (0,) else widths
