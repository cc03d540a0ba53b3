"""What every arm gets: the same seeds and splits, no test rows, finals on further seeds, capped losses."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from search_runs import run_in_threads, spec

from cooldown import compare
from cooldown.objectives import Outcome, Problem, tasks
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.alarms import alarms
from cooldown.search.evidence.document import document
from cooldown.search.evidence.losses import primary_pair
from cooldown.search.evidence.losses import test_losses as losses_of
from cooldown.search.evidence.verdict import pair_verdicts
from cooldown.search.evidence.view import View
from cooldown.search.executors import jobs
from cooldown.search.experiments.result import Result
from cooldown.search.experiments.service import summaries
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.splits import Splits
from cooldown.storage import ExperimentRecord, Purpose
from cooldown.storage.fingerprint import arm_fingerprints

ARMS = ("momentum+sgdr", "adam")
# Chosen for its seed of no merit: some runs diverge at these rates and some do not.
WILD = {"momentum.learning_rate": (0.5, 3.0), "momentum.momentum": (0.9, 0.995), "sgdr.warmup_steps": 0}


class Spy(Executor):
    """Runs jobs in a thread and keeps what it was given."""

    def __init__(self, jobs: list[tuple[Any, ...]]) -> None:
        self._jobs, self._threads = jobs, ThreadPoolExecutor(1)

    def submit(self, call: Any, /, *args: Any, **more: Any) -> Future[Any]:
        if call is jobs.train_packed:
            self._jobs.append(args)
        return self._threads.submit(call, *args, **more)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)


@pytest.fixture(scope="module")
def spied(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentRecord, list[tuple[Any, ...]]]:
    jobs: list[tuple[Any, ...]] = []
    url = f"sqlite:///{tmp_path_factory.mktemp('spied')}/cooldown.db"
    return run_in_threads(url, spec(arms=ARMS, ranges=WILD, epochs=2), lambda: Spy(jobs)), jobs


@lru_cache
def unpacked(packed: bytes) -> Problem:
    return jobs._unpacked(packed)


def seeds_of(record: ExperimentRecord, purpose: Purpose) -> dict[tuple[str, int], set[tuple[int, ...]]]:
    return {
        (study.arm, study.repeat): {
            tuple(curve.seed for curve in trial.curves[purpose]) for trial in study.trials if purpose in trial.curves
        }
        for study in record.studies
    }


def test_the_search_never_sees_test_rows(spied: Any) -> None:
    """Neither as rows to measure nor anywhere in what a worker gets."""
    record, jobs = spied
    task = tasks.get("iris")
    total = len(task.data[1])  # type: ignore[attr-defined]
    searching = [job for job in jobs if job[3]]
    evaluating = [job for job in jobs if not job[3]]
    # Two generations and the finalists of each search, the one trial of each default config; and each is evaluated.
    assert len(searching) == len(record.studies) * (2 + 1) + len(record.default_configs)
    assert len(evaluating) == len(record.studies) + len(record.default_configs)
    for packed, *_ in searching:
        problem = unpacked(packed)
        # 60 + 20 % of the rows are all that its model holds.
        assert (len(problem.train), len(problem.held_out)) == (round(0.6 * total), round(0.2 * total))
        assert sorted([*problem.train, *problem.held_out]) == list(range(round(0.8 * total)))
        assert len(problem.model.X) == round(0.8 * total)  # type: ignore[attr-defined]
    for packed, *_ in evaluating:
        problem = unpacked(packed)
        assert (len(problem.train), len(problem.held_out)) == (round(0.8 * total), round(0.2 * total))


def test_splits_are_a_repeats_own_and_the_same_for_every_arm(spied: Any) -> None:
    _, jobs = spied
    splits = Splits(tasks.get("iris"), spec(arms=ARMS, ranges=WILD, epochs=2))
    assert {job[0] for job in jobs if job[3]} == {splits.search(0), splits.search(1)}
    assert splits.search(0) != splits.search(1)
    assert {job[0] for job in jobs if not job[3]} == {splits.evaluation}
    for repeat in (0, 1):
        for arm in ARMS:
            optimizer = arm.partition("+")[0]
            seeds = splits.seeds(Purpose.SEARCH, repeat)
            mine = [job for job in jobs if job[2] == seeds and job[1][0].optimizer.name == optimizer]
            assert mine
            assert {job[0] for job in mine} == {splits.search(repeat)}


@pytest.mark.parametrize("purpose", Purpose)
def test_seeds_are_the_same_for_every_arm_and_others_in_every_repeat(spied: Any, purpose: Purpose) -> None:
    found = seeds_of(spied[0], purpose)
    assert all(len(each) == 1 for each in found.values())
    for repeat in (0, 1):
        assert found[ARMS[0], repeat] == found[ARMS[1], repeat]
    assert found[ARMS[0], 0] != found[ARMS[0], 1]


def test_each_purpose_has_seeds_of_its_own(spied: Any) -> None:
    for study in spied[0].studies:
        by_purpose = [{curve.seed for curve in study.curves(purpose)} for purpose in Purpose]
        assert len(set.union(*by_purpose)) == sum(map(len, by_purpose)) == 6


def test_the_winner_is_the_finalist_with_the_best_mean(spied: Any) -> None:
    for study in spied[0].studies:
        finalists = [trial for trial in study.trials if Purpose.FINALIST in trial.curves]
        assert {trial.number for trial in finalists} == {trial.number for trial in study.best(2)}
        means = [np.mean([curve.final_loss for curve in trial.curves[Purpose.FINALIST]]) for trial in finalists]
        order = {trial.number: place for place, trial in enumerate(study.best(4))}
        ranked = sorted(zip(means, (order[trial.number] for trial in finalists), finalists, strict=True))
        assert study.winner is ranked[0][2]
        assert [trial for trial in study.trials if Purpose.EVALUATION in trial.curves] == [study.winner]


def test_losses_are_capped_at_the_uninformed_predictors(spied: Any) -> None:
    record, jobs = spied
    curves = [curve for study in record.studies for curve in study.curves()]
    assert any(curve.capped for curve in curves)
    assert not all(curve.capped for curve in curves)
    uninformed = {unpacked(job[0]).uninformed_loss for job in jobs}
    for curve in curves:
        assert curve.uninformed_loss in uninformed
        assert curve.final_loss <= curve.uninformed_loss
        if curve.outcome is Outcome.DIVERGED:
            assert curve.final_loss == curve.uninformed_loss
    for study in record.studies:
        for trial in study.trials:
            losses = [curve.final_loss for curve in trial.curves[Purpose.SEARCH]]
            assert trial.validation_loss == pytest.approx(np.mean(losses), rel=1e-12)


def test_budgets_are_equal(spied: Any) -> None:
    for study in spied[0].studies:
        assert len(study.trials) == 4
        completed = [c for c in study.curves(Purpose.SEARCH) if c.outcome is Outcome.COMPLETED]
        assert {curve.gradient_evaluations for curve in completed} == {2 * 90}


def test_the_document_says_what_the_ledger_holds(spied: Any) -> None:
    """The contract of `show --json`."""
    record = spied[0]
    shown = document(View(record))
    assert set(shown) >= {"name", "task", "status", "fingerprint", "spec", "arms", "verdicts", "alarms"}
    assert [arm["arm"] for arm in shown["arms"]] == list(ARMS)
    for arm in shown["arms"]:
        assert [repeat["repeat"] for repeat in arm["repeats"]] == [0, 1]
        for repeat in arm["repeats"]:
            (study,) = (s for s in record.studies if (s.arm, s.repeat) == (arm["arm"], repeat["repeat"]))
            assert set(repeat) == {"repeat", "trials", "gradient_evaluations", "best", "evaluations"}
            assert repeat["trials"] == 4
            assert repeat["best"]["config"] == study.winner.config.to_json()
            assert repeat["best"]["validation_loss"] == study.winner.validation_loss
            assert repeat["best"]["finalist_loss"] == study.winner.finalist_loss
            assert [set(each) for each in repeat["evaluations"]] == [{"seed", "test_loss", "test_score"}] * 2
    (verdict,) = shown["verdicts"]
    assert set(verdict) >= {"a", "b", "verdict", "difference", "low", "high", "probability_a_better", "why"}
    losses = losses_of(View(record))
    means = {arm: np.mean(list(by_repeat.values())) for arm, by_repeat in losses.items()}
    assert verdict["difference"] == pytest.approx(means[verdict["a"]] - means[verdict["b"]])


def test_the_primary_pair_is_annealed_sgd_against_an_adaptive_method(spied: Any, url: str) -> None:
    assert primary_pair(View(spied[0])) == ARMS
    arms = ("sgd", "nag", "momentum,adam")
    by_validation = primary_pair(View(run_in_threads(url, spec(arms=arms, repeats=1), name="none of them annealed")))
    assert by_validation is not None
    assert set(by_validation) < set(arms)
    assert primary_pair(View(run_in_threads(url, spec(arms=("adam",), repeats=1), name="one"))) is None


def test_ranges_that_reach_too_high_raise_an_alarm(url: str) -> None:
    ranges = {"sgd.learning_rate": (1e20, 1e30), "constant.warmup_steps": 0}
    record = run_in_threads(url, spec(arms=("sgd", "adam"), repeats=1, ranges=ranges, epochs=2))
    found = {(alarm.kind, alarm.arm): alarm for alarm in alarms(View(record), pair_verdicts(View(record)))}
    assert set(found) == {("boundary", "sgd"), ("divergence", "sgd")}
    assert "100% of the search's runs diverged" in found["divergence", "sgd"].message
    assert "widen the range to 0.1 … 1e+30" in found["boundary", "sgd"].message, "down to the default"
    assert Result(record).verdicts[0].verdict == "undecided"


def test_progress_reaches_its_total_exactly(url: str) -> None:
    reports: list[Progress] = []
    record = run_in_threads(url, spec(), report=reports.append)
    assert reports[0].work == 0
    assert reports[0].seconds_left is None
    assert [report.work for report in reports] == sorted(report.work for report in reports)
    assert [report.done for report in reports].index(True) == len(reports) - 1
    last = reports[-1]
    assert [(arm.trials, arm.studies) for arm in last.arms] == [(8, 2), (8, 2)]
    assert last.arms == Progress.of("tiny", spec(), record.studies).arms
    assert Progress.of("tiny", spec(), record.studies).done


REACTING = ("momentum+plateau", "adam")
STOPPING = {"strategy.early_stopping": 1, "plateau.patience": 1}


class SpoiltTest(tasks.Task):
    """The iris with test rows that say something else; what a run may watch can be left out."""

    name, kind = "spoilt", "classification"

    def __init__(self, spoilt: bool, monitored: bool = True) -> None:
        self.spoilt, self.monitored = spoilt, monitored

    def search_problem(self, seed: int = 0, repeat: int = 0) -> Problem:
        return tasks.get("iris").search_problem(seed, repeat)

    def evaluation_problem(self, seed: int = 0) -> Problem:
        problem = tasks.get("iris").evaluation_problem(seed)
        if self.spoilt:
            problem.model.y[problem.held_out] = 0  # type: ignore[attr-defined]
        return problem if self.monitored else replace(problem, monitor=None)

    def fingerprint(self) -> str:
        return tasks.get("iris").fingerprint()


def test_a_run_that_reacts_decides_without_the_test_rows(tmp_path: Path) -> None:
    """Early stopping and plateau watch other rows: with other test rows the same happens but for what is measured."""
    records = [
        run_in_threads(
            f"sqlite:///{tmp_path}/{spoilt}.db",
            spec(arms=REACTING, ranges=STOPPING, epochs=12, repeats=1),
            task=SpoiltTest(spoilt),
        )
        for spoilt in (False, True)
    ]
    pairs = zip(*[[curve for study in each.studies for curve in study.evaluations] for each in records], strict=True)
    for honest, spoilt in pairs:
        assert np.array_equal(honest.train_loss, spoilt.train_loss)
        assert np.array_equal(honest.learning_rate, spoilt.learning_rate)
        assert (honest.kept_epoch, honest.outcome) == (spoilt.kept_epoch, spoilt.outcome)
        assert honest.final_loss != spoilt.final_loss


def test_a_task_that_names_no_rows_to_watch_is_refused_where_a_run_reacts(url: str) -> None:
    for arms, ranges in ((REACTING, {}), (ARMS, {"strategy.early_stopping": 2})):
        with pytest.raises(InputError, match="must not watch the test rows"):
            compare(SpoiltTest(False, monitored=False), db=url, arms=arms, ranges=ranges)
    assert summaries(url) == []


def test_an_arm_under_two_names_is_tuned_twice_on_the_same_numbers(url: str) -> None:
    """The same splits and seeds, other searches: what an A/A experiment needs."""
    record = run_in_threads(url, spec(arms=("first=adam", "second=adam"), epochs=2))
    for repeat in (0, 1):
        first, second = (study for study in record.studies if study.repeat == repeat)
        assert [trial.parameters for trial in first.trials] != [trial.parameters for trial in second.trials]
        for purpose in Purpose:
            assert {c.seed for c in first.curves(purpose)} == {c.seed for c in second.curves(purpose)}
    (verdict,) = pair_verdicts(View(record))
    assert {verdict.a, verdict.b} == {"first=adam", "second=adam"}
    alone = run_in_threads(url, spec(arms=("second=adam",), epochs=2), name="alone")
    assert arm_fingerprints(alone.studies)["second=adam"] == arm_fingerprints(record.studies)["second=adam"]
