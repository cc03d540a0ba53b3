"""Commands that run an experiment: compare, tune, resume."""

from collections.abc import Mapping
from contextlib import nullcontext
from types import MappingProxyType
from typing import Annotated, Any

import typer

from cooldown.interrupts import EXIT_CODE, orderly, say_when_asked
from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task as AnyTask
from cooldown.search.cli.columns import told
from cooldown.search.cli.frame import app, print_json, say, show_result
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
    MaxGradientEvaluations,
    MaxRepeats,
    Metric,
    Missing,
    Name,
    NewName,
    Objective,
    OptionalTask,
    Primary,
    Priority,
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
    TimeLimit,
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
    time_limit: TimeLimit = None,
    max_gradient_evaluations: MaxGradientEvaluations = None,
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
    time_limit: TimeLimit = None,
    max_gradient_evaluations: MaxGradientEvaluations = None,
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
    time_limit: TimeLimit = None,
    max_gradient_evaluations: MaxGradientEvaluations = None,
    queue: Annotated[bool, typer.Option("--queue", help="put it in the queue, for a worker to run")] = False,
    here: Annotated[bool, typer.Option("--here", help="run it here, even if it was submitted to the queue")] = False,
    priority: Priority = None,
    db: Db = None,
    trust: Trust = False,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Continue an experiment that ended early, or extend a finished one.

    It is run where it was run before: one that was submitted goes back to the queue, any other is run here.
    """
    from cooldown.search import experiments
    from cooldown.search.cli.queueing import tell

    if queue and here:
        raise InputError("--queue and --here cannot be used together")
    extension = {
        "trials": trials,
        "repeats": repeats,
        "extend": extend,
        "until_decided": until_decided,
        "max_repeats": max_repeats,
        "time_limit": time_limit,
        "max_gradient_evaluations": max_gradient_evaluations,
    }
    if queue or (not here and experiments.is_submitted(name, db=db)):
        if workers is not None or executor is not None:
            raise InputError("--workers and --executor apply to a run here: add --here, or leave them out")
        experiments.requeue(name, **extension, priority=priority, db=db)
        tell(name, db, json_)
        return
    if priority is not None:
        raise InputError("--priority applies to the queue: add --queue, or leave it out")

    def work(report: Any) -> Any:
        return experiments.resume(
            name,
            **extension,
            db=db,
            workers=workers,
            executor=executor,
            report=report,
        )

    # Told from the start: the experiment is there already.
    _tell_when_asked(name, trust, db)
    _run(work, db, json_, quiet)


def _compare(context: typer.Context, defaults: dict[str, Any], *, joint: bool = False) -> None:
    """Run `compare` with a command's arguments, which override the command's `defaults`.

    joint: whether the command takes one arm only.
    """
    from cooldown.search import experiments
    from cooldown.search.cli import listings
    from cooldown.search.cli.asked import asked
    from cooldown.search.experiments.service import ONE_ARM

    json_, quiet, dry_run = (context.params[name] for name in ("json_", "quiet", "dry_run"))
    settings = asked(context.params, defaults)
    if joint and isinstance(settings["arms"], list | dict) and len(settings["arms"]) > 1:
        raise InputError(f"{ONE_ARM}; give it as one --arm, for example --arm momentum,adam+cosine,sgdr")
    table: dict[str, Any] = {}

    def on_task(task: AnyTask) -> None:
        table.update(told(task, quiet=quiet))

    if dry_run:
        for limit in ("time_limit", "max_gradient_evaluations"):
            settings.pop(limit, None)
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


def _tell_when_asked(name: str, trust: bool, db: str | None) -> None:
    """From now on, an interrupt says how the experiment is continued."""
    again = command("resume", name, *(["--trust"] if trust else []), db=db and shown(db))
    say_when_asked(f"Interrupted. Finished work is kept; continue with:\n  {again}")


def _run(work: Any, db: str | None, json_: bool, quiet: bool, table: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Do `work` with a live display, and print its result; if interrupted, print how to continue.

    table: what `work` has found of the task's table, for the JSON document.
    """
    from cooldown.search.experiments.live import live
    from cooldown.search.spec.recorded import names_modules

    with orderly(), nullcontext(lambda _: None) if quiet else live(ERR) as report:

        def report_and_keep_name(progress: Any) -> None:
            _tell_when_asked(progress.name, names_modules(progress.spec.to_json()), db)
            report(progress)

        result = work(report_and_keep_name)
    show_result(result, json_, table)
    if result.was_ended:
        say(f"{result.name} was {result.status.value} by another command.")
        raise typer.Exit(EXIT_CODE)
