"""A file as a table: delimited text, Parquet or Excel. Cells that are no plain numbers are the texts as written."""

import bz2
import gzip
import lzma
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Collection
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cooldown.objectives import files
from cooldown.objectives.data.reading.delimited import Layout, layout_of
from cooldown.objectives.data.reading.missing import WORDS, absent
from cooldown.objectives.data.reading.options import Reading
from cooldown.objectives.data.reading.text import decoded
from cooldown.objectives.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

DELIMITED, PARQUET, EXCEL = (".csv", ".tsv", ".txt"), (".parquet", ".pq"), (".xlsx", ".xlsm")
SUFFIXES = DELIMITED + PARQUET + EXCEL
COMPRESSIONS: dict[str, Callable[[Any], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}

COMMA = r"\s*[+-]?[0-9]+,[0-9]+\s*"
"""A number with a decimal comma, or with one group of thousands."""

POINT = r"[+-]?(?:0?\.[0-9]*|[0-9]+\.(?![0-9]{3}$)[0-9]*|0\.[0-9]*|[0-9]{4,}\.[0-9]*)(?:[eE][+-]?[0-9]+)?"
"""A number whose point is a decimal one, not that of a group of thousands."""


def suffix_of(path: Path) -> str:
    """The suffix that tells the kind of a table's file, in lower case, without that of a compression."""
    inner = Path(path.stem) if path.suffix.lower() in COMPRESSIONS else path
    return inner.suffix.lower()


def is_table(path: Path) -> bool:
    """Whether a file is a table by its name."""
    suffix = suffix_of(path)
    return suffix in (DELIMITED if path.suffix.lower() in COMPRESSIONS else SUFFIXES)


def name_of(path: Path) -> str:
    """The name of the file without its suffixes; "table" for one that has no other."""
    stem = Path(path.stem).stem if path.suffix.lower() in COMPRESSIONS else path.stem
    return stem.strip() or "table"


def read_file(
    path: Path, where: str, reading: Reading, target: str | None, texts: Collection[str] = ()
) -> "pd.DataFrame":
    """The table in a file, as `read_content` gives it; raises InputError for one that is no table by its name, too."""
    if not is_table(path):
        told = f"{', '.join(SUFFIXES)}, and {DELIMITED[0]} also in {', '.join(COMPRESSIONS)}"
        raise InputError(f"{where}: the file name of a table must end in {told}, got {path.suffix!r}")
    return read_content(content_of(path, where), suffix_of(path), where, reading, target, texts)


def read_content(
    content: bytes, suffix: str, where: str, reading: Reading, target: str | None, texts: Collection[str] = ()
) -> "pd.DataFrame":
    """The table in the content of a file, with its names as they are written, and all of its columns.

    suffix: of the file, in lower case. where: the start of messages. texts: further columns of a delimited text that
    are read as texts in any case. Columns of plain numbers are numbers, with NaN for a missing cell; others hold the
    texts of their cells, or the values that a Parquet or Excel file has. Raises InputError for content that is no
    table, and for a target of a delimited text whose labels may be marks of missing cells, as None may be: other files
    mark these by their type.
    """
    if suffix in PARQUET:
        return _read_parquet(content, where)
    if suffix in EXCEL:
        return _read_excel(content, where)
    text = decoded(content, where)
    if (length := len(text.lstrip().partition("\n")[0])) > files.LINE:
        raise InputError(f"{where}: the header line has {length:,} characters, more than {files.LINE:,}")
    table = _read_delimited(text, layout_of(text), where, reading, texts)
    for place, name in enumerate(table.columns):
        cells = table.iloc[:, place]
        if cells.dtype.kind in "iuf" or name in reading.categories:
            continue
        if name == target:
            _check_labels(f"{where}: target {name!r}", name, cells, reading)
        table.isetitem(place, cells.mask(absent(cells.str.strip(), reading.missing)).array)
    return table


def content_of(path: Path, where: str) -> bytes:
    """The bytes of a file, decompressed; InputError if it cannot be read or is empty."""
    content = files.read_file(path, where, files.TABLE_BYTES)
    if opened := COMPRESSIONS.get(path.suffix.lower()):
        try:
            with opened(BytesIO(content)) as expanded:
                content = expanded.read(files.TABLE_BYTES + 1)
        except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
            raise InputError(f"{where}: cannot be decompressed: {error}") from None
        if len(content) > files.TABLE_BYTES:
            raise InputError(f"{where}: is larger than {files.TABLE_BYTES // files.MB:,} MB when it is decompressed")
    if not content.strip():
        raise InputError(f"{where}: is empty")
    return content


def without(table: "pd.DataFrame", where: str, drop: Collection[str]) -> "pd.DataFrame":
    """The table without the columns of these names; InputError unless all others have a name of their own."""
    table = table.loc[:, ~table.columns.isin([*drop])]
    names = list(table.columns)
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    if duplicates:
        name = duplicates[0]
        raise InputError(
            f"{where}: column {name!r} is {names.count(name)} times in the header: rename one, or leave all of them "
            "out with --drop"
        )
    if "" in names:
        raise InputError(
            f"{where}: column {names.index('') + 1} has no name (a saved index?): name it, or leave it out with "
            '--drop ""'
        )
    if table.empty:
        raise InputError(f"{where}: has a header but no rows")
    return table


def _read_delimited(text: str, layout: Layout, where: str, reading: Reading, texts: Collection[str]) -> "pd.DataFrame":
    import pandas as pd

    options: dict[str, Any] = {"sep": layout.separator, "skipinitialspace": True, "skiprows": layout.skipped}
    missing = [*reading.missing]

    def read_texts(places: list[int]) -> "pd.DataFrame":
        written: pd.DataFrame = pd.read_csv(
            StringIO(text, newline=""), index_col=False, usecols=places, dtype=str, keep_default_na=False, **options
        )
        return written

    try:
        with warnings.catch_warnings():
            # Pandas only warns if it cuts off cells.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            header = pd.read_csv(
                StringIO(text, newline=""), header=None, nrows=1, dtype=str, na_filter=False, **options
            )
            table = pd.read_csv(
                StringIO(text, newline=""), index_col=False, low_memory=False, na_values=missing, **options
            )
            names = [str(cell).strip() for cell in header.iloc[0]]
            asked = {*reading.categories, *reading.formats(names), *texts}
            numeric = [dtype.kind in "iuf" for dtype in table.dtypes]
            places = [place for place, name in enumerate(names) if not numeric[place] or name in asked]
            written = read_texts(places) if places else table.iloc[:, :0]
            points = [place for place in range(len(names)) if table.dtypes.iloc[place].kind == "f"]
            points = [place for place in points if place not in places]
            if points and (reading.decimal == "," or layout.separator == ";" or _shows(written, COMMA)):
                grouped = read_texts(points)
                if reading.decimal == "," or _shows(written, COMMA) or not _shows(grouped, POINT):
                    places, written = [*places, *points], pd.concat([written, grouped], axis=1)
    except (ValueError, pd.errors.ParserWarning) as error:
        raise InputError(f"{where}: is not a CSV file: {str(error).strip()}") from None
    columns = [table.iloc[:, place] for place in range(len(names))]
    for at, place in enumerate(places):
        columns[place] = written.iloc[:, at]
    together: pd.DataFrame = pd.concat(columns, axis=1)
    return together.set_axis(names, axis=1)


