"""The command line: results on stdout, everything else on stderr."""

import io
import json
import os
import pty
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cli_examples import NAME, QUICK, three_experiments
from patience import PATIENCE
from rich.cells import cell_len
from search_runs import COOLDOWN, ONE_WORKER, cooldown, run_in_threads, spec, surroundings

from cooldown.storage import Ledger


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> str:
    return three_experiments(f"sqlite:///{tmp_path_factory.mktemp('cli')}/cooldown.db")


@pytest.mark.processes
def test_compare_in_processes_from_start_to_end(tmp_path: Path, run_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything on its own stream, and the ledger where the default says."""
    monkeypatch.chdir(tmp_path)
    done = cooldown("compare", "quadratic", *QUICK, *ONE_WORKER, "--json", cwd=tmp_path)
    shown = json.loads(done.stdout)
    assert (shown["name"], shown["status"], shown["task"]) == ("quadratic", "done", "quadratic")
    assert done.stderr.splitlines()[0] == "quadratic: 0 %"
    assert done.stderr.splitlines()[-1] == "quadratic: 100 %"
    assert (tmp_path / "cooldown.db").exists()
    # The same again is the same experiment; --quiet says nothing.
    code, out, err = run_here("compare", "quadratic", *QUICK, "--quiet", "--json")
    assert (code, json.loads(out), err) == (0, shown, "")
    # Another name is another experiment with the same fingerprint.
    path = tmp_path / "spec.toml"
    path.write_text("task = 'quadratic'\nname = 'from a file'\ntrials = 99\n")
    code, out, err = run_here("compare", "spec.toml", *QUICK, "--workers", "1", "-q")
    assert (code, err) == (0, "")
    assert "cooldown trials 'from a file'" in " ".join(out.split())
    assert json.loads(run_here("show", "from a file", "--json")[1])["fingerprint"] == shown["fingerprint"]


@pytest.mark.processes
def test_the_live_display_of_a_terminal(tmp_path: Path) -> None:
    """On a terminal stderr is drawn upon, and stdout is still the answer alone."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COOLDOWN, "compare", "quadratic", *QUICK, "--workers", "1", "--json", "--name", "[red]x"],
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
    assert shown["protocol"] == 2
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
    command: str, name: str, run_here: Any, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    code, out, err = run_here(command, name, "--db", ledger)
    assert (code, err) == (0, "")
    assert out.strip()
    assert max(cell_len(line) for line in out.splitlines() if not line.startswith("  cooldown ")) <= 80
    if command == "show":
        assert f"  cooldown trials {shlex.quote(name)} --db {ledger}" in out.splitlines()


def test_list(run_here: Any, ledger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = run_here("list", "--db", ledger)
    assert code == 0
    assert len(out.splitlines()) == 4, "in a pipe a row is one line"
    assert all(line.split()[-2:] for line in out.splitlines())
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    code, out, _ = run_here("list", "--db", ledger)
    assert code == 0
    assert NAME in out
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
    assert set(tiny) == {
        *("leader", "wins", "compared_repeats", "probability_better", "alarms", "created_at", "finished_at")
    }
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


def test_catalog(run_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    code, out, err = run_here("catalog", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    sections = {"optimizers", "schedules", "asynchronous", "strategies", "tasks", "surfaces", "samplers", "formats"}
    sections.add("arms")
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
