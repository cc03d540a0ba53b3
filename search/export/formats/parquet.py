"""Parquet: all trials of an experiment, or with `--curves` all their epochs, as a typed table."""

from io import BytesIO
from typing import TYPE_CHECKING

from cooldown.search.export.format import TableFormat

if TYPE_CHECKING:
    import pandas as pd


def write(table: "pd.DataFrame") -> bytes:
    """The file's bytes; `pandas.read_parquet` returns the same columns with the same types."""
    buffer = BytesIO()
    table.to_parquet(buffer, index=False, engine="pyarrow")
    return buffer.getvalue()


parquet = TableFormat("parquet", ".parquet", "the same table with column types, for pandas, Polars and DuckDB", write)
