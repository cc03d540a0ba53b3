"""The command that shows how a table is read: describe."""

import typer

from cooldown.search.cli.columns import show_columns
from cooldown.search.cli.frame import app, print_json
from cooldown.search.cli.options import (
    Categories,
    Dates,
    Decimal,
    Drop,
    Groups,
    Json,
    Kind,
    Missing,
    SampleWeight,
    Target,
    Task,
    Test,
    Time,
    Trust,
)
from cooldown.search.cli.screen import OUT


@app.command()
def describe(
    context: typer.Context,
    task: Task,
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
    sample_weight: SampleWeight = None,
    trust: Trust = False,
    json_: Json = False,
) -> None:
    """Show how each column of a table is read, without training."""
    from cooldown.search.cli.settings import merged_settings
    from cooldown.search.evidence.columns import table_document
    from cooldown.search.spec.experiment import BESIDE, read_spec
    from cooldown.search.tuning.splits import task_of

    flags = {name: value or None for name, value in context.params.items() if name not in ("task", "trust", "json_")}
    settings = merged_settings(task, flags)
    described = task_of(read_spec(**{name: value for name, value in settings.items() if name not in BESIDE}))
    if json_:
        print_json(table_document(described))
    else:
        show_columns(OUT, described)
