"""A server that others can reach: who is let in, and what is exposed."""

from pathlib import Path

from cooldown.objectives.errors import InputError
from cooldown.objectives.files import DOCUMENT_BYTES, read_file
from cooldown.storage import Ledger, NoLedgerError
from cooldown.storage.tokens import Role


def admitted(url: str, file: Path | None) -> None:
    """Make sure that a ledger has a token for those who may be let in, and add those in `file` to it.

    Raises InputError where there is none, and for a file that cannot be read.
    """
    try:
        ledger = Ledger(url, create=False)
    except NoLedgerError:
        ledger = None
    if file is not None:
        _add(ledger or Ledger(url), file)
    elif ledger is None or not ledger.tokens.any():
        raise InputError(
            "others could reach this server, and it has no token that would keep them out: create one with "
            "`cooldown token create NAME --role admin`, or let only this machine reach it, with --host 127.0.0.1 and "
            "without --allow-host"
        )


def told(url: str, host: str, port: int, *, api: bool) -> str:
    """What is exposed, to whom."""
    known = [token for token in Ledger(url, create=False).tokens.list() if token.revoked_at is None]
    holders = ", ".join(f"{token.name} ({token.role.value})" for token in known)
    what = "read, submit and control experiments, as their roles allow," if api else "read all experiments"
    return (
        f"Whoever reaches this machine at {host}, port {port}, and has one of its tokens can {what} of this ledger: "
        f"{holders}. The connection is not encrypted: in a network that is not your own, put a proxy with TLS in front."
    )


def _add(ledger: Ledger, file: Path) -> None:
    """Add the tokens of a file, one `NAME ROLE TOKEN` in a line, unless they are there already."""
    where = f"--tokens {str(file)!r}"
    content = read_file(file, where, DOCUMENT_BYTES).decode("ascii", "replace")
    lines = [line.split() for line in content.splitlines() if line.strip() and not line.startswith("#")]
    roles = [role.value for role in Role]
    if not lines:
        raise InputError(f"{where}: has no token")
    for number, parts in enumerate(lines, 1):
        if len(parts) != 3 or parts[1] not in roles:
            raise InputError(f"{where}: entry {number} should be NAME ROLE TOKEN, with a role of {', '.join(roles)}")
        name, role, text = parts
        known = ledger.tokens.of(text)
        if known is None:
            ledger.tokens.create(name, Role(role), text=text)
        elif (known.name, known.role.value) != (name, role):
            raise InputError(f"{where}: the token of entry {number} is that of {known.name!r}, role {known.role.value}")
