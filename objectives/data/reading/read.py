"""`Reader`: the columns of a table as target, weights and features."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.data.reading.columns import CategoryColumn, Column, decide, is_number
from cooldown.objectives.data.reading.dates import form_of
from cooldown.objectives.data.reading.options import Reading
from cooldown.objectives.data.reading.summary import ReadColumn
from cooldown.objectives.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Part = tuple[str, "pd.DataFrame"]
"""A part of a table after the start of messages about it: the training rows, or a test set of the user's own."""

EXACT = 2**53
"""Whole numbers up to this one are the same as numbers of 64 bits."""


class Reader:
    """Reads the columns of a table of one or two parts. The first part, the training rows, decides what each holds.

    columns: what is told of the columns read so far.
    """

    def __init__(self, parts: Sequence[Part], reading: Reading) -> None:
        self._parts, self._reading = parts, reading
        self._formats = dict(reading.formats(list(parts[0][1].columns)))
        self._width = 0
        self.columns: list[ReadColumn] = []

    def target(self, name: str) -> list["NDArray[Any]"]:
        """The target of each part (n,): numbers, whole ones as int64, or texts. InputError for a missing cell."""
        cells, column = self._decided(f"target {name!r}", name)
        values = []
        for where, part in cells:
            if part.isna().all():
                raise InputError(f"{where}: is empty in all {len(part)} rows")
            read = column.values(where, part)
            if len(missing := np.flatnonzero([value != value for value in read])):
                raise InputError(
                    f"{where}: {len(missing)} missing (NaN), the first in row {missing[0] + 1} (the first row is 1): "
                    f"{_written(part.iloc[missing[0]])}; leave these rows out of the file"
                )
            if read.dtype.kind == "f" and _is_beyond(part):
                raise InputError(
                    f"{where}: holds whole numbers beyond 2^63, such as {part.max()}, of which not all digits could be "
                    f"kept: --categories {name!r} reads them as labels"
                )
            values.append(read)
        self._tell(name, column, "target")
        return values

    def weights(self, name: str) -> list["NDArray[Any]"]:
        """The weights of the rows of each part (n,)."""
        cells, column = self._decided(f"sample_weight {name!r}", name)
        self._tell(name, column, "weights")
        return [column.values(*part) for part in cells]

    def groups(self, name: str) -> list[tuple[str, "pd.Series[Any]"]]:
        """The cells of a column of groups in each part, as texts, after the start of messages about them."""
        column = CategoryColumn(missing=self._reading.missing)
        self._tell(name, column, "groups")
        return [(where, _series(column.values(where, part))) for where, part in self._cells("groups", name)]

    def times(self, name: str) -> list[tuple[str, "pd.Series[Any]"]]:
        """The cells of a column of times in each part: numbers, or dates, those in texts as days since 1970; others as
        they are.
        """
        from pandas.api.types import infer_dtype

        cells = self._cells("time", name)
        where, training = cells[0]
        formats, texts = self._formats, infer_dtype(training, skipna=True) == "string"
        if texts and name not in formats and form_of(Counter(training)):
            formats = {**formats, name: None}
        if training.dtype.kind in "mM" or not (name in formats or is_number(training)):
            return cells
        column = decide(where, training, name, self._reading, formats)
        self._tell(name, column, "time")
        # Of a date the last number is the time that has passed.
        return [(told, _series(column.values(told, part).reshape(len(part), -1)[:, -1])) for told, part in cells]

    def _cells(self, setting: str, name: str) -> list[tuple[str, "pd.Series[Any]"]]:
        return [(f"{where}: {setting} {name!r}", table[name].reset_index(drop=True)) for where, table in self._parts]

    def feature(self, name: str) -> tuple[NDArray[np.float64], bool, bool]:
        """A column as numbers (n, k) of all parts, whether these are codes of categories, and whether it is
        informative: not if all of its labels are different.

        k is 1, or for dates 4. A missing cell is NaN. Codes are the positions of the labels in alphabetical order.
        """
        import pandas as pd

        cells, column = self._decided(f"column {name!r}", name)
        read = [column.values(*part) for part in cells]
        informative, coded = True, isinstance(column, CategoryColumn)
        labels: Iterable[str] = ()
        if coded:
            codes, labels = pd.factorize(np.concatenate(read), sort=True)
            known = codes[: len(read[0])]
            informative = bool((known < 0).any()) or len(np.unique(known)) < len(known)
            values = np.where(codes < 0, np.nan, codes).astype(np.float64)[:, None]
        else:
            values = np.concatenate(read).astype(np.float64).reshape(sum(map(len, read)), -1)
        self._tell(name, column, "feature", values, labels)
        return values, coded, informative

    def left_out(self, names: Sequence[str]) -> None:
        """Tell that these columns are left out."""
        self.columns += [ReadColumn(name, "left out") for name in names]

    def _decided(self, told: str, name: str) -> tuple[list[tuple[str, "pd.Series[Any]"]], Column]:
        """The cells of a column in each part, after the start of messages about them, and what the column holds."""
        cells = [(f"{where}: {told}", table[name]) for where, table in self._parts]
        column = decide(*cells[0], name, self._reading, self._formats)
        if isinstance(column, CategoryColumn):
            for where, part in cells[1:]:
                column.check_test(where, part)
        return cells, column

    def _tell(
        self,
        name: str,
        column: Column,
        role: Any,
        values: NDArray[np.float64] | None = None,
        labels: Iterable[str] = (),
    ) -> None:
        told = ReadColumn(name, role, column.kind, column.how, column=column)
        if values is not None:
            first, width = self._width, values.shape[1]
            self._width += width
            rounded = column.kind == "numbers" and bool((np.abs(values) > EXACT).any())
            told = replace(
                told,
                how=told.how + ", to 16 digits" * rounded,
                missing=int(np.isnan(values[:, 0]).sum()),
                places=tuple(range(first, first + width)),
                labels=tuple(labels),
            )
        self.columns.append(told)


def _series(values: "NDArray[Any]") -> "pd.Series[Any]":
    """Cells of a column that is read."""
    import pandas as pd

    return pd.Series(values)


def _is_beyond(cells: "pd.Series[Any]") -> bool:
    """Whether cells are whole numbers of which some do not fit in 64 bits with a sign."""
    from pandas.api.types import infer_dtype

    return infer_dtype(cells, skipna=True) == "integer" and max(map(abs, map(int, cells.dropna()))) >= 2**63


def _written(cell: Any) -> str:
    """What a missing cell is, in words."""
    if isinstance(cell, str) and cell.strip():
        return f"{cell!r} marks a missing cell"
    return "the cell is empty, or marks a missing one as NA does"
