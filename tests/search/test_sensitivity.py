"""Sensitivity: widths, profiles and importances by hand, of planted losses, and of small experiments."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from search_runs import run_in_threads, spec

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.records import Outcome
from cooldown.search.evidence.sensitivity import BINS, FEWEST_TRIALS, Sensitivity, importances, sensitivities
from cooldown.search.evidence.view import View
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.space import Parameter, Space, search_space
from cooldown.search.statistics.intervals import mean_interval
from cooldown.search.statistics.sensitivity import (
    MeanWidth,
    mean_width,
    profile,
    region,
    relative_losses,
    relative_ranks,
    span,
)
from cooldown.storage import ExperimentRecord, StudyRecord, TrialRecord

INF = float("inf")
NAN = float("nan")

Numbers = NDArray[np.float64]


def numbers(*values: float) -> Numbers:
    return np.array(values, np.float64)


# The width of the region


@pytest.mark.parametrize(
    ("positions", "losses", "ends"),
    [
        ([0.1, 0.3, 0.6, 0.9], [2.0, 1.05, 1.0, 1.2], (0.3, 0.6)),
        ([0.1, 0.3, 0.6, 0.9], [1.09, 5.0, 1.0, 1.2], (0.1, 0.6)),  # what lies between does not matter
        ([0.5, 0.2], [1.0, 1.0], (0.2, 0.5)),
        ([0.5], [3.0], (0.5, 0.5)),
        ([0.1, 0.9], [1.0, INF], (0.1, 0.1)),
        ([0.1, 0.9], [0.0, 1e-300], (0.1, 0.1)),  # of nothing, a tenth is nothing
        ([0.1, 0.9, 0.4], [0.0, 0.0, 1.0], (0.1, 0.9)),
        ([0.1, 0.5, 0.9], [-1.0, -0.95, -0.5], (0.1, 0.5)),
        ([NAN, 0.2, 0.4], [1.0, 1.05, 1.08], (0.2, 0.4)),
        ([NAN, 0.2, 0.4], [1.0, 1.2, 1.3], (NAN, NAN)),  # the best has another optimizer, and this one is far off
        ([NAN, NAN], [1.0, 1.0], (NAN, NAN)),
        ([0.1, 0.9], [INF, INF], (NAN, NAN)),
    ],
)
def test_the_region_by_hand(positions: list[float], losses: list[float], ends: tuple[float, float]) -> None:
    np.testing.assert_array_equal(region(numbers(*positions), numbers(*losses)), ends)
    np.testing.assert_array_equal(span(numbers(*positions), numbers(*losses)), ends[1] - ends[0])


def test_the_tolerance_is_a_share_of_the_best() -> None:
    positions, losses = numbers(0, 1, 2, 3), numbers(8, 10, 12, 16)
    assert [span(positions, losses, share) for share in (0, 0.25, 0.5, 1)] == [0, 1, 2, 3]


def planted(positions: Numbers, width: float) -> Numbers:
    """Losses whose region within 10 % of the best, 0.3 at learning rate 10^-2, is `width` decades wide."""
    return 0.3 * (1 + 0.1 * ((positions + 2) / (width / 2)) ** 2)


@pytest.mark.parametrize("width", [0.4, 1.0, 2.0])
def test_the_span_grows_towards_the_truth_and_not_beyond(width: float) -> None:
    positions = np.append(-2.0, np.random.default_rng(0).uniform(-4, 0, 2000))
    losses = planted(positions, width)
    spans = [span(positions[:n], losses[:n]) for n in (1, 10, 30, 100, 300, 1000, 2001)]
    assert spans == sorted(spans)
    assert spans[0] == 0
    assert spans[-1] <= width * (1 + 1e-9)
    assert spans[-1] == pytest.approx(width, rel=0.02)


def test_over_many_studies_the_span_is_a_lower_bound() -> None:
    rng, width = np.random.default_rng(1), 1.0
    means = []
    for n in (4, 12, 24, 96):
        studies = rng.uniform(-4, 0, (500, n))
        means.append(np.mean([span(row, planted(row, width)) for row in studies]))
    assert means == sorted(means)
    assert means[-1] < width
    assert means[-1] == pytest.approx(width, rel=0.1)


@pytest.mark.parametrize(
    ("widths", "mean"),
    [
        ([], MeanWidth(None, None, None, 0)),
        ([NAN, NAN], MeanWidth(None, None, None, 0)),
        ([NAN, 0.5], MeanWidth(0.5, None, None, 1)),
        ([1.0, 1.0, NAN], MeanWidth(1.0, 1.0, 1.0, 2)),
    ],
)
def test_the_mean_width_by_hand(widths: list[float], mean: MeanWidth) -> None:
    assert mean_width(numbers(*widths)) == mean


def test_the_mean_widths_interval_is_students_and_not_negative() -> None:
    interval = mean_interval(numbers(1, 1.25, 1.5))
    assert mean_width(numbers(1, 1.25, 1.5)) == MeanWidth(interval.estimate, interval.low, interval.high, 3)
    wide = mean_width(numbers(0, 1))
    assert (wide.mean, wide.low) == (0.5, 0)
    assert wide.high == pytest.approx(0.5 + 12.706 * 0.5, rel=1e-4)


# Loss as a function of a hyperparameter


@pytest.mark.parametrize(
    ("losses", "ratios"),
    [
        ([2, 1, 1.5], [2, 1, 1.5]),
        ([4, INF], [1, INF]),
        ([0, 1, 0], [1, INF, 1]),
        ([-2, -1, 0], [1, 1.5, 2]),
        ([INF, INF], [INF, INF]),
    ],
)
def test_relative_losses_by_hand(losses: list[float], ratios: list[float]) -> None:
    np.testing.assert_array_equal(relative_losses(numbers(*losses)), ratios)


def test_relative_ranks_by_hand() -> None:
    np.testing.assert_array_equal(relative_ranks(numbers(7, 3, INF, INF)), [0.375, 0.125, 0.75, 0.75])
    np.testing.assert_array_equal(relative_ranks(numbers(7)), [0.5])


def test_the_profile_by_hand() -> None:
    positions = numbers(0.0, 0.1, 0.24, 0.25, 0.9, 1.0, 1 + 1e-16, -1e-17, NAN)
    ratios = numbers(3.0, 2.0, 5.0, 1.0, 4.0, 6.0, INF, 9.0, 1.0)
    repeats = np.array([0, 0, 1, 0, 0, 1, 2, 2, 0])
    found = profile(positions, ratios, repeats, 4)
    np.testing.assert_array_equal(found.edges, [0, 0.25, 0.5, 0.75, 1])
    # Lowest by repeat: 2, 5 and 9; then 1; then none; then 4, 6 and inf.
    np.testing.assert_array_equal(found.ratio, [5, 1, NAN, 6])
    np.testing.assert_array_equal(found.trials, [4, 1, 0, 3])
    np.testing.assert_array_equal(found.repeats, [3, 1, 0, 3])


def test_no_trials_have_an_empty_profile() -> None:
    found = profile(numbers(), numbers(), np.array([], np.int64), 2)
    np.testing.assert_array_equal(found.ratio, [NAN, NAN])
    assert found.trials.tolist() == found.repeats.tolist() == [0, 0]


def test_a_planted_valley_is_seen_in_the_profile() -> None:
    rng = np.random.default_rng(2)
    positions = rng.uniform(size=(5, 200))
    ratios = np.array([relative_losses(planted(4 * row - 4, 1.0)) for row in positions])
    found = profile(positions.ravel(), ratios.ravel(), np.repeat(np.arange(5), 200), 8)
    # Each bin is half a decade, and the valley's bottom lies between two of them.
    np.testing.assert_allclose(found.ratio[3:5], 1, atol=1e-2)
    assert (np.diff(found.ratio[:4]) < 0).all()
    assert (np.diff(found.ratio[4:]) > 0).all()
    assert found.ratio[2] == pytest.approx(1.1, abs=0.02)
    assert found.trials.sum() == 1000


studies = st.lists(
    st.tuples(
        st.one_of(st.floats(0, 1), st.just(NAN)), st.one_of(st.floats(1e-3, 1e3), st.just(INF)), st.integers(0, 3)
    ),
    min_size=1,
    max_size=20,
)


@given(studies, st.randoms(use_true_random=False), st.integers(-20, 20))
def test_the_order_of_trials_and_the_unit_of_losses_change_nothing(
    study: list[tuple[float, float, int]], random: Any, power: int
) -> None:
    positions, losses, repeats = (np.array(each) for each in zip(*study, strict=True))
    order = np.array(random.sample(range(len(study)), len(study)))
    shuffled = positions[order], losses[order] * 2.0**power, repeats[order]
    np.testing.assert_array_equal(region(positions, losses), region(*shuffled[:2]))
    np.testing.assert_array_equal(relative_losses(losses)[order], relative_losses(shuffled[1]))
    np.testing.assert_array_equal(relative_ranks(losses)[order], relative_ranks(shuffled[1]))
    here = profile(positions, relative_losses(losses), repeats, 5)
    there = profile(shuffled[0], relative_losses(shuffled[1]), shuffled[2], 5)
    for name in ("edges", "ratio", "trials", "repeats"):
        np.testing.assert_array_equal(getattr(here, name), getattr(there, name))


@pytest.mark.parametrize(
    ("losses", "rule"),
    [([], "not be empty"), ([[1.0]], r"\(n,\)"), ([1.0, NAN], "got nan"), ([1.0, -INF], "got -inf")],
)
def test_bad_losses_raise(losses: list[Any], rule: str) -> None:
    for call in (relative_losses, relative_ranks):
        with pytest.raises(ValueError, match=rf"^{call.__name__}\(losses=...\): .*{rule}"):
            call(np.array(losses))
    with pytest.raises(ValueError, match=rf"^region\(losses=...\): .*{rule}"):
        region(np.array(losses), np.array(losses))


def test_bad_shapes_and_settings_raise() -> None:
    with pytest.raises(ValueError, match=r"^region\(positions=...\): .* \(2,\), got \(1,\)"):
        span(np.ones(1), np.ones(2))
    with pytest.raises(ValueError, match=r"^region\(tolerance=-0.1\): must be at least 0"):
        span(np.ones(1), np.ones(1), -0.1)
    with pytest.raises(ValueError, match=r"^profile\(.*one shape \(n,\), got \(1,\), \(2,\) and \(1,\)"):
        profile(np.ones(1), np.ones(2), np.ones(1, np.int64), 3)
    with pytest.raises(ValueError, match=r"^profile\(bins=0\)"):
        profile(np.ones(1), np.ones(1), np.ones(1, np.int64), 0)


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


# Importance


def drawn(searched: Space, n: int, seed: int) -> list[dict[str, Any]]:
    """What `n` random trials choose, in natural units."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [searched.suggest(study.ask()) for _ in range(n)]


