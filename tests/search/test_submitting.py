"""What can be submitted to a queue, and what is refused; the commands about it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from search_runs import TINY
from sqlalchemy import text

from cooldown import experiments, submit, tasks
from cooldown.objectives.errors import InputError
from cooldown.search.experiments.terms import agreed
from cooldown.storage import Ledger, Status, Terms

RunHere = Callable[..., tuple[int, str, str]]
SETTINGS = {name: value for name, value in TINY.items() if name != "task"}


def status(url: str, name: str = "iris") -> Status:
    return Ledger(url).load(name).status


OBJECTS = [
    pd.DataFrame({"a": np.arange(40.0), "y": np.arange(40.0)}),
    tasks.get("iris"),
    tasks.from_arrays(np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2, name="mine"),
]


@pytest.mark.parametrize("task", OBJECTS, ids=["frame", "built-in", "arrays"])
def test_objects_of_this_program_cannot_be_submitted(task: Any, url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a worker cannot load an object of this program"):
        submit(task, db=url, **SETTINGS)
    assert not (tmp_path / "cooldown.db").exists()


BAD = [
    ({"priority": 10**6}, "priority: should be a whole number from -1,000 to 1,000"),
    ({"priority": 1.5}, "priority"),
    ({"time_limit": "soon"}, "time_limit: should be a length of time such as 90s, 15m, 2h or 1d, got 'soon'"),
    ({"time_limit": "1e9d"}, "time_limit"),
    ({"time_limit": "-5s"}, "time_limit"),
    ({"time_limit": 0}, "time_limit: should be more than 0 seconds"),
    ({"max_gradient_evaluations": "all"}, "max_gradient_evaluations"),
    ({"max_gradient_evaluations": -1}, "max_gradient_evaluations"),
    ({"tags": "red"}, "tags: should be at most 20 texts"),
    ({"tags": ["\x1b[2J"]}, "tags: should be one line"),
    ({"owner": "a\x00"}, "owner: should be one line"),
    ({"notes": "\x00"}, "notes"),
    ({"trials": 0}, "trials"),
    ({"workers": 2}, "workers"),
    ({"name": "-x"}, "name: should not start with '-'"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_nothing_is_written_for_what_cannot_be_submitted(
    settings: dict[str, Any], message: str, url: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        submit("iris", db=url, **{**SETTINGS, **settings})
    assert not (tmp_path / "cooldown.db").exists()


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90.0), ("90", 90.0), ("15m", 900.0), ("2 h", 7200.0), ("1.5d", 129_600.0)]
)
def test_a_length_of_time(text: str, seconds: float) -> None:
    assert agreed(time_limit=text)(Terms()).time_limit == seconds
    assert agreed(time_limit="none")(Terms(time_limit=5.0)).time_limit is None
    assert agreed()(Terms(time_limit=5.0)).time_limit == 5.0


def test_an_owner_gets_no_experiment_of_another(url: str) -> None:
    first = submit("iris", db=url, owner="mo", **SETTINGS)
    assert submit("iris", db=url, owner="mo", **SETTINGS).name == first.name
    assert submit("iris", db=url, owner="jo", **SETTINGS).name == "iris-2"
    with pytest.raises(InputError, match="'iris' exists; choose another name"):
        submit("iris", db=url, owner="jo", name="iris", **SETTINGS)


FLAGS = ["--arm", "momentum+sgdr", "--arm", "adam", *("--trials", "4"), *("--repeats", "2"), *("--epochs", "1")]
FLAGS += [*("--seeds", "2"), *("--finalists", "2"), *("--confirm-seeds", "2")]


def test_the_commands(run_here: RunHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_here("queue")[:2] == (0, "Nothing is running or queued. Add something with: cooldown submit digits\n")
    code, out, err = run_here("submit", "iris", *FLAGS, "--tag", "red", "--time-limit", "2h")
    assert (code, out) == (0, "iris\n")
    assert "iris is queued, next. Workers run it: cooldown worker\nLook: cooldown show iris\n" in err
    code, out, _ = run_here("submit", "wine", *FLAGS, "--priority", "5", "--json")
    submitted = json.loads(out)
    assert (code, submitted["name"], submitted["position"], submitted["new"]) == (0, "wine", 1, True)
    listed = json.loads(run_here("queue", "--json")[1])
    assert [(each["name"], each["position"]) for each in listed] == [("wine", 1), ("iris", 2)]
    assert [each["tags"] for each in listed] == [[], ["red"]]
    assert "queued" in run_here("queue")[1]
    assert run_here("pause", "wine")[0] == 0
    assert [each["status"] for each in json.loads(run_here("queue", "--json")[1])] == ["queued", "paused"]
    code, _, err = run_here("worker", "--exit-when-idle", "--workers", "1", "--quiet")
    assert (code, err) == (0, "")
    assert json.loads(run_here("show", "iris", "--json")[1])["queue"]["time_limit"] == 7200
    # A submitted one goes back to the queue; --here runs it.
    code, out, err = run_here("resume", "wine", "--priority", "2")
    assert (code, out, "wine is queued, next" in err) == (0, "wine\n", True)
    code, out, _ = run_here("resume", "wine", "--here", "--workers", "1", "--quiet", "--json")
    assert (code, json.loads(out)["status"], json.loads(out)["queue"]["queued_at"]) == (0, "done", None)
    code, out, err = run_here("stop", "wine")
    assert (code, out, err) == (2, "", "cooldown: the experiment 'wine' is done: there is nothing to stop\n")
    assert run_here("resume", "wine", "--queue", "--repeats", "3")[:2] == (0, "wine\n")
    assert run_here("cancel", "wine", "--json")[0] == 0
    assert status(f"sqlite:///{tmp_path}/cooldown.db", "wine") is Status.CANCELLED


def test_a_comparison_that_is_paused_by_another_command(
    run_here: RunHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It prints what there is, and does not pretend to be done."""
    monkeypatch.chdir(tmp_path)

    def pausing(_console: Any) -> Callable[[Any], None]:
        return lambda progress: progress.done or (experiments.pause("iris") and None)

    monkeypatch.setattr("cooldown.search.experiments.live.plain", pausing)
    code, out, err = run_here("compare", "iris", *FLAGS, "--workers", "1")
    assert (code, err) == (130, "iris was paused by another command.\n")
    assert "To finish it" in out
    assert "cooldown resume iris\n" in out
    assert "Experiment iris (paused)." in out
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    # It reached its own limit: nobody interrupted it.
    code, out, _ = run_here("resume", "iris", "--workers", "1", "--quiet", "--max-gradient-evaluations", "1500")
    assert (code, "Stopped: the limit of 1,500 gradient evaluations is reached" in out) == (0, True)
    code, out, err = run_here("resume", "iris")
    assert (code, "give a larger --max-gradient-evaluations" in err) == (2, True)
    code, out, _ = run_here("resume", "iris", "--workers", "1", "-q", "--max-gradient-evaluations", "none", "--json")
    assert (code, json.loads(out)["status"]) == (0, "done")


