"""References are trained as jobs, once per repeat, whatever happens to a run; and they are no part of its results."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from search_runs import Mortal, Shuffled, Threads, print_of, run_in_threads, spec
from sqlalchemy import delete

from cooldown import resume, tasks
from cooldown.objectives import references
from cooldown.objectives.records import Reference
from cooldown.objectives.references import trained
from cooldown.search.evidence.document import document
from cooldown.search.evidence.references import reference_summaries, references_table
from cooldown.search.evidence.target_units import errors_table
from cooldown.search.evidence.view import View
from cooldown.search.executors.engines.local import LocalProcesses
from cooldown.search.experiments.result import Result
from cooldown.search.report import report
from cooldown.search.tuning.held import RunError
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.runner import MAX_DEATHS
from cooldown.search.tuning.splits import Splits, task_of
from cooldown.storage import ExperimentRecord, Ledger, Purpose, tables

NAMES = ["no model", "logistic regression", "gradient-boosted trees"]


@pytest.fixture(autouse=True)
def _references_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here they are trained each time, in a few rounds of boosting."""
    monkeypatch.setattr("cooldown.objectives.references.trained", partial(trained, rounds=5))


@pytest.fixture
def in_all_rounds(monkeypatch: pytest.MonkeyPatch, _references_once: None) -> None:
    """They are trained as for a user."""
    monkeypatch.setattr("cooldown.objectives.references.trained", trained)


def untimed(trained_in: Mapping[int, tuple[Reference, ...]]) -> dict[int, list[str]]:
    """To the last bit, but without the time that it took."""
    return {
        repeat: [repr(replace(reference, seconds=0.0)) for reference in of_repeat]
        for repeat, of_repeat in trained_in.items()
    }


def without_references(url: str, repeat: int | None = None) -> None:
    """Make the ledger one of an older version, or of a run that was killed before one repeat's references."""
    with Ledger(url)._database.writing() as connection:
        some = delete(tables.references)
        connection.execute(some if repeat is None else some.where(tables.references.c.repeat == repeat))


class Enough(BaseException):
    """A run is killed."""


@pytest.mark.usefixtures("in_all_rounds")
def test_once_per_repeat_on_the_rows_of_its_evaluation(url: str) -> None:
    made = spec()
    record = run_in_threads(url, made)
    assert sorted(record.references) == [0, 1]
    splits = Splits(task_of(made), made)
    for repeat, of_repeat in record.references.items():
        assert [reference.name for reference in of_repeat] == NAMES
        problem = splits.problems(Purpose.EVALUATION, repeat)[0]
        assert untimed({repeat: tuple(trained(problem, NAMES))}) == untimed({repeat: of_repeat})
        evaluated = [curve for study in record.studies if study.repeat == repeat for curve in study.evaluations]
        assert {curve.uninformed_loss for curve in evaluated} == {of_repeat[0].loss}
        assert {curve.uninformed_score for curve in evaluated} == {of_repeat[0].score}


def test_if_an_arm_reacts_they_have_as_few_rows_as_the_arms(url: str) -> None:
    made = spec(arms=("momentum+plateau", "adam"), repeats=1)
    record = run_in_threads(url, made)
    problems = Splits(task_of(made), made).problems(Purpose.EVALUATION, 0)
    assert {len(problem.train) for problem in problems} == {90}
    assert untimed({0: tuple(references.trained(problems[0], NAMES))}) == untimed(record.references)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_and_speed_of_workers_change_nothing(workers: int, url: str) -> None:
    record = run_in_threads(url, spec(task="diabetes"))
    other = run_in_threads(url, spec(task="diabetes"), lambda: Shuffled(workers, seed=workers), name="other")
    assert untimed(other.references) == untimed(record.references)


def test_they_are_no_part_of_the_fingerprint_nor_of_the_cost(url: str) -> None:
    record = run_in_threads(url, spec())
    before = document(View(record))
    without_references(url)
    after = Ledger(url).load("tiny")
    assert after.references == {}
    assert print_of(after) == print_of(record)
    shown = document(View(after))
    assert (shown["arms"], shown["fingerprint"]) == (before["arms"], before["fingerprint"])
    assert shown["references"] == []


