"""One column of a table: what it holds, decided by all cells of the training table, and how its cells are read.

A table may have two parts, the training rows and a test set of the user's own. What a column holds is decided by the
training rows alone; the cells of both parts are then read in the same way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.data.checks import LARGEST
from cooldown.objectives.data.reading import dates, notation
from cooldown.objectives.data.reading.cells import label
from cooldown.objectives.data.reading.dates import Dates
from cooldown.objectives.data.reading.missing import signs
from cooldown.objectives.data.reading.notation import Notation, Unclear
from cooldown.objectives.data.reading.options import Reading
from cooldown.objectives.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

BOOLEANS = ("true", "false")


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers. missing: the user's own marks of a missing cell. signs: other marks that were found."""

    notation: Notation
    missing: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()

    def values(self, where: str, cells: "pd.Series[Any]") -> NDArray[Any]:
        """The numbers (n,): int64 if all cells are whole numbers, else float64 with NaN for a missing cell.

        where: the start of messages. Raises InputError for a cell that is no number in this notation, and for one that
        is infinite or above `LARGEST`.
        """
        if not is_number(cells):
            values = self._of_texts(where, cells)
        elif cells.dtype.kind in "iu" and not cells.isna().any() and int(cells.abs().max()) < 2**63:
            return np.asarray(cells.astype(np.int64))
        else:
            values = cells.to_numpy(np.float64, na_value=np.nan)
        bad = ~(np.abs(values) <= LARGEST) & ~np.isnan(values)
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(
                f"{where}: must be finite numbers up to {LARGEST:g}, got {values[row]} in row {row + 1} "
                f"(the first row is 1; {bad.sum()} such cells)"
            )
        return values

    def _of_texts(self, where: str, cells: "pd.Series[Any]") -> NDArray[np.float64]:
        import pandas as pd

        texts = written(where, cells, self.missing)
        empty = (texts.isna() | signs(texts)).to_numpy()
        places, unique = pd.factorize(texts)
        values = np.append(self.notation.values([str(text) for text in unique]), np.nan)[places]
        stray = np.isnan(values) & ~empty
        if stray.any():
            row = int(np.argmax(stray))
            how = "" if self.notation == Notation() else f" ({self.notation.in_words})"
            raise InputError(
                f"{where}: must hold numbers{how} as in the training rows, got {cells.iloc[row]!r:.80} in {_row(row)}"
            )
        return values

    @property
    def kind(self) -> str:
        """What the column holds, in a word."""
        return "numbers"

    @property
    def how(self) -> str:
        """How the column is read, in words."""
        return self.notation.in_words + _missing_in_words(self.signs)


@dataclass(frozen=True)
class CategoryColumn:
    """A column of labels.

    declared: whether each text is a label as it is written, because the user or the file says so. booleans: whether the
    labels are True and False, in whatever way these are written. missing: the user's own marks of a missing cell.
    """

    declared: bool = False
    booleans: bool = False
    missing: tuple[str, ...] = ()

    def values(self, where: str, cells: "pd.Series[Any]") -> "NDArray[Any]":
        """The labels (n,) as texts, with NaN for a missing cell.

        where: the start of messages. Raises InputError for cells that are no single values.
        """
        _check_single(where, cells)
        read = partial(label, missing=("", *self.missing), booleans=self.booleans)
        return cells.astype(object).map(read, na_action="ignore").to_numpy(object)

    def check_test(self, where: str, cells: "pd.Series[Any]") -> None:
        """Raise InputError for a column of a test set that holds something else. where: the start of messages."""
        if self.declared or cells.isna().all():
            return
        texts = written(where, cells, self.missing)
        stray, expected = texts.notna(), "strings or booleans"
        if self.booleans and not is_number(cells):
            stray, expected = stray & ~texts.str.lower().isin(BOOLEANS), "True and False"
        elif not is_number(cells) and not isinstance(_notation(texts, None), Notation):
            return
        if stray.any():
            row = int(np.argmax(stray))
            raise InputError(
                f"{where}: must hold {expected} as in the training rows, got {cells.iloc[row]!r:.80} in {_row(row)}"
            )

    @property
    def kind(self) -> str:
        """What the column holds, in a word."""
        return "booleans" if self.booleans else "categories"

    @property
    def how(self) -> str:
        """How the column is read, in words."""
        return "true or false" if self.booleans else "labels as written" if self.declared else "labels"


@dataclass(frozen=True)
class DateColumn:
    """A column of dates. missing: the user's own marks of a missing cell. signs: other marks that were found."""

    dates: Dates
    missing: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()

    def values(self, where: str, cells: "pd.Series[Any]") -> NDArray[np.float64]:
        """The numbers (n, 4) of `dates.FEATURES`, NaN for a missing cell; InputError for a cell that is no date."""
        if cells.dtype.kind == "M":
            return self.dates.features(cells)
        texts = written(where, whole(cells), self.missing)
        texts = texts.mask(signs(texts))
        values = self.dates.features(texts)
        stray = np.isnan(values[:, 0]) & texts.notna().to_numpy()
        if stray.any():
            row = int(np.argmax(stray))
            form = f" in the format {self.dates.format}" if self.dates.format else ""
            found, others = f"{texts.iloc[row]!r:.80}", not stray[texts.notna()].all()
            advice = f"; --missing {found} marks it as missing" if others else ""
            raise InputError(f"{where}: {found} in {_row(row)} is not a date{form} ({stray.sum()} such cells){advice}")
        return values

    @property
    def kind(self) -> str:
        """What the column holds, in a word."""
        return "dates"

    @property
    def how(self) -> str:
        """How the column is read, in words."""
        order = "; day before month" if self.dates.day_first else ""
        return f"{', '.join(dates.FEATURES)}{order}{_missing_in_words(self.signs)}"


