"""Names of experiments: which can be stored, and how a new one is found."""

from collections.abc import Container
from unicodedata import category

from cooldown.objectives.errors import InputError
from cooldown.objectives.plain_text import as_name, is_untypable
from cooldown.storage.errors import LedgerError

LONGEST = 200
"""Characters of a name."""

FOLDERS = (".", "..")
"""What every path calls folders: no file of an experiment can have such a name."""

ROOM = 20
"""Characters that a name after a task leaves for its number."""


def check_new_name(name: object) -> None:
    """Raise InputError unless this can be the name of a new experiment: one that can be typed as an argument."""
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"name: should be a non-empty string, got {name!r:.80}")
    if len(name) > LONGEST:
        raise InputError(f"name: should have at most {LONGEST} characters, got {len(name)}")
    if any(map(is_untypable, name)):
        raise InputError(f"name: should be one line of visible text, got {name!r}")
    if name in FOLDERS:
        raise InputError(f"name: should be no folder, got {name!r}")
    if name.startswith("-"):
        raise InputError(f"name: should not start with '-', got {name!r}")


def check_stored_name(name: str) -> None:
    """Raise LedgerError for a name that no ledger has: one that cannot be shown in one line or stored as text."""
    if not 0 < len(name) <= LONGEST or any(category(character) in ("Cc", "Cs") for character in name):
        raise LedgerError(
            f"an experiment cannot be called {name!r:.80}: a name must have 1 to {LONGEST} characters and no control "
            "characters"
        )


def name_after(task: str) -> str:
    """The name of an experiment on this task, whatever the task is called: a file may have any name."""
    name = as_name(task)[: LONGEST - ROOM].rstrip()
    return "experiment" if name in ("", *FOLDERS) else name


def first_free(base: str, taken: Container[str]) -> str:
    """`base`, or with the first number that makes it new: `base-2`."""
    number = 1
    while (name := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return name
