"""Commands that run an experiment: compare, tune, resume."""

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer

from cooldown.interrupts import orderly, say_when_asked
from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task as AnyTask
from cooldown.search.cli.columns import told
from cooldown.search.cli.frame import app, print_json, show_result
from cooldown.search.cli.named import AboutExperiment
from cooldown.search.cli.options import (
    NAMING,
    WHOLE,
    Arms,
    BatchSize,
    Categories,
    ClassWeight,
    ConfirmSeeds,
    Dates,
    Db,
    Decimal,
    Drop,
    DryRun,
    Epochs,
    ExecutorName,
    Finalists,
    From,
    Groups,
    Hidden,
    Json,
    Kind,
    Margin,
    MaxRepeats,
    Metric,
    Missing,
    Name,
    NewName,
    Objective,
    OptionalTask,
    Primary,
    Pruner,
    Quiet,
    Repeats,
    Sampler,
    SampleWeight,
    Seed,
    Seeds,
    Settings,
    Target,
    TargetTransform,
    Task,
    Test,
    Time,
    Trials,
    Trust,
    UntilDecided,
    Workers,
)
from cooldown.search.cli.screen import ERR, OUT
from cooldown.search.evidence.commands import command
from cooldown.storage.address import shown


@app.command()
def compare(
    context: typer.Context,
    task: OptionalTask = None,
    from_: From = None,
    arm: Arms = None,
    primary: Primary = None,
    margin: Margin = None,
    trials: Trials = None,
    repeats: Repeats = None,
    until_decided: UntilDecided = False,
    max_repeats: MaxRepeats = None,
    epochs: Epochs = None,
    seeds: Seeds = None,
    finalists: Finalists = None,
    confirm_seeds: ConfirmSeeds = None,
    seed: Seed = None,
    workers: Workers = None,
    executor: ExecutorName = None,
    sampler: Sampler = None,
    pruner: Pruner = None,
    batch_size: BatchSize = None,
    hidden: Hidden = None,
    set_: Settings = None,
    target: Target = None,
    test: Test = None,
    groups: Groups = None,
    time: Time = None,
    kind: Kind = None,
    decimal: Decimal = None,
    missing: Missing = None,
    categories: Categories = None,
    dates: Dates = None,
    drop: Drop = None,
    metric: Metric = None,
    objective: Objective = None,
    class_weight: ClassWeight = None,
    sample_weight: SampleWeight = None,
    target_transform: TargetTransform = None,
    name: NewName = None,
    db: Db = None,
    json_: Json = False,
    trust: Trust = False,
    quiet: Quiet = False,
    dry_run: DryRun = False,
) -> None:
    """Tune every arm on TASK, and report which is better."""
    _compare(context, {})


@app.command()
def tune(
    context: typer.Context,
    task: Task,
    arm: Annotated[
        list[str] | None,
        typer.Option(
            "--arm",
            metavar="ARM",
            help="the joint arm to search [default: all optimizers and schedules]",
            **NAMING,
        ),
    ] = None,
    trials: Trials = None,
    repeats: Annotated[int | None, typer.Option("--repeats", help="independent studies [default: 1]", **WHOLE)] = None,
    epochs: Epochs = None,
    seeds: Seeds = None,
    finalists: Finalists = None,
    confirm_seeds: ConfirmSeeds = None,
    seed: Seed = None,
    workers: Workers = None,
    executor: ExecutorName = None,
    sampler: Sampler = None,
    pruner: Pruner = None,
    batch_size: BatchSize = None,
    hidden: Hidden = None,
    set_: Settings = None,
    target: Target = None,
    test: Test = None,
    groups: Groups = None,
    time: Time = None,
    kind: Kind = None,
    decimal: Decimal = None,
    missing: Missing = None,
    categories: Categories = None,
    dates: Dates = None,
    drop: Drop = None,
    metric: Metric = None,
    objective: Objective = None,
    class_weight: ClassWeight = None,
    sample_weight: SampleWeight = None,
    target_transform: TargetTransform = None,
    name: NewName = None,
    db: Db = None,
    json_: Json = False,
    trust: Trust = False,
    quiet: Quiet = False,
    dry_run: DryRun = False,
) -> None:
    """Search one joint arm on TASK for a good config.

    It does not show which optimizer is better; use compare for that.
    """
    from cooldown.search.spec.arms import joint_arm

    _compare(context, {"arms": [joint_arm()], "repeats": 1}, joint=True)