Column = NumberColumn | CategoryColumn | DateColumn


def decide(
    where: str, cells: "pd.Series[Any]", name: str, reading: Reading, formats: Mapping[str, str | None]
) -> Column:
    """What a column holds, by its cells in the training rows.

    where: the start of messages. formats: the columns of dates, each with its format or None.
    Raises InputError for a column that is empty, or whose cells can be read in several ways or in none.
    """
    from pandas.api.types import infer_dtype

    if cells.isna().all():
        raise InputError(f"{where}: is empty in all {len(cells)} rows: leave it out with --drop")
    missing = reading.missing
    if name in reading.categories:
        return CategoryColumn(declared=True, missing=missing)
    if name in formats:
        if cells.dtype.kind == "M":
            return DateColumn(Dates(), missing)
        texts = written(where, whole(cells), missing)
        found = dates.decide(where, name, _counts(texts), formats[name])
        return DateColumn(found, missing, _signs(texts))
    kind = infer_dtype(cells, skipna=True)
    if is_number(cells):
        return NumberColumn(Notation(), missing)
    if kind in ("boolean", "categorical"):
        return CategoryColumn(declared=kind == "categorical", booleans=kind == "boolean", missing=missing)
    if kind.startswith(("date", "time", "period", "interval")):
        _refuse_dates(where, name, "times" if kind.startswith("time") else "dates")
    return _decide_texts(where, name, written(where, cells, missing), reading)


def _decide_texts(where: str, name: str, texts: "pd.Series[Any]", reading: Reading) -> Column:
    """What a column of texts holds."""
    if texts.isna().all():
        raise InputError(f"{where}: is empty in all {len(texts)} rows: leave it out with --drop")
    if texts.dropna().str.lower().isin(BOOLEANS).all():
        return CategoryColumn(booleans=True, missing=reading.missing)
    found = _notation(texts, reading.decimal)
    if isinstance(found, Notation):
        return NumberColumn(found, reading.missing, _signs(texts))
    if isinstance(found, Unclear):
        row = int(np.argmax((texts == found.text).to_numpy()))
        raise InputError(
            f"{where}: {found.text!r:.80} in {_row(row)} {found.reason}; --categories {name!r} reads all texts as "
            "labels"
        )
    if form := dates.form_of(counts := _counts(texts)):
        _refuse_dates(where, name, form, f" such as {next(iter(counts))!r:.80}")
    return CategoryColumn(missing=reading.missing)


def _notation(texts: "pd.Series[Any]", decimal: str | None) -> Notation | Unclear | None:
    """The notation of texts that are numbers, None if they are none."""
    counts = _counts(texts)
    return notation.decide(counts, decimal) if counts else None


def _counts(texts: "pd.Series[Any]") -> dict[str, int]:
    """How often each text occurs that is no mark of a missing cell, in the order of their first rows."""
    filled = texts[~signs(texts)].dropna()
    return {str(text): int(count) for text, count in filled.value_counts(sort=False).items()}


def _refuse_dates(where: str, name: str, form: str, example: str = "") -> NoReturn:
    numbers = f"--dates {name!r} makes numbers of them, " if form == "dates" else ""
    raise InputError(
        f"{where}: holds {form}{example}: {numbers}--drop {name!r} leaves the column out, --categories {name!r} reads "
        "its texts as labels"
    )


def written(where: str, cells: "pd.Series[Any]", missing: Iterable[str]) -> "pd.Series[Any]":
    """The cells (n,) as texts without blanks around them, NaN for a missing one.

    where: the start of messages. missing: the user's own marks. Raises InputError for cells that are no single values.
    """
    _check_single(where, cells)
    texts = cells.astype(object).map(lambda cell: str(cell).strip(), na_action="ignore").astype(object)
    return texts.mask(texts.isin(["", *missing]))


def _check_single(where: str, cells: "pd.Series[Any]") -> None:
    """Raise InputError for cells that are no single values, but lists for example."""
    from pandas.api.types import infer_dtype

    if not all(isinstance(cell, str | int | float | np.generic | date) for cell in cells.dropna()):
        raise InputError(
            f"{where}: must hold numbers, strings or booleans, got {infer_dtype(cells, skipna=True)} values"
        )


def is_number(cells: "pd.Series[Any]") -> bool:
    """Whether all cells of a column that are not missing are numbers, by their type."""
    from pandas.api.types import infer_dtype

    kinds = ("integer", "floating", "mixed-integer-float", "decimal")
    return infer_dtype(cells, skipna=True) in kinds


def whole(cells: "pd.Series[Any]") -> "pd.Series[Any]":
    """Numbers without decimals as whole ones, as dates such as 20200105 are if a cell is missing; else the cells."""
    return cells.astype("Int64") if is_number(cells) and not (cells.dropna() % 1).any() else cells


def _signs(texts: "pd.Series[Any]") -> tuple[str, ...]:
    """The marks of a missing cell that only columns of numbers and dates have, as they are written."""
    return tuple(map(str, texts[signs(texts)].unique()))


def _missing_in_words(marks: tuple[str, ...]) -> str:
    return f"; {', '.join(marks)} missing" if marks else ""


def _row(row: int) -> str:
    return f"row {row + 1} (the first row is 1)"
