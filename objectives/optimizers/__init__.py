"""The catalog of update rules: one file per rule, named after it.

`names()` lists them, `get(name)` returns the `Optimizer`. To add one, create a file with one module-level `Optimizer`.
"""

from cooldown.objectives.catalog import Catalog
from cooldown.objectives.optimizer import Numbers, Optimizer

_catalog = Catalog(__name__, __path__, Optimizer, "optimizer")
names, get = _catalog.names, _catalog.get

__all__ = ["Numbers", "Optimizer", "get", "names"]