def kills_references(dying: Callable[[], bool]) -> Callable[..., bool]:
    # References have a repeat and names.
    return lambda *arguments: len(arguments) == 2 and dying()


def test_a_worker_that_dies_of_them_once_is_replaced(url: str) -> None:
    deaths = iter([True, False, True])
    record = run_in_threads(url, spec(), lambda: Mortal(kills_references(lambda: next(deaths, False))))
    whole = run_in_threads(url, spec(), name="whole")
    assert untimed(record.references) == untimed(whole.references)
    assert print_of(record) == print_of(whole)


def test_a_worker_that_always_dies_of_them_fails_the_experiment_and_keeps_the_rest(url: str) -> None:
    with pytest.raises(RunError, match=rf"died {MAX_DEATHS} times on the references of repeat 0"):
        run_in_threads(url, spec(), lambda: Mortal(kills_references(lambda: True)))
    assert Ledger(url).load("tiny").references == {}
    assert sorted(run_in_threads(url, spec()).references) == [0, 1]


def test_an_interrupted_run_trains_what_is_missing_and_no_more(url: str) -> None:
    whole = run_in_threads(url, spec(), name="whole")

    def stop(_: Progress) -> None:
        if Ledger(url).load("tiny").references:
            raise Enough

    with pytest.raises(Enough):
        run_in_threads(url, spec(), report=stop)
    first = Ledger(url).load("tiny").references
    assert len(first) == 1
    resumed = run_in_threads(url, spec()).references
    assert {repeat: resumed[repeat] for repeat in first} == first, "times too: they were not trained again"
    assert untimed(resumed) == untimed(whole.references)


def test_a_run_that_lacks_nothing_else_trains_them_and_counts_to_its_end(url: str) -> None:
    whole = run_in_threads(url, spec())
    without_references(url, repeat=1)
    reports: list[Progress] = []
    assert untimed(run_in_threads(url, spec(), report=reports.append).references) == untimed(whole.references)
    assert [progress.done for progress in (reports[0], reports[-1])] == [False, True]

    class Idle(Threads):
        def submit(self, *_: Any, **__: Any) -> Any:
            raise AssertionError("nothing is left to be done")

    run_in_threads(url, spec(), Idle)


def test_an_older_experiment_gets_them_when_it_is_extended(url: str) -> None:
    run_in_threads(url, spec())
    without_references(url)
    assert resume("tiny", db=url).record.references == {}, "it is done"
    assert sorted(resume("tiny", repeats=3, db=url).record.references) == [0, 1, 2]


def test_an_experiment_of_protocol_1_has_none(url: str) -> None:
    record = run_in_threads(url, spec(protocol=1))
    assert record.references == {}
    assert document(View(record))["references"] == []
    assert len(references_table(View(record))) == 0
    assert resume("tiny", repeats=3, db=url).record.references == {}


def test_a_deleted_experiment_takes_them_along(url: str) -> None:
    run_in_threads(url, spec())
    run_in_threads(url, spec(repeats=1), name="kept")
    ledger = Ledger(url)
    ledger.delete("tiny")
    with ledger._database.reading() as connection:
        assert len(connection.execute(tables.references.select()).all()) == len(NAMES)


def test_a_users_own_model_trains_nothing(url: str) -> None:
    class Bowl:
        size = 2

        def init(self, rng: Any) -> Any:
            return rng.normal(size=2)

        def loss_and_gradient(self, theta: Any, indices: Any) -> Any:
            return 0.1 + (theta**2).sum(axis=1), 2 * theta

    for known, names in ((None, []), (2.5, ["no model"])):
        task = tasks.from_model(Bowl(), n_samples=40, name=f"bowl {known}", uninformed_loss=known)
        record = run_in_threads(url, spec(task=task.name), task=task, name=task.name)
        assert [each.name for each in reference_summaries(View(record))] == names
        assert len(errors_table(View(record))) == 0


