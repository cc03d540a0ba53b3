"""`resume --extend`: an arm whose best values crowd at an edge is searched again over a wider range."""

import shutil
from pathlib import Path
from typing import Any

import optuna
import pytest
from search_runs import run_in_threads, spec

from cooldown import compare, load, resume
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.alarms import boundary_alarms
from cooldown.search.evidence.document import document
from cooldown.search.evidence.edges import edges
from cooldown.search.evidence.view import View
from cooldown.search.experiments import plan
from cooldown.search.experiments.result import Result
from cooldown.search.experiments.service import summaries
from cooldown.search.report.commands import reproduction
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import read_spec
from cooldown.search.spec.space import search_space
from cooldown.search.tuning.studies import planned
from cooldown.storage import ExperimentRecord, Ledger, Status, StudyKey
from cooldown.storage.fingerprint import arm_fingerprints, fingerprint

NARROW = {"sgd.learning_rate": (1e-6, 1e-2), "adam.learning_rate": (1e-3, 10.0), "constant.warmup_steps": 0}
SETTINGS: dict[str, Any] = {
    "arms": ("sgd", "adam"),
    "trials": 16,
    "finalists": 3,
    "epochs": 4,
    "ranges": NARROW,
    "repeats": 2,
}
WIDER = {"sgd": [{"sgd.learning_rate": [1e-6, 0.1]}]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A ledger of an experiment at whose rates a larger one is always better, and one where it was extended."""
    folder = tmp_path_factory.mktemp("widened")
    before, after = folder / "before.db", folder / "after.db"
    assert [edge.arm for edge in edges(View(run_in_threads(f"sqlite:///{before}", spec(**SETTINGS))))] == ["sgd"]
    shutil.copy(before, after)
    resume("tiny", extend=True, db=f"sqlite:///{after}", workers=1)
    return before, after


@pytest.fixture
def record(made: tuple[Path, Path], url: str) -> ExperimentRecord:
    """The experiment, which is now in this test's ledger."""
    shutil.copy(made[0], url.removeprefix("sqlite:///"))
    return Ledger(url).load("tiny")


@pytest.fixture
def extended(made: tuple[Path, Path], url: str) -> ExperimentRecord:
    """The extended experiment, which is now in this test's ledger."""
    shutil.copy(made[1], url.removeprefix("sqlite:///"))
    return Ledger(url).load("tiny")


def test_the_arm_is_searched_again_and_the_first_search_is_kept(url: str, record: ExperimentRecord) -> None:
    reports: list[Any] = []
    after = resume("tiny", extend=True, db=url, workers=1, report=reports.append).record
    assert after.status is Status.DONE
    assert after.spec == {**record.spec, "widened": WIDER}
    assert [(s.arm, s.repeat, s.attempt) for s in after.superseded] == [("sgd", 0, 0), ("sgd", 1, 0)]
    assert {(s.arm, s.repeat, s.attempt) for s in after.studies} == {
        ("adam", 0, 0),
        ("adam", 1, 0),
        ("sgd", 0, 1),
        ("sgd", 1, 1),
    }
    before, now = arm_fingerprints(record.studies), arm_fingerprints(after.studies)
    assert now["adam"] == before["adam"]
    assert now["sgd"] != before["sgd"]
    assert arm_fingerprints(after.superseded)["sgd"] == before["sgd"]
    assert arm_fingerprints(after.default_configs) == arm_fingerprints(record.default_configs)
    assert View(after).arm_fingerprints == {
        **now,
        **arm_fingerprints(after.default_configs),
        "search 0 of sgd": before["sgd"],
    }
    assert View(after).fingerprint == fingerprint([*after.studies, *after.default_configs, *after.superseded])
    rates = [trial.parameters["sgd.learning_rate"] for study in after.of("sgd") for trial in study.trials]
    assert 1e-2 < max(rates) <= 0.1
    assert reports[-1].done
    (summary,) = summaries(url)
    assert summary.trials == 2 * 2 * 16


def test_the_kept_search_is_counted_as_cost_and_told(
    url: str, made: tuple[Path, Path], extended: ExperimentRecord, run_here: Any
) -> None:
    shown = document(View(extended))
    sgd, adam = shown["arms"]
    before = Ledger(f"sqlite:///{made[0]}").load("tiny")
    spent = sum(curve.gradient_evaluations for study in before.of("sgd") for curve in study.curves())
    assert (sgd["superseded_gradient_evaluations"], adam["superseded_gradient_evaluations"]) == (spent, 0)
    parts = ("search", "evaluation", "default", "superseded")
    for arm in (sgd, adam):
        assert arm["gradient_evaluations"] == sum(arm[f"{part}_gradient_evaluations"] for part in parts)
    _, answer, _ = run_here("show", "tiny", "--db", url)
    assert "Searched again over wider ranges" in answer
    assert "sgd.learning_rate 1e-06 … 0.1" in " ".join(answer.split())
    assert "Earlier search" in run_here("show", "tiny", "cost", "--db", url)[1]


def test_it_can_be_widened_again_until_there_is_nothing_to_widen(url: str, record: ExperimentRecord) -> None:
    steps = 0
    while edges(View(load("tiny", db=url).record)):
        steps += 1
        after = resume("tiny", extend=True, db=url, workers=1).record
        assert max(study.attempt for study in after.studies) == steps
        assert len(after.superseded) == sum(map(len, after.spec["widened"].values())) * 2
        assert steps < 6
    assert steps >= 1
    before = load("tiny", db=url).to_json()
    with pytest.raises(InputError, match="nothing to extend in 'tiny'"):
        resume("tiny", extend=True, db=url, workers=1)
    assert load("tiny", db=url).to_json() == before
    assert not [alarm for alarm in boundary_alarms(View(load("tiny", db=url).record)) if alarm.kind == "boundary"]


def test_the_widened_search_is_a_function_of_the_spec_alone(url: str, extended: ExperimentRecord) -> None:
    """Whether it came by `--extend`, in another ledger from the start, or in pieces."""
    wider = read_spec(**extended.spec)
    fresh = run_in_threads(url, wider, name="fresh")
    assert arm_fingerprints(fresh.studies) == arm_fingerprints(extended.studies)
    more = resume("tiny", repeats=3, db=url, workers=1).record
    assert {(s.arm, s.repeat, s.attempt) for s in more.studies if s.repeat == 2} == {("sgd", 2, 1), ("adam", 2, 0)}
    assert arm_fingerprints([s for s in more.studies if s.repeat < 2]) == arm_fingerprints(extended.studies)


def test_an_unfinished_one_is_finished_first(url: str) -> None:
    made = spec(**SETTINGS)
    from cooldown.objectives import tasks

    Ledger(url).create("tiny", made.to_json(), tasks.get("iris").fingerprint(), planned(made))
    after = resume("tiny", extend=True, db=url, workers=1).record
    assert after.status is Status.DONE
    assert after.spec["widened"] == WIDER
    assert len(after.superseded) == 2


@pytest.mark.usefixtures("extended")
def test_comparing_under_its_name_goes_on_with_it(url: str) -> None:
    given = {**spec(**SETTINGS).to_json(), "arms": SETTINGS["arms"]}
    for key in ("task", "hidden", "target"):
        given.pop(key)
    again = compare("iris", name="tiny", db=url, workers=1, **given)
    assert again.record.spec["widened"] == WIDER
    assert len(again.record.superseded) == 2
    other = compare("iris", db=url, workers=1, **given)
    assert other.name != "tiny"
    assert "widened" not in other.record.spec


@pytest.mark.usefixtures("extended")
def test_optuna_has_both_searches(url: str) -> None:
    names = optuna.get_all_study_names(url)
    assert {name for name in names if "/sgd/" in name} == {
        *(f"tiny/sgd/{repeat}{part}" for repeat in (0, 1) for part in ("", "/widened-1")),
        *(f"tiny/~default/sgd/{repeat}" for repeat in (0, 1)),
    }


def test_widened_ranges_are_checked_as_any_others() -> None:
    made = spec(**SETTINGS, widened={"sgd": [{"sgd.learning_rate": [1e-6, 0.1]}]})
    assert made.to_json()["widened"] == WIDER
    assert "widened" not in spec(**SETTINGS).to_json()
    assert StudyKey("sgd", 1, attempt=1) in planned(made)
    parameters = {arm: search_space(made, Arm.parse(arm), 3).by_key for arm in ("sgd", "adam")}
    assert parameters["sgd"]["sgd.learning_rate"].high == 0.1  # type: ignore[union-attr]
    wrong: list[tuple[Any, str]] = [
        ({"nag": []}, "unknown arm 'nag'"),
        ({"sgd": [{"adam.learning_rate": [0.1, 1.0]}]}, "adam.learning_rate"),
        ({"sgd": [{"sgd.learning_rate": [1.0, 0.1]}]}, "is empty"),
        ([], "table of lists"),
        ({"sgd": []}, r"only ranges \[low, high\]"),
        ({"sgd": [{}]}, r"only ranges \[low, high\]"),
        ({"sgd": [{"sgd.learning_rate": 0.1}]}, r"only ranges \[low, high\]"),
        ({"sgd": [{"strategy.initialization": ["he", "poor"]}]}, r"only ranges \[low, high\]"),
    ]
    for widened, message in wrong:
        with pytest.raises(InputError, match=message):
            spec(**SETTINGS, widened=widened)


def test_the_command(url: str, record: ExperimentRecord, run_here: Any) -> None:
    before = Result(record).verdicts[0]
    assert "boundary" in before.why
    code, out, err = run_here("resume", "tiny", "--extend", "--workers", "1", "--db", url, "--quiet")
    assert (code, err) == (0, "")
    assert "Searched again" in out


PLANNED: dict[str, Any] = {
    **{key: value for key, value in SETTINGS.items() if key != "repeats"},
    "seeds": 1,
    "finalist_seeds": 1,
    "confirm_seeds": 2,
    "ranges": NARROW | {"sgd.learning_rate": (1e-6, 0.1)},
    "looks": (2, 4),
    # No answer ends it before its last look.
    "margin": 1e-9,
}


def test_a_plan_widens_ranges_before_it_adds_repeats(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves what a run in pieces leaves, which asks for nothing twice."""
    result = compare("iris", db=url, workers=1, **PLANNED)
    steps = [step for step in result.record.extended_from if "widened" in step]
    assert steps
    assert all(step["planned"] for step in steps)
    assert result.record.spec["widened"]["sgd"][0] == {"sgd.learning_rate": [1e-6, 1.0]}
    assert all(len(steps) <= plan.MOST_WIDENED for steps in result.record.spec["widened"].values())
    assert not any(verdict.withheld for verdict in result.verdicts)
    (command,) = reproduction(result.record).commands
    assert "--extend" not in command
    assert "widened" not in reproduction(result.record).spec_file

    assert compare("iris", db=url, workers=1, **PLANNED).name == "iris"
    assert resume("iris", db=url, workers=1).to_json() == result.to_json()
    with monkeypatch.context() as patch:
        patch.setattr(plan, "next_step", lambda *_: None)
        begun = compare("iris", name="in pieces", db=url, workers=1, **PLANNED)
    assert begun.verdicts[0].withheld
    assert "widened" not in begun.record.spec
    assert resume("in pieces", db=url, workers=1).to_json()["fingerprint"] == result.to_json()["fingerprint"]


def test_a_fixed_number_of_repeats_is_no_plan(url: str, record: ExperimentRecord) -> None:
    assert resume("tiny", db=url, workers=1).record.spec == record.spec
    decided = resume("tiny", db=url, workers=1, until_decided=True, max_repeats=3)
    assert decided.record.spec["widened"]["sgd"][0] == WIDER["sgd"][0]


def test_a_plan_does_not_widen_for_ever(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MOST_WIDENED", 0)
    result = compare("iris", db=url, workers=1, **PLANNED)
    assert result.verdicts[0].withheld
    assert "widened" not in result.record.spec
    with pytest.raises(InputError, match="more repeats cannot decide 'iris': boundary"):
        resume("iris", db=url, workers=1, until_decided=True)