def one_arm(arm: str) -> Space:
    return search_space(spec(arms=(arm,)), Arm.parse(arm), updates_per_epoch=10)


def place(searched: Space, chosen: dict[str, Any], key: str) -> float:
    parameter = searched.by_key[key]
    assert isinstance(parameter, Parameter)
    return parameter.position(chosen[key])


@pytest.mark.parametrize(("strong", "weak"), [("learning_rate", "momentum"), ("momentum", "learning_rate")])
def test_the_planted_hyperparameter_is_the_important_one(strong: str, weak: str) -> None:
    searched = one_arm("momentum")
    trials = drawn(searched, 120, 0)
    losses = [
        (place(searched, t, f"momentum.{strong}") - 0.3) ** 2 + 0.01 * place(searched, t, f"momentum.{weak}")
        for t in trials
    ]
    shares = importances(searched, trials, relative_ranks(np.array(losses)))
    assert set(shares) == {"momentum.learning_rate", "momentum.momentum", "constant.warmup_steps"}
    assert math.fsum(shares.values()) == pytest.approx(1)
    assert shares[f"momentum.{strong}"] > 0.8


def test_one_studys_importances_are_optunas() -> None:
    searched = one_arm("adam+cosine")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))
    chosen = []
    for _ in range(60):
        trial = study.ask()
        chosen.append(searched.suggest(trial))
        study.tell(trial, (place(searched, chosen[-1], "adam.learning_rate") - 0.6) ** 2)
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    expected = optuna.importance.get_param_importances(study, evaluator=evaluator)
    losses = np.array([trial.value for trial in study.trials], np.float64)
    assert importances(searched, chosen, relative_ranks(losses)) == pytest.approx(expected)


