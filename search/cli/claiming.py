"""Commands that check the survey's claims."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.text import Text

from cooldown.interrupts import orderly, say_when_asked
from cooldown.search.cli.frame import app, print_json
from cooldown.search.cli.options import NAMING, Db, ExecutorName, Json, Quiet, Target, Trust, Workers
from cooldown.search.cli.screen import ERR, OUT
from cooldown.search.cli.terminal import render
from cooldown.search.evidence.commands import command
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table
from cooldown.storage.address import shown

ABOUT = "what a claim is checked on: a task as in compare, or a surface such as ravine"
SMALL = "small"

BudgetName = Annotated[
    str,
    typer.Option(
        "--budget",
        help="small (less than 30 s for a claim), standard or full [default: small]",
        metavar="BUDGET",
        show_default=False,
    ),
]


@app.command()
def claims(
    context: typer.Context,
    task: Annotated[
        list[str] | None, typer.Argument(help=f"{ABOUT}; can be repeated", metavar="TASK", show_default=False, **NAMING)
    ] = None,
    budget: BudgetName = SMALL,
    target: Target = None,
    db: Db = None,
    workers: Workers = None,
    executor: ExecutorName = None,
    trust: Trust = False,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check all claims of the survey on each TASK; without one, list them."""
    from cooldown.search.claims import ClaimResult
    from cooldown.search.claims import claims as checked

    if not task:
        _list(json_)
        return
    asked = dict(context.params)

    def work(report: Any) -> list[ClaimResult]:
        return [result for one in task for result in checked(one, **_options(asked), report=report)]

    again = command("claims", task[0], *task[1:], *_again(asked), db=db and shown(db))
    results = _run(work, again, quiet)
    if json_:
        print_json([result.to_json() for result in results])
    else:
        OUT.print(_overview(results, OUT.width))


@app.command()
def claim(
    context: typer.Context,
    id: Annotated[str, typer.Argument(help="a claim, such as C3: see `cooldown claims`", metavar="ID")],
    task: Annotated[str, typer.Argument(help=ABOUT, metavar="TASK", **NAMING)],
    budget: BudgetName = SMALL,
    target: Target = None,
    db: Db = None,
    workers: Workers = None,
    executor: ExecutorName = None,
    trust: Trust = False,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check one claim of the survey on TASK: whether it holds, beside the published figure."""
    from cooldown.search.claims import claim as checked

    asked = dict(context.params)
    again = command("claim", id, task, *_again(asked), db=db and shown(db))
    result = _run(lambda report: checked(id, task, **_options(asked), report=report), again, quiet)
    if json_:
        print_json(result.to_json())
    else:
        OUT.print(_shown(result, db, OUT.width))


def _options(asked: dict[str, Any]) -> dict[str, Any]:
    """What both commands hand on, by the names of the functions' arguments."""
    return {name: asked[name] for name in ("budget", "target", "db", "workers", "executor")}


def _again(asked: dict[str, Any]) -> list[str]:
    """The options with which a command goes on where it was interrupted."""
    words = [] if asked["budget"] == SMALL else ["--budget", asked["budget"]]
    words += [f"--target={asked['target']}"] if asked["target"] is not None else []
    return words + (["--trust"] if asked["trust"] else [])


def _run(work: Any, again: str, quiet: bool) -> Any:
    """Do `work` with a live display; if interrupted, print how to continue."""
    from cooldown.search.experiments.live import live

    say_when_asked(f"Interrupted. Finished work is kept; continue with:\n  {again}")
    with orderly(), nullcontext(lambda _: None) if quiet else live(ERR) as report:
        return work(report)


def _list(json_: bool) -> None:
    """All claims: what they say, and the published figures."""
    from cooldown.search.claims import every

    found = every()
    if json_:
        names = ("id", "statement", "source", "published")
        print_json([{name: getattr(each, name) or None for name in names} for each in found])
        return
    columns = (Column("Id"), Column("Claim"), Column("Source", wide=True), Column("Published", wide=True))
    OUT.print(
        render(
            Table(columns, [(each.id, each.statement, each.source, each.published or None) for each in found]),
            room=OUT.width,
        )
    )
    OUT.print("\nCheck one: cooldown claim C3 digits. All: cooldown claims digits", style="dim")


def _overview(results: Sequence[Any], room: int) -> Group:
    """A row for each claim and task; below it, which claims do not apply, and why."""
    columns = (
        Column("Id"),
        Column("Task"),
        Column("Verdict"),
        Column("Effect", Form.READING),
        Column("Interval", Form.READING, ends=True),
        Column("Claim", wide=True),
    )
    rows = [
        (each.claim.id, each.task, each.verdict, each.effect, each.interval, each.claim.statement)
        for each in results
        if not each.why_not
    ]
    reasons: dict[tuple[str, str], list[str]] = {}
    for each in results:
        if each.why_not:
            reasons.setdefault((each.task, each.why_not), []).append(each.claim.id)
    not_applicable = [
        Text(f"Not applicable to {task}: {', '.join(ids)}: {why}.", style="dim") for (task, why), ids in reasons.items()
    ]
    return Group(render(Table(columns, rows), room=room), Text(), *not_applicable)


def _shown(result: Any, db: str | None, room: int) -> Group:
    """What is printed of one claim: statement, finding, published figure, parts, and where the evidence is."""
    lines = [Text(f"{result.claim.id}: {result.claim.statement}. ({result.claim.source})", style="dim")]
    lines.append(Text(result.sentence, style="bold"))
    if result.claim.published:
        lines.append(Text(f"Published: {result.claim.published}."))
    parts: list[Any] = [*lines]
    if result.findings:
        table = result.table()
        parts += [Text(), render(table, room=room), Text(f"\n{table.reading}", style="dim")]
    parts += [
        Text(command("show", name, db=db and shown(db)), style="dim", no_wrap=True) for name in result.experiments
    ]
    return Group(*parts)
