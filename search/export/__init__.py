"""Exports: the best configuration as a file, as runnable code or as a trained model, and all trials as a table.

Each file in `formats/` defines one format, a `ConfigFormat`, a `ModelFormat` or a `TableFormat`, which the catalog scan
finds.
"""

from cooldown.search.export.format import Chosen, ConfigFormat, Exported, ModelFormat, TableFormat
from cooldown.search.export.formats import get, names
from cooldown.search.export.requirements import requirements
from cooldown.search.export.selection import choose, export, named_after, of_kind

__all__ = [
    "Chosen",
    "ConfigFormat",
    "Exported",
    "ModelFormat",
    "TableFormat",
    "choose",
    "export",
    "get",
    "named_after",
    "names",
    "of_kind",
    "requirements",
]
