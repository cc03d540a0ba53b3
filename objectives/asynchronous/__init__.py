"""The catalog of asynchronous methods, which are simulated: one file per method, named after it.

`names()` lists them, `get(name)` returns the `Asynchronous`. To add one, create a file with one module-level
`Asynchronous`.
"""

from cooldown.objectives.asynchrony import Asynchronous, Events, one_after_another
from cooldown.objectives.catalog import Catalog

_catalog = Catalog(__name__, __path__, Asynchronous, "asynchronous method")
names, get = _catalog.names, _catalog.get

__all__ = ["Asynchronous", "Events", "get", "names", "one_after_another"]
