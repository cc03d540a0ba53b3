"""All ledgers in files share what SQLAlchemy has compiled."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cooldown.storage import sqlite_file


@contextmanager
def compiled_once() -> Iterator[None]:
    """Within it, no ledger in a file compiles a statement again that another one has compiled."""
    made = sqlite_file._engine
    shared = made("sqlite://")
    # This is what completes its dialect.
    shared.connect().close()

    def engine(*arguments: Any, **options: Any) -> Any:
        of_a_ledger = made(*arguments, **options)
        of_a_ledger.dialect, of_a_ledger._compiled_cache = shared.dialect, shared._compiled_cache
        return of_a_ledger

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_file, "_engine", engine)
        yield