def test_an_edited_spec_is_listed_and_cancelled(run_here: RunHere, url: str) -> None:
    submit("iris", db=url, **SETTINGS)
    with Ledger(url)._database.writing() as connection:
        connection.execute(text("UPDATE cooldown_experiments SET spec = '{\"arms\": 7}'"))
    assert run_here("queue", "--db", url)[0] == 0
    assert [each["task"] for each in json.loads(run_here("queue", "--db", url, "--json")[1])] == ["None"]
    assert run_here("cancel", "iris", "--db", url)[:2] == (0, "iris\n")


REFUSED = [
    (("resume", "iris", "--queue", "--here"), "--queue and --here cannot be used together"),
    (("resume", "iris", "--workers", "2"), "--workers and --executor apply to a run here: add --here"),
    (("pause", "iri"), "unknown experiment 'iri'; did you mean 'iris'"),
    (("cancel", "\x1b[2J"), "an experiment cannot be called"),
    (("submit",), "missing TASK"),
    (("submit", "irs"), "unknown task 'irs'"),
    (("submit", "iris", "--priority", "9999"), "priority: should be a whole number from -1,000 to 1,000, got 9999"),
    (("submit", "iris", "--priority", "high"), "'high' is not a whole number"),
    (("submit", "iris", "--time-limit", "soon"), "time_limit: should be a length of time"),
    (("submit", "iris", "--max-gradient-evaluations", "1.5"), "'1.5' is not a whole number"),
    (("submit", "iris", "--max-gradient-evaluations", "0"), "max_gradient_evaluations: should be a whole number"),
    (("worker", "--experiments", "0"), "0 is less than 1"),
    (("worker", "--experiments", "2", "--executor", "inline"), "the inline executor does one job at a time"),
    (("worker", "--executor", "nowhere"), "unknown executor 'nowhere'"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=lambda value: " ".join(value)[:40])
def test_bad_input(arguments: tuple[str, ...], message: str, url: str, run_here: RunHere) -> None:
    submit("iris", db=url, **SETTINGS)
    code, out, err = run_here(*arguments, "--db", url)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
    assert status(url) is Status.QUEUED
