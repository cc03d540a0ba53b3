"""Commands for papers: figures as files, and how to cite Cooldown."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.search.cli.frame import app, say
from cooldown.search.cli.named import AboutExperiment
from cooldown.search.cli.options import Db, Force, Trust
from cooldown.search.figures import FIGURES, PICTURES

PAGE = "html"

TITLE = "Cooldown: hyperparameter and learning-rate-schedule search under equal budgets"
AUTHORS, YEAR = "The Cooldown authors", 2026
"""As in CITATION.cff."""


@app.command(cls=AboutExperiment)
def figure(
    name: Annotated[str, typer.Argument(help="the experiment's name, or asynchronous", metavar="NAME")],
    figure: Annotated[
        str | None,
        typer.Argument(
            help=f"{', '.join(FIGURES[:-1])} or {FIGURES[-1]}; of asynchronous timelines or loss",
            metavar="FIGURE",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", help="pdf, svg, png or html file to write [default: NAME-FIGURE.pdf]", metavar="FILE"
        ),
    ] = None,
    width: Annotated[
        float | None,
        typer.Option("--width", help="centimetres [default: 8.5, one of two columns]", metavar="CM"),
    ] = None,
    force: Force = False,
    db: Db = None,
    trust: Trust = False,
) -> None:
    """Write a FIGURE of an experiment, or of asynchronous workers, for a paper or as a web page."""
    from cooldown.search import experiments
    from cooldown.search.cli.output import check_output, file_name, write_output
    from cooldown.search.experiments import pictures
    from cooldown.search.figures import named, printed
    from cooldown.search.figures.page import page

    of_name: tuple[str, ...] = PICTURES.get(name, ())
    if figure is None:
        if not of_name:
            raise InputError(f"figure {name!r:.80}: give a FIGURE: {', '.join(FIGURES)}")
        figure = of_name[0]
    if figure not in (*FIGURES, *of_name):
        raise unknown_name("figure", figure, (*FIGURES, *of_name))
    width = printed.WIDTH if width is None else width
    path = Path(f"{file_name(name)}-{figure}.pdf" if output is None else output)
    format = path.suffix.lower().removeprefix(".")
    if format != PAGE:
        try:
            printed.check_printing(format, width)
        except InputError as error:
            raise InputError(f"-o {str(path)!r}: {error}") from error
    check_output(path, force)
    drawn = (
        pictures.DRAWN[name][figure]()
        if figure in of_name
        else named.figure(experiments.load(name, db=db).view, figure)
    )
    if format == PAGE:
        write_output(path, page(drawn, f"{name}: {figure}"), force)
    else:
        write_output(path, printed.printed(drawn, format, width=width), force)
    say(f"Wrote {path}.")


@app.command()
def cite() -> None:
    """Print how to cite Cooldown, as BibTeX."""
    fields = {
        "title": f"{{{TITLE}}}",
        "author": f"{{{AUTHORS}}}",
        "year": str(YEAR),
        "version": version("cooldown"),
        "license": "MIT",
    }
    width = max(map(len, fields))
    lines = [f"  {key:{width}} = {{{value}}}," for key, value in fields.items()]
    typer.echo("\n".join(["@software{cooldown,", *lines, "}"]))
