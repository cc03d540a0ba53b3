"""`cooldown doctor`: what it finds, and what it repairs."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import optuna
import pytest
from damages import damage

from cooldown.storage import Ledger
from cooldown.storage.fingerprint import everything, fingerprint

RunHere = Callable[..., tuple[int, str, str]]
SEEDS = 8
DEAD = '{"machine": "m", "host": "elsewhere", "pid": 1, "started": 1.0, "token": "theirs"}'


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path / "cooldown.db"))


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_a_sound_ledger(path: Path, url: str, run_here: RunHere) -> None:
    storage = optuna.storages.RDBStorage(url)
    # A study of the user's own in the same file, and trials that Optuna added to one of ours, are no fault.
    optuna.create_study(storage=storage, study_name="mine").add_trial(optuna.create_trial(value=1.0))
    optuna.load_study(storage=storage, study_name="one/adam/0").add_trial(optuna.create_trial(value=1.0))
    storage.remove_session()
    storage.engine.dispose()
    before = dump(path)
    code, out, err = run_here("doctor", "--db", url)
    assert (code, out, err) == (0, f"{path}: 2 experiments can be read; nothing is wrong.\n", "")
    code, out, _ = run_here("doctor", "--repair", "--json", "--db", url)
    document = json.loads(out)
    assert (code, document["sound"], document["findings"], document["copy"]) == (0, True, [], None)
    records = [Ledger(url).load(name) for name in ("two", "one")]
    assert document["experiments"] == [
        {
            "name": record.name,
            "trials": sum(len(study.trials) for study in record.studies),
            "fingerprint": fingerprint(everything(record)),
        }
        for record in records
    ]
    assert dump(path) == before
    assert not list(path.parent.glob("*.backup"))


REPAIRED = [
    (
        f"UPDATE cooldown_experiments SET status = 'running', holder = '{DEAD}', heartbeat_at = 1 WHERE name = 'one'",
        "Experiment 'one': it is held by process 1 on elsewhere, which has ended.",
        "free it",
    ),
    (
        "UPDATE cooldown_experiments SET holder = '\"me\"', heartbeat_at = 0 WHERE name = 'one'",
        "Experiment 'one': it is held by a process whose entry cannot be read, which has ended.",
        "free it",
    ),
    ("DROP TABLE cooldown_references", "The ledger: its table cooldown_references is missing.", "create it, empty"),
    ("DROP TABLE cooldown_work", "The ledger: its table cooldown_work is missing.", "create it, empty"),
    (
        "DROP INDEX ix_cooldown_studies_experiment_id",
        "The ledger: its index ix_cooldown_studies_experiment_id is missing.",
        "build it",
    ),
    (
        "DELETE FROM cooldown_experiments WHERE name = 'two'",
        "4 rows of cooldown_studies belong to rows of cooldown_experiments that do not exist.",
        "remove 4 rows of cooldown_studies",
    ),
    (
        "INSERT INTO cooldown_trials SELECT id + 9000, 9000, number, generation, parameters, attributes, config, "
        "validation_loss, finished_at FROM cooldown_trials WHERE id = 1",
        "1 row of cooldown_trials belong to rows of cooldown_studies that do not exist; they are parts of trials.",
        "remove 1 row of cooldown_trials",
    ),
    (
        "INSERT INTO studies (study_name) VALUES ('gone/adam/0')",
        "the study 'gone/adam/0' in Optuna's tables, with 0 trials, belongs to no experiment.",
        "remove it from Optuna's tables",
    ),
]


@pytest.mark.parametrize(("statement", "fault", "remedy"), REPAIRED)
def test_what_is_safe_is_repaired_after_a_copy(
    path: Path, url: str, run_here: RunHere, statement: str, fault: str, remedy: str
) -> None:
    prints = {name: fingerprint(everything(Ledger(url).load(name))) for name in ("one", "two")}
    edit(path, statement)
    before = dump(path)
    code, out, _ = run_here("doctor", "--db", url)
    assert code == 1
    assert fault in out
    assert f"--repair would {remedy}" in out
    assert dump(path) == before, "without --repair nothing is written"
    code, out, _ = run_here("doctor", "--repair", "--db", url)
    assert code == 0, out
    assert f"Repaired ({remedy}" in out
    (copy,) = path.parent.glob("*.backup")
    assert f"The file as it was: {copy}" in out
    assert dump(copy) == before
    assert run_here("doctor", "--db", url)[0] == 0
    for summary in Ledger(url).summaries():
        assert fingerprint(everything(Ledger(url).load(summary.name))) == prints[summary.name]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("SELECT count(*) FROM cooldown_experiments WHERE holder IS NOT NULL").fetchone() == (
            0,
        )


def test_an_index_that_does_not_fit_its_table_is_built_again(path: Path, url: str, run_here: RunHere) -> None:
    # As if the index had been written for another order of the columns.
    edit(
        path,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = 'CREATE INDEX ix_cooldown_studies_experiment_id ON cooldown_studies (repeat)' "
        "WHERE name = 'ix_cooldown_studies_experiment_id'",
    )
    code, out, _ = run_here("doctor", "--db", url)
    assert code == 1
    assert "SQLite's check of the file fails: row 1 missing from index ix_cooldown_studies_experiment_id" in out
    assert "--repair would rebuild all indices" in out
    assert run_here("doctor", "--repair", "--db", url)[0] == 0
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


UNREPAIRED = [
    ("UPDATE cooldown_experiments SET spec = '[' WHERE name = 'one'", "'one': it cannot be read: its row: spec is not"),
    ("UPDATE cooldown_experiments SET spec = '{}' WHERE name = 'one'", "'one': it cannot be read: spec: task: is miss"),
    ("UPDATE cooldown_curves SET kept_epoch = 9 WHERE id = 1", "seed {seed}: kept_epoch is 9, of 2 epochs"),
    ("UPDATE cooldown_curves SET final_loss = 9 WHERE id = 1", "seed {seed}: its final loss is not that of its epochs"),
    (
        "UPDATE cooldown_trials SET validation_loss = 9 WHERE id = 1",
        "its validation loss is not the mean of its",
    ),
    ("UPDATE cooldown_trials SET validation_loss = 9 WHERE id = 1", "trial 0 has another loss in Optuna's tables"),
    ("DELETE FROM cooldown_trials WHERE number = 1", "momentum+sgdr, repeat 0: trial 1 is missing"),
    ("DELETE FROM trials WHERE number = 1", "momentum+sgdr, repeat 0: trial 1 is missing in Optuna's tables"),
    ("DELETE FROM studies WHERE study_name = 'one/adam/0'", "adam, repeat 0: its study is missing in Optuna's tables"),
    ("DELETE FROM cooldown_studies WHERE id = 1", "'one': momentum+sgdr, repeat 0: the study is missing"),
    ("DROP TABLE cooldown_curves", "its table cooldown_curves is missing; restore a copy of the ledger"),
    ("ALTER TABLE cooldown_trials DROP COLUMN config", "its table cooldown_trials has no column config; restore"),
]


@pytest.mark.parametrize(("statement", "fault"), UNREPAIRED)
def test_what_would_take_a_guess_is_said_and_left(
    path: Path, url: str, run_here: RunHere, statement: str, fault: str
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (seed,) = connection.execute("SELECT seed FROM cooldown_curves WHERE id = 1").fetchone()
    edit(path, statement)
    code, out, _ = run_here("doctor", "--repair", "--db", url)
    assert code == 1
    assert fault.format(seed=seed) in out
    assert run_here("doctor", "--json", "--db", url)[0] == 1


def test_a_broken_file_is_not_written_to(path: Path, url: str, run_here: RunHere) -> None:
    content = bytearray(path.read_bytes())
    content[4096 * 20 : 4096 * 60] = b"\xff" * 4096 * 40
    path.write_bytes(content)
    code, out, _ = run_here("doctor", "--repair", "--db", url)
    assert code == 1
    assert "SQLite's check of the file fails: " in out
    assert "restore a copy of the file" in out
    assert path.read_bytes() == content
    assert not list(path.parent.glob("*.backup"))


def test_a_live_run_keeps_its_lease(path: Path, url: str, run_here: RunHere) -> None:
    with Ledger(url).hold("one"):
        assert run_here("doctor", "--repair", "--db", url)[0] == 0
        assert [summary.status.value for summary in Ledger(url).summaries()] == ["done", "running"]


def test_what_is_no_ledger_is_bad_input(tmp_path: Path, run_here: RunHere) -> None:
    code, out, err = run_here("doctor", "--db", f"sqlite:///{tmp_path}/none.db")
    assert (code, out) == (2, "")
    assert "there is no ledger at" in err
    (tmp_path / "text.db").write_text("learning_rate,loss\n" * 100)
    code, _, err = run_here("doctor", "--db", f"sqlite:///{tmp_path}/text.db")
    assert code == 2
    assert "is not a SQLite database" in err


@pytest.mark.parametrize("seed", [pytest.param(n, marks=[pytest.mark.full] if n >= SEEDS else []) for n in range(500)])
def test_any_damage_is_examined_and_no_repair_makes_it_worse(
    path: Path, url: str, run_here: RunHere, seed: int
) -> None:
    done = damage(path, seed)
    code, out, _ = run_here("doctor", "--json", "--db", url)
    assert code in (0, 1, 2), done
    if code == 2:
        return
    readable = {each["name"]: each["fingerprint"] for each in json.loads(out)["experiments"]}
    repaired = run_here("doctor", "--repair", "--json", "--db", url)
    assert repaired[0] in (0, 1), done
    document = json.loads(repaired[1])
    assert (repaired[0] == 0) == document["sound"]
    after = {each["name"]: each["fingerprint"] for each in document["experiments"]}
    if not any("parts of trials" in each["fault"] for each in document["repaired"]):
        assert {name: after.get(name) for name in readable} == readable, done
    assert (document["copy"] is not None) == bool(document["repaired"])
