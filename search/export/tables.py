"""The `load_data` of a program whose data are a table, which it reads as the search read it."""

from pathlib import Path
from typing import Any

from cooldown.objectives.data.reading import cells
from cooldown.objectives.data.reading.columns import CategoryColumn, DateColumn, NumberColumn
from cooldown.objectives.data.reading.delimited import Layout, layout_of
from cooldown.objectives.data.reading.files import DELIMITED, EXCEL, content_of, suffix_of
from cooldown.objectives.data.reading.missing import ALWAYS, SIGNS
from cooldown.objectives.data.reading.notation import Notation
from cooldown.objectives.data.reading.summary import ReadColumn
from cooldown.objectives.data.reading.text import decoded, encoding_of
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.export.literals import assigned, call, literal
from cooldown.search.export.source import Source, collect

LABELS = 'lambda cell: str(cell).strip(), na_action="ignore"'

WITHOUT_MARKS = '''def without_marks(table):
    """The texts of a file, empty where they mark a missing cell, except in columns that are read as written."""
    for name in table.columns:
        if name not in AS_WRITTEN:
            table[name] = table[name].mask(table[name].str.strip().isin(TEXT_MARKS), "")
    return table'''

CELLS_OF = '''def cells_of(table, name):
    """The labels or numbers of a column, one list (rows,); of dates, four lists."""
    cells = table[name].astype(object).where(table[name].notna(), "")
    if name in LABELS:
        return [[label(cell, MARKS, LABELS[name]) for cell in cells]]
    texts = cells.map(lambda cell: str(cell).strip())
    if name in DATES:
        form, day_first = DATES[name]
        known = cells.mask(cells.isin(MARKS))
        days = pd.to_datetime(known, format=form, dayfirst=day_first, errors="coerce", utc=True)
        found = date_numbers(pd.DatetimeIndex(days).tz_localize(None)).T
    else:
        notation = NOTATIONS.get(name, (".", "", ()))
        known = cells.mask(texts.isin(MARKS), np.nan)
        found = np.array([[number(cell, *notation) if isinstance(cell, str) else cell for cell in known]], dtype=float)
    stray = texts[~np.isfinite(found[0]) & ~texts.isin(MARKS) & ~texts.str.lower().isin(SIGNS)]
    if len(stray):
        kind = "dates" if name in DATES else "finite numbers"
        raise ValueError(f"the column {name!r} should have {kind}, got {stray.iloc[0]}")
    return list(found)'''


def load_table(source: Source, task: ArrayTask, table: Path, test: Path | None) -> None:
    """Add to `source` what reads tables: `load_data` for a table, and for one of test rows if these are the user's own;
    `read_table` for a file like the first one, and `columns_of`, which takes the features from a table.
    """
    # Absolute paths: the program may be run from any folder.
    source.constants["TABLE"] = literal(str(table.resolve()))
    if test is not None:
        source.constants["TEST_TABLE"] = literal(str(test.resolve()))
    features = [column.name for column in task.columns if column.role == "feature"]
    source.constants["FEATURES"] = assigned("FEATURES", features)
    source.constants["TARGET"] = literal(_target(task).name)
    plain = all(map(_is_plain, task.columns)) and all(map(_is_plain_file, filter(None, (table, test))))
    if plain:
        _add_plain_columns(source, task)
    else:
        _add_constants(source, task)
        _add_read_columns(source, task)
    labelled = plain and bool(task.categorical)
    read = source.functions["read_table"] = _reader("read_table", table, plain, labelled)
    if test is None:
        lines = [
            '"""The features (rows, columns) and the target (rows,)."""',
            "table = read_table(TABLE)",
            "return columns_of(table), target_of(table)",
        ]
    else:
        read_test = "read_table"
        if (other := _reader("read_test_table", test, plain, labelled)).partition("\n")[2] != read.partition("\n")[2]:
            read_test = "read_test_table"
            source.functions[read_test] = other
        lines = [
            '"""The features (rows, columns) and the target (rows,); the last rows are the test rows."""',
            f"parts = [read_table(TABLE), {read_test}(TEST_TABLE)]",
            "if len(parts[1]) != N_TEST:",
            '    raise SystemExit(f"{TEST_TABLE}: should have the {N_TEST} test rows, got {len(parts[1])}")',
            "X, y = (np.concatenate([take(part) for part in parts]) for take in (columns_of, target_of))",
            "return X, y",
        ]
    source.functions["load_data"] = _function("load_data()", lines)


def _is_plain(column: ReadColumn) -> bool:
    """Whether pandas reads a column as the search did, of itself."""
    match column.column:
        case NumberColumn(notation=notation, missing=(), signs=()):
            return notation == Notation()
        case CategoryColumn(declared=False, missing=()) | None:
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


