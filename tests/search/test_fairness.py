"""What every arm gets: the same seeds and splits, no test rows, finals on further seeds, capped losses."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from search_runs import run_in_threads, spec

from cooldown.objectives import Outcome, Problem, tasks
from cooldown.search.evidence.alarms import alarms
from cooldown.search.evidence.document import document
from cooldown.search.evidence.losses import primary_pair
from cooldown.search.evidence.losses import test_losses as losses_of
from cooldown.search.evidence.verdict import pair_verdicts
from cooldown.search.evidence.view import View
from cooldown.search.executors.engines.inline import Inline
from cooldown.search.executors.jobs import train_replicates
from cooldown.search.executors.packed import Packed
from cooldown.search.experiments.result import Result
from cooldown.search.spec.experiment import recorded_spec
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.splits import Splits
from cooldown.storage import ExperimentRecord, Purpose

ARMS = ("momentum+sgdr", "adam")
# Chosen for its seed of no merit: some runs diverge at these rates and some do not.
WILD = {"momentum.learning_rate": (0.5, 3.0), "momentum.momentum": (0.9, 0.995), "sgdr.warmup_steps": 0}


class Spy(Inline):
    """Runs jobs, and keeps the problems, configs and seeds of those that train, and whether they search."""

    def __init__(self, jobs: list[tuple[Any, ...]]) -> None:
        super().__init__()
        self._jobs = jobs

    def submit(self, call: Any, packed: Packed[Any], /, *arguments: Any) -> Future[Any]:
        if call is train_replicates:
            purpose, repeat, configs, seeds, *_ = arguments
            problems = packed.value.problems(purpose, repeat)
            self._jobs.append((problems, configs, seeds, purpose is not Purpose.EVALUATION))
        return super().submit(call, packed, *arguments)


@pytest.fixture(scope="module")
def spied(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentRecord, list[tuple[Any, ...]]]:
    jobs: list[tuple[Any, ...]] = []
    url = f"sqlite:///{tmp_path_factory.mktemp('spied')}/cooldown.db"
    return run_in_threads(url, spec(arms=ARMS, ranges=WILD, epochs=2), lambda: Spy(jobs)), jobs


def content(problems: tuple[Problem, ...]) -> str:
    return Packed(problems, "problems").pickled.digest


def seeds_of(record: ExperimentRecord, purpose: Purpose) -> dict[tuple[str, int], set[tuple[int, ...]]]:
    return {
        (study.arm, study.repeat): {
            tuple(curve.seed for curve in trial.curves[purpose]) for trial in study.trials if purpose in trial.curves
        }
        for study in record.studies
    }


def test_the_search_never_sees_test_rows(spied: Any) -> None:
    """Neither as rows to measure nor anywhere in what a run gets."""
    record, jobs = spied
    task = tasks.get("iris")
    total = len(task.data[1])  # type: ignore[attr-defined]
    searching = [job for job in jobs if job[3]]
    evaluating = [job for job in jobs if not job[3]]
    # Two generations and the finalists of each search, the one trial of each default config; and each is evaluated.
    assert len(searching) == len(record.studies) * (2 + 1) + len(record.default_configs)
    assert len(evaluating) == len(record.studies) + len(record.default_configs)
    for problems, _, seeds, _ in searching:
        assert len(problems) == len(seeds)
        for problem in problems:
            assert (len(problem.train), len(problem.held_out)) == (round(0.6 * total), round(0.2 * total))
        # 60 + 20 % of the rows, once for each seed, are all that its model holds.
        rows = [row for problem in problems for row in (*problem.train, *problem.held_out)]
        assert sorted(rows) == list(range(len(seeds) * round(0.8 * total)))
        assert len(problems[0].model.X) == len(rows)  # type: ignore[attr-defined]
    for problems, *_ in evaluating:
        for problem in problems:
            assert (len(problem.train), len(problem.held_out)) == (round(0.8 * total), round(0.2 * total))


def test_rows_are_a_repeats_own_and_the_same_for_every_arm(spied: Any) -> None:
    _, jobs = spied
    splits = Splits(tasks.get("iris"), spec(arms=ARMS, ranges=WILD, epochs=2))
    keys = [(purpose, repeat) for purpose in Purpose for repeat in (0, 1)]
    contents = {key: content(splits.problems(*key)) for key in keys}
    assert len(set(contents.values())) == len(keys)
    assert {content(job[0]) for job in jobs} == set(contents.values())
    for (purpose, repeat), expected in contents.items():
        for arm in ARMS:
            optimizer = arm.partition("+")[0]
            seeds = splits.seeds(purpose, repeat)
            mine = [job for job in jobs if job[2] == seeds and job[1][0].optimizer.name == optimizer]
            assert mine
            assert {content(job[0]) for job in mine} == {expected}


@pytest.mark.parametrize(
    ("arms", "ranges"), [(("adam", "momentum+plateau"), {}), (ARMS, {"strategy.early_stopping": 2})]
)
def test_where_one_arm_reacts_all_arms_are_evaluated_on_the_same_rows(arms: Any, ranges: Any) -> None:
    splits = Splits(tasks.get("iris"), spec(arms=arms, ranges=ranges))
    problems = splits.problems(Purpose.EVALUATION, 1)
    assert {len(problem.train) for problem in problems} == {90}
    assert len({tuple(problem.train) for problem in problems}) == len(problems), "each seed watches rows of its own"
    for problem in problems:
        assert problem.monitor is not None
        assert not np.isin(problem.monitor, problem.train).any()
        assert not np.isin(problem.held_out, [*problem.monitor, *problem.train]).any()


def test_an_experiment_of_protocol_1_keeps_its_rows() -> None:
    """Also when it is extended: those with one test split, and one validation split for each repeat."""
    task, old = tasks.get("iris"), spec(arms=("adam", "momentum+plateau"), protocol=1)
    splits = Splits(task, old)
    assert "protocol" not in old.to_json()
    assert recorded_spec(old.to_json()) == old
    for repeat in (0, 1):
        expected = {
            Purpose.SEARCH: task.search_problem(old.seed, repeat),
            Purpose.FINALIST: task.search_problem(old.seed, repeat),
            Purpose.EVALUATION: task.evaluation_problem(old.seed),
        }
        for purpose, problem in expected.items():
            found = splits.problems(purpose, repeat)
            assert len(set(found)) == 1
            assert np.array_equal(found[0].model.X, problem.model.X)  # type: ignore[attr-defined]
            assert np.array_equal(found[0].train, problem.train)


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
    uninformed = {problem.uninformed_loss for job in jobs for problem in job[0]}
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
            keys = {"seed", "test_loss", "test_score", "test_rmse", "test_mae"}
            assert [set(each) for each in repeat["evaluations"]] == [keys] * 2
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
    assert set(found) == {("boundary", "sgd"), ("divergence", "sgd"), ("no model", "sgd")}
    assert "100 % of the search's runs diverged" in found["divergence", "sgd"].message
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
    """The iris with test rows that say something else."""

    name, kind, n_rows = "spoilt", "classification", 150

    def __init__(self, spoilt: bool) -> None:
        self.spoilt = spoilt

    def problem(self, train: Any, held_out: Any) -> Problem:
        problem = tasks.get("iris").problem(train, held_out)
        if self.spoilt and len(train) == 120:
            problem.model.y[problem.held_out] = 0  # type: ignore[attr-defined]
        return problem

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
