"""Damaged and edited ledgers: one message with ledger, experiment and fault, exit code 2, and all else can be read."""

import json
import random
import shutil
import sqlite3
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from covering import covering, in_short
from damages import damage
from search_runs import spec

from cooldown.search import experiments
from cooldown.search.evidence import SECTIONS
from cooldown.storage import Ledger, UnreadableError

RunHere = Callable[..., tuple[int, str, str]]
SEEDS = 12


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    """A copy of that ledger."""
    return Path(shutil.copy(sound, tmp_path / "cooldown.db"))


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


READING = (
    ("show", "one"),
    ("show", "one", "--json"),
    *(("show", "one", section) for section in SECTIONS),
    ("trials", "one"),
    ("trials", "one", "--csv"),
    ("export", "one"),
    ("export", "one", "--format", "csv"),
    ("export", "one", "--format", "torch"),
    ("report", "one", "-o", "-"),
)
"""Commands that read an experiment."""

FAULTS = [
    ("experiments", "spec = 'adam, mostly'", "its row: spec is not JSON"),
    ("experiments", "spec = 'null'", "its row: spec is missing"),
    ("experiments", "spec = 7", "its row: spec should be a table, got 7"),
    ("experiments", "spec = CAST(X'ff' AS TEXT)", "its row: spec is not text in UTF-8"),
    ("experiments", "spec = '{}'", "spec: task: is missing"),
    ("experiments", "holder = '\"me\"', heartbeat_at = 0", "its row: holder should be a table, got 'me'"),
    ("experiments", "status = 'ready'", "its row: status should be one of queued, running, open, paused, done"),
    ("experiments", "created_at = 1e300", "its row: created_at should be seconds since 1970"),
    ("experiments", "looks = '{}'", "its row: looks should be a list"),
    ("experiments", "requested = 'pray'", "its row: requested should be one of pause, stop, cancel, got 'pray'"),
    ("experiments", "priority = 5000", "its row: priority: should be a whole number from -1,000 to 1,000, got 5000"),
    ("studies", "arm = 'lion'", "lion, repeat 0: no such arm in its spec"),
    ("studies", "variant = 'other'", "momentum+sgdr, repeat 0: variant should be tuned or default"),
    ("trials", "validation_loss = 'low'", "repeat 0, trial 0: validation_loss should be a number, got 'low'"),
    ("trials", "config = '[1]'", "repeat 0, trial 0: TrainConfig.from_json: a config must be a table"),
    ("trials", "parameters = json_set(parameters, '$.\"momentum.learning_rate\"', 9)", "trial 0: parameters: "),
    ("curves", "train_loss = X'00'", "train_loss should be an array of numbers of 8 bytes, got 1 bytes"),
    ("curves", "train_loss = zeroblob(8)", "learning_rate has 2 epochs, train_loss has 1"),
    ("curves", "held_out_loss = X'000000000000f07f000000000000f07f'", "held_out_loss has a loss that is not a finite"),
    ("curves", "outcome = 'won'", "outcome should be one of completed, stopped, diverged, pruned, got 'won'"),
    ("curves", "kept_epoch = 9", "kept_epoch is 9, of 2 epochs"),
    ("references", "rmse = 1", "rmse and mae should both be there, or none"),
]
"""A table, what is changed in a row that belongs to the experiment `one`, and what is said of it."""


TOLD = [(fault, command) for fault in FAULTS for command in READING]


