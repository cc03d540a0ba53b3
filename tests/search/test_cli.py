"""The command line: results on stdout, everything else on stderr, and what clumsy and hostile users get to see."""

import io
import json
import os
import pty
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from patience import PATIENCE
from rich.cells import cell_len
from search_runs import COOLDOWN, cooldown, flags, run_in_threads, spec, surroundings

from cooldown import resume
from cooldown.search.cli import main
from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger, Status

Answer = tuple[int, str, str]
NAME = "a \"b\" 'c' [bold]d[/bold] :smile: 🎉 $HOME"
QUICK = flags(repeats=1, trials=2, finalists=1)


@pytest.fixture
def run_here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """The `cooldown` command in this process: exit code, stdout, stderr."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["cooldown", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A ledger with a finished experiment, one of a difficult name, and one that was never begun."""
    url = f"sqlite:///{tmp_path_factory.mktemp('cli')}/cooldown.db"
    run_in_threads(url, spec(), name="tiny")
    joint = "momentum,nag,adam,adamw,rmsprop,sgd+constant,cosine,exponential,linear,sgdr,step"
    run_in_threads(url, spec(arms=(joint, "adam"), repeats=1), name=NAME)
    Ledger(url).create("empty", spec().to_json(), "0" * 64, planned(spec()))
    return url


