"""Experiments that were pruned: what stays true of them in the ledger, in Optuna's tables and in the answer."""

from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState
from rich.console import Console
from search_runs import run_in_threads, spec

from cooldown.objectives.records import Outcome
from cooldown.search.cli.terminal import blocks
from cooldown.search.evidence.budgets import budget_curves
from cooldown.search.evidence.document import document
from cooldown.search.evidence.pruning import pruned_arms, replayed_arms
from cooldown.search.evidence.sections import MADE
from cooldown.search.evidence.sensitivity import sensitivities
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.tuning.pruning import limits
from cooldown.storage import ExperimentRecord, Purpose

ARMS = ("momentum+cosine", "adam")
SETTINGS: dict[str, Any] = {"arms": ARMS, "trials": 16, "generation": 4, "epochs": 9, "seeds": 2}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('pruned')}/cooldown.db"


@pytest.fixture(scope="module", params=["median", "hyperband"])
def record(request: pytest.FixtureRequest, url: str) -> ExperimentRecord:
    made = run_in_threads(url, spec(pruner=request.param, **SETTINGS), name=request.param)
    assert any(trial.pruned for study in made.studies for trial in study.trials)
    return made


@pytest.fixture(scope="module")
def whole(url: str) -> ExperimentRecord:
    return run_in_threads(url, spec(**SETTINGS), name="whole")


def test_all_trials_are_there_and_the_first_generation_is_whole(record: ExperimentRecord) -> None:
    for study in record.studies:
        assert len(study.trials) == 16
        assert not any(trial.pruned for trial in study.trials if trial.generation == 0)


def test_what_was_pruned_was_above_the_limits_of_its_studys_earlier_generations(record: ExperimentRecord) -> None:
    """Asked again of the ledger's record, trial by trial; and what was not pruned was never above them."""
    from dataclasses import replace

    for study in record.studies:
        for trial in study.trials:
            earlier = replace(study, trials=tuple(t for t in study.trials if t.generation < trial.generation))
            (allowed,) = limits(record.spec["pruner"], earlier, [trial.number], [trial.config], 9, 0)  # type: ignore
            curves = trial.curves[Purpose.SEARCH]
            best = np.minimum.accumulate(np.mean([curve.capped_losses(9) for curve in curves], axis=0))
            trained = max(curve.train_loss.size for curve in curves)
            above = best[: min(trained, 8)] > allowed[: min(trained, 8)]
            if trial.pruned:
                assert above[-1]
                assert not above[:-1].any()
                assert trained < 9
            elif not all(curve.outcome is Outcome.DIVERGED for curve in curves):
                assert not above.any()


def test_a_pruned_trial_is_never_a_finalist(record: ExperimentRecord) -> None:
    for study in record.studies:
        assert study.winner is not None
        finalists = [trial for trial in study.trials if Purpose.FINALIST in trial.curves]
        assert len(finalists) == 2
        assert not any(trial.pruned for trial in (*finalists, study.winner))
        assert not any(trial.pruned for trial in study.best(16))


def test_optuna_sees_pruned_trials_with_what_they_reached(record: ExperimentRecord, url: str) -> None:
    for study in record.studies:
        seen = optuna.load_study(study_name=f"{record.name}/{study.arm}/{study.repeat}", storage=url).trials
        for ours, theirs in zip(study.trials, seen, strict=True):
            assert theirs.state is (TrialState.PRUNED if ours.pruned else TrialState.COMPLETE)
            assert theirs.value == ours.validation_loss
            last = max(theirs.intermediate_values)
            assert last == (max(c.train_loss.size for c in ours.curves[Purpose.SEARCH]) if ours.pruned else 9)
            assert theirs.intermediate_values[last] == pytest.approx(ours.validation_loss)


def test_the_cost_counts_what_was_done_and_tells_what_was_saved(record: ExperimentRecord) -> None:
    rows = 90
    for arm, told in pruned_arms(View(record)).items():
        trials = [trial for study in record.of(arm) for trial in study.trials]
        curves = [curve for trial in trials for curve in trial.curves[Purpose.SEARCH]]
        done = sum(curve.gradient_evaluations for curve in curves)
        saved = sum(rows * (9 - c.train_loss.size) for c in curves if c.outcome is Outcome.PRUNED)
        assert (told.trials, told.pruned) == (32, sum(trial.pruned for trial in trials))
        assert told.share_saved == pytest.approx(saved / (done + saved))
        assert saved > 0
    shown = document(View(record))
    assert [(row["arm"], row["pruner"]) for row in shown["pruning"]] == [(arm, record.name) for arm in ARMS]
    assert all(arm["gradient_evaluations"] > 0 for arm in shown["arms"])
    assert sum(row["pruned"] for row in Result(record).trials()) == sum(each["pruned"] for each in shown["pruning"])


def test_a_pruned_trial_is_no_best_so_far(record: ExperimentRecord) -> None:
    curves = budget_curves(View(record))
    for arm in ARMS:
        bests = [study.best(1)[0].validation_loss for study in record.of(arm)]
        assert curves[arm].expected[-1] == pytest.approx(np.mean(bests))
    assert {each.arm for each in sensitivities(View(record))} == set(ARMS)


def test_an_unpruned_experiment_says_what_pruning_would_have_done(whole: ExperimentRecord) -> None:
    told = replayed_arms(View(whole))
    assert set(told) == {(arm, pruner) for arm in ARMS for pruner in ("median", "hyperband")}
    assert any(each.pruned for each in told.values())
    for each in told.values():
        assert each.trials == 32
        assert each.repeats == 2
        assert 0 <= each.share_saved < 1
        assert (each.share_saved > 0) == (each.pruned > 0)
        if each.winners_pruned == 0:
            assert each.loss_difference == 0


def test_until_something_is_pruned_a_run_is_the_one_without_a_pruner(
    record: ExperimentRecord, whole: ExperimentRecord
) -> None:
    for pruned, plain in zip(record.studies, whole.studies, strict=True):
        first = min((trial.generation for trial in pruned.trials if trial.pruned), default=4)
        for a, b in zip(pruned.trials, plain.trials, strict=True):
            if a.generation <= first:
                assert a.parameters == b.parameters
            if a.generation < first:
                assert a.validation_loss == b.validation_loss


@pytest.mark.parametrize("width", [80, 120])
def test_the_section_fits(record: ExperimentRecord, whole: ExperimentRecord, width: int) -> None:
    for each, words in ((record, "Search cost saved"), (whole, "Winners pruned")):
        console = Console(width=width, markup=False, highlight=False)
        with console.capture() as captured:
            console.print(blocks(MADE["pruning"](View(each))))
        printed = captured.get()
        assert all(len(line) <= width for line in printed.splitlines())
        assert words in printed
        assert all(arm in printed for arm in ARMS)