@pytest.mark.parametrize(("damaged", "command"), in_short(TOLD, covering(TOLD, parts=lambda row: row)))
def test_one_message_has_ledger_experiment_and_fault(
    path: Path, url: str, run_here: RunHere, damaged: tuple[str, str, str], command: tuple[str, ...]
) -> None:
    table, change, fault = damaged
    edit(path, f"UPDATE cooldown_{table} SET {change} WHERE id = 1")
    code, out, err = run_here(*command, "--db", url)
    assert (code, out) == (2, "")
    assert err.startswith(f"cooldown: experiment 'one' in the ledger {path} cannot be read: ")
    assert fault in err
    assert len(err.splitlines()) == 1
    assert run_here("show", "two", "--db", url)[0] == 0
    assert "two" in run_here("list", "--db", url)[1]
    assert run_here("delete", "one", "--db", url, "--yes")[0] == 0
    assert [summary.name for summary in experiments.summaries(url)] == ["two"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("spec = '['", "spec is not JSON"),
        ("spec = '{\"arms\": 3}'", "trials should be a whole number"),
        ("holder = 'x'", "holder is not JSON"),
    ],
)
def test_a_list_shows_what_is_damaged_and_why(path: Path, url: str, run_here: RunHere, change: str, why: str) -> None:
    edit(path, f"UPDATE cooldown_experiments SET {change} WHERE id = 1")
    code, out, err = run_here("list", "--db", url)
    assert code == 0
    assert "damaged" in next(line for line in out.splitlines() if line.lstrip().startswith("one"))
    assert f"Damaged: experiment 'one' in the ledger {path} cannot be read: " in err
    assert why in err
    code, out, _ = run_here("list", "--json", "--db", url)
    (two, one) = json.loads(out)
    assert (two["name"], two["status"]) == ("two", "done")
    assert (one["name"], one["status"]) == ("one", "damaged")
    assert why in one["message"]


def test_a_damaged_name_is_neither_continued_nor_taken_again(path: Path, url: str) -> None:
    edit(path, "UPDATE cooldown_experiments SET spec = '[' WHERE name = 'one'")
    settings = {**spec().to_json(), "db": url}
    with pytest.raises(UnreadableError, match="spec is not JSON"):
        experiments.compare(settings.pop("task"), name="one", **settings)
    with pytest.raises(UnreadableError) as raised:
        Ledger(url).load("one")
    assert (raised.value.experiment, raised.value.place) == ("one", "its row")


@pytest.mark.parametrize("table", ["cooldown_curves", "cooldown_experiments", "cooldown_references"])
def test_a_missing_table_or_column_is_named(path: Path, url: str, run_here: RunHere, table: str) -> None:
    shutil.copy(path, path.with_name("column.db"))
    edit(path, f"DROP TABLE {table}")
    code, out, err = run_here("show", "one", "--db", url)
    assert (code, out) == (2, "")
    assert (
        err
        == f"cooldown: the ledger {path} is damaged (no such table: {table}); `cooldown doctor` says what can be done\n"
    )
    column = path.with_name("column.db")
    edit(column, f"ALTER TABLE {table} RENAME COLUMN id TO number")
    code, out, err = run_here("show", "one", "--db", f"sqlite:///{column}")
    assert (code, out) == (2, "")
    assert f"the ledger {column} is damaged (no such column: {table}.id)" in err


@pytest.mark.parametrize(
    "seed", [*range(SEEDS), *(pytest.param(n, marks=pytest.mark.full) for n in range(SEEDS, 1000))]
)
def test_no_damage_ends_a_reading_command_in_a_traceback(path: Path, url: str, run_here: RunHere, seed: int) -> None:
    """Five commands for each damage; a value such as 1e300 may overflow in a mean, of which NumPy warns."""
    done = damage(path, seed)
    for command in (("list",), ("show", "one"), *random.Random(seed).sample(READING, 3)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            code, _, err = run_here(*command, "--db", url)
        assert code in (0, 2), (done, command)
        assert (code == 2) == err.startswith("cooldown: "), (done, command, err)


def test_a_ledger_without_its_revision_is_damaged_and_no_other_database(
    path: Path, url: str, run_here: RunHere
) -> None:
    edit(path, "DROP TABLE cooldown_version")
    code, out, err = run_here("list", "--db", url)
    assert (code, out) == (2, "")
    assert err == f"cooldown: the ledger {path} is damaged: its table cooldown_version is missing or empty\n"
