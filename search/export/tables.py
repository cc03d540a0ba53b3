"""The `load_data` of a program whose data are a table, which it reads as the search read it."""

from pathlib import Path
from typing import Any

from cooldown.objectives.data.reading import cells
from cooldown.objectives.data.reading.columns import CategoryColumn, DateColumn, NumberColumn
from cooldown.objectives.data.reading.delimited import Layout, layout_of
from cooldown.objectives.data.reading.files import DELIMITED, EXCEL, content_of, suffix_of
from cooldown.objectives.data.reading.missing import ALWAYS
from cooldown.objectives.data.reading.notation import Notation
from cooldown.objectives.data.reading.summary import ReadColumn
from cooldown.objectives.data.reading.text import decoded, encoding_of
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.export.literals import call, literal
from cooldown.search.export.source import Source, collect

LABELS = 'lambda cell: str(cell).strip(), na_action="ignore"'

WITHOUT_MARKS = '''def without_marks(table):
    """The texts of a file, empty where they mark a missing cell, except in columns that are read as written."""
    for name in table.columns:
        if name not in AS_WRITTEN:
            table[name] = table[name].mask(table[name].str.strip().isin(TEXT_MARKS), "")
    return table'''


def load_table(source: Source, task: ArrayTask, table: Path, test: Path | None) -> None:
    """Add `load_data` for a table, and for one of test rows if these are the user's own, to `source`."""
    # Absolute paths: the program may be run from any folder.
    source.constants["TABLE"] = literal(str(table.resolve()))
    if test is not None:
        source.constants["TEST_TABLE"] = literal(str(test.resolve()))
    plain = all(map(_is_plain, task.columns)) and all(map(_is_plain_file, filter(None, (table, test))))
    if plain:
        source.functions["columns_of"] = _plain_columns(task)
    else:
        _add_constants(source, task)
        source.functions["columns_of"] = _read_columns(source, task)
    names = "[name for name in table.columns if name not in LEFT_OUT]"
    source.constants["LEFT_OUT"] = literal([each.name for each in task.columns if each.role != "feature"])
    if test is None:
        lines = [
            '"""The features (rows, columns) and the target (rows,)."""',
            *_reading("table", "TABLE", table, plain),
            f"return columns_of(table, {names})",
        ]
    else:
        lines = [
            '"""The features (rows, columns) and the target (rows,); the last rows are the test rows."""',
            *_reading("table", "TABLE", table, plain),
            *_reading("test", "TEST_TABLE", test, plain),
            "if len(test) != N_TEST:",
            '    raise SystemExit(f"{TEST_TABLE}: should have the {N_TEST} test rows, got {len(test)}")',
            f"names = {names}",
            "parts = [columns_of(part, names) for part in (table, test)]",
            "X, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))",
            "return X, y",
        ]
    source.functions["load_data"] = _function("load_data()", lines)


def _is_plain(column: ReadColumn) -> bool:
    """Whether pandas reads a column as the search did, of itself."""
    match column.column:
        case NumberColumn(notation=notation, missing=(), signs=()):
            return notation == Notation()
        case CategoryColumn(declared=False, missing=()):
            return True
    return False


def _is_plain_file(path: Path) -> bool:
    """Whether pandas reads a file as the search did, if it is told its separator."""
    if suffix_of(path) not in DELIMITED:
        return suffix_of(path) not in EXCEL and not _named_index(path)
    layout, encoding = _delimited(path)
    return layout.skipped == 0 and encoding == "utf-8-sig"


def _delimited(path: Path) -> tuple[Layout, str]:
    """The layout of a delimited text, and its encoding, which allows a byte order mark."""
    content = content_of(path, str(path))
    encoding = encoding_of(content)
    return layout_of(decoded(content, str(path))), "utf-8-sig" if encoding == "utf-8" else encoding


def _named_index(path: Path) -> bool:
    import pandas as pd

    return any(name is not None for name in pd.read_parquet(path, columns=[]).index.names)


