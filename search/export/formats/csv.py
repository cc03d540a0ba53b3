"""CSV: all trials of an experiment, or with `--curves` all their epochs, as comma-separated values."""

from typing import TYPE_CHECKING

from cooldown.objectives.plain_text import cell
from cooldown.search.export.format import TableFormat

if TYPE_CHECKING:
    import pandas as pd


def write(table: "pd.DataFrame") -> bytes:
    """UTF-8 with a header line; numbers have all their digits, and missing values are empty."""
    safe = table.map(lambda value: cell(value) if isinstance(value, str) else value).rename(columns=cell)
    return safe.to_csv(index=False, lineterminator="\n").encode()


csv = TableFormat(
    "csv", ".csv", "all trials with parameters, losses, scores and cost, for any program", write, text=True
)
