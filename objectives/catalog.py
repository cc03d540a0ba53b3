"""The catalog: entries found by scanning a folder, one file each, and entries from outside the folder.

A package whose `__init__` creates a `Catalog` offers `names()` and `get(name)`. To add an entry, add a file with the
entry's name. A catalog also finds `module:attribute`, an entry in a user's own module, and the entries that installed
packages declare in the entry-point group `cooldown.catalog`.
"""

import ast
import copy
import pkgutil
import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache, cached_property
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, Self, TypeVar

from cooldown.objectives import trust
from cooldown.objectives.errors import InputError

GROUP = "cooldown.catalog"
"""The entry-point group in which an installed package adds entries."""


class CatalogError(Exception):
    """A file in a catalog's folder cannot be imported, or does not define exactly the entry it is named after: a
    programming error. The command line shows the message without a traceback.
    """


class UnknownNameError(InputError):
    """A name that is in no catalog; the message gives the name, the nearest match and all choices."""


def unknown_name(kind: str, name: str, choices: Iterable[str]) -> UnknownNameError:
    """The error for a `name` that is not among `choices`, with the nearest match and all choices."""
    return UnknownNameError(f"unknown {kind} {name!r}{_choices(name, choices)}")


def _choices(name: str, choices: Iterable[str]) -> str:
    """The end of a message about an unknown `name`: the nearest match and all choices."""
    known = sorted(choices)
    near = get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{hint} (choose from: {', '.join(known)})"


class Entry:
    """A member of a catalog: an optimizer, a schedule, a task, a surface, a sampler or an export format.

    name: the name by which it is chosen: that of its file or entry point, or `module:attribute`.
    """

    name: str

    @property
    def identifier(self) -> str:
        """The name as part of a Python name, without the module of an entry from outside: `lion` for `mine:Lion`."""
        return re.sub(r"\W", "_", self.name.rpartition(":")[2]).lower()

    def called(self, name: str) -> Self:
        """The same entry under another name."""
        entry = copy.copy(self)
        object.__setattr__(entry, "name", name)
        return entry


T = TypeVar("T", bound=Entry)


class Catalog(Generic[T]):
    """All entries of class `entry_type` (or of any class of a tuple) in the modules of `package`, and from outside.

    kind: what messages call an entry. keeps_names: whether an entry at `module:attribute` keeps its own name, as a task
    does.
    """

    def __init__(
        self,
        package: str,
        path: Iterable[str],
        entry_type: type[T] | tuple[type[T], ...],
        kind: str,
        *,
        keeps_names: bool = False,
    ) -> None:
        self._package, self._path, self._entry_type, self._kind = package, path, entry_type, kind
        self._keeps_names = keeps_names
        self._imported: dict[str, T] = {}

    def built_in(self) -> list[str]:
        """The names of the folder's own entries, in alphabetical order, without importing any file."""
        return sorted(module.name for module in pkgutil.iter_modules(self._path))

    def names(self) -> list[str]:
        """The names of all entries, in alphabetical order: the folder's own and those of installed packages."""
        return sorted([*self._entries, *self._installed])

    def get(self, name: str) -> T:
        """The entry called `name`, or at `module:attribute`.

        The module may be in the working folder, which is added to `sys.path`. Raises UnknownNameError with the nearest
        match, and InputError for a module that cannot be imported or an attribute that is not an entry.
        """
        if isinstance(name, str):
            if name in self._entries:
                return self._entries[name]
            if ":" in name:
                return self._from_module(name)
            if name in self._installed:
                return self._installed[name]
        raise unknown_name(self._kind, name, self.names())

    @cached_property
    def _entries(self) -> dict[str, T]:
        return {name: self._defined(name) for name in self.built_in()}

    def _defined(self, name: str) -> T:
        """The one entry that the file `name` defines; CatalogError if it cannot be imported, or if there is not exactly
        one, called `name`.
        """
        try:
            module = import_module(f"{self._package}.{name}")
        except Exception as error:  # a new entry may fail in any way while it is imported
            raise CatalogError(
                f"{self._kind} {name!r}: its file in {self._package} cannot be imported: "
                f"{type(error).__name__}: {error}"
            ) from error
        entries = self._entries_in(vars(module))
        if [entry.name for entry in entries] == [name]:
            return entries[0]
        imported = _imported_names(module)
        defined = self._entries_in({key: value for key, value in vars(module).items() if key not in imported})
        if [entry.name for entry in defined] == [name]:
            return defined[0]
        if not defined:
            imports = f" (it only imports {_listed(entries)})" if entries else ""
            outside = "; helpers belong outside the folder" if name.startswith("_") else ""
            rule = f"a file in this folder must define one, named after the file{outside}"
            reason = f"defines no {self._kind}{imports}: {rule}"
        elif len(defined) > 1:
            reason = f"defines {len(defined)} {self._kind}s, {_listed(defined)}: a file in this folder must define one"
        else:
            reason = f"defines the {self._kind} {_listed(defined)}: it must be named after the file, {name!r}"
        raise CatalogError(f"{module.__file__} {reason}")

    def _entries_in(self, values: dict[str, Any]) -> list[T]:
        """The entries among these values, without duplicates."""
        entries = {id(value): value for value in values.values() if isinstance(value, self._entry_type)}
        return list(entries.values())

    @cached_property
    def _installed(self) -> dict[str, T]:
        """The entries that installed packages add to this catalog."""
        added: dict[str, T] = {}
        for distribution, name, entry in _of_distributions():
            if isinstance(entry, self._entry_type):
                if name in self._entries or name in added:
                    raise InputError(
                        f"the distribution {distribution!r} adds the {self._kind} {name!r} in the entry-point group "
                        f"{GROUP}, but that name is already taken"
                    )
                added[name] = entry.called(name)
        return added

    def _from_module(self, name: str) -> T:
        """The entry at `module:attribute`, created once."""
        if name not in self._imported:
            entry: T = imported(name, self._kind, self._entry_type)
            self._imported[name] = entry if self._keeps_names else entry.called(name)
        return self._imported[name]


