"""`compare --dry-run`: what it counts is what a run costs, and nothing is left behind. Its times are benchmarked."""

import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from search_runs import TINY, Threads, flags, run_in_threads, spec

from cooldown.objectives import references, tasks
from cooldown.objectives.errors import InputError
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.problem import Problem
from cooldown.objectives.records import NO_ERRORS, Reference
from cooldown.search.cli import main
from cooldown.search.evidence.document import document
from cooldown.search.evidence.numbers import duration
from cooldown.search.evidence.view import View
from cooldown.search.experiments.service import dry_run
from cooldown.search.spec.experiment import Experiment, read_spec
from cooldown.search.tuning import dry_run as module
from cooldown.search.tuning.dry_run import EPOCHS, Estimate, _small, _Timing, estimate, estimates
from cooldown.search.tuning.few_rows import FEW, FewRows, share_of
from cooldown.search.tuning.makespan import Kind, makespan
from cooldown.search.tuning.reference_times import ROUNDS, ROWS, TimedReferences, timed_references
from cooldown.search.tuning.splits import Splits, task_of
from cooldown.search.tuning.studies import planned
from cooldown.storage import Purpose


def estimated(made: Experiment) -> Estimate:
    return estimate(made, Splits(task_of(made), made), Threads(1))


CALM = {"momentum.learning_rate": 0.01, "adam.learning_rate": 0.001}


@pytest.mark.parametrize("arms", [("momentum+sgdr", "adam"), ("momentum,adam+cosine,sgdr",)])
def test_the_cost_is_that_of_a_run_in_which_nothing_ends_early(url: str, arms: tuple[str, ...]) -> None:
    made = spec(arms=arms, ranges=CALM if len(arms) > 1 else {}, epochs=2, trials=5)
    found = estimated(made)
    shown = document(View(run_in_threads(url, made)))
    for cost, arm in zip(found.arms, shown["arms"], strict=True):
        assert cost.arm == arm["arm"]
        assert cost.search == arm["search_gradient_evaluations"]
        assert cost.evaluation == arm["evaluation_gradient_evaluations"]
        assert cost.default == arm["default_gradient_evaluations"]
        assert cost.total == arm["gradient_evaluations"]
    assert found.gradient_evaluations == sum(arm["gradient_evaluations"] for arm in shown["arms"])


def test_a_curriculum_is_paid_for(url: str) -> None:
    made = spec(arms=("adam",), ranges={"strategy.curriculum": "easy_to_hard"}, epochs=2)
    (arm,) = document(View(run_in_threads(url, made)))["arms"]
    assert estimated(made).gradient_evaluations == arm["gradient_evaluations"]


def times(per_replicate: float, made: Experiment) -> dict[Kind, float]:
    return {(key.arm, key.is_default, purpose): per_replicate for key in planned(made) for purpose in Purpose}


