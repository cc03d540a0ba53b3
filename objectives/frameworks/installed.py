"""Frameworks are extras: what needs one says so, and what to install."""

from collections.abc import Iterator
from contextlib import contextmanager

from cooldown.objectives.errors import InputError


@contextmanager
def needed(framework: str, call: str) -> Iterator[None]:
    """Raise InputError that says what to install, for an import of a framework that is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] == "cooldown":
            raise
        raise InputError(
            f"{call} needs {framework}, and {error.name} is not installed: pip install {framework}"
        ) from None
