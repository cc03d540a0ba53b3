"""Which modules of a user's may be imported here on behalf of a name such as `mymodule:Lion`.

What a program or a command line names itself is trusted. What a ledger or a file names is data, which may be a
stranger's: importing it would run it. So whoever reads these does it in a scope in which no module is trusted but those
that were named.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.machinery import PathFinder
from pathlib import Path

from cooldown.objectives.errors import InputError


class UntrustedModuleError(InputError):
    """A module that a ledger or a file names, and that was not imported."""


EVERY = frozenset({"*"})
"""All modules."""

_scope: ContextVar[frozenset[str]] = ContextVar("the modules that may be imported")


class _Process:
    """What holds outside of every scope, in all threads."""

    trusted = EVERY


def trust_nothing() -> None:
    """From now on this process imports no module of a user's, outside of a scope that says otherwise."""
    _Process.trusted = frozenset()


@contextmanager
def nothing_trusted() -> Iterator[None]:
    """A scope in which modules are imported only after `trust` has named them."""
    token = _scope.set(frozenset())
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def reading(trust: bool) -> Iterator[None]:
    """A scope for reading what a ledger or a file names. trust: import it. A scope that there is already decides for
    itself what else may be imported.
    """
    token = _scope.set(EVERY if trust else _scope.get(frozenset()))
    try:
        yield
    finally:
        _scope.reset(token)


def trust(*modules: str) -> None:
    """Trust these modules for the rest of the scope; outside of every scope it changes nothing."""
    scope = _scope.get(None)
    if scope is not None:
        _scope.set(scope | set(modules))


def modules_in(text: str) -> list[str]:
    """The modules that a text names, such as an arm, the key of a setting or a task."""
    return re.findall(r"(?<![\w.:/])(?!openml:)([A-Za-z_][\w.]*):(?=[A-Za-z_])", text)


def check(module: str, kind: str, reference: str) -> None:
    """Raise UntrustedModuleError, which says what would be imported and from where, unless `module` is trusted.

    kind, reference: what names it, for the message.
    """
    trusted = _trusted()
    if module in trusted or trusted >= EVERY:
        return
    raise UntrustedModuleError(
        f"{kind} {reference!r} is code in the module {module!r}, {_place(module)}. It was not imported: a ledger or a "
        "file names it, which may come from anybody. If you trust it, give --trust (trust=True in Python)"
    )


def _trusted() -> frozenset[str]:
    return _scope.get(_Process.trusted)


def _place(module: str) -> str:
    """Where a module would be imported from, in words; nothing is imported to find out."""
    # To find a module of a package, Python would import the package.
    package = module.partition(".")[0]
    try:
        found = PathFinder.find_spec(package, [str(Path.cwd()), *sys.path])
    except (ImportError, ValueError, OSError):
        found = None
    if found is None:
        return "which is not found here"
    return f"which would be imported from {found.origin or next(iter(found.submodule_search_locations or []), package)}"
