"""`cooldown summary`: all tasks of a ledger, in a terminal, in a pipe and as JSON."""

import json
from typing import Any

import pytest
from rich.cells import cell_len
from search_runs import run_in_threads, spec

from cooldown.search import experiments
from cooldown.search.evidence.across.measured import measured
from cooldown.search.evidence.view import View
from cooldown.storage import Ledger

ARMS = ("momentum+cosine", "adam")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('summary')}/all.db"
    for task in ("iris", "wine", "diabetes"):
        run_in_threads(url, spec(task=task, arms=ARMS, epochs=2, trials=4), name=f"on {task}")
    run_in_threads(url, spec(arms=("adam",), repeats=1, epochs=1), name="one arm")
    return url


def test_it_is_what_the_experiments_say(run_here: Any, ledger: str) -> None:
    code, out, err = run_here("summary", "--db", ledger, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert [task["task"] for task in found["tasks"]] == ["diabetes", "iris", "wine"]
    assert [task["kind"] for task in found["tasks"]] == ["regression", "classification", "classification"]
    for task in found["tasks"]:
        result = experiments.load(task["experiment"], db=ledger)
        verdict = result.verdicts[0]
        for key in ("a", "b", "ratio", "low", "high", "wins", "repeats", "probability_a_better"):
            assert task[key] == pytest.approx(getattr(verdict, key)), key
        assert task["rows"] == _training_rows(result.view)
    assert found["pooled"]["tasks"] == 3
    assert found["left_out"] == [
        {"experiment": "one arm", "why": "it does not ask about annealed SGD and an adaptive method"}
    ]


def _training_rows(view: View) -> int:
    """Of an evaluation, which trains on the validation rows too."""
    from cooldown.objectives.cost import rows_per_epoch

    study = view.searches("adam")[0]
    assert study.winner is not None
    return rows_per_epoch(study.evaluations[0], study.winner.config)


@pytest.mark.parametrize("width", ["80", "120"])
def test_it_fits_a_terminal_and_breaks_nothing(
    run_here: Any, ledger: str, width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", width)
    code, out, _ = run_here("summary", "--db", ledger)
    assert code == 0
    assert max(map(cell_len, out.splitlines())) <= int(width)
    rows = [line.split() for line in out.splitlines() if line.strip()]
    assert {"diabetes", "iris", "wine"} <= {row[0] for row in rows}
    assert all(any(arm == word for row in rows for word in row) for arm in ARMS)


def test_named_experiments_other_arms_and_mistakes(run_here: Any, ledger: str) -> None:
    found = json.loads(
        run_here("summary", "on iris", "on wine", "--primary", "adam", ARMS[0], "--db", ledger, "--json")[1]
    )
    assert [(task["experiment"], task["a"]) for task in found["tasks"]] == [("on iris", "adam"), ("on wine", "adam")]
    assert json.loads(run_here("summary", "--rows", "1000:", "--db", ledger, "--json")[1])["tasks"] == []
    for arguments, told in (
        (["nothing"], "unknown experiment 'nothing'"),
        (["--primary", "adam", "lion"], "unknown arm 'lion'"),
        (["--kind", "regresion"], "did you mean 'regression'"),
        (["--rows", "many"], "--rows 'many'"),
        (["--rows", "9:1"], "at least 9 and at most 1 rows are none"),
    ):
        code, out, err = run_here("summary", *arguments, "--db", ledger)
        assert (code, out) == (2, "")
        assert told in err


def test_an_empty_ledger_and_none(run_here: Any, tmp_path: Any) -> None:
    Ledger(f"sqlite:///{tmp_path}/empty.db")
    for name in ("empty.db", "none.db"):
        code, out, _ = run_here("summary", "--db", str(tmp_path / name))
        assert (code, out.strip()) == (0, "No experiments yet. Start one with: cooldown compare digits")


def test_what_is_kept_of_an_experiment_is_worked_out_again_when_it_grows(ledger: str) -> None:
    from cooldown.search.experiments.across import Measuring, of_ledger

    opened, measuring = Ledger(ledger, create=False), Measuring()
    first = of_ledger(opened, measuring=measuring)
    again = of_ledger(opened, measuring=measuring)
    assert all(one is other for one, other in zip(first, again, strict=True))
    summary = opened.summary("on iris")
    assert measuring.of(summary, ()) == measured(summary, ())
