"""What a caller asks for as the command that asks for the same: `cooldown submit` with an option for each setting."""

from collections.abc import Mapping
from typing import Any

from cooldown.search.evidence.commands import command

OPTION = {"arms": "--arm", "tags": "--tag"}
"""Settings whose option has another name than they: it is given once for each of their texts."""


def submission_command(fields: Mapping[str, Any], *options: str, db: str | None = None) -> str:
    """The command that submits an experiment with these settings, all of which are options of `cooldown submit`.

    fields: the arguments of `submit`, `task` among them. options: further ones, as `--server URL`. db: the ledger's
    address, None where it need not be named.
    """
    words = [word for name, value in fields.items() if name != "task" for word in _words(name, value)]
    return command("submit", str(fields["task"]), *words, *options, db=db)


def _words(name: str, value: Any) -> list[str]:
    """A setting as words of a command; none for one that is not given."""
    option = OPTION.get(name, f"--{name.replace('_', '-')}")
    if value is None or value is False:
        return []
    if value is True:
        return [option]
    if name == "primary":
        return [option, *value]
    if name == "hidden":
        return [f"{option}={','.join(map(str, value)) or '0'}"]
    # Joined with "=", because a column, a tag or a note may begin like an option.
    return [f"{option}={text}" for text in (value if isinstance(value, list | tuple) else [value])]
