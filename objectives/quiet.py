"""Calls whose warnings say nothing to a user."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_lock = RLock()
"""Python's filters belong to the process: two threads that changed them at once would leave each other's behind."""


@contextmanager
def quiet(*categories: type[Warning]) -> Iterator[None]:
    """Without warnings of these categories, or without any if none is given; one thread at a time."""
    with _lock, warnings.catch_warnings():
        for category in categories or (Warning,):
            warnings.simplefilter("ignore", category)
        yield
