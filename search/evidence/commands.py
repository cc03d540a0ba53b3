"""Commands as they are printed: quoted for a shell, in the form in which the command line reads them back."""

import shlex
from collections.abc import Mapping
from typing import Any

from cooldown.objectives.plain_text import visible
from cooldown.search.spec.recorded import names_modules
from cooldown.storage import ExperimentRecord

AGAIN = "start the Python program that began it again"
"""What continues an experiment whose task is an object of a Python program."""


def command(verb: str, name: str, *options: str, db: str | None = None) -> str:
    """`cooldown VERB NAME OPTIONS`. db: the address of the ledger, None where it need not be named."""
    words = [*options, *(("--db", db) if db is not None else ())]
    # A name of an older ledger may begin like an option.
    return visible(shlex.join(["cooldown", verb, *([*words, "--", name] if name.startswith("-") else [name, *words])]))


def options_of(changes: Mapping[str, Any]) -> tuple[str, ...]:
    """The arguments of `resume` as the options of `cooldown resume`: `{"max_repeats": 20}` as --max-repeats 20."""
    return tuple(
        word
        for name, value in changes.items()
        for word in ((_option(name),) if value is True else (_option(name), str(value)))
    )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def command_about(record: ExperimentRecord, verb: str, *options: str) -> str:
    """A command about an experiment, in its ledger; it may import the modules that the experiment names."""
    trust = ("--trust",) if names_modules(record.spec) else ()
    return command(verb, record.name, *options, *trust, db=record.db)
