"""Learning curves: what a record says of each epoch, and how replicates are summed up."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.typing import NDArray
from search_runs import run_in_threads, spec

from cooldown.objectives import tasks, train
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.cost import rows_per_epoch
from cooldown.objectives.records import Curve, Outcome
from cooldown.search.evidence.learning import AMOUNTS, band, planned_rates, trial_curves, winners_curves
from cooldown.search.evidence.view import View
from cooldown.storage import ExperimentRecord, Purpose, StudyRecord, TrialRecord

EPOCHS = 3
INF, NAN = float("inf"), float("nan")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    url = f"sqlite:///{tmp_path_factory.mktemp('learning')}/cooldown.db"
    return run_in_threads(url, spec(arms=("momentum+batch_growth", "adam", "sgd,nag+cosine"), epochs=EPOCHS))


def curve(losses: list[float], outcome: Outcome = Outcome.COMPLETED, **changes: Any) -> Curve:
    """A curve of as many epochs, on 100 rows in batches of 32."""
    run = len(losses) + (outcome is Outcome.DIVERGED)
    values = np.array(losses)
    made = Curve(
        7, outcome, values + 1, values, values * 0, values / 10, len(losses), 2.0, 100 * run, 4 * run, 0.5 * run
    )
    return replace(made, **changes)


def trial(*curves: Curve, purpose: Purpose = Purpose.SEARCH, epochs: int = 4, **config: Any) -> TrialRecord:
    made = TrainConfig.from_json({"epochs": epochs, "batch_size": 32, **config})
    return TrialRecord(1, 0, 0, {}, {}, made, 0.5, {purpose: curves})


def test_winners_are_shown_by_their_finalists_of_all_repeats(record: ExperimentRecord) -> None:
    found = winners_curves(View(record))
    assert list(found) == record.spec["arms"]
    for arm, own in found.items():
        winners = [(study.repeat, study.winner) for study in record.of(arm)]
        expected = [(repeat, each) for repeat, winner in winners for each in winner.curves[Purpose.FINALIST]]  # type: ignore
        assert [(r, s) for r, s in zip(own.repeat, own.seed, strict=True)] == [(r, each.seed) for r, each in expected]
        for row, (_, each) in enumerate(expected):
            np.testing.assert_array_equal(own.validation[row], each.held_out_loss)
            np.testing.assert_array_equal(own.train[row], each.train_loss)
            np.testing.assert_array_equal(own.rate[row], each.learning_rate)
        assert own.uninformed_loss == pytest.approx(np.mean([each.uninformed_loss for _, each in expected]))
        assert own.arm == arm


def test_the_axes_end_with_what_the_runs_took(record: ExperimentRecord) -> None:
    for arm, own in winners_curves(View(record)).items():
        curves = [c for s in record.of(arm) if s.winner for c in s.winner.curves[Purpose.FINALIST]]
        assert all(each.outcome is Outcome.COMPLETED for each in curves)
        assert set(own.axes) == set(AMOUNTS)
        assert own.axes["epochs"].tolist() == [1, 2, 3]
        for amount, name in (("updates",) * 2, ("gradient evaluations", "gradient_evaluations"), ("seconds",) * 2):
            assert own.axes[amount][-1] == pytest.approx(np.mean([getattr(each, name) for each in curves]))  # type: ignore
            assert (np.diff(own.axes[amount]) > 0).all()  # type: ignore


def test_where_batches_grow_updates_are_counted_as_they_were_made() -> None:
    task = tasks.get("iris")
    schedule = {"name": "batch_growth", "every": 1.0, "gamma": 0.5}
    configs = [
        TrainConfig.from_json({"schedule": schedule, "epochs": epochs, "batch_size": 8}) for epochs in (1, 2, 3, 4)
    ]
    made = [train(task, [config], [0])[0][0] for config in configs]
    whole = TrialRecord(1, 0, 0, {}, {}, configs[-1], 0.5, {Purpose.SEARCH: (made[-1],)})
    own = trial_curves(whole, Purpose.SEARCH)
    assert own is not None
    # A shorter run of the same schedule is the beginning of a longer one, for it counts epochs.
    assert own.axes["updates"].tolist() == [each.updates for each in made]
    assert np.diff(own.axes["updates"], n=2).min() < 0


def test_after_a_run_s_end_nothing_is_made_up() -> None:
    whole, stopped = curve([4.0, 3.0, 2.0, 1.0]), curve([1.0, 2.0], Outcome.STOPPED, kept_epoch=1)
    diverged, at_once = curve([9.0], Outcome.DIVERGED), curve([], Outcome.DIVERGED)
    pruned, before_rates = curve([5.0, 5.0, 5.0], Outcome.PRUNED), curve([1.0] * 4, learning_rate=np.empty(0))
    curves = (whole, stopped, diverged, at_once, pruned, before_rates)
    own = trial_curves(trial(*curves), Purpose.SEARCH, arm="adam", repeat=3)
    assert own is not None
    assert (own.arm, own.repeat.tolist()) == ("adam", [3] * 6)
    assert own.diverged.tolist() == [False, False, True, True, False, False]
    assert np.isnan(own.validation).sum(axis=1).tolist() == [0, 2, 3, 4, 1, 0]
    assert np.isnan(own.train).sum(axis=1).tolist() == [0, 2, 3, 4, 1, 0]
    assert np.isnan(own.rate).sum(axis=1).tolist() == [0, 2, 3, 4, 1, 4]
    np.testing.assert_array_equal(own.validation[0], [4, 3, 2, 1])
    np.testing.assert_array_equal(own.train[1], [2, 3, NAN, NAN])
    # As if all had gone on to their last epoch: 100 rows, 4 updates and half a second for each.
    for amount, each in (("gradient evaluations", 100), ("updates", 4), ("seconds", 0.5)):
        np.testing.assert_allclose(own.axes[amount], each * np.arange(1, 5))  # type: ignore


def test_what_was_measured_once_was_measured_at_the_end() -> None:
    evaluated = curve([4.0, 3.0, 2.0], held_out_loss=np.array([0.7]), kept_epoch=3)
    own = trial_curves(trial(evaluated, purpose=Purpose.EVALUATION, epochs=3), Purpose.EVALUATION)
    assert own is not None
    np.testing.assert_array_equal(own.validation, [[NAN, NAN, 0.7]])


def test_a_trial_has_no_curves_of_another_purpose() -> None:
    assert trial_curves(trial(curve([1.0] * 4)), Purpose.FINALIST) is None


def test_what_a_curriculum_pays_before_is_paid_before_the_first_epoch() -> None:
    # 11 passes before, for 4 epochs on 100 rows.
    own = trial_curves(trial(curve([1.0] * 4, gradient_evaluations=1500), curriculum="easy_to_hard"), Purpose.SEARCH)
    assert own is not None
    assert own.axes["gradient evaluations"].tolist() == [1200, 1300, 1400, 1500]


def test_before_there_are_finalists_the_search_is_shown(record: ExperimentRecord) -> None:
    """A running experiment: one study with its trials alone, one with none, one that is pruned altogether."""

    def searched(study: StudyRecord) -> StudyRecord:
        only = [replace(t, curves={Purpose.SEARCH: t.curves[Purpose.SEARCH]}) for t in study.trials]
        return replace(study, trials=tuple(only))

    def cut(study: StudyRecord) -> StudyRecord:
        gone = tuple(replace(c, outcome=Outcome.PRUNED) for c in study.trials[0].curves[Purpose.SEARCH])
        return replace(study, trials=(replace(study.trials[0], curves={Purpose.SEARCH: gone}),))

    whole, running = record.of("adam")
    momentum = [replace(study, trials=()) for study in record.of("momentum+batch_growth")]
    joint = [cut(study) for study in record.of("sgd,nag+cosine")]
    found = winners_curves(View(replace(record, studies=(whole, searched(running), *momentum, *joint))))
    assert list(found) == ["adam"]
    best = min(running.trials, key=lambda each: each.validation_loss)
    assert found["adam"].seed[found["adam"].repeat == running.repeat].tolist() == [
        each.seed for each in best.curves[Purpose.SEARCH]
    ]
    assert (found["adam"].repeat == whole.repeat).sum() == record.spec["finalist_seeds"]


@given(
    st_numpy.arrays(
        np.float64, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=st.one_of(st.floats(-9, 9), st.just(NAN))
    )
)
def test_the_band_is_numpys_without_what_is_unknown(values: NDArray[np.float64]) -> None:
    for column, found in zip(values.T, np.array(band(values)).T, strict=True):
        known = column[~np.isnan(column)]
        expected = np.quantile(known, [0.5, 0.25, 0.75]) if known.size else [NAN] * 3
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_a_diverged_run_counts_as_the_worst_and_no_loss_is_made_up_for_it() -> None:
    values = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, NAN], [5.0, NAN]])
    stopped = [np.array(each).tolist() for each in band(values)]
    assert stopped == [[3.0, 2.0], [2.0, 1.5], [4.0, 2.5]]
    diverged = np.array([False, False, False, True, True])
    median, low, high = (each.tolist() for each in band(values, diverged))
    assert (median, low, high) == ([3.0, 3.0], [2.0, 2.0], [4.0, INF])
    # The median of 1 and a diverged run lies anywhere between; of all diverged there is none.
    assert [each.tolist() for each in band(np.array([[1.0], [NAN]]), np.array([False, True]))] == [[INF]] * 3
    assert [each.tolist() for each in band(np.full((2, 1), NAN), np.array([True, True]))] == [[INF]] * 3


def test_a_band_of_nothing() -> None:
    assert all(np.isnan(each).all() and each.shape == (3,) for each in band(np.empty((0, 3))))


def test_planned_rates_are_those_that_a_run_executed(record: ExperimentRecord) -> None:
    """As many as it made updates, growing batches included, and the last of each run is the one it noted."""
    seen = set()
    for study in record.studies:
        for trial in study.trials:
            for run in trial.curves[Purpose.SEARCH]:
                if run.outcome is Outcome.COMPLETED:
                    rates = planned_rates(trial.config, rows_per_epoch(run, trial.config))
                    assert len(rates) == run.updates
                    assert rates[-1] == pytest.approx(run.learning_rate[-1], rel=1e-6, abs=1e-12)
                    seen.add(trial.config.schedule.name)
    assert {"batch_growth", "constant"} <= seen
