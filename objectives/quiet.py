"""Calls whose warnings say nothing to a user, or are passed on by other means."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from cooldown.objectives.process_state import process_state


@contextmanager
def quiet(*categories: type[Warning]) -> Iterator[None]:
    """Without warnings of these categories, or without any if none is given; one thread at a time."""
    with process_state, warnings.catch_warnings():
        for category in categories or (Warning,):
            warnings.simplefilter("ignore", category)
        yield


@contextmanager
def collected(category: type[Warning]) -> Iterator[list[str]]:
    """The texts of the warnings of this category, each once, instead of the warnings; one thread at a time.

    The list is filled when the context ends. Other warnings are issued then.
    """
    texts: list[str] = []
    with process_state:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", category)
            yield texts
        for warning in caught:
            if not issubclass(warning.category, category):
                warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
            elif str(warning.message) not in texts:
                texts.append(str(warning.message))
