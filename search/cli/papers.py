"""Commands for papers: figures as files, and how to cite Cooldown."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.search.cli.frame import app, say
from cooldown.search.cli.named import AboutExperiment
from cooldown.search.cli.options import Db, Force, Trust
from cooldown.search.cli.screen import OUT
from cooldown.search.figures import FIGURES, PICTURES

if TYPE_CHECKING:
    import plotly.graph_objects as go

PAGE = "html"

SURVEY, SCHEDULE = "survey/", "schedule"
"""In place of an experiment: the survey's pictures, and schedules."""

TITLE = "Cooldown: hyperparameter and learning-rate-schedule search under equal budgets"
AUTHORS, YEAR = "The Cooldown authors", 2026
"""As in CITATION.cff."""


@app.command(cls=AboutExperiment)
def figure(
    name: Annotated[
        str,
        typer.Argument(help="the experiment's name, or asynchronous, schedule, survey/1 to survey/6", metavar="NAME"),
    ],
    figure: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"{', '.join(FIGURES[:-1])} or {FIGURES[-1]}; for asynchronous: timelines or loss; for schedule: "
            "names of schedules",
            metavar="FIGURE",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="file to write: pdf, svg, png or html [default: NAME-FIGURE.pdf]",
            metavar="FILE",
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
    """Write a FIGURE of an experiment, for a paper or as a web page.

    Without an experiment: `survey/1` to `survey/6` are the survey's pictures, `schedule NAME …` draws schedules, and
    `asynchronous` workers.
    """
    from cooldown.search.cli.output import check_output, file_name, write_output
    from cooldown.search.figures import printed
    from cooldown.search.figures.page import page

    title, draw = _drawing(name, figure or [], db)
    width = printed.WIDTH if width is None else width
    path = Path(f"{file_name(title)}.{'html' if name.startswith(SURVEY) else 'pdf'}" if output is None else output)
    format = path.suffix.lower().removeprefix(".")
    if name.startswith(SURVEY) and format != PAGE:
        raise InputError(f"-o {str(path)!r}: a picture of the survey is a web page; use -o {path.with_suffix('.html')}")
    if format != PAGE:
        try:
            printed.check_printing(format, width)
        except InputError as error:
            raise InputError(f"-o {str(path)!r}: {error}") from error
    check_output(path, force)
    drawn, caption = draw()
    if format == PAGE:
        write_output(path, page(drawn, title, caption), force)
    else:
        write_output(path, printed.printed(drawn, format, width=width), force)
    if caption:
        OUT.print(caption)
    say(f"Wrote {path}.")


def _drawing(name: str, figure: list[str], db: str | None) -> tuple[str, Callable[[], tuple["go.Figure", str]]]:
    """A title, and what draws the figure and says what to see in it, "" for nothing."""
    if name.startswith(SURVEY):
        from cooldown.search.figures.survey import survey_picture

        if figure:
            raise InputError(f"{name} takes no FIGURE; leave out {' '.join(figure)!r}")

        def picture() -> tuple["go.Figure", str]:
            drawn = survey_picture(name)
            return drawn.figure, drawn.caption

        return name, picture
    if name == SCHEDULE and figure and not set(figure) & set(FIGURES):
        from cooldown.search.figures.schedules import of_schedules

        return "-".join([name, *figure]), lambda: (of_schedules(figure), "")
    of_name: tuple[str, ...] = PICTURES.get(name, ())
    figure = figure or list(of_name[:1])
    if len(figure) != 1:
        told = "give one FIGURE" if figure else f"give a FIGURE: {', '.join(FIGURES)}"
        raise InputError(f"figure {name!r:.80}: {told}")
    (which,) = figure
    if which not in (*FIGURES, *of_name):
        raise unknown_name("figure", which, (*FIGURES, *of_name))
    if which in of_name:
        from cooldown.search.experiments import pictures

        return f"{name}-{which}", lambda: (pictures.DRAWN[name][which](), "")

    def of_experiment() -> tuple["go.Figure", str]:
        from cooldown.search import experiments
        from cooldown.search.figures import named

        return named.figure(experiments.load(name, db=db).view, which), ""

    return f"{name}-{which}", of_experiment


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
