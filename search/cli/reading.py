"""Commands that read: experiments in the ledger, the catalog, a surface, the dashboard."""

import csv
import math
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.search.cli.frame import ERR, OUT, app, print_json, say, show_result
from cooldown.search.cli.options import WHOLE, Db, Force, Json, Name, Section
from cooldown.search.evidence import SECTIONS

PAGE_SUFFIXES = (".html", ".htm")


@app.command("list")
def list_(db: Db = None, json_: Json = False) -> None:
    """List all experiments."""
    from cooldown.search import experiments
    from cooldown.search.cli import listings

    summaries = experiments.summaries(db)
    if json_:
        print_json(
            [{"name": s.name, "task": s.spec["task"], "status": s.status.value, "trials": s.trials} for s in summaries]
        )
    elif summaries:
        OUT.print(listings.experiments(summaries))
    else:
        OUT.print("No experiments yet: `cooldown compare digits` starts one.")


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
    from cooldown.search import experiments
    from cooldown.search.cli.terminal import blocks
    from cooldown.search.evidence.sections import MADE

    if target_loss is not None and (section != "target" or not math.isfinite(target_loss)):
        raise InputError(f"--target-loss {target_loss:g}: must be a finite loss, with `cooldown show NAME target`")
    if section is not None and section not in SECTIONS:
        raise unknown_name("section", section, SECTIONS)
    result = experiments.load(name, db=db)
    if section is None or json_:
        show_result(result, db, json_)
    else:
        made = MADE[section](result.view, *([] if target_loss is None else [target_loss]))
        OUT.print(blocks(made, OUT.width))


@app.command()
def trials(
    name: Name,
    db: Db = None,
    json_: Json = False,
    csv_: Annotated[bool, typer.Option("--csv", help="print comma-separated values")] = False,
) -> None:
    """Show every trial of an experiment."""
    from cooldown.search import experiments
    from cooldown.search.cli import listings

    if json_ and csv_:
        raise InputError("--json and --csv exclude each other")
    rows = experiments.load(name, db=db).trials()
    if json_:
        print_json(rows)
    elif csv_:
        columns = list(dict.fromkeys(key for row in rows for key in row)) or ["arm", "repeat", "trial"]
        writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        OUT.print(listings.trials(rows))


@app.command()
def delete(
    name: Name,
    db: Db = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Delete an experiment with all its trials."""
    from cooldown.search import experiments

    if name not in {summary.name for summary in experiments.summaries(db)}:
        # Says what there is instead. One that is there is not read: it may need a module that is gone.
        experiments.load(name, db=db)
    if not yes and sys.stdin.isatty() and not typer.confirm(f"Delete {name!r} with all its trials?", err=True):
        return
    experiments.delete(name, db=db)
    ERR.print(f"Deleted {name}.")


@app.command()
def catalog(
    section: Annotated[
        str | None,
        typer.Argument(
            help="optimizers, schedules, strategies, tasks, surfaces, samplers or arms",
            metavar="SECTION",
            show_default=False,
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """List optimizers, schedules, strategies, tasks, surfaces, samplers and known arms."""
    from cooldown.search.cli import listings
    from cooldown.search.cli.catalog import contents

    found = contents()
    if section is not None and section not in found:
        raise unknown_name("section of the catalog", section, found)
    wanted = [section] if section else list(found)
    if json_:
        print_json(found[section] if section else found)
        return
    for i, kind in enumerate(wanted):
        if i:
            OUT.print()
        OUT.print(listings.catalog(kind, found[kind]))


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
    force: Force = False,
    json_: Json = False,
) -> None:
    """Draw the paths of all optimizers over a surface, each at its tuned learning rate."""
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
                f"-o {str(path)!r}: a surface is written as an animated web page; name it {path.with_suffix('.html')}"
            )
    with ERR.status(f"Tuning learning rates on {name} …"):
        found = surfaces.trajectories(drawn, optimizer, steps)
        if path is not None:
            write_output(path, drawing.picture(drawn, found), force)
    document = drawing.document(drawn, found)
    if json_:
        print_json(document)
    else:
        OUT.print(listings.surface(document))
    if path is not None:
        say(f"Wrote {path}: open it in a browser.")


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
    from cooldown.search.cli.serve import serve

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    serve(db, host, port, say)
