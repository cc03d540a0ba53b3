"""Parquet: all trials of an experiment, or with `--curves` all their epochs, as a table with types."""

from io import BytesIO

import pandas as pd

from cooldown.search.export.format import TableFormat


def write(table: pd.DataFrame) -> bytes:
    """One file; `pandas.read_parquet` gives the same columns with the same types."""
    buffer = BytesIO()
    table.to_parquet(buffer, index=False, engine="pyarrow")
    return buffer.getvalue()


parquet = TableFormat("parquet", ".parquet", "the same with types, for pandas, Polars and DuckDB", write)