def test_time_is_linear_in_the_epochs_and_scaled_by_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of our own: a replicate takes 2 + 3e seconds, and each job of the small experiment one more than that."""
    timed: list[int] = []
    made = spec(epochs=40, trials=8, repeats=3)
    unit = makespan(_small(made, 1, 1), times(1.0, made), 1)
    # Of both arms a generation, the finalist, the evaluation, and the default config's two.
    jobs = 2 * (3 + 2)

    def took(_spec: Any, _splits: Any, _workers: int, _executor: Any, epochs: int, *_further: Any) -> _Timing:
        timed.append(epochs)
        return _Timing(7.0, unit * (2 + 3 * epochs) + jobs, times(2.0 + 3 * epochs, made))

    monkeypatch.setattr(module, "_timed", took)
    # Enough for four epochs and a half, of which the little that has passed takes nothing away.
    monkeypatch.setattr(module, "BUDGET", 4.5 * (unit * 5 + jobs))
    found = estimated(made)
    assert timed == [1, 4]
    assert found.seconds == pytest.approx(7 + makespan(made, times(2 + 3 * 40, made), 1, 1.0))
    timed.clear()
    monkeypatch.setattr(module, "BUDGET", 0.0)
    assert estimated(made).seconds == pytest.approx(7 + makespan(made, times(5 * 40, made), 1, 1.0)), "through 0"
    assert timed == [1]
    monkeypatch.setattr(module, "BUDGET", 1e9)
    assert estimated(made).epochs == 40


@pytest.mark.parametrize(
    ("budget", "most", "epochs", "repeats"), [(4.5, 4, 4, 1), (12.5, 4, 6, 2), (100.5, 4, 25, 4), (100.5, 1, 40, 1)]
)
def test_repeats_are_timed_where_each_has_some_epochs(
    monkeypatch: pytest.MonkeyPatch, budget: float, most: int, epochs: int, repeats: int
) -> None:
    """A clock of our own: an epoch takes a second."""
    timed: list[tuple[int, int]] = []
    made = spec(epochs=40, trials=8, repeats=3)

    def took(_spec: Any, _splits: Any, _workers: int, _executor: Any, epochs: int, _: Any, repeats: int = 1) -> _Timing:
        timed.append((epochs, repeats))
        return _Timing(0.0, 1.0, times(1.0, made))

    monkeypatch.setattr(module, "_timed", took)
    monkeypatch.setattr(module, "BUDGET", budget)
    # What has passed until then.
    monkeypatch.setattr(module.time, "perf_counter", lambda: 0.0)
    estimates([(made, Splits(task_of(made), made))], Threads(1), most)
    assert timed == [(1, 1), (epochs, repeats)]


def test_jobs_are_laid_out_on_the_workers() -> None:
    """Two generations of 4 replicates, 4 of finalists, 2 of the evaluation; and of the default config 2 and 2."""
    made = spec(arms=("adam",), repeats=1)
    assert makespan(made, times(1.0, made), 1) == 4 + 4 + 4 + 2 + 2 + 2
    # The second worker is free once the default config is done, and then trains half of the search's jobs.
    assert makespan(made, times(1.0, made), 2) == 4 + 2 + 2 + 1
    joint = spec(arms=("momentum,adam",), repeats=3)
    # Three chains of 14 on two workers: a study waits for its turn, and never for two at once.
    assert makespan(joint, times(1.0, joint), 1) == 3 * 14
    assert 3 * 14 / 2 <= makespan(joint, times(1.0, joint), 2) <= 2 * 14
    # Nine workers train the replicates of three jobs, 4 or 2 each, in parts: those of two in two, and of one in four.
    # The study of the latter ends first, and leaves its workers to the others for their finalists.
    assert makespan(joint, times(1.0, joint), 9) == 2 + 2 + 1 + 1
    assert makespan(joint, times(1.0, joint), 12) == 1 + 1 + 1 + 1


@pytest.mark.parametrize(("workers", "repeats"), [(1, 1), (2, 1), (3, 2), (9, 5)])
def test_a_long_experiment_is_timed_by_a_small_one(workers: int, repeats: int) -> None:
    made = spec(trials=1000, repeats=50, finalists=6, generation=4, epochs=3)
    small = _small(made, workers, 2)
    assert (small.trials, small.repeats, small.finalists, small.epochs) == (4, repeats, 1, 2)
    assert (small.arms, small.seeds, small.confirm_seeds) == (made.arms, made.seeds, made.confirm_seeds)


class OnRows:
    """Splits of a task of 20,000 rows with references."""

    def __init__(self, rows: int = 15_000) -> None:
        X, y = np.zeros((20_000, 1)), np.zeros(20_000, np.int64)
        self.task = SimpleNamespace(references=("trees",), n_rows=len(X))
        model = MLP(X, y, (), 2, "cross_entropy")
        self.problem = Problem(model, np.arange(rows), np.arange(15_000, 20_000), 1.0)

    def problems(self, _purpose: Purpose, _repeat: int) -> tuple[Problem, ...]:
        return (self.problem,)


def test_references_of_a_large_table_are_timed_on_few_rows_and_rounds() -> None:
    """A clock of our own: 2 seconds, and for each thousand of training rows 1 and 0.1 for each round."""
    seen: list[tuple[int, int]] = []

    def trained(problem: Problem, names: Sequence[str], rounds: int) -> list[Reference]:
        assert set(problem.train) <= set(range(15_000))
        assert len(problem.held_out) == min(len(problem.train), 5_000)
        seen.append((len(problem.train), rounds))
        seconds = 2 + len(problem.train) / 1000 * (1 + 0.1 * rounds)
        return [Reference(name, 1.0, 0.5, NO_ERRORS, seconds) for name in names]

    found = timed_references(cast(Splits, OnRows()), trained)
    assert found is not None
    assert found.seconds == pytest.approx(2 + 15 * (1 + 0.1 * references.ROUNDS))
    assert max(seen) == (ROWS, ROUNDS) < (15_000, references.ROUNDS)
    assert timed_references(cast(Splits, OnRows(rows=ROWS)), trained) is None, "trained with everything else"


def large(n: int = 20_000) -> tasks.ArrayTask:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    return tasks.from_arrays(X, X[:, 0] > 0, name="large", hidden=(4,))


@pytest.mark.parametrize(("protocol", "arms"), [(1, ("adam",)), (2, ("adam",)), (2, ("momentum+plateau", "adam"))])
def test_a_large_table_is_timed_on_few_of_its_rows(protocol: int, arms: tuple[str, ...]) -> None:
    made, task = read_spec(**{**TINY, "task": "large", "arms": arms, "protocol": protocol}), large()
    whole = Splits(task, made)
    share = share_of(whole, made)
    assert share == FEW / whole.rows(Purpose.SEARCH)
    splits = pickle.loads(pickle.dumps(FewRows(task, made, share)))
    for purpose in (Purpose.SEARCH, Purpose.EVALUATION):
        pairs = zip(splits.problems(purpose, 0), whole.problems(purpose, 0), strict=True)
        for few, all_rows in pairs:
            for part in ("train", "held_out", "watched"):
                rows = getattr(few, part)
                assert len(rows) == pytest.approx(share * len(getattr(all_rows, part)), abs=1)
                assert set(rows) <= set(getattr(all_rows, part))
        assert len(set(map(id, splits.problems(purpose, 0)))) == len(set(map(id, whole.problems(purpose, 0))))
    # So many rows that an epoch has some updates.
    assert share_of(whole, read_spec(**{**made.to_json(), "batch_size": 1000})) == 8000 / whole.rows(Purpose.SEARCH)
    assert share_of(Splits(large(9_000), made), made) == 1


def test_the_time_on_few_rows_is_scaled_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of our own: a replicate takes 2 + 3e seconds with a quarter of its rows, and 2 + 12e with all."""
    timed: list[int] = []

    def took(made: Any, _splits: Any, _workers: int, _executor: Any, epochs: int, *_: Any) -> _Timing:
        timed.append(epochs)
        return _Timing(7.0, 0.0, times(2.0 + 3 * epochs, made))

    monkeypatch.setattr(module, "_timed", took)
    monkeypatch.setattr(module, "share_of", lambda *_: 0.25)
    monkeypatch.setattr(module, "BUDGET", 0.0)
    made = spec(epochs=5, trials=8, repeats=3)
    assert estimated(made).seconds == pytest.approx(7 + makespan(made, times(2.0 + 12 * 5, made), 1))
    assert timed == [1, EPOCHS]