@pytest.fixture(scope="module")
def regression(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ExperimentRecord]:
    url = f"sqlite:///{tmp_path_factory.mktemp('regression')}/cooldown.db"
    return url, run_in_threads(url, spec(task="diabetes", epochs=4), name="sugar")


def test_the_document_has_their_means_and_every_repeat(regression: Any) -> None:
    record = regression[1]
    shown = json.loads(json.dumps(document(View(record)), allow_nan=False))["references"]
    assert [each["name"] for each in shown] == ["no model", "ridge regression", "gradient-boosted trees"]
    for each in shown:
        assert set(each) == {"name", "loss", "score", "rmse", "mae", "repeats"}
        assert [repeat["repeat"] for repeat in each["repeats"]] == [0, 1]
        for number in ("loss", "score", "rmse", "mae"):
            assert each[number] == pytest.approx(np.mean([repeat[number] for repeat in each["repeats"]]))
    ridge = shown[1]["repeats"][0]
    task: Any = tasks.get("diabetes")
    test = task.split(record.spec["seed"], 0, 1).test
    assert ridge["loss"] < shown[0]["repeats"][0]["loss"]
    spread = task.data[1][test].std()
    assert ridge["score"] == pytest.approx(1 - (ridge["rmse"] / spread) ** 2), "R² by the target's own units"


def test_the_arms_of_a_regression_have_errors_in_its_units(regression: Any) -> None:
    record = regression[1]
    for arm in document(View(record))["arms"]:
        evaluations = [each for repeat in arm["repeats"] for each in repeat["evaluations"]]
        assert arm["test_rmse"] == pytest.approx(np.mean([each["test_rmse"] for each in evaluations]))
        assert arm["test_mae"] == pytest.approx(np.mean([each["test_mae"] for each in evaluations]))
        # Of a patient's disease progression, 25 to 346.
        assert 40 < arm["test_mae"] < arm["test_rmse"] < 100
    table = errors_table(View(record))
    assert len(table) == 2 + 3
    assert table.values("Test loss")[:2] == sorted(table.values("Test loss")[:2])


def test_a_classification_and_an_older_ledger_have_no_errors(url: str) -> None:
    assert len(errors_table(View(run_in_threads(url, spec(repeats=1))))) == 0
    run_in_threads(url, spec(task="diabetes", repeats=1), name="older")
    with Ledger(url)._database.writing() as connection:
        connection.execute(tables.curves.update().values(rmse=None, mae=None))
    older = View(Ledger(url).load("older"))
    assert len(errors_table(older)) == 0
    assert {arm["test_rmse"] for arm in document(older)["arms"]} == {None}
    # With one new repeat beside it, the mean of all is still not known.
    mixed = View(resume("older", repeats=2, db=url).record)
    assert {arm["test_rmse"] for arm in document(mixed)["arms"]} == {None}


def test_terminal_and_report_show_them_below_the_arms(regression: Any, run_here: Any) -> None:
    url, record = regression
    code, out, err = run_here("show", "sugar", "--db", url)
    assert (code, err) == (0, "")
    order = [
        "Arm  ",
        "Capped",
        "Reference  ",
        "ridge regression",
        "Ridge()",
        "Arm or reference",
        "RMSE",
        "Best configs",
    ]
    assert [out.index(text) for text in order] == sorted(out.index(text) for text in order)
    page = report(record)
    for text in ("ridge regression", "gradient-boosted trees", "RMSE", "no model"):
        assert text in page
    assert Result(record).to_json()["references"]


@pytest.mark.processes
@pytest.mark.usefixtures("in_all_rounds")
def test_in_processes_they_have_the_same_bits_and_no_worker_is_replaced(url: str) -> None:
    """A worker that has loaded the kernels and scikit-learn's trees is no leak: a warning would fail this test."""
    here = run_in_threads(url, spec(task="wine", repeats=1))
    there = run_in_threads(url, spec(task="wine", repeats=1), lambda: LocalProcesses(1), name="there")
    assert untimed(there.references) == untimed(here.references)
    assert print_of(there) == print_of(here)
