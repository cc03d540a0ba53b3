"""CSV: all trials of an experiment, or with `--curves` all their epochs, as a table of texts."""

import pandas as pd

from cooldown.search.export.format import TableFormat


def write(table: pd.DataFrame) -> bytes:
    """UTF-8, a header line, commas; numbers with all their digits, and nothing where there is none."""
    return table.to_csv(index=False, lineterminator="\n").encode()


csv = TableFormat(
    "csv", ".csv", "all trials with parameters, losses, scores and cost, for any program", write, text=True
)
