"""`cooldown claims` and `cooldown claim`: what they print, run, share and refuse; and what a ledger has of claims."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cooldown
from cooldown.objectives.errors import InputError
from cooldown.search.claims import survey
from cooldown.search.claims.limits import LARGE
from cooldown.search.claims.result import ClaimResult
from cooldown.search.claims.standing import Place, places, standing
from cooldown.search.claims.survey import every
from cooldown.search.experiments import load, queueing, resume, summaries
from cooldown.search.statistics.claims import Limits, Part, findings
from cooldown.search.tuning.held import RunError
from cooldown.storage import Ledger

Answer = tuple[int, str, str]
TINY = {"trials": 2, "repeats": 2, "epochs": 1, "seeds": 1, "finalists": 1, "finalist_seeds": 1, "confirm_seeds": 1}
KEYS = {"id", "task", "verdict", "effect", "low", "high", "published", "sentence", "experiments"}


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = {"small": TINY, "standard": TINY, "full": {**TINY, "repeats": 3}}
    monkeypatch.setattr("cooldown.search.claims.entry.SETTINGS", settings)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run_json(run_here: Callable[..., Answer]) -> Callable[..., Any]:
    def run(*arguments: str) -> Any:
        code, out, _ = run_here(*arguments, "--json", "-q")
        assert code == 0
        return json.loads(out)

    return run


def test_the_list_of_claims(run_json: Any, run_here: Any) -> None:
    listed = run_json("claims")
    assert [set(each) for each in listed] == [{"id", "statement", "source", "published"}] * len(every())
    assert [each["id"] for each in listed] == [claim.id for claim in every()]
    assert all(each["statement"] and each["source"] for each in listed)
    code, out, _ = run_here("claims")
    assert code == 0
    for claim in every():
        assert claim.id in out


def test_a_claim_runs_an_ordinary_experiment_once_and_others_share_it(run_json: Any) -> None:
    third = run_json("claim", "c3", "iris", "--workers", "1", "--db", "it.db")
    assert third.keys() >= KEYS
    assert (third["id"], third["task"], third["kind"]) == ("C3", "iris", "experiment")
    assert third["low"] <= third["effect"] <= third["high"]
    (name,) = third["experiments"]
    before = load(name, db="it.db")
    second = run_json("claim", "C2", "iris", "--workers", "1", "--db", "it.db")
    assert second["experiments"] == [name]
    assert [each.name for each in summaries("it.db")] == [name]
    assert run_json("claim", "C3", "iris", "--db", "it.db") == third
    assert load(name, db="it.db").view.fingerprint == before.view.fingerprint


def test_repeats_that_were_added_count(run_json: Any) -> None:
    (name,) = run_json("claim", "C3", "iris", "--workers", "1", "--db", "it.db")["experiments"]
    resume(name, repeats=3, db="it.db", workers=1)
    found = cooldown.claim("C3", "iris", db="it.db")
    assert len(found.findings[0].part.x) == 3
    assert found.experiments == (name,)


def test_an_interrupted_experiment_is_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(progress: Any) -> None:
        if progress.work:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cooldown.claim("C3", "iris", db="it.db", workers=1, report=stop)
    (begun,) = summaries("it.db")
    assert 0 < begun.trials < 20
    assert cooldown.claim("C3", "iris", db="it.db", workers=1).experiments == (begun.name,)


def test_a_claim_that_does_not_apply_says_why(run_json: Any, run_here: Any) -> None:
    found = run_json("claim", "C5", "digits")
    assert found["verdict"] == "not applicable"
    assert [found[key] for key in ("effect", "low", "high", "experiments")] == [None, None, None, []]
    assert "1,797 rows" in found["sentence"]
    assert "49 %" in run_json("claim", "C17", "digits")["sentence"]
    assert "cooldown claim C8 ravine" in run_json("claim", "C8", "iris")["sentence"]
    assert run_json("claim", "C3", "ravine")["verdict"] == "not applicable"
    code, out, _ = run_here("claim", "C8", "ravine")
    assert code == 0
    assert "Published: 29 crossings in place of 60" in " ".join(out.split())


def test_all_claims_on_a_surface(run_json: Any, run_here: Any) -> None:
    found = run_json("claims", "ravine", "saddle")
    assert len(found) == 2 * len(every())
    words = {(each["id"], each["task"]): each["verdict"] for each in found}
    assert words["C8", "ravine"] == words["C11", "saddle"] == "supported"
    assert words["C11", "ravine"] == "not applicable"
    code, out, _ = run_here("claims", "saddle")
    assert code == 0
    assert "C11" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("claim", "C99", "iris"), "unknown claim 'C99'"),
        (("claim", "C3", "irys"), "did you mean 'iris'?"),
        (("claim", "C3", "iris", "--budget", "smal"), "unknown budget 'smal'; did you mean 'small'?"),
        (("claims", "iris", "--budget", "huge"), "unknown budget 'huge'"),
        (("claim", "C3", "iris", "--target", "y"), "is for a CSV or Parquet file"),
        (("claim", "C3", "iris", "--executor", "cloud"), "cloud"),
    ],
)
def test_mistakes(run_here: Any, arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    code, _, err = run_here(*arguments)
    assert code == 2
    assert message in " ".join(err.split())
    assert not list(tmp_path.iterdir()), "nothing is written"


def test_a_table_of_ones_own(run_json: Any, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    rows = pd.DataFrame({"a": draw.normal(size=LARGE), "b": draw.normal(size=LARGE)})
    rows["y"] = rows.a + rows.b > 0
    rows.to_csv(tmp_path / "mine.csv", index=False)
    arguments = ("claim", "C5", "mine.csv", "--target", "y", "--workers", "1", "--db", "it.db")
    found = run_json(*arguments)
    assert [part["claimed"] for part in found["parts"]] == ["between 0.909 and 1.1", "below 1"]
    assert run_json(*arguments) == found
    rows.iloc[::-1].to_csv(tmp_path / "mine.csv", index=False)
    assert run_json(*arguments)["experiments"] != found["experiments"], "other data, another experiment"


def test_what_a_ledger_has_of_claims() -> None:
    found = cooldown.claim("C3", "iris", db="it.db", workers=1)
    ledger = Ledger("sqlite:///it.db")
    listed = {each.name: each for each in ledger.summaries()}
    on = places(list(listed.values()))
    assert [each.name for each in on] == ["iris", "ravine", "saddle"]

    def state(id: str, place: Place) -> str:
        return standing(survey.get(id), place, listed, lambda name: load(name, db="it.db").view).state

    iris, ravine, _ = on
    assert state("C3", iris) == found.verdict
    assert state("C2", iris) in ("supported", "contradicted", "open"), "the same experiment"
    assert state("C1", iris) == "not run"
    assert state("C5", iris) == state("C8", iris) == state("C3", ravine) == "not applicable"
    assert state("C8", ravine) == "supported"
    # C12 takes two experiments, of which one is there.
    assert state("C12", iris) == "not finished"


def test_the_largest_budget_that_is_done_counts() -> None:
    small, full = (cooldown.claim("C3", "iris", budget=budget, db="it.db", workers=1) for budget in ("small", "full"))
    assert small.experiments != full.experiments
    listed = {each.name: each for each in summaries("it.db")}
    (iris, *_) = places(list(listed.values()))
    found = standing(survey.get("C3"), iris, listed, lambda name: load(name, db="it.db").view)
    assert found.experiments == full.experiments


def test_the_sentence_says_why_nothing_is_decided() -> None:
    parts = [
        Part("this", np.array([0.5, 0.5]), Limits(above=1.0), withheld="an alarm"),
        Part("that", np.array([np.nan, 0.5]), Limits(1 / 1.1, 1.1)),
    ]
    result = ClaimResult(survey.get("C3"), "iris", "small", tuple(findings(parts)))
    assert result.sentence == (
        "Open on iris: this is 1.65 [1.65, 1.65], and the claim says above 1, but nothing is decided: an alarm; 0 of 2 "
        "parts are supported."
    )
    result = replace(result, findings=result.findings[1:])
    assert result.sentence == "Open on iris: that is not known, because an effect is not a finite number."


def test_every_claim_is_complete() -> None:
    for claim in every():
        assert claim.studies or claim.computed, claim.id
    with pytest.raises(InputError, match="did you mean 'C3'"):
        survey.get("C 3")


def test_an_object_of_a_program_is_a_task_too() -> None:
    draw = np.random.default_rng(0)
    X = draw.normal(size=(1200, 3))
    task = cooldown.tasks.from_arrays(X, (X[:, 0] > 0).astype(int), name="my rows")
    found = cooldown.claim("C3", task, db="it.db", workers=1)
    assert (found.task, len(found.experiments)) == ("my rows", 1)
    assert cooldown.claim("C3", task, db="it.db").to_json() == found.to_json()
    again = cooldown.claim("C6", task, db="it.db")
    assert again.verdict == "not applicable"
    assert "one that a name loads" in again.sentence


def test_an_experiment_that_was_stopped_leaves_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(progress: Any) -> None:
        if progress.work:
            queueing.stop(progress.name, db="it.db")

    with pytest.raises(RunError, match="is stopped; the same command continues it"):
        cooldown.claim("C3", "iris", db="it.db", workers=1, report=stop)
    assert cooldown.claim("C3", "iris", db="it.db", workers=1).verdict in ("supported", "contradicted", "open")


def test_a_frame_is_a_task_too() -> None:
    draw = np.random.default_rng(0)
    rows = pd.DataFrame({"a": draw.normal(size=200), "y": draw.integers(0, 2, 200)})
    assert cooldown.claim("C3", rows, target="y", db="it.db", workers=1).findings


def test_the_ledgers_page_downloads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*arguments: Any, **options: Any) -> None:
        raise AssertionError("a download")

    monkeypatch.setattr("sklearn.datasets.fetch_covtype", fetch)
    covertype = Place("covertype", None, "0" * 64)
    assert standing(survey.get("C5"), covertype, {}, lambda name: load(name).view).state == "not run"
