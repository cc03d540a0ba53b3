"""Commands that use results elsewhere: export, report, train."""

import sys
from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated, Any

import typer

from cooldown.objectives.errors import InputError
from cooldown.search.cli.columns import told
from cooldown.search.cli.frame import app, print_json, say
from cooldown.search.cli.named import AboutExperiment
from cooldown.search.cli.options import (
    NAMING,
    WHOLE,
    Categories,
    Dates,
    Db,
    Decimal,
    Drop,
    Force,
    Groups,
    Json,
    Kind,
    Missing,
    Name,
    Output,
    Time,
    Trust,
    whole,
)
from cooldown.search.cli.output import STDOUT, check_output, file_name, print_content, write_output
from cooldown.search.cli.screen import ERR, OUT
from cooldown.search.spec.limits import SEEDS

# Listed without importing the modules, so that `--help` is fast.
FORMATS = sorted(name for _, name, _ in iter_modules([str(Path(__file__).parents[1] / "export" / "formats")]))

CURVES = "for a table (see `cooldown catalog formats`): one row per epoch of every run"

AVERAGED = "for a model: the number of networks whose predictions are averaged [default: 1]"


@app.command(cls=AboutExperiment)
def export(
    name: Name,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            help=f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]} [default: by the suffix of FILE, else json]",
            metavar="FORMAT",
        ),
    ] = None,
    arm: Annotated[str | None, typer.Option("--arm", help="arm to export [default: the best]", metavar="ARM")] = None,
    repeat: Annotated[
        int | None, typer.Option("--repeat", help="repeat to export [default: the arm's best]", **WHOLE)
    ] = None,
    trial: Annotated[int | None, typer.Option("--trial", help="trial to export [default: the winner]", **WHOLE)] = None,
    curves: Annotated[bool, typer.Option("--curves", help=CURVES)] = False,
    seeds: Annotated[int | None, typer.Option("--seeds", help=AVERAGED, **whole(1, SEEDS))] = None,
    lock: Annotated[
        bool, typer.Option("--lock", help="export the versions of all packages instead, as a requirements file")
    ] = False,
    output: Output = None,
    force: Force = False,
    db: Db = None,
    trust: Trust = False,
) -> None:
    """Export the best configuration as file, code or trained model, or all trials."""
    from cooldown.search import experiments
    from cooldown.search import export as formats

    path = None if output in (None, STDOUT) else Path(output)
    if path is not None:
        check_output(path, force)
    if lock:
        others = {
            "format": format,
            "arm": arm,
            "repeat": repeat,
            "trial": trial,
            "curves": curves or None,
            "seeds": seeds,
        }
        if given := [f"--{key}" for key, value in others.items() if value is not None]:
            raise InputError(f"{given[0]} and --lock cannot be used together: all trials have the same packages")
        exported = formats.Exported(formats.requirements(experiments.load(name, db=db).view))
    else:
        format = formats.named_after(path, format)
        entry = formats.get(format)
        binary = isinstance(entry, formats.ModelFormat) or (isinstance(entry, formats.TableFormat) and not entry.text)
        if path is None and binary and sys.stdout.isatty():
            raise InputError(f"{format} is a binary format: write it to a file with -o")
        view = experiments.load(name, db=db).view
        with ERR.status(f"Exporting {format} …"):
            exported = formats.export(view, format, arm=arm, repeat=repeat, trial=trial, curves=curves, seeds=seeds)
    if path is None:
        print_content(exported.content)
    else:
        write_output(path, exported.content, force)
    for remark in exported.remarks:
        say(f"Note: {remark}.")
    if path is not None:
        say(f"Wrote {path}.")


@app.command(cls=AboutExperiment)
def report(
    name: Name,
    others: Annotated[
        list[str] | None,
        typer.Argument(help="more experiments, for one report of all", metavar="NAME", show_default=False),
    ] = None,
    output: Output = None,
    force: Force = False,
    generalization: Annotated[
        bool, typer.Option("--generalization", help="train the winners again, and add how they generalize")
    ] = False,
    db: Db = None,
    trust: Trust = False,
) -> None:
    """Write the report of an experiment, or of several, as one self-contained web page."""
    from cooldown.search import experiments
    from cooldown.search.experiments.across import read
    from cooldown.search.report import report as page
    from cooldown.search.report.across import report_across

    names = list(dict.fromkeys([name, *(others or ())]))
    if generalization and len(names) > 1:
        raise InputError("--generalization is for the report of one experiment: name only one")
    results = [experiments.load(each, db=db) for each in names]
    path = Path(f"{file_name('-'.join(names))}.html" if output is None else output)
    if output != STDOUT:
        if path.suffix.lower() == ".pdf":
            raise InputError(f"-o {str(path)!r}: a report is a web page; use -o {path.with_suffix('.html')}")
        check_output(path, force)
    with ERR.status("Writing the report …"):
        several = len(results) > 1
        text = report_across(results, read(names, db)) if several else page(results[0], generalization=generalization)
    if output == STDOUT:
        print_content(text)
        return
    write_output(path, text, force)
    say(f"Wrote {path}. Open it in a browser.")


@app.command()
def train(
    file: Annotated[str, typer.Argument(help="a configuration written by `cooldown export`", metavar="FILE")],
    task: Annotated[
        str | None, typer.Argument(help="another task [default: its own]", metavar="TASK", show_default=False, **NAMING)
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", help="number of seeds [default: the seeds of its search]", **whole(1, SEEDS)),
    ] = None,
    target: Annotated[str | None, typer.Option("--target", help="a table's target column", metavar="COLUMN")] = None,
    test: Annotated[str | None, typer.Option("--test", help="a table of test rows", metavar="FILE")] = None,
    groups: Groups = None,
    time: Time = None,
    kind: Kind = None,
    decimal: Decimal = None,
    missing: Missing = None,
    categories: Categories = None,
    dates: Dates = None,
    drop: Drop = None,
    trust: Trust = False,
    json_: Json = False,
) -> None:
    """Train an exported configuration again, and compare the losses."""
    from cooldown.search.cli import listings
    from cooldown.search.experiments.retrain import retrain

    with ERR.status("Training …"):
        lists = {"missing": missing, "categories": categories, "dates": dates, "drop": drop}
        table: dict[str, Any] = {"target": target, "test": test, "groups": groups, "time": time}
        table |= {"kind": kind, "decimal": decimal}
        table |= {name: texts or None for name, texts in lists.items()}
        retrained = retrain(Path(file), task, seeds=seeds, **table)
    columns = told(retrained.task, quiet=json_)
    if json_:
        print_json({**retrained.to_json(), **columns})
    else:
        OUT.print(listings.retrained(retrained))
        for remark in retrained.remarks:
            say(f"Note: {remark}.")
