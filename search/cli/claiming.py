"""Commands that check the survey's claims."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.text import Text

from cooldown.interrupts import orderly, say_when_asked
from cooldown.objectives.errors import InputError
from cooldown.search.cli.elsewhere import Parameters, done
from cooldown.search.cli.frame import app, print_json
from cooldown.search.cli.options import NAMING, Db, ExecutorName, Json, Quiet, Target, Trust, Workers
from cooldown.search.cli.screen import ERR, OUT
from cooldown.search.cli.tables import Printed
from cooldown.search.evidence.commands import command
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table
from cooldown.storage.address import shown

if TYPE_CHECKING:
    from cooldown.search.service.client import Client

ABOUT = "where to check: a task as in compare, or a surface such as ravine"
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
    _print_all([result.to_json() for result in results], json_)


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
    _print_one(result.to_json(), json_, db)


@done("claims")
def _claims(client: "Client", given: Parameters) -> None:
    if not given["task"]:
        _list(given["json_"])
        return
    _refuse_to_run(given)
    found = [each for task in given["task"] for each in _known(client, task, given["target"])]
    _print_all(found, given["json_"])


@done("claim")
def _claim(client: "Client", given: Parameters) -> None:
    _refuse_to_run(given)
    (found,) = _known(client, given["task"], given["target"], given["id"])[:1]
    _print_one(found, given["json_"], None)


def _refuse_to_run(given: Parameters) -> None:
    """Raise InputError for what is asked of experiments that are run: those of a service are only shown."""
    asked = [name for name in ("workers", "executor") if given[name] is not None]
    asked += ["budget"] if given["budget"] != SMALL else []
    if asked:
        told = "the service only shows claims that its ledger already has, and runs nothing"
        raise InputError(f"--{asked[0]} and --server cannot be used together: {told}")


def _known(client: "Client", task: str, target: str | None, id: str | None = None) -> list[dict[str, Any]]:
    """What a service has of claims on a task; raises InputError where that is nothing."""
    found = [each for each in client.claims(task=task, id=id) if target in (None, each["target"])]
    if not found:
        raise InputError(f"the ledger of the service has no claims on {task!r}: submit their experiments, or use --db")
    return found


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
    columns = (
        *(Column("Id"), Column("Claim", prose=True)),
        *(Column("Source", wide=True, prose=True), Column("Published", wide=True, prose=True)),
    )
    OUT.print(
        Printed(Table(columns, [(each.id, each.statement, each.source, each.published or None) for each in found]))
    )
    OUT.print("\nCheck one: cooldown claim C3 digits. All: cooldown claims digits", style="dim")


def _print_all(documents: Sequence[Mapping[str, Any]], json_: bool) -> None:
    """A row for each claim and task; below it, which claims do not apply, and why."""
    if json_:
        print_json(documents)
        return
    from cooldown.search.claims.result import ends

    columns = (
        Column("Id"),
        Column("Task"),
        Column("Verdict"),
        Column("Effect", Form.READING),
        Column("Interval", Form.READING, ends=True),
        Column("Claim", wide=True, prose=True),
    )
    rows, reasons = [], dict[str, list[str]]()
    for each in documents:
        if each["verdict"] == "not applicable":
            reasons.setdefault(each["sentence"], []).append(each["id"])
        else:
            word = each["verdict"] or each["state"]
            rows.append((each["id"], each["task"], word, each["effect"], ends(each), each["statement"]))
    not_applicable = [Text(f"{', '.join(ids)}: {why}", style="dim") for why, ids in reasons.items()]
    OUT.print(Group(Printed(Table(columns, rows)), Text(), *not_applicable))


def _print_one(document: Mapping[str, Any], json_: bool, db: str | None) -> None:
    """One claim: statement, finding, published figure, parts, and where the evidence is."""
    if json_:
        print_json(document)
        return
    shown_parts: list[Any] = [
        Text(f"{document['id']}: {document['statement']}. ({document['source']})", style="dim"),
        Text(document["sentence"] or f"No verdict: {document['state']}.", style="bold"),
    ]
    if document["published"]:
        shown_parts.append(Text(f"Published: {document['published']}."))
    if document["parts"]:
        from cooldown.search.claims.result import parts_table

        table = parts_table(document["parts"])
        shown_parts += [Text(), Printed(table, "below")]
    for name in document["experiments"]:
        shown_parts.append(Text(command("show", name, db=db and shown(db)), style="dim", no_wrap=True))
    OUT.print(Group(*shown_parts))
