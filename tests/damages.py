"""Damages of a ledger, each made by a seed: what a bad disk, a hand in an SQL editor, or a stranger leaves behind."""

import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

OURS = tuple(f"cooldown_{name}" for name in ("experiments", "studies", "trials", "curves", "references", "work"))

VALUES: tuple[Any, ...] = (
    *(None, "", "text", "null", "[]", "{}", "[[]]", '"text"', '{"a": NaN}', "{", "[" * 3000),
    *(0, 1, -1, 7, 2**62, 1e300, float("inf"), float("-inf"), -0.5, b"", b"abc", b"\xff" * 8, b"\0" * 800),
)
"""Values of which any may be in any cell."""

LEAVES: tuple[Any, ...] = (
    *(None, "", "text", "no such entry", 0, -1, 10**30, 1e300, float("nan"), float("inf"), True),
    *([], [[]], {}, {"name": "adam"}, "adam+", "momentum", 0.5, "2"),
)
"""Values of which any may be in JSON."""


def flipped_bytes(path: Path, random_: random.Random) -> str:
    """Some bytes of the file are others; also the pages of SQLite itself."""
    content = bytearray(path.read_bytes())
    places = [random_.randrange(len(content)) for _ in range(random_.choice([1, 3, 50]))]
    for place in places:
        content[place] ^= 1 << random_.randrange(8)
    path.write_bytes(content)
    return f"flipped bytes {places[:3]}"


def cut_file(path: Path, random_: random.Random) -> str:
    """The end of the file is missing."""
    size = random_.randrange(path.stat().st_size)
    path.write_bytes(path.read_bytes()[:size])
    return f"cut to {size} bytes"


def changed_cell(path: Path, random_: random.Random) -> str:
    """A cell holds a value of any type."""
    table = random_.choice(OURS)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        column, row = _cell(connection, table, random_)
        value, literal = random_.choice(VALUES), "?"
        if random_.random() < 0.1:
            value, literal = b"\xff\xfea", "CAST(? AS TEXT)"
        # Some columns may not be null, and some values have to be unique.
        with suppress(sqlite3.IntegrityError):
            connection.execute(f"UPDATE {table} SET {column} = {literal} WHERE rowid = ?", (value, row))
    return f"{table}.{column} of row {row} is {value!r:.40}"


def changed_json(path: Path, random_: random.Random) -> str:
    """A value somewhere in the JSON of a cell is another."""
    column = random_.choice(
        ["cooldown_experiments.spec"] * 3
        + ["cooldown_experiments.looks", "cooldown_experiments.extended_from", "cooldown_experiments.holder"]
        + ["cooldown_experiments.environment", "cooldown_studies.sampler_state", "cooldown_trials.parameters"]
        + ["cooldown_trials.config"] * 2
    )
    table, name = column.split(".")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        _, row = _cell(connection, table, random_)
        (text,) = connection.execute(f"SELECT {name} FROM {table} WHERE rowid = ?", (row,)).fetchone()
        document = {"": None if text is None else json.loads(text)}
        place: Any = document
        key: Any = ""
        while isinstance(place[key], dict | list) and place[key] and random_.random() < 0.8:
            place = place[key]
            key = random_.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if random_.random() < 0.2:
            del place[key]
            document.setdefault("", None)
        else:
            place[key] = random_.choice(LEAVES)
        changed = json.dumps(document[""])
        connection.execute(f"UPDATE {table} SET {name} = ? WHERE rowid = ?", (changed, row))
    return f"{column} of row {row}: {key!r} changed"


def missing_rows(path: Path, random_: random.Random) -> str:
    """Some rows are missing, and others that refer to them are not."""
    table = random_.choice(OURS)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        rows = [_cell(connection, table, random_)[1] for _ in range(random_.choice([1, 5]))]
        connection.executemany(f"DELETE FROM {table} WHERE rowid = ?", [(row,) for row in rows])
    return f"{table} lacks rows {rows}"


def missing_table(path: Path, random_: random.Random) -> str:
    """A table, or a column of one, is missing or has another name."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        table = random_.choice([*OURS, random_.choice(tables)])
        column, _ = _cell(connection, table, random_)
        statement = random_.choice(
            [
                f"DROP TABLE {table}",
                f"ALTER TABLE {table} RENAME COLUMN {column} TO another",
                f"ALTER TABLE {table} RENAME TO another",
            ]
        )
        connection.execute(statement)
    return statement


DAMAGES: tuple[Callable[[Path, random.Random], str], ...] = (
    *(flipped_bytes, cut_file, missing_rows, missing_table),
    *(changed_cell, changed_cell, changed_json, changed_json),
)


def damage(path: Path, seed: int) -> str:
    """Damage the ledger at `path`, which nobody has open, as this seed says; returns what was done."""
    random_ = random.Random(seed)
    return random_.choice(DAMAGES)(path, random_)


def _cell(connection: sqlite3.Connection, table: str, random_: random.Random) -> tuple[str, Any]:
    """A column and a row of a table."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    rows = [row for (row,) in connection.execute(f"SELECT rowid FROM {table}")]
    return random_.choice(columns), random_.choice(rows or [0])