def imported(reference: str, kind: str, expected: type[Any] | tuple[type[Any], ...]) -> Any:
    """The object of class `expected` at `module:attribute`, or what a callable of that module returns without
    arguments.

    The working folder is added to `sys.path`. kind: what messages call the object. Raises InputError if it cannot be
    imported, cannot be created or has another class, and UntrustedModuleError for a module that is not trusted here.
    """
    name, _, attribute = reference.partition(":")
    trust.check(name, kind, reference)
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    try:
        module = import_module(name)
    except (Exception, SystemExit) as error:  # a user's module may fail in any way while it is imported
        where = f"; searched in {here} and the installed packages" if _is_missing(error, name) else ""
        raise InputError(
            f"{kind} {reference!r}: module {name!r} cannot be imported: {type(error).__name__}: {error}{where}"
        ) from error
    if not hasattr(module, attribute):
        public = {key: value for key, value in vars(module).items() if not key.startswith("_")}
        fitting = [key for key, value in public.items() if isinstance(value, expected)]
        raise UnknownNameError(
            f"module {name!r} has no attribute {attribute!r}{_choices(attribute, fitting or public)}"
        )
    value = getattr(module, attribute)
    # Only what the module itself defines is called: not something else that it has imported.
    if callable(value) and not isinstance(value, expected) and getattr(value, "__module__", None) == name:
        try:
            value = value()
        except Exception as error:  # a user's function may fail in any way
            raise InputError(
                f"{kind} {reference!r}: {attribute}() raised {type(error).__name__}: {error}; {attribute} must be "
                f"{_a(expected)} or return one when called without arguments"
            ) from error
    if not isinstance(value, expected):
        raise InputError(
            f"{kind} {reference!r}: must be {_a(expected)} or return one when called without arguments, "
            f"got {value!r:.80}"
        )
    return value


def _is_missing(error: BaseException, module: str) -> bool:
    """Whether the module itself is missing, rather than a module that it imports."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return missing is not None and f"{module}.".startswith(f"{missing}.")


def _a(expected: type[Any] | tuple[type[Any], ...]) -> str:
    """A class by name with its article."""
    names = [cls.__name__ for cls in (expected if isinstance(expected, tuple) else (expected,))]
    listed = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
    return f"{'an' if listed[0] in 'AEIOU' else 'a'} {listed}"


def _listed(entries: Iterable[Entry]) -> str:
    return " and ".join(repr(entry.name) for entry in entries)


def _imported_names(module: ModuleType) -> set[str]:
    """The names that a module's own import statements bind."""
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {(alias.asname or alias.name).partition(".")[0] for node in statements for alias in node.names}


@cache
def _of_distributions() -> tuple[tuple[str, str, Entry], ...]:
    """What installed packages add to any catalog: (distribution, name, entry)."""
    added = []
    for point in entry_points(group=GROUP):
        distribution = point.dist.name if point.dist else "?"
        where = f"the distribution {distribution!r}: {point.name!r} = {point.value!r} in the entry-point group {GROUP}"
        if not re.fullmatch(r"\w[\w-]*", point.name):
            raise InputError(f"{where}: a name may hold letters, digits, dashes and underscores")
        try:
            value = point.load()
        except (Exception, SystemExit) as error:  # a package may fail in any way while it is imported
            raise InputError(f"{where} cannot be loaded: {type(error).__name__}: {error}") from error
        if not isinstance(value, Entry):
            raise InputError(
                f"{where}: must be an Optimizer, Schedule, Task, Surface, Sampler or export format, got {value!r:.80}"
            )
        added.append((distribution, point.name, value))
    return tuple(added)
