"""`cooldown summary`: who is better over all tasks of a ledger."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from cooldown.objectives.errors import InputError
from cooldown.search.cli.elsewhere import Parameters, done
from cooldown.search.cli.frame import app, print_json
from cooldown.search.cli.options import Db, Json
from cooldown.search.cli.screen import OUT

if TYPE_CHECKING:
    from cooldown.search.evidence.across.comparison import Comparison
    from cooldown.search.evidence.across.measured import LeftOut, Measured
    from cooldown.search.service.client import Client


@app.command()
def summary(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="experiments [default: the newest of each task]", metavar="NAME", show_default=False),
    ] = None,
    primary: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--primary",
            help="two arms: does the first beat the second? [default: annealed SGD and an adaptive method, the best "
            "of each task]",
            metavar="ARM ARM",
            show_default=False,
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="only tasks of this kind: classification, regression or other", metavar="KIND"),
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option(
            "--rows", help="only tasks with this many training rows, such as 100:1000, 100: or :1000", metavar="ROWS"
        ),
    ] = None,
    db: Db = None,
    json_: Json = False,
) -> None:
    """Summarize all tasks: which arm is better, by how much, how sure that is, and the arms' ranks."""
    from cooldown.search.experiments.across import read

    _show(read(names or (), db), {"primary": primary, "kind": kind, "rows": rows, "json_": json_})


@done("summary")
def _elsewhere(client: "Client", given: Parameters) -> None:
    _show(client.across(given["names"] or ()), given)


def _show(found: Sequence["Measured | LeftOut"], given: Parameters) -> None:
    from cooldown.search.evidence.across.comparison import Asked, compared
    from cooldown.search.evidence.across.document import document

    least, most = _rows(given["rows"])
    comparison = compared(found, Asked(given["primary"], given["kind"], least, most))
    if given["json_"]:
        print_json(document(comparison))
    elif found:
        OUT.print(_shown(comparison))
    else:
        OUT.print("No experiments yet. Start one with: cooldown compare digits")


def _rows(text: str | None) -> tuple[int | None, int | None]:
    """The two ends of `100:1000`, either of which may be missing; raises InputError for another text."""
    ends = [] if text is None else text.split(":")
    if len(ends) not in (0, 2) or not all(end == "" or (end.isascii() and end.isdigit()) for end in ends):
        raise InputError(f"--rows {text!r:.80}: give two numbers of training rows, as in 100:1000")
    least, most = (int(end) if end else None for end in ends or ("", ""))
    return least, most


def _shown(comparison: "Comparison") -> RenderableType:
    from cooldown.search.cli.tables import Printed
    from cooldown.search.evidence.across import tables

    across, ranking = comparison.across, comparison.ranking
    parts: list[Any] = [Text(across.question, style="dim"), Text(across.sentence, style="bold")]
    question, ranks = tables.question_table(across), tables.ranks_table(ranking)
    if len(question):
        parts += [Text(), Printed(question, "below"), *([Text(question.note, style="dim")] if question.note else [])]
    if len(ranks):
        parts += [Text(), Printed(tables.arms_table(ranking), "below"), Text(), Printed(ranks, "below")]
    if comparison.left_out:
        parts += [Text(), Printed(tables.left_out_table(comparison.left_out))]
    return Group(*parts)