def test_references_that_are_known_are_not_trained_again(monkeypatch: pytest.MonkeyPatch) -> None:
    known = TimedReferences((Reference("no model", 1.0, 0.5, NO_ERRORS, 0.0),), 5.0)
    monkeypatch.setattr(module, "timed_references", lambda _splits: known)
    monkeypatch.setattr("cooldown.objectives.references.trained", lambda *_: pytest.fail("trained"))
    without, one = spec(trials=1, repeats=1), spec(trials=1, repeats=2)
    # The time of the references is that of each repeat.
    assert estimated(one).seconds > estimated(without).seconds > 5


def test_the_command_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def typed(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["cooldown", "compare", "iris", *flags(), "--dry-run", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return capsys.readouterr().out

    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    told = typed("--workers", "1")
    assert "gradient evaluations, if every run is trained to its last epoch" in " ".join(told.split())
    shown = json.loads(typed("--json", "--quiet"))
    assert [arm["arm"] for arm in shown["arms"]] == list(TINY["arms"])
    assert shown["seconds"] > shown["start_seconds"] > 0
    assert shown["gradient_evaluations"] == sum(arm["total"] for arm in shown["arms"])
    assert sorted(tmp_path.iterdir()) == before


def test_bad_input_is_refused_as_by_a_run(tmp_path: Path, run_here: Any) -> None:
    code, out, err = run_here("compare", "iris", "--trials", "0", "--dry-run")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    with pytest.raises(InputError, match="unknown task"):
        dry_run("irish")
    with pytest.raises(InputError, match="workers"):
        dry_run("iris", workers=0)
    url = f"sqlite:///{tmp_path}/cooldown.db"
    run_in_threads(url, spec(), name="taken")
    with pytest.raises(InputError, match="experiment 'taken' exists with other settings"):
        dry_run("iris", name="taken", db=url)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (75, "1 min 15 s"),
        (3599, "1 h 0 min"),
        (900, "15 min"),
        (7500, "2 h 5 min"),
        (3 * 86400, "3 days"),
    ],
)
def test_times_are_told_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
