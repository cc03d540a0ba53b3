"""Exports: the best configuration as a file or as runnable code, and all trials as a table.

Each file in `formats/` defines one format, a `ConfigFormat` or a `TableFormat`, which the catalog scan finds.
"""

from cooldown.search.export.format import Chosen, ConfigFormat, Exported, TableFormat
from cooldown.search.export.formats import get, names
from cooldown.search.export.requirements import requirements
from cooldown.search.export.selection import choose, export, named_after, tables

__all__ = [
    "Chosen",
    "ConfigFormat",
    "Exported",
    "TableFormat",
    "choose",
    "export",
    "get",
    "named_after",
    "names",
    "requirements",
    "tables",
]