def _reading(variable: str, constant: str, path: Path, plain: bool) -> list[str]:
    """The statements that read a table; unless it is plain, every cell of a delimited text as the text it is."""
    before, after = f"{variable} = ", list[str]()
    if suffix_of(path) in DELIMITED:
        layout, encoding = _delimited(path)
        options = [f"sep={literal(layout.separator)}"] + [f"skiprows={layout.skipped}"] * bool(layout.skipped)
        options += ["skipinitialspace=True", "index_col=False", f"encoding={literal(encoding)}"]
        options += ["low_memory=False"] if plain else ["dtype=str", "keep_default_na=False"]
        read = call("pd.read_csv", [constant, *options], 4, before)
        if not plain:
            after = [f"{variable} = without_marks({variable})"]
    elif suffix_of(path) in EXCEL:
        # The one sheet with cells.
        read = (
            f"next(sheet for sheet in pd.read_excel({constant}, sheet_name=None, dtype=object).values() if sheet.size)"
        )
    else:
        read = f"pd.read_parquet({constant}){'.reset_index()' * _named_index(path)}"
    return [f"{before}{read}", f"{variable}.columns = [str(name).strip() for name in {variable}.columns]", *after]


def _plain_columns(task: ArrayTask) -> str:
    """The source of a function that takes features and target from a table as pandas reads it."""
    coded = bool(task.categorical)
    target = _target(task)
    labels = ["for place in CATEGORIES:", f"    X[names[place]] = X[names[place]].astype(object).map({LABELS})"]
    of_target = f".astype(object).map({LABELS})" if target.kind == "categories" else ""
    lines = [
        '"""The features (rows, columns) and the target (rows,) of a table."""',
        "X = table[names].copy()",
        *labels * coded,
        f"y = table[{literal(target.name)}]{of_target}",
        f"return X.to_numpy({'object' if coded else 'float'}, na_value=np.nan), y.to_numpy()",
    ]
    return _function("columns_of(table, names)", lines)


def _add_constants(source: Source, task: ArrayTask) -> None:
    """Add what is known of the columns that are not plain numbers, by their names."""
    known: dict[str, dict[str, Any]] = {"NOTATIONS": {}, "LABELS": {}, "DATES": {}}
    missing: tuple[str, ...] = ()
    as_written: list[str] = []
    for each in task.columns:
        match each.column:
            case NumberColumn(notation=notation):
                if notation != Notation():
                    known["NOTATIONS"][each.name] = notation.of_number
            case CategoryColumn(declared=declared, booleans=booleans):
                known["LABELS"][each.name] = booleans
                as_written += [each.name] * declared
            case DateColumn(dates=dates):
                known["DATES"][each.name] = dates.format or "mixed", dates.day_first
        missing = missing if each.column is None else each.column.missing
    source.constants["AS_WRITTEN"] = literal(as_written)
    source.constants["MARKS"] = literal(("", *missing))
    source.constants["TEXT_MARKS"] = literal([*ALWAYS, *missing], 0)
    source.functions["without_marks"] = WITHOUT_MARKS
    for name, values in known.items():
        source.constants[name] = literal(values, 0) if values else "{}"


def _read_columns(source: Source, task: ArrayTask) -> str:
    """The source of a function that reads features and target from the texts of a table."""
    for function in (cells.number, cells.label, cells.date_numbers):
        collect(source, function, function.__name__)
    target = _target(task)
    lines = [
        '"""The features (rows, columns) and the target (rows,) of a table."""',
        'table = table.astype(object).where(table.notna(), "")',
        "columns = []",
        "for name in [*names, TARGET]:",
        "    values = table[name]",
        "    if name in DATES:",
        "        form, day_first = DATES[name]",
        "        known = values.mask(values.isin(MARKS))",
        '        days = pd.to_datetime(known, format=form, dayfirst=day_first, errors="coerce", utc=True)',
        "        columns += list(date_numbers(pd.DatetimeIndex(days).tz_localize(None)).T)",
        "    elif name in LABELS:",
        "        columns.append([label(cell, MARKS, LABELS[name]) for cell in values])",
        "    else:",
        '        notation = NOTATIONS.get(name, (".", "", ()))',
        "        texts = [None if str(cell).strip() in MARKS else cell for cell in values]",
        "        columns.append([number(cell, *notation) if isinstance(cell, str) else cell for cell in texts])",
        f"X = np.array(columns[:-1], dtype={'object' if task.categorical else 'float'}).T",
        "return X, np.array(columns[-1])",
    ]
    source.constants["TARGET"] = literal(target.name)
    return _function("columns_of(table, names)", lines)


def _target(task: ArrayTask) -> ReadColumn:
    return next(column for column in task.columns if column.role == "target")


def _function(signature: str, lines: list[str]) -> str:
    return "\n".join([f"def {signature}:", *[f"    {line}" if line else "" for line in lines]])
