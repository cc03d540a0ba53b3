"""The catalog of samplers: one file per sampler, named after it.

`names()` lists them, `get(name)` gives the `Sampler`. To add one, create a file with one module-level `Sampler`.
"""

from cooldown.objectives.catalog import Catalog
from cooldown.search.spec.sampler import Sampler

_catalog = Catalog(__name__, __path__, Sampler, "sampler")
names, get, built_in = _catalog.names, _catalog.get, _catalog.built_in

__all__ = ["Sampler", "built_in", "get", "names"]