@app.command(cls=AboutExperiment)
def resume(
    name: Name,
    trials: Annotated[
        int | None, typer.Option("--trials", help="extend each study to this many trials", **WHOLE)
    ] = None,
    repeats: Annotated[
        int | None, typer.Option("--repeats", help="extend each arm to this many repeats", **WHOLE)
    ] = None,
    extend: Annotated[
        bool, typer.Option("--extend", help="widen the ranges that boundary alarms name, and search these arms again")
    ] = False,
    until_decided: UntilDecided = False,
    max_repeats: MaxRepeats = None,
    workers: Workers = None,
    executor: ExecutorName = None,
    db: Db = None,
    trust: Trust = False,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Continue an interrupted experiment, or extend a finished one."""
    from cooldown.search import experiments

    def work(report: Any) -> Any:
        return experiments.resume(
            name,
            trials=trials,
            repeats=repeats,
            extend=extend,
            until_decided=until_decided,
            max_repeats=max_repeats,
            db=db,
            workers=workers,
            executor=executor,
            report=report,
        )

    _run(work, db, json_, quiet)


def _compare(context: typer.Context, defaults: dict[str, Any], *, joint: bool = False) -> None:
    """Run `compare` with a command's arguments, which override the command's `defaults`.

    joint: whether the command takes one arm only.
    """
    from cooldown.search import experiments
    from cooldown.search.cli import listings
    from cooldown.search.cli.settings import merged_settings
    from cooldown.search.experiments.service import ONE_ARM
    from cooldown.search.spec.ranges import read_settings
    from cooldown.search.spec.task_fields import LISTS

    parameters = dict(context.params)
    exported = parameters.pop("from_", None)
    if parameters["task"] is None and exported is None:
        raise InputError("missing TASK: name a task such as digits (see `cooldown catalog tasks`), or give --from FILE")
    task, arms, set_, json_, quiet = (parameters.pop(name) for name in ("task", "arm", "set_", "json_", "quiet"))
    dry_run = parameters.pop("dry_run")
    # The option itself has done it.
    parameters.pop("trust")
    flags = parameters | {
        "until_decided": parameters.get("until_decided") or None,
        "arms": arms or None,
        "hidden": _widths(parameters["hidden"]),
        "ranges": read_settings(set_) if set_ else None,
        **{name: parameters[name] or None for name in LISTS},
    }
    settings = merged_settings(task, flags, defaults, None if exported is None else Path(exported))
    if joint and isinstance(settings["arms"], list | dict) and len(settings["arms"]) > 1:
        raise InputError(f"{ONE_ARM}; give it as one --arm, for example --arm momentum,adam+cosine,sgdr")
    table: dict[str, Any] = {}

    def on_task(task: AnyTask) -> None:
        table.update(told(task, quiet=quiet))

    if dry_run:
        with orderly(), nullcontext() if quiet else ERR.status("Timing a small experiment of the same kind …"):
            estimated = experiments.dry_run(**settings, on_task=on_task)
        if json_:
            print_json({**estimated.to_json(), **table})
        else:
            OUT.print(listings.estimate(estimated))
        return

    def work(report: Any) -> Any:
        return experiments.compare(**settings, report=report, on_task=on_task)

    _run(work, settings.get("db"), json_, quiet, table)


def _run(work: Any, db: str | None, json_: bool, quiet: bool, table: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Do `work` with a live display, and print its result; if interrupted, print how to continue.

    table: what `work` has found of the task's table, for the JSON document.
    """
    from cooldown.search.experiments.live import live
    from cooldown.search.spec.recorded import names_modules

    with orderly(), nullcontext(lambda _: None) if quiet else live(ERR) as report:

        def report_and_keep_name(progress: Any) -> None:
            trust = ("--trust",) if names_modules(progress.spec.to_json()) else ()
            again = command("resume", progress.name, *trust, db=db and shown(db))
            say_when_asked(f"Interrupted. Finished work is kept; continue with:\n  {again}")
            report(progress)

        result = work(report_and_keep_name)
    show_result(result, json_, table)


def _widths(text: str | None) -> tuple[int, ...] | None:
    """`"64,32"` as (64, 32), `"0"` as no hidden layer."""
    if text is None:
        return None
    try:
        widths = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--hidden: widths should be whole numbers such as 64,32, got {text!r}") from None
    return () if widths == (0,) else widths
