"""CSV: all trials of an experiment, or with `--curves` all their epochs, as comma-separated values."""

from typing import TYPE_CHECKING

from cooldown.search.export.format import TableFormat

if TYPE_CHECKING:
    import pandas as pd


def write(table: "pd.DataFrame") -> bytes:
    """UTF-8 with a header line; numbers have all their digits, and missing values are empty."""
    return table.to_csv(index=False, lineterminator="\n").encode()


csv = TableFormat(
    "csv", ".csv", "all trials with parameters, losses, scores and cost, for any program", write, text=True
)
