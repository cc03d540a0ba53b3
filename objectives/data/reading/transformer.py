"""`TableReader`: a table's features as a step of a scikit-learn pipeline, read as the training table was."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from cooldown.objectives.data.reading.columns import CategoryColumn, is_number, whole
from cooldown.objectives.data.reading.in_memory import as_pandas
from cooldown.objectives.data.reading.summary import ReadColumn
from cooldown.objectives.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5
"""Columns that a message names at most."""


class TableReader(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The matrix of a table's features, as a task has it: numbers, NaN for a missing cell, codes of categories.

    columns: how each column of the training table was read, by which every table is read; those that are no features
    are ignored.

    `transform` takes a table in memory with columns by name in any order, others beside them. Cells may be missing, and
    texts are read in the notation of their column. A label that the training table did not have has the code K, if K is
    the number of those that it had.
    """

    def __init__(self, columns: Sequence[ReadColumn]) -> None:
        self.columns = columns

    @property
    def features(self) -> list[ReadColumn]:
        """The columns that are features, in the order of the matrix."""
        return [column for column in self.columns if column.role == "feature"]

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """The names of the features' columns."""
        return np.array([column.name for column in self.features], dtype=object)

    @property
    def n_features_in_(self) -> int:
        """The number of the features' columns."""
        return len(self.features)

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Check that a table can be read; nothing is learned from it."""
        self.transform(X)
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """(n, d) the features of a table; InputError for missing columns, and for cells that cannot be read."""
        table = as_pandas("table", X)
        known = set(table.columns)
        missing = [repr(column.name) for column in self.features if column.name not in known]
        if missing:
            more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
            raise InputError(f"table: columns of the training table are missing: {', '.join(missing[:SHOWN])}{more}")
        return np.column_stack([_values(column, table[column.name]) for column in self.features])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:  # noqa: ARG002
        """The names of the matrix's columns: those of a date's four numbers end in _0 to _3."""
        names = [
            column.name if len(column.places) == 1 else f"{column.name}_{place}"
            for column in self.features
            for place in range(len(column.places))
        ]
        return np.array(names, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        tags.requires_fit = False
        return tags


def _values(column: ReadColumn, cells: "pd.Series[Any]") -> NDArray[np.float64]:
    """(n, k) the numbers of a feature's cells."""
    import pandas as pd

    where, read = f"table: column {column.name!r}", column.column
    assert read is not None
    if not isinstance(read, CategoryColumn):
        return read.values(where, cells).astype(np.float64).reshape(len(cells), -1)
    if read.booleans:
        # Nothing else is a third label. Of categories any text may be a new one.
        read.check_test(where, cells)
    labels, known = read.values(where, cells), pd.Index(column.labels, dtype=object)
    codes = known.get_indexer(pd.Index(labels, dtype=object))
    if is_number(cells):
        # The label 7 is 7.0 in a column with missing cells, in this table or in the training table.
        for same in (whole(cells), cells.astype(np.float64)):
            spelled = pd.Index(read.values(where, same), dtype=object)
            codes = np.where(codes < 0, known.get_indexer(spelled), codes)
    values = np.where(codes < 0, len(known), codes).astype(np.float64)
    values[pd.isna(labels)] = np.nan
    return values[:, None]