def test_a_repeat_with_large_losses_weighs_no_more_than_another() -> None:
    searched = one_arm("momentum")
    halves = drawn(searched, 30, 4), drawn(searched, 30, 5)
    losses = [np.array([abs(place(searched, t, "momentum.learning_rate") - 0.5) for t in half]) for half in halves]
    pooled = [trial for half in halves for trial in half]
    shares = [
        importances(searched, pooled, np.concatenate([relative_ranks(losses[0]), relative_ranks(factor * losses[1])]))
        for factor in (1, 1000)
    ]
    assert shares[0] == shares[1]
    turned = importances(searched, pooled[::-1], np.concatenate([relative_ranks(row) for row in losses])[::-1])
    assert turned == pytest.approx(shares[0])


def test_a_joint_arms_choice_can_be_what_matters() -> None:
    searched = one_arm("momentum,adam+cosine,sgdr")
    trials = drawn(searched, 200, 6)
    losses = np.array([(t["optimizer"] == "adam") + 1e-3 * i / 200 for i, t in enumerate(trials)])
    shares = importances(searched, trials, relative_ranks(losses))
    assert set(shares) == {"optimizer", "schedule", *searched.by_key}
    assert math.fsum(shares.values()) == pytest.approx(1)
    assert shares["optimizer"] > 5 * shares["schedule"]


def test_a_hyperparameter_that_a_single_trial_has_is_no_trouble() -> None:
    searched = one_arm("momentum,adam")
    trials = drawn(searched, 200, 7)
    of = {name: [t for t in trials if t["optimizer"] == name] for name in ("momentum", "adam")}
    shares = importances(searched, [*of["momentum"][:19], of["adam"][0]], np.arange(20) / 20)
    assert shares["adam.learning_rate"] == 0
    assert math.fsum(shares.values()) == pytest.approx(1)


def test_too_few_trials_and_equal_losses_have_no_importance() -> None:
    searched = one_arm("momentum")
    trials = drawn(searched, 30, 8)
    few = FEWEST_TRIALS - 1
    assert importances(searched, trials[:few], np.arange(few) / few) == {}
    assert importances(searched, trials[: few + 1], np.arange(few + 1) / few) != {}
    assert importances(searched, trials, np.full(30, 0.5)) == {}
    assert importances(searched, [], numbers()) == {}


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
