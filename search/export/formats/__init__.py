"""The catalog of export formats: one file per format, named after it.

`names()` lists them, `get(name)` gives the `ConfigFormat` or `TableFormat` that the file defines.
"""

from cooldown.objectives.catalog import Catalog
from cooldown.search.export.format import ConfigFormat, TableFormat

_catalog: Catalog[ConfigFormat | TableFormat] = Catalog(__name__, __path__, (ConfigFormat, TableFormat), "format")

names, get = _catalog.names, _catalog.get