def _reader(name: str, path: Path, plain: bool, labelled: bool) -> str:
    """The source of a function that reads a table like the one at `path`; unless it is plain, every cell of a delimited
    text as the text it is. labelled: whether pandas has to be told which columns of it are labels. Where a table is no
    delimited text, the function also reads one with commas.
    """
    delimited = suffix_of(path) in DELIMITED
    layout, encoding = _delimited(path) if delimited else (Layout(","), "utf-8-sig")
    options = ["path", f"sep={literal(layout.separator)}"] + [f"skiprows={layout.skipped}"] * bool(layout.skipped)
    options += ["skipinitialspace=True", "index_col=False", f"encoding={literal(encoding)}"]
    options += ["low_memory=False"] if plain else ["dtype=str", "keep_default_na=False"]
    # Labels that are all digits in some rows would become numbers.
    options += ["dtype={FEATURES[place]: str for place in CATEGORIES}"] * labelled
    read = f"table = {call('pd.read_csv', options, 4 if delimited else 8, 'table = ')}"
    names = "table.columns = [str(name).strip() for name in table.columns]"
    lines = ['"""The table in a file that is written like the table of the task."""']
    if delimited:
        lines += [read, names, "return table" if plain else "return without_marks(table)"]
    else:
        lines += ['is_text = path.lower().endswith(".csv")', "if is_text:", f"    {read}"]
        lines += ["else:", f"    table = {_other(path)}", names]
        lines.append("return table" if plain else "return without_marks(table) if is_text else table")
    return _function(f"{name}(path)", lines)


def _other(path: Path) -> str:
    """The expression that reads a file like the one at `path`, which is no text."""
    if suffix_of(path) in EXCEL:
        # The one sheet with cells.
        return "next(sheet for sheet in pd.read_excel(path, sheet_name=None, dtype=object).values() if sheet.size)"
    return f"pd.read_parquet(path){'.reset_index()' * _named_index(path)}"


def _add_plain_columns(source: Source, task: ArrayTask) -> None:
    """Add the functions that take features and target from a table as pandas reads it."""
    target, coded = _target(task), bool(task.categorical)
    labels = [
        "    if name in labels:",
        f"        X[name] = X[name].astype(object).map({LABELS})",
        "        continue",
    ]
    lines = [
        '"""The features (rows, columns) of a table."""',
        "X = table[FEATURES].copy()",
        *["labels = [FEATURES[place] for place in CATEGORIES]"] * coded,
        "for name in FEATURES:",
        *labels * coded,
        '    numbers = pd.to_numeric(X[name], errors="coerce").to_numpy(float, na_value=np.nan)',
        "    stray = X[name][~np.isfinite(numbers) & X[name].notna()]",
        "    if len(stray):",
        '        raise ValueError(f"the column {name!r} should have finite numbers, got {stray.iloc[0]}")',
        "    X[name] = numbers",
        f"return X.to_numpy({'object' if coded else 'float'}, na_value=np.nan)",
    ]
    source.functions["columns_of"] = _function("columns_of(table)", lines)
    of_target = f".astype(object).map({LABELS})" if target.kind == "categories" else ""
    lines = ['"""The target (rows,) of a table."""', f"return table[TARGET]{of_target}.to_numpy()"]
    source.functions["target_of"] = _function("target_of(table)", lines)


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
    source.constants["SIGNS"] = literal(sorted(SIGNS), 0)
    source.functions["without_marks"] = WITHOUT_MARKS
    for name, values in known.items():
        source.constants[name] = literal(values, 0) if values else "{}"


def _add_read_columns(source: Source, task: ArrayTask) -> None:
    """Add the functions that take features and target from the texts of a table."""
    for function in (cells.number, cells.label, cells.date_numbers):
        collect(source, function, function.__name__)
    source.functions["cells_of"] = CELLS_OF
    lines = [
        '"""The features (rows, columns) of a table."""',
        "columns = [column for name in FEATURES for column in cells_of(table, name)]",
        f"return np.array(columns, dtype={'object' if task.categorical else 'float'}).T",
    ]
    source.functions["columns_of"] = _function("columns_of(table)", lines)
    lines = ['"""The target (rows,) of a table."""', "[target] = cells_of(table, TARGET)", "return np.array(target)"]
    source.functions["target_of"] = _function("target_of(table)", lines)


def _target(task: ArrayTask) -> ReadColumn:
    return next(column for column in task.columns if column.role == "target")


def _function(signature: str, lines: list[str]) -> str:
    return "\n".join([f"def {signature}:", *[f"    {line}" if line else "" for line in lines]])
