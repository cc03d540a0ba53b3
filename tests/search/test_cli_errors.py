"""What clumsy and hostile users get to see, and what is said of a full disk."""

import shlex
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cli_examples import QUICK, three_experiments
from patience import PATIENCE
from search_runs import COOLDOWN, flags, run_in_threads, spec, surroundings

from cooldown import resume
from cooldown.storage import Ledger, Status


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> str:
    return three_experiments(f"sqlite:///{tmp_path_factory.mktemp('cli')}/cooldown.db")


def csv_file(folder: Path, content: str) -> str:
    (folder / "data.csv").write_text(content)
    return "data.csv"


ROWS = "".join(f"{i},{i % 7},{i % 2}\n" for i in range(30))


@pytest.mark.parametrize(
    ("content", "target", "said"),
    [
        ("a,b,y\n" + ROWS, None, "needs the column to predict as target"),
        ("a,b,y\n" + ROWS, "z", "unknown column 'z'"),
        ("a,b,y\n" + ROWS.replace(",1\n", ",0\n"), "y", "is only one class, 0"),
        ("a,b,y\n" + "".join(f"{i},1,{2.5}\n" for i in range(30)), "y", "is constant, 2.5"),
        ("a,b,y\n1,2,0\n3,4,1\n", "y", "has too few rows"),
        ("a,b,y\n" + ROWS + "1,2,\n", "y", "missing"),
        ("a,b,y\n" + "".join(f"{i},1,{i / 7}\n" for i in range(30)) + "1,2,inf\n", "y", "got inf"),
        ("a,b,y\n" + "".join(f"{i},,{i % 2}\n" for i in range(30)), "y", "column 'b': is empty in all 30 rows"),
        ("", "y", "is empty"),
    ],
)
def test_tables_that_cannot_be_learned(
    content: str, target: str | None, said: str, run_here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["--target", target] if target else []
    code, out, err = run_here("compare", csv_file(tmp_path, content), *given)
    assert (code, out) == (2, "")
    assert said in err
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("compare digit", "unknown task 'digit'; did you mean 'digits'?"),
        ("compare .", "unknown task '.'"),
        ("compare ./", "the file name of a table must end in .csv"),
        ("compare data.cvs --target y", "got '.cvs'"),
        ("compare none.csv --target y", "there is no such file"),
        ("compare nomodule:task", "module 'nomodule' cannot be imported"),
        ("compare json:task", "module 'json' has no attribute 'task'"),
        ("compare none.toml", "spec file 'none.toml': there is no such file"),
        ("compare iris --target y", "target 'y' is for a CSV or Parquet file"),
        ("compare iris --arm adm", "unknown optimizer 'adm'; did you mean 'adam'?"),
        ("compare iris --arm adam+cosin", "unknown schedule 'cosin'; did you mean 'cosine'?"),
        ("compare iris --arm adam --arm adam+constant", "arm 'adam' is listed twice"),
        ("compare iris --arm +", "arm '+': a name is missing"),
        ("compare iris --arm ,", "arm ',': a name is missing"),
        ("compare iris --trials 0 --epochs -3", "2 problems in the spec:\n  trials: should be greater"),
        ("compare iris --trials 99999999", "trials: should be less than or equal to 100000, got 99999999"),
        ("compare iris --trials abc", "Invalid value for '--trials': 'abc' is not a whole number"),
        ("compare iris --trials 1e3", "'1e3' is not a whole number"),
        ("compare iris --seed -1", "seed: should be greater than or equal to 0, got -1"),
        ("compare iris --seed 99999999999999999999", "seed: should be less than 9223372036854775808"),
        ("compare iris --workers 0", "Invalid value for '--workers': 0 is less than 1"),
        ("compare iris --hidden 3.5", "--hidden: widths should be whole numbers such as 64,32, got '3.5'"),
        ("compare iris --hidden ''", "--hidden: widths should be whole numbers such as 64,32, got ''"),
        ("compare iris --hidden 5,-1", "hidden[1]: should be greater than or equal to 1, got -1"),
        ("compare iris --sampler bayse", "unknown sampler 'bayse'"),
        ("compare iris --pruner medium", "unknown pruner 'medium'"),
        ("compare iris --name ''", "name: should be a non-empty string, got ''"),
        ("compare iris --db sqlite:////nowhere/at/all.db", "cannot be opened: does its folder exist"),
        ("compare iris --db ''", "is not the address of a ledger"),
        ("compare iris --db nonsense", "'nonsense' is not the address of a ledger"),
        ("compare iris --db sqlite:///.", "is a folder, not a file"),
        ("tune iris --arm adam --arm nag", "tune searches one joint arm"),
        ("resume none", "there is no ledger at"),
        ("show none", "there is no ledger at"),
        ("delete none --yes", "there is no ledger at"),
        ("compar iris", "No such command 'compar'. Did you mean 'compare'?"),
        ("compare iris --tirals 3", "No such option: --tirals"),
        ("compare", "missing TASK: name a task such as digits"),
    ],
)
def test_bad_input(arguments: str, said: str, run_here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear message that names the value, exit 2, and no ledger."""
    monkeypatch.chdir(tmp_path)
    code, out, err = run_here(*shlex.split(arguments))
    assert (code, out) == (2, "")
    assert said in err
    assert not list(tmp_path.iterdir())


def test_unknown_names_in_a_ledger(run_here: Any, ledger: str) -> None:
    for command in ("show", "trials", "resume", "delete"):
        code, out, err = run_here(command, "tini", "--db", ledger)
        assert (code, out) == (2, "")
        assert "unknown experiment 'tini'; did you mean 'tiny'" in err


def test_databases_that_are_not_ours(run_here: Any, tmp_path: Path) -> None:
    """They are told apart, and not a byte of them is changed."""
    foreign, text = tmp_path / "foreign.db", tmp_path / "text.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE customers (name)")
    connection.close()
    text.write_text("Dear diary, " * 100)
    for path, said in ((foreign, "is not a Cooldown ledger"), (text, "is not a SQLite database")):
        before = path.read_bytes()
        for command in (["compare", "iris", *QUICK], ["list"], ["show", "x"], ["resume", "x"], ["delete", "x"]):
            code, out, err = run_here(*command, "--db", f"sqlite:///{path}")
            assert (code, out) == (2, "")
            assert said in err
        assert path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["foreign.db", "text.db"]


def test_a_read_only_ledger(run_here: Any, tmp_path: Path, ledger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere, so the file system's refusal is played by SQLite's own."""
    from cooldown.search.experiments import preparing

    def refusing(url: str, **more: Any) -> Ledger:
        found = Ledger(url, **more)
        connect = found._database.engine.connect

        def read_only(*arguments: Any) -> Any:
            connection = connect(*arguments)
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.rollback()
            return connection

        monkeypatch.setattr(found._database.engine, "connect", read_only)
        return found

    monkeypatch.setattr(preparing, "Ledger", refusing)
    code, out, err = run_here("compare", "iris", *QUICK, "--db", ledger, "--name", "new")
    assert (code, out) == (2, "")
    assert "is read-only: choose another place with --db" in err


@pytest.mark.processes
def test_a_disk_that_gets_full(tmp_path: Path, url: str) -> None:
    """What was written before is kept, one message, exit 1; with room again it goes on to the same end."""
    run_in_threads(url, spec(task="quadratic", repeats=1), name="calm")
    room = (tmp_path / "cooldown.db").stat().st_size + 20_000

    # The shell sets the limit, in blocks of 512 bytes: a hook of ours would fork this process with all its threads.
    little_room = ["sh", "-c", f'ulimit -f {room // 512}; exec "$@"', "sh"]
    arguments = [COOLDOWN, "compare", "quadratic", *flags(repeats=1, trials=40), "--workers", "1", "--name", "full"]
    full = subprocess.run(
        [*little_room, *arguments],
        cwd=tmp_path,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert full.returncode == 1, full.stderr
    assert "Traceback" not in full.stderr
    assert "What was written before is kept" in full.stderr
    record = Ledger(url).load("full")
    assert record.status in (Status.FAILED, Status.INTERRUPTED)
    kept = {(study.arm, trial.number) for study in record.studies for trial in study.trials}
    assert kept
    whole = resume("full", db=url, workers=1).record
    assert whole.status is Status.DONE
    assert kept < {(study.arm, trial.number) for study in whole.studies for trial in study.trials}


def test_comparing_an_existing_name_with_other_settings(run_here: Any, ledger: str) -> None:
    code, out, err = run_here("compare", "iris", "--trials", "9", "--name", "tiny", "--db", ledger)
    assert (code, out) == (2, "")
    assert "experiment 'tiny' exists with other settings (" in err
    assert f"`cooldown delete tiny --db {ledger}` first" in err
