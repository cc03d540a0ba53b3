"""Commands that show experiments, the catalog and surfaces; and delete."""

import csv
import math
import sys
from pathlib import Path
from typing import Annotated

import typer

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.objectives.plain_text import cell
from cooldown.search.cli.frame import app, print_json, say, show_result
from cooldown.search.cli.named import AboutExperiment
from cooldown.search.cli.options import WHOLE, Db, Force, Json, Name, Section, Trust
from cooldown.search.cli.screen import ERR, OUT
from cooldown.search.evidence import SECTIONS

PAGE_SUFFIXES = (".html", ".htm")


@app.command("list")
def list_(db: Db = None, json_: Json = False) -> None:
    """List all experiments: which arm leads, by how much, and how long each took."""
    from cooldown.search import experiments
    from cooldown.search.cli import listings
    from cooldown.search.evidence.standing import Leaders, lines

    listed, damaged = lines(experiments.summaries(db), experiments.winners(db), Leaders())
    damaged += experiments.unreadable(db)
    if json_:
        print_json([*(line.to_json() for line in listed), *(error.to_json() for error in damaged)])
    elif listed or damaged:
        OUT.print(listings.experiments(listed, damaged))
        for error in damaged:
            say(f"Damaged: {error}")
    else:
        OUT.print("No experiments yet. Start one with: cooldown compare digits")


@app.command(cls=AboutExperiment)
def show(
    name: Name,
    section: Section = None,
    target_loss: Annotated[
        float | None,
        typer.Option("--target-loss", help="the validation loss to reach in section target", metavar="LOSS"),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option("--format", "-f", help="print tables as latex, markdown, html or csv", metavar="FORMAT"),
    ] = None,
    db: Db = None,
    trust: Trust = False,
    json_: Json = False,
) -> None:
    """Show an experiment's answer, or one SECTION of its evidence."""
    from cooldown.search import experiments
    from cooldown.search.cli.terminal import blocks
    from cooldown.search.evidence.sections import MADE, answered
    from cooldown.search.export import markup

    if target_loss is not None and (section != "target" or not math.isfinite(target_loss)):
        raise InputError(f"--target-loss {target_loss:g}: must be a finite loss, and needs SECTION target")
    if section is not None and section not in SECTIONS:
        raise unknown_name("section", section, SECTIONS)
    if format is not None:
        if format not in markup.FORMATS:
            raise unknown_name("format of tables", format, markup.FORMATS)
        if json_:
            raise InputError("--json and --format cannot be used together")
    result = experiments.load(name, db=db)
    if json_ and section == "generalization":
        # Not in the document of the whole experiment, because it takes training.
        from cooldown.search.evidence.generalization import generalization_document

        print_json(generalization_document(result.view))
        return
    if json_ or (section is None and format is None):
        show_result(result, json_)
        return
    made = answered if section is None else MADE[section]
    evidence = made(result.view, *([] if target_loss is None else [target_loss]))
    if format is None:
        OUT.print(blocks(evidence))
    else:
        sys.stdout.write(markup.FORMATS[format](evidence))


@app.command(cls=AboutExperiment)
def trials(
    name: Name,
    db: Db = None,
    trust: Trust = False,
    json_: Json = False,
    csv_: Annotated[bool, typer.Option("--csv", help="print comma-separated values")] = False,
) -> None:
    """List all trials of an experiment."""
    from cooldown.search import experiments
    from cooldown.search.cli import listings

    if json_ and csv_:
        raise InputError("--json and --csv cannot be used together")
    rows = experiments.load(name, db=db).trials()
    if json_:
        print_json(rows)
    elif csv_:
        columns = list(dict.fromkeys(key for row in rows for key in row)) or ["arm", "repeat", "trial"]
        writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: cell(value) if isinstance(value, str) else value for key, value in row.items()})
    else:
        OUT.print(listings.trials(rows))


@app.command(cls=AboutExperiment)
def delete(
    name: Name,
    db: Db = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask for confirmation")] = False,
) -> None:
    """Delete an experiment with all its trials."""
    from cooldown.search import experiments

    known = {summary.name for summary in experiments.summaries(db)}
    if name not in known | {error.experiment for error in experiments.unreadable(db)}:
        # Raises an error with the closest name. An existing one is not loaded: it may be damaged, or need a module that
        # is missing.
        experiments.load(name, db=db)
    if confirmed(name, yes):
        experiments.delete(name, db=db)
        ERR.print(f"Deleted {name}.")


def confirmed(name: str, yes: bool) -> bool:
    """Whether an experiment is to be deleted: somebody at a terminal is asked, unless `yes` says so."""
    return yes or not sys.stdin.isatty() or typer.confirm(f"Delete {name!r} with all its trials?", err=True)


@app.command()
def catalog(
    section: Annotated[
        str | None,
        typer.Argument(
            help="optimizers, schedules, strategies, tasks, surfaces, samplers, formats or arms",
            metavar="SECTION",
            show_default=False,
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """List the entries of the catalog, or of one SECTION."""
    from cooldown.search.cli import listings
    from cooldown.search.experiments.catalog import contents

    sections = contents()
    if section is not None and section not in sections:
        raise unknown_name("section of the catalog", section, sections)
    if json_:
        print_json(sections[section] if section else sections)
        return
    for i, kind in enumerate([section] if section else sections):
        if i:
            OUT.print()
        OUT.print(listings.catalog(kind, sections[kind]))


@app.command()
def surface(
    name: Annotated[str, typer.Argument(help="a surface; see `cooldown catalog surfaces`", metavar="NAME")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="HTML file to write [default: NAME.html]", metavar="FILE")
    ] = None,
    optimizer: Annotated[
        list[str] | None,
        typer.Option("--optimizer", help="an optimizer to draw; can be repeated [default: all]", metavar="NAME"),
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", help="updates per path [default: the surface's own]", **WHOLE)
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option("--rate", help="one learning rate for all [default: tuned for each]", metavar="RATE"),
    ] = None,
    in_3d: Annotated[bool, typer.Option("--3d", help="draw the surface in three dimensions, not animated")] = False,
    force: Force = False,
    json_: Json = False,
) -> None:
    """Draw the optimizers' paths over a surface of two parameters.

    Each optimizer uses a tuned learning rate, or all use that of --rate.
    """
    from cooldown.objectives import surfaces
    from cooldown.search.cli import listings
    from cooldown.search.cli import surface as drawing
    from cooldown.search.cli.output import check_output, write_output

    drawn = surfaces.get(name)
    path = None if json_ and output is None else Path(f"{name}.html" if output is None else output)
    if path is not None:
        check_output(path, force)
        if path.suffix.lower() not in PAGE_SUFFIXES:
            raise InputError(
                f"-o {str(path)!r}: a surface is written as an animated web page; use -o {path.with_suffix('.html')}"
            )
    with ERR.status(f"Tuning learning rates on {name} …"):
        trajectories = surfaces.trajectories(drawn, optimizer, steps, rate)
        if path is not None:
            write_output(path, drawing.picture(drawn, trajectories, rate, in_3d=in_3d), force)
    document = drawing.document(drawn, trajectories, rate)
    if json_:
        print_json(document)
    else:
        OUT.print(listings.surface(document))
    if path is not None:
        say(f"Wrote {path}. Open it in a browser.")
