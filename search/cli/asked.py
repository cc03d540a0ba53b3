"""What a command line asks to be run: the arguments of `compare` and `submit` from those of a command."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cooldown.objectives.errors import InputError

OF_COMMAND = ("from_", "task", "arm", "set_", "json_", "quiet", "dry_run", "trust", "tag", "server", "token")
"""Parameters of a command that are no arguments of the function, or by another name."""


def asked(parameters: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the function. parameters: those of the command, by name. defaults: the command's own.

    Raises InputError for what cannot be read.
    """
    from cooldown.search.cli.settings import merged_settings
    from cooldown.search.spec.ranges import read_settings
    from cooldown.search.spec.task_fields import LISTS

    task, exported = parameters["task"], parameters.get("from_")
    if task is None and exported is None:
        raise InputError("missing TASK: name a task such as digits (see `cooldown catalog tasks`), or give --from FILE")
    flags = {
        **{name: value for name, value in parameters.items() if name not in OF_COMMAND},
        "until_decided": parameters.get("until_decided") or None,
        "arms": parameters["arm"] or None,
        "hidden": _widths(parameters["hidden"]),
        "ranges": read_settings(parameters["set_"]) if parameters["set_"] else None,
        "tags": parameters.get("tag") or None,
        **{name: parameters[name] or None for name in LISTS},
    }
    return merged_settings(task, flags, defaults, None if exported is None else Path(exported))


def _widths(text: str | None) -> tuple[int, ...] | None:
    """`"64,32"` as (64, 32), `"0"` as no hidden layer."""
    if text is None:
        return None
    try:
        widths = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--hidden: widths should be whole numbers such as 64,32, got {text!r}") from None
    return () if widths == (0,) else widths