@pytest.mark.processes
def test_compare_in_processes_from_start_to_end(tmp_path: Path, run_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything on its own stream, and the ledger where the default says."""
    monkeypatch.chdir(tmp_path)
    done = cooldown("compare", "iris", *QUICK, "--workers", "2", "--json", cwd=tmp_path)
    shown = json.loads(done.stdout)
    assert (shown["name"], shown["status"], shown["task"]) == ("iris", "done", "iris")
    assert done.stderr.splitlines()[0] == "iris: 0%"
    assert done.stderr.splitlines()[-1] == "iris: 100%"
    assert (tmp_path / "cooldown.db").exists()
    # The same again is the same experiment; --quiet says nothing.
    code, out, err = run_here("compare", "iris", *QUICK, "--quiet", "--json")
    assert (code, json.loads(out), err) == (0, shown, "")
    # Another name is another experiment with the same fingerprint.
    path = tmp_path / "spec.toml"
    path.write_text("task = 'iris'\nname = 'from a file'\ntrials = 99\n")
    code, out, err = run_here("compare", "spec.toml", *QUICK, "-q")
    assert (code, err) == (0, "")
    assert "cooldown trials 'from a file'" in " ".join(out.split())
    assert json.loads(run_here("show", "from a file", "--json")[1])["fingerprint"] == shown["fingerprint"]


@pytest.mark.processes
def test_the_live_display_of_a_terminal(tmp_path: Path) -> None:
    """On a terminal stderr is drawn upon, and stdout is still the answer alone."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COOLDOWN, "compare", "iris", *QUICK, "--json", "--name", "[red]x"],
        cwd=tmp_path,
        env=surroundings({"TERM": "xterm-256color"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    drawn = b""
    try:
        while piece := os.read(ours, 65536):
            drawn += piece
    except OSError:  # Linux's way to say that the other end is closed
        pass
    out, _ = process.communicate(timeout=PATIENCE)
    os.close(ours)
    assert process.returncode == 0
    assert json.loads(out)["name"] == "[red]x"
    text = drawn.decode()
    for expected in ("[red]x", "Best val. loss", "momentum+sgdr", "of the training"):
        assert expected in text
    assert "Traceback" not in text


def test_show_json_keeps_its_contract(run_here: Any, ledger: str) -> None:
    code, out, err = run_here("show", "tiny", "--json", "--db", ledger)
    shown = json.loads(out)
    assert (code, err) == (0, "")
    assert list(shown)[:4] == ["name", "task", "status", "message"]
    assert {"fingerprint", "answer", "protocol", "spec", "arms", "verdicts", "alarms"} < set(shown)
    assert set(shown["answer"]) == {"question", "word", "sentence", "next"}
    assert shown["protocol"] == 1
    assert len(shown["fingerprint"]) == 64
    assert set(shown["arms"][0]["repeats"][0]["best"]) >= {"config", "validation_loss", "finalist_loss"}
    code, out, _ = run_here("show", "empty", "--json", "--db", ledger)
    empty = json.loads(out)
    assert (code, empty["status"]) == (0, "interrupted")
    assert empty["arms"][0]["repeats"][0]["best"] is None
    assert empty["verdicts"][0]["verdict"] == "undecided"


@pytest.mark.parametrize("name", ["tiny", NAME, "empty"])
@pytest.mark.parametrize("command", ["show", "trials"])
def test_text_fits_into_80_columns_and_shows_names_as_they_are(
    command: str, name: str, run_here: Any, ledger: str
) -> None:
    code, out, err = run_here(command, name, "--db", ledger)
    assert (code, err) == (0, "")
    assert out.strip()
    assert max(cell_len(line) for line in out.splitlines()) <= 80
    if command == "show":
        assert f"cooldown trials {shlex.quote(name)} --db {ledger}".replace(" ", "") in "".join(out.split())


def test_list(run_here: Any, ledger: str) -> None:
    code, out, _ = run_here("list", "--db", ledger)
    assert code == 0
    assert NAME.replace(" ", "") in "".join(line[:40].split("iris")[0].strip() for line in out.splitlines()).replace(
        " ", ""
    )
    assert max(cell_len(line) for line in out.splitlines()) <= 80
    code, out, _ = run_here("list", "--db", ledger, "--json")
    listed = {each["name"]: each for each in json.loads(out)}
    tiny = listed["tiny"]
    assert {key: tiny.pop(key) for key in ("name", "task", "status", "trials")} == {
        "name": "tiny",
        "task": "iris",
        "status": "done",
        "trials": 16,
    }
    assert set(tiny) == {"leader", "created_at", "finished_at"}
    assert re.fullmatch(r"(adam|momentum\+sgdr) by \d+ %", tiny["leader"])
    assert listed["empty"]["leader"] == "not yet known"
    assert set(listed) == {"tiny", NAME, "empty"}


def test_list_without_a_ledger(run_here: Any, url: str, tmp_path: Path) -> None:
    code, out, err = run_here("list", "--db", url)
    assert (code, err) == (0, "")
    assert "No experiments yet" in out
    assert run_here("list", "--db", url, "--json") == (0, "[]\n", "")
    assert not list(tmp_path.iterdir())


def test_the_environment_names_the_ledger(run_here: Any, ledger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOLDOWN_DB", ledger)
    assert len(json.loads(run_here("list", "--json")[1])) == 3


def test_trials_as_csv_and_json(run_here: Any, ledger: str) -> None:
    for name, count in ((NAME, 8), ("tiny", 16), ("empty", 0)):
        table = pd.read_csv(io.StringIO(run_here("trials", name, "--csv", "--db", ledger)[1]))
        rows = json.loads(run_here("trials", name, "--json", "--db", ledger)[1])
        assert len(table) == len(rows) == count
        if rows:
            assert table["validation_loss"].tolist() == pytest.approx([row["validation_loss"] for row in rows])
            assert set(table.columns) == {key for row in rows for key in row}
    code, out, err = run_here("trials", "tiny", "--csv", "--json", "--db", ledger)
    assert (code, out) == (2, "")
    assert "cannot be used together" in err


def test_catalog(run_here: Any) -> None:
    code, out, err = run_here("catalog", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    sections = {"optimizers", "schedules", "strategies", "tasks", "surfaces", "samplers", "formats", "arms"}
    assert set(found) == sections
    assert {entry["name"]: entry["of"] for entry in found["formats"]}.items() >= {
        "csv": "table",
        "json": "configuration",
    }.items()
    adam = next(each for each in found["optimizers"] if each["name"] == "adam")
    beta1 = next(each for each in adam["hyperparameters"] if each["name"] == "beta1")
    assert beta1["default"] == 0.9
    assert len(beta1["range"]) == 2
    for section, entries in found.items():
        assert json.loads(run_here("catalog", section, "--json")[1]) == entries
        text = run_here("catalog", section)[1]
        assert all(entry["name"] in text for entry in entries)
        assert max(cell_len(line) for line in text.splitlines()) <= 80
    code, out, err = run_here("catalog", "optimisers")
    assert (code, out) == (2, "")
    assert "did you mean 'optimizers'" in err


def test_delete(run_here: Any, url: str) -> None:
    run_in_threads(url, spec(repeats=1), name=NAME)
    code, out, err = run_here("delete", NAME, "--db", url, "--yes")
    assert (code, out) == (0, "")
    assert f"Deleted {NAME}." in " ".join(err.split("\n"))
    assert Ledger(url).summaries() == []
    code, _, err = run_here("delete", NAME, "--db", url, "--yes")
    assert code == 2
    assert "unknown experiment" in err


def test_resume_of_a_finished_experiment_shows_it(run_here: Any, ledger: str) -> None:
    assert run_here("resume", "tiny", "--db", ledger)[1] == run_here("show", "tiny", "--db", ledger)[1]


@pytest.mark.processes
@pytest.mark.parametrize("command", [["trials", "tiny"], ["trials", "tiny", "--csv"], ["show", "tiny", "--json"]])
def test_a_broken_pipe_is_no_error_to_speak_of(command: list[str], ledger: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    arguments = [COOLDOWN, *command, "--db", ledger]
    done = subprocess.run(
        arguments, stdout=writer, stderr=subprocess.PIPE, env=surroundings(), timeout=PATIENCE, check=False
    )
    os.close(writer)
    assert done.stderr == b""


@pytest.mark.processes
def test_an_encoding_without_our_signs(ledger: str, tmp_path: Path) -> None:
    shown = cooldown("show", NAME, "--db", ledger, cwd=tmp_path, environment={"PYTHONIOENCODING": "ascii"})
    assert r"\xb1: standard deviation" in shown.stdout


HEAVY = ("numba", "optuna", "sklearn", "scipy.stats", "pandas", "streamlit", "torch")


@pytest.mark.processes
@pytest.mark.parametrize("command", [["--help"], ["compare", "--help"], ["list"], ["catalog"], ["catalog", "--json"]])
def test_quick_commands_load_nothing_heavy(command: list[str], tmp_path: Path) -> None:
    program = (
        f"import sys; sys.argv = ['cooldown', *{command!r}]\n"
        "from cooldown.search.cli import main\n"
        "try: main()\n"
        f"except SystemExit as end: print([m for m in {HEAVY!r} if m in sys.modules], end.code, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=surroundings(), capture_output=True, text=True, check=True
    )
    assert done.stderr == "[] 0\n"


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
        ("compare none.toml", "spec file none.toml does not exist"),
        ("compare iris --target y", "target 'y' is for a CSV or Parquet file"),
        ("compare iris --arm adm", "unknown optimizer 'adm'; did you mean 'adam'?"),
        ("compare iris --arm adam+cosin", "unknown schedule 'cosin'; did you mean 'cosine'?"),
        ("compare iris --arm adam --arm adam+constant", "arm 'adam' is listed twice"),
        ("compare iris --arm +", "arm '+': a name is missing"),
        ("compare iris --arm ,", "arm ',': a name is missing"),
        ("compare iris --trials 0 --epochs -3", "2 problems in the spec:\n  trials: should be greater"),
        ("compare iris --trials 99999999", "trials: should be less than or equal to 1000000, got 99999999"),
        ("compare iris --trials abc", "Invalid value for '--trials': 'abc' is not a whole number"),
        ("compare iris --trials 1e3", "'1e3' is not a whole number"),
        ("compare iris --seed -1", "seed: should be greater than or equal to 0, got -1"),
        ("compare iris --seed 99999999999999999999", "seed: should be less than 9223372036854775808"),
        ("compare iris --workers 0", "workers: should be a whole number of at least 1, got 0"),
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
    from cooldown.search.experiments import service as experiments

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

    monkeypatch.setattr(experiments, "Ledger", refusing)
    code, out, err = run_here("compare", "iris", *QUICK, "--db", ledger, "--name", "new")
    assert (code, out) == (2, "")
    assert "is read-only: choose another place with --db" in err


@pytest.mark.processes
def test_a_disk_that_gets_full(tmp_path: Path, url: str) -> None:
    """What was written before is kept, one message, exit 1; with room again it goes on to the same end."""
    run_in_threads(url, spec(repeats=1), name="calm")
    room = (tmp_path / "cooldown.db").stat().st_size + 20_000

    # The shell sets the limit, in blocks of 512 bytes: a hook of ours would fork this process with all its threads.
    little_room = ["sh", "-c", f'ulimit -f {room // 512}; exec "$@"', "sh"]
    arguments = [COOLDOWN, "compare", "iris", *flags(repeats=1, trials=40), "--workers", "1", "--name", "full"]
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
    assert "`cooldown delete tiny` first" in err


def test_version(run_here: Any) -> None:
    code, out, _ = run_here("--version")
    assert code == 0
    assert out.startswith("cooldown 0.")


def test_show_has_sections(run_here: Any, ledger: str) -> None:
    place = ["show", "tiny", "--db", ledger]
    for section, words in (("pairs", "95 % interval"), ("budget", "Expected best"), ("cost", "core-seconds")):
        code, out, err = run_here(*place, section)
        assert (code, err) == (0, "")
        assert words in out
    assert "at most 0.5" in run_here(*place, "target", "--target-loss", "0.5")[1]
    for wrong in (["nonsense"], ["cost", "--target-loss", "0.5"], ["target", "--target-loss", "nan"]):
        code, out, err = run_here(*place, *wrong)
        assert (code, out) == (2, "")
        assert len(err.splitlines()) == 1


def test_resume_extends_and_refuses_to_shrink(run_here: Any, ledger: str) -> None:
    code, _, err = run_here("resume", "tiny", "--repeats", "1", "--db", ledger)
    assert code == 2
    assert "already has 2" in err
    code, out, _ = run_here("resume", "tiny", "--trials", "5", "--workers", "1", "--db", ledger, "--json", "-q")
    assert code == 0
    shown = json.loads(out)
    assert (shown["status"], shown["spec"]["trials"], shown["extended_from"]) == ("done", 5, [{"trials": 4}])
    assert {repeat["trials"] for arm in shown["arms"] for repeat in arm["repeats"]} == {5}
