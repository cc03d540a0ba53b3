"""The catalog of export formats: one file per format, named after it.

`names()` lists them, `get(name)` gives the `ConfigFormat`, `ModelFormat` or `TableFormat` that the file defines.
"""

from cooldown.objectives.catalog import Catalog
from cooldown.search.export.format import ConfigFormat, ModelFormat, TableFormat

_catalog: Catalog[ConfigFormat | ModelFormat | TableFormat] = Catalog(
    __name__, __path__, (ConfigFormat, ModelFormat, TableFormat), "format"
)

names, get = _catalog.names, _catalog.get
