"""A module as a user writes one, with an optimizer and a schedule, that can be imported for a while."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cooldown.objectives import optimizers, schedules

MODULE = """
from dataclasses import replace

from cooldown.objectives import optimizers, schedules

Lion = replace(optimizers.get("momentum"), name="lion", colour="", native={})
wsd = replace(schedules.get("wsd"), name="wsd", dash="", symbol="", native={})
"""


@contextmanager
def importable(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The module `name` in `folder` can be imported; after that it and its entries are as if they never had been."""
    (folder / f"{name}.py").write_text(MODULE)
    with monkeypatch.context() as patched:
        patched.syspath_prepend(folder)
        yield
    monkeypatch.delitem(sys.modules, name)
    for catalog in (optimizers, schedules):
        monkeypatch.setattr(catalog._catalog, "_imported", {})