def _check_labels(where: str, name: str, cells: "pd.Series[Any]", reading: Reading) -> None:
    words = cells.str.strip()
    doubtful = words.isin(sorted(WORDS.difference(reading.missing))).to_numpy()
    if doubtful.any():
        row = int(doubtful.argmax())
        raise InputError(
            f"{where}: {words.iloc[row]!r} in row {row + 1} (the first row is 1) may be a class or mark a missing cell "
            f"({doubtful.sum()} such cells): --categories {name!r} reads it as a class; else leave these rows out of "
            "the file"
        )


def _shows(table: "pd.DataFrame", pattern: str) -> bool:
    """Whether a column of texts has a cell of this form."""
    return any(table.iloc[:, place].str.fullmatch(pattern).any() for place in range(table.shape[1]))


def _read_parquet(content: bytes, where: str) -> "pd.DataFrame":
    import pandas as pd

    try:
        table = pd.read_parquet(BytesIO(content))
    except (OSError, ValueError) as error:  # pyarrow's errors are subclasses of these
        raise InputError(f"{where}: is not a Parquet file: {str(error).splitlines()[0]}") from None
    named = [name for name in table.index.names if name is not None]
    if repeated := [name for name in named if name in table.columns]:
        raise InputError(f"{where}: column {repeated[0]!r} is also the name of its index: rename one")
    # An index without a name only numbers the rows.
    table = pd.concat([table.index.to_frame(index=False)[named], table.reset_index(drop=True)], axis=1)
    return table.set_axis([str(name).strip() for name in table.columns], axis=1)


def _read_excel(content: bytes, where: str) -> "pd.DataFrame":
    import pandas as pd

    try:
        sheets = pd.read_excel(BytesIO(content), sheet_name=None, header=None, dtype=object, na_filter=False)
    except ImportError:
        raise InputError(
            f"{where}: Excel files need the package openpyxl: pip install 'cooldown[xlsx]', or save the sheet as CSV"
        ) from None
    # A damaged archive can raise any exception.
    except Exception as error:
        raise InputError(f"{where}: is not an Excel file: {str(error).splitlines()[0]}") from None
    filled = {name: sheet for name, sheet in sheets.items() if sheet.size}
    if not filled:
        raise InputError(f"{where}: is empty")
    if len(filled) > 1:
        raise InputError(
            f"{where}: has {len(filled)} sheets with cells ({', '.join(map(str, filled))}): save the one to use in a "
            "file of its own"
        )
    (sheet,) = filled.values()
    names = [str(cell).strip() for cell in sheet.iloc[0]]
    table = sheet.iloc[1:].reset_index(drop=True).set_axis(names, axis=1)
    return table.mask(table.map(lambda cell: isinstance(cell, str) and not cell.strip())).infer_objects()
