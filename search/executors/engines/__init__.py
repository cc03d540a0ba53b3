"""The catalog of executors: one file each, named after it.

`names()` lists them, `get(name)` gives the `Engine`. To add one, create a file with one module-level `Engine`, and add
it to the cases of tests/search/test_executor_laws.py.
"""

from cooldown.objectives.catalog import Catalog
from cooldown.search.executors.engine import Engine

_catalog = Catalog(__name__, __path__, Engine, "executor")
names, get, built_in = _catalog.names, _catalog.get, _catalog.built_in

__all__ = ["Engine", "built_in", "get", "names"]
