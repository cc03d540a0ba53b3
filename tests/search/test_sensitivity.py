"""Sensitivities of small experiments, and the natural values and units that they are told in."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_runs import run_in_threads, spec
from test_sensitivity_statistics import numbers

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.records import Outcome
from cooldown.search.evidence.sensitivity import BINS, Sensitivity, sensitivities
from cooldown.search.evidence.view import View
from cooldown.search.spec.space import Parameter
from cooldown.search.statistics.intervals import mean_interval
from cooldown.storage import ExperimentRecord, StudyRecord, TrialRecord

# Natural values and units


@pytest.mark.parametrize(
    ("scale", "low", "high", "middle"),
    [(Scale.LOG, 1e-4, 1.0, 1e-2), (Scale.ONE_MINUS_LOG, 0.0, 0.99, 0.9), (Scale.LINEAR, -1.0, 3.0, 1.0)],
)
@given(at=st.floats(0, 1))
def test_a_value_stands_at_its_position(scale: Scale, low: float, high: float, middle: float, at: float) -> None:
    parameter = Parameter("a.b", Hyperparameter("b", low, low, high, scale), low, high)
    assert parameter.at(0.5) == pytest.approx(middle)
    assert (parameter.at(0), parameter.at(1)) == pytest.approx((low, high))
    assert low <= parameter.at(at) <= high
    assert parameter.position(parameter.at(at)) == pytest.approx(at, abs=1e-9)


# From a record

RUN: dict[str, Any] = {"arms": ("momentum+sgdr", "adam"), "trials": 12, "repeats": 2, "epochs": 4, "seeds": 1}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    return run_in_threads(f"sqlite:///{tmp_path_factory.mktemp('sensitivity')}/cooldown.db", spec(**RUN))


def of(record: ExperimentRecord) -> dict[tuple[str, str], Sensitivity]:
    return {(each.arm, each.key): each for each in sensitivities(View(record))}


def with_trials(record: ExperimentRecord, change: Any) -> ExperimentRecord:
    """The record with trials that `change` has made from a study and a trial."""

    def changed(study: StudyRecord) -> StudyRecord:
        return replace(study, trials=tuple(change(study, trial) for trial in study.trials))

    return replace(record, studies=tuple(changed(study) for study in record.studies))


def test_every_searched_hyperparameter_has_its_sensitivity(record: ExperimentRecord) -> None:
    found = of(record)
    searched = {(study.arm, key) for study in record.studies for trial in study.trials for key in trial.parameters}
    assert set(found) == searched
    assert ("momentum+sgdr", "sgdr.warmup_steps") in found
    units = {key: each.unit for (_, key), each in found.items()}
    assert units["momentum.learning_rate"] == units["adam.beta1"] == "decades"
    assert units["sgdr.warmup_steps"] == "share of range"
    for each in found.values():
        assert each.width is not None
        assert each.low is not None
        assert each.high is not None
        assert each.range_width is not None
        assert 0 <= each.low <= each.width <= each.high <= each.range_width
        assert each.repeats == 2
        assert len(each.profile) == BINS
        assert sum(row.trials for row in each.profile) == 24
        assert all((row.ratio is None) == (row.trials == 0) for row in each.profile)
        assert all(row.ratio >= 1 for row in each.profile if row.ratio is not None)
    for arm in record.spec["arms"]:
        shares = [each.importance for each in found.values() if each.arm == arm]
        assert math.fsum(share or 0 for share in shares) == pytest.approx(1)
        assert None not in shares


def test_the_learning_rates_region_by_hand(record: ExperimentRecord) -> None:
    rates = {0: np.geomspace(1e-3, 0.1, 12), 1: np.geomspace(1e-2, 1, 12)}

    def change(study: StudyRecord, trial: TrialRecord) -> TrialRecord:
        if study.arm == "adam":
            return trial
        good = trial.number in ((3, 5) if study.repeat == 0 else (2, 8))
        scale = 1 if study.repeat == 0 else 50
        return replace(
            trial,
            parameters={**trial.parameters, "momentum.learning_rate": float(rates[study.repeat][trial.number])},
            validation_loss=scale * (1.0 if good else 1.5),
        )

    planted = with_trials(record, change)
    planted = replace(planted, spec={**planted.spec, "ranges": {"momentum.learning_rate": [1e-3, 1.0]}})
    each = of(planted)["momentum+sgdr", "momentum.learning_rate"]
    step = 2 / 11
    interval = mean_interval(numbers(2 * step, 6 * step))
    assert each.range_width == pytest.approx(3)
    assert each.width == pytest.approx(4 * step)
    assert each.low == max(interval.low, 0) == 0
    assert each.high == 3, "no wider than the range"
    assert interval.high > 3
    # Medians of the ends over the two repeats, in decades.
    assert each.best_low == pytest.approx(10 ** np.mean([-3 + 3 * step, -2 + 2 * step]))
    assert each.best_high == pytest.approx(10 ** np.mean([-3 + 5 * step, -2 + 8 * step]))
    ends = [row.low for row in each.profile] + [each.profile[-1].high]
    assert ends == pytest.approx(np.geomspace(1e-3, 1, BINS + 1))
    assert [row.value for row in each.profile] == pytest.approx(np.geomspace(1e-3, 1, 2 * BINS + 1)[1::2])


@pytest.mark.parametrize("factors", [(-9, 9), (4, -3), (0, 1)])
def test_the_unit_of_a_repeats_losses_changes_nothing(record: ExperimentRecord, factors: tuple[int, int]) -> None:
    def change(study: StudyRecord, trial: TrialRecord) -> TrialRecord:
        return replace(trial, validation_loss=trial.validation_loss * 2.0 ** factors[study.repeat])

    assert sensitivities(View(with_trials(record, change))) == sensitivities(View(record))


def test_the_order_of_studies_and_trials_changes_nothing(record: ExperimentRecord) -> None:
    turned = replace(record, studies=tuple(replace(s, trials=s.trials[::-1]) for s in record.studies[::-1]))
    there = of(turned)
    for key, each in of(record).items():
        assert there[key].importance == pytest.approx(each.importance)
        assert replace(there[key], importance=each.importance) == replace(each, width=there[key].width)
        assert there[key].width == pytest.approx(each.width)


def test_pruned_trials_are_left_out(record: ExperimentRecord) -> None:
    class Pruned(TrialRecord):
        pruned = True

    best = {id(study): study.best(1)[0].number for study in record.studies}

    def change(study: StudyRecord, trial: TrialRecord) -> TrialRecord:
        return Pruned(**vars(trial)) if trial.number == best[id(study)] else trial

    marked = with_trials(record, change)
    without = replace(
        record,
        studies=tuple(replace(s, trials=tuple(t for t in s.trials if t.number != best[id(s)])) for s in record.studies),
    )
    assert sensitivities(View(marked)) == sensitivities(View(without))
    assert sensitivities(View(marked)) != sensitivities(View(record))


def test_one_repeat_has_no_interval(record: ExperimentRecord) -> None:
    found = of(replace(record, studies=tuple(study for study in record.studies if study.repeat == 1)))
    assert found
    for each in found.values():
        assert each.width is not None
        assert (each.low, each.high, each.repeats) == (None, None, 1)
        assert each.importance is not None


def test_before_there_are_trials_there_is_nothing(record: ExperimentRecord) -> None:
    assert sensitivities(View(replace(record, studies=()))) == []
    assert sensitivities(View(replace(record, studies=tuple(replace(s, trials=()) for s in record.studies)))) == []
    begun = tuple(s if s.arm == "adam" else replace(s, trials=()) for s in record.studies)
    assert {each.arm for each in sensitivities(View(replace(record, studies=begun)))} == {"adam"}


def test_few_trials_have_a_width_and_no_importance(record: ExperimentRecord) -> None:
    found = sensitivities(View(replace(record, studies=tuple(replace(s, trials=s.trials[:3]) for s in record.studies))))
    assert found
    assert all(each.width is not None and each.importance is None for each in found)


def test_where_all_diverged_all_are_equally_good(record: ExperimentRecord) -> None:
    """And nothing can be said of what matters."""

    def change(study: StudyRecord, trial: TrialRecord) -> TrialRecord:
        curves = {
            purpose: tuple(
                replace(curve, outcome=Outcome.DIVERGED, train_loss=numbers(), updates=0, kept_epoch=0)
                for curve in curves
            )
            for purpose, curves in trial.curves.items()
        }
        return replace(trial, curves=curves, validation_loss=1.0)

    found = sensitivities(View(with_trials(record, change)))
    assert found
    assert {each.importance for each in found} == {None}


def test_growing_batches_leave_an_epochs_updates_as_they_are(url: str) -> None:
    """Ranges of warm-ups depend on them, also where the arm with growing batches is the first."""
    made = spec(
        arms=("momentum+batch_growth", "adam"), trials=12, epochs=20, seeds=1, batch_size=2, repeats=1, finalists=1
    )
    found = {each.key: each for each in sensitivities(View(run_in_threads(url, made)))}
    assert found["batch_growth.warmup_steps"].profile[-1].high == found["constant.warmup_steps"].profile[-1].high
    assert found["constant.warmup_steps"].profile[-1].high == 0.25 * 20 * 45
