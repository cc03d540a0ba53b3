"""Commands about the queue: submit, queue, pause, stop, cancel."""

from typing import Any

import typer

from cooldown.objectives.tasks import Task as AnyTask
from cooldown.search.cli.columns import told
from cooldown.search.cli.frame import app, print_json, say
from cooldown.search.cli.named import AboutExperiment
from cooldown.search.cli.options import (
    Arms,
    BatchSize,
    Categories,
    ClassWeight,
    ConfirmSeeds,
    Dates,
    Db,
    Decimal,
    Drop,
    Epochs,
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
    Notes,
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
    Tags,
    Target,
    TargetTransform,
    Test,
    Time,
    TimeLimit,
    Trials,
    Trust,
    UntilDecided,
)
from cooldown.search.cli.screen import OUT
from cooldown.search.evidence.status import place, queued_document
from cooldown.storage.address import shown


@app.command()
def submit(
    context: typer.Context,
    task: OptionalTask = None,
    from_: From = None,
    priority: Priority = None,
    tag: Tags = None,
    notes: Notes = None,
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
) -> None:
    """Like `compare`, but queue the experiment for workers.

    Prints its name. Start workers with `cooldown worker`.
    """
    from cooldown.search import experiments
    from cooldown.search.cli.asked import asked

    settings = asked(context.params, {})
    # Those of a spec file are for `compare`: a worker has its own.
    for of_compare in ("workers", "executor"):
        settings.pop(of_compare, None)
    table: dict[str, Any] = {}

    def on_task(task: AnyTask) -> None:
        table.update(told(task, quiet=quiet))

    submitted = experiments.submit(**settings, on_task=on_task)
    tell(submitted.name, settings.get("db"), json_, {"new": submitted.new, **table})


@app.command()
def queue(db: Db = None, json_: Json = False) -> None:
    """List the experiments that are running, open to training loops, queued (in order) or paused."""
    from cooldown.search import experiments
    from cooldown.search.cli import queue_lines

    listed = experiments.queued(db)
    if json_:
        print_json([queued_document(summary, place(summary, listed)) for summary in listed])
    elif listed:
        OUT.print(queue_lines.table(listed))
    else:
        OUT.print("Nothing is running or queued. Add something with: cooldown submit digits")


@app.command(cls=AboutExperiment)
def pause(name: Name, db: Db = None, json_: Json = False) -> None:
    """Pause an experiment once what is in flight is finished; `resume` continues it."""
    from cooldown.search import experiments

    experiments.pause(name, db=db)
    tell(name, db, json_)


@app.command(cls=AboutExperiment)
def stop(name: Name, db: Db = None, json_: Json = False) -> None:
    """End an experiment once what is in flight is finished."""
    from cooldown.search import experiments

    experiments.stop(name, db=db)
    tell(name, db, json_)


@app.command(cls=AboutExperiment)
def cancel(name: Name, db: Db = None, json_: Json = False) -> None:
    """End an experiment, and drop what is in flight; finished work is kept."""
    from cooldown.search import experiments

    experiments.cancel(name, db=db)
    tell(name, db, json_)


def tell(name: str, db: str | None, json_: bool, more: dict[str, Any] | None = None) -> None:
    """Print an experiment's name, and say how it stands and where to look."""
    from cooldown.search import experiments
    from cooldown.search.cli import queue_lines

    summary, listed = experiments.summary(name, db=db), experiments.queued(db)
    if json_:
        print_json({**queued_document(summary, place(summary, listed)), **(more or {})})
        return
    OUT.print(summary.name, soft_wrap=True)
    say(queue_lines.standing(summary, listed, db and shown(db)))
