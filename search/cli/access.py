"""The commands of whoever runs a service: token, audit, backup."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cooldown.objectives.catalog import unknown_name
from cooldown.search.cli.frame import app, print_json, say
from cooldown.search.cli.named import Plain
from cooldown.search.cli.options import Db, Force, Json, whole
from cooldown.search.cli.screen import OUT
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table

ROLES = ("read", "submit", "admin")

token = typer.Typer(
    help="Create, list and revoke the tokens of a service.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(token, name="token")

TokenName = Annotated[str, typer.Argument(help="the token's name, such as that of its holder", metavar="NAME")]


@token.command("create", cls=Plain)
def create(
    name: TokenName,
    role: Annotated[
        str, typer.Option("--role", help="what its holder may do: read, submit or admin", metavar="ROLE")
    ] = "read",
    quota: Annotated[
        int | None,
        typer.Option("--quota", help="experiments that it may have queued at once [default: any number]", **whole(0)),
    ] = None,
    db: Db = None,
) -> None:
    """Create a token and print it; it is not shown again."""
    from cooldown.storage import Ledger
    from cooldown.storage.address import database_url
    from cooldown.storage.tokens import Role

    if role not in ROLES:
        raise unknown_name("role", role, ROLES)
    ledger = Ledger(database_url(db))
    text = ledger.tokens.create(name, Role(role), quota)
    OUT.print(text, soft_wrap=True)
    say(f"This is the token {name!r} ({role}). Keep it: it is not shown again.")


@token.command("list", cls=Plain)
def list_(db: Db = None, json_: Json = False) -> None:
    """List the tokens: role, and when they were made, used and revoked."""
    from cooldown.search.cli.tables import Printed
    from cooldown.storage import Ledger
    from cooldown.storage.address import database_url

    tokens = Ledger(database_url(db), create=False).tokens.list()
    if json_:
        print_json([each.to_json() for each in tokens])
        return
    titles = ("Name", "Role", "Created", "Last used", "Revoked")
    columns = (*map(Column, titles[:2]), Column("Quota", Form.COUNT), *map(Column, titles[2:]))
    rows = [
        (each.name, each.role.value, each.quota, *map(_when, (each.created_at, each.last_used_at, each.revoked_at)))
        for each in tokens
    ]
    OUT.print(Printed(Table(columns, rows)) if rows else "No tokens yet. Create one with: cooldown token create NAME")


@token.command("revoke", cls=Plain)
def revoke(name: TokenName, db: Db = None) -> None:
    """End a token at once."""
    from cooldown.storage import Ledger
    from cooldown.storage.address import database_url

    Ledger(database_url(db), create=False).tokens.revoke(name)
    say(f"Revoked {name}.")


@app.command("audit")
def audit_(
    last: Annotated[int, typer.Option("--last", help="lines to show [default: 50]", **whole(1, 1_000_000))] = 50,
    db: Db = None,
    json_: Json = False,
) -> None:
    """List who changed what, through the service or by commands, and when."""
    from cooldown.search.cli.tables import Printed
    from cooldown.storage import Ledger, audit
    from cooldown.storage.address import database_url

    lines = audit.lines(Ledger(database_url(db), create=False), last)
    if json_:
        print_json([line.to_json() for line in lines])
        return
    columns = (*map(Column, ("When", "Who", "What", "Of")), Column("Details", prose=True))
    rows = [(_when(line.at), line.who, line.action, line.subject, _details(line.details)) for line in lines]
    OUT.print(Printed(Table(columns, rows)) if rows else "No changes yet.")


@app.command()
def backup(
    file: Annotated[str, typer.Argument(help="file to write, such as backup.db", metavar="FILE")],
    force: Force = False,
    db: Db = None,
) -> None:
    """Copy the ledger to FILE, also while experiments run."""
    from cooldown.search.cli.output import check_output
    from cooldown.storage import Ledger
    from cooldown.storage.address import database_url
    from cooldown.storage.backup import back_up

    path = Path(file)
    check_output(path, force)
    ledger = Ledger(database_url(db), create=False)
    back_up(ledger, path)
    say(f"Copied {ledger.where} to {path}.")


def _when(at: float | None) -> str | None:
    return None if at is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _details(details: Any) -> str:
    return ", ".join(f"{key} {value}" for key, value in details.items() if value is not None)
