"""The one catalog scan: a folder of files, each of which defines one entry.

A package whose `__init__` makes a `Catalog` offers `names()` and `get(name)`; adding an entry is adding a file. The
file is named after its entry and defines it as its only module-level instance of the catalog's class.
"""

import pkgutil
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from typing import Generic, TypeVar

from cooldown.objectives.errors import InputError

T = TypeVar("T")


class UnknownNameError(InputError):
    """A name that stands in no catalog; the message holds it, the nearest suggestion and all choices."""


def unknown_name(kind: str, name: str, choices: Iterable[str]) -> UnknownNameError:
    """The error for a `name` that is not among `choices`, with the nearest of them."""
    known = sorted(choices)
    near = get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return UnknownNameError(f"unknown {kind} {name!r}{hint} (choose from: {', '.join(known)})")


class Catalog(Generic[T]):
    """All entries of class `entry_type`, or of one of several, in the modules of `package`."""

    def __init__(self, package: str, path: Iterable[str], entry_type: type[T] | tuple[type[T], ...], kind: str) -> None:
        self._package, self._path, self._entry_type, self._kind = package, path, entry_type, kind

    @cached_property
    def _entries(self) -> dict[str, T]:
        entries: dict[str, T] = {}
        for found in sorted(pkgutil.iter_modules(self._path), key=lambda module: module.name):
            module = import_module(f"{self._package}.{found.name}")
            here = [value for value in vars(module).values() if isinstance(value, self._entry_type)]
            if len(here) == 1 and not found.name.startswith("_"):
                entries[found.name] = here[0]
        return entries

    def names(self) -> list[str]:
        """Every entry's name, in alphabetical order."""
        return list(self._entries)

    def get(self, name: str) -> T:
        """The entry called `name`; raises `UnknownNameError` with the nearest suggestion."""
        try:
            return self._entries[name]
        except (KeyError, TypeError):
            raise unknown_name(self._kind, name, self._entries) from None
