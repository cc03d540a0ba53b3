"""The commands that copy experiments between ledgers: migrate, merge."""

from typing import Annotated

import typer

from cooldown.search.cli.frame import app
from cooldown.search.cli.options import Db, Trust
from cooldown.search.cli.screen import ERR, OUT
from cooldown.search.evidence.numbers import counted


@app.command()
def migrate(
    source: Annotated[str, typer.Option("--from", help="ledger to copy: a file, or a database URL", metavar="URL")],
    target: Annotated[str, typer.Option("--to", help="ledger to copy to; created if need be", metavar="URL")],
    trust: Trust = False,
) -> None:
    """Copy all experiments of a ledger to another database.

    Exit 0: all are there; 1: some could not be copied; 2: one of the two is not a ledger.
    """
    _copy(source, target)


@app.command()
def merge(
    source: Annotated[str, typer.Argument(help="ledger to copy from, such as laptop.db", metavar="LEDGER")],
    db: Db = None,
    trust: Trust = False,
) -> None:
    """Copy all experiments of another ledger into the one in use.

    Exit 0: all are there; 1: some could not be copied; 2: one of the two is not a ledger.
    """
    _copy(source, db)


def _copy(source: str, target: str | None) -> None:
    from cooldown.search.experiments.copying import copied

    new, known, failed = 0, 0, 0
    for each in copied(source, target):
        if each.why:
            failed += 1
            ERR.print(f"Not copied: {each.name}: {each.why}", soft_wrap=True)
        elif not each.new:
            known += 1
            OUT.print(f"{each.name}: already there{_as(each.name, each.there)}.", soft_wrap=True)
        else:
            new += 1
            other = "; another experiment there has that name" if each.there != each.name else ""
            OUT.print(f"{each.name}: copied{_as(each.name, each.there)}{other}.", soft_wrap=True)
    OUT.print(f"{counted(new, 'experiment')} copied, {known} there already, {failed} not copied.", soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def _as(name: str, there: str) -> str:
    return f" as {there}" if there != name else ""
