"""Limits of pruning: by hand, against Optuna's pruners, and what they may depend on."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pruning_studies import EPOCHS, curve, drawn, in_generations, losses_of, study, trial
from scipy.stats import chisquare

from cooldown.objectives import Outcome, TrainConfig
from cooldown.search.statistics.pruning import BRACKET_WEIGHTS, halving_limits, median_limits, pruned_after, rungs
from cooldown.search.tuning.pruning import Pruner, bracket, limits, replay
from cooldown.storage import StudyRecord

INF, NAN = math.inf, math.nan


# The rules by hand

FIVE = np.array(
    [
        [9.0, 8.0, 7.0, 6.0, 5.0, 4.0],
        [9.0, 8.0, 1.0, 5.0, 9.0, 1.0],
        [9.0, 8.0, 2.0, 9.0, 2.0, 2.0],
        [9.0, 8.0, 9.0, 4.0, 3.0, 3.0],
        [9.0, 8.0, 3.0, 8.0, 4.0, 9.0],
    ]
)
PRUNED = np.array([[1.0, 1.0, 1.0, NAN, NAN, NAN]])


def test_the_median_is_that_of_the_completed_trials_after_a_third_of_the_epochs() -> None:
    assert median_limits(FIVE).tolist() == [INF, INF, 3.0, 6.0, 4.0, 3.0]
    assert median_limits(np.vstack([FIVE, PRUNED])).tolist() == median_limits(FIVE).tolist()
    six = np.vstack([FIVE, np.full((1, 6), 3.5)])
    assert median_limits(six).tolist() == [INF, INF, 3.25, 5.5, 3.75, 3.25]


def test_there_is_no_median_of_fewer_than_five() -> None:
    for few in (FIVE[:0], FIVE[:4], np.vstack([FIVE[:4], PRUNED, PRUNED])):
        assert median_limits(few).tolist() == [INF] * 6


@pytest.mark.parametrize(
    ("epochs", "places"),
    [
        (1, [(), (), ()]),
        (2, [(1,), (1,), ()]),
        (3, [(1,), (1,), ()]),
        (4, [(1, 2), (2,), ()]),
        (9, [(1, 3), (3,), ()]),
        (30, [(4, 10), (10,), ()]),
        (81, [(9, 27), (27,), ()]),
    ],
)
def test_rungs_are_at_equal_shares_of_the_schedule(epochs: int, places: list[tuple[int, ...]]) -> None:
    assert [rungs(epochs, bracket) for bracket in range(3)] == places


@pytest.mark.parametrize(
    ("values", "limit"),
    [
        ([], INF),
        ([4.0], 4.0),
        ([4.0, 3.0], 3.0),
        ([4.0, 3.0, 5.0, 6.0], 3.0),
        # With the sixth itself, two of six go on: it must beat all but one of the five.
        ([4.0, 3.0, 5.0, 6.0, 7.0], 4.0),
        ([4.0, 3.0, 5.0, 6.0, 7.0, 1.0, 2.0, 8.0], 3.0),
    ],
)
def test_one_in_three_goes_on(values: list[float], limit: float) -> None:
    losses = np.repeat(values, EPOCHS).reshape(-1, EPOCHS)
    expected = np.full(EPOCHS, INF)
    expected[2] = limit
    assert halving_limits(losses, 1).tolist() == expected.tolist()
    expected[0] = limit
    assert halving_limits(losses, 0).tolist() == expected.tolist()
    assert halving_limits(losses, 2).tolist() == [INF] * EPOCHS


def test_a_rung_takes_the_best_so_far_of_those_who_reached_it() -> None:
    losses = np.array([[1.0, NAN, NAN, NAN], [2.0, 8.0, 0.0, 0.0], [3.0, 9.0, 0.0, 0.0]])
    assert halving_limits(losses, 0).tolist() == [1.0, 2.0, INF, INF]


def test_a_trial_ends_where_its_best_is_first_above_the_limit() -> None:
    losses, above = np.array([3.0, 1.0, 5.0, 5.0]), np.array([INF, 1.0, 0.5, 0.5])
    assert pruned_after(losses, above, 4) == 3
    assert pruned_after(losses, np.array([2.0, 1.0, 0.5, 0.5]), 4) == 1
    assert pruned_after(losses, np.array([INF, 1.0, 1.0, 0.5]), 4) is None
    # Its replicates were over after three epochs: nothing is left to stop.
    assert pruned_after(losses, above, 3) is None


# Against Optuna


@pytest.fixture
def _quiet() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [1, 4])
def test_the_median_rule_is_optunas(seed: int, size: int) -> None:
    record = drawn(seed, 40, size)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=3)
    reference = optuna.create_study(pruner=pruner, sampler=optuna.samplers.RandomSampler(seed=0))
    expected: dict[int, int] = {}
    for generation in in_generations(record.trials, size):
        # Nobody is told of before all of the generation are trained.
        asked = [(reference.ask(), each) for each in generation]
        for theirs, ours in asked:
            for step, loss in enumerate(losses_of(ours)[:-1]):
                theirs.report(loss, step)
                if theirs.should_prune():
                    expected[ours.number] = step + 1
                    break
            else:
                theirs.report(losses_of(ours)[-1], EPOCHS - 1)
        for theirs, ours in asked:
            if ours.number in expected:
                reference.tell(theirs, state=optuna.trial.TrialState.PRUNED)
            else:
                reference.tell(theirs, losses_of(ours)[-1])
    assert replay("median", record, 0).pruned == expected
    assert 0 < len(expected) < 35


@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("seed", range(5))
def test_the_rungs_are_optunas(seed: int) -> None:
    """Told the best so far, one trial after another, one Optuna study per bracket."""
    record = drawn(seed, 60)
    expected: dict[int, int] = {}
    for number in range(3):
        pruner = optuna.pruners.SuccessiveHalvingPruner(
            min_resource=EPOCHS // 9, reduction_factor=3, min_early_stopping_rate=number
        )
        reference = optuna.create_study(pruner=pruner, sampler=optuna.samplers.RandomSampler(seed=0))
        for ours in record.trials:
            if bracket(record, ours.number, 7) != number:
                continue
            theirs = reference.ask()
            for epoch, best in enumerate(np.minimum.accumulate(losses_of(ours))[:-1], 1):
                theirs.report(best, epoch)
                if theirs.should_prune():
                    expected[ours.number] = epoch
                    break
            state = optuna.trial.TrialState.PRUNED if ours.number in expected else None
            reference.tell(theirs, None if state else losses_of(ours)[-1], state=state)
    assert replay("hyperband", record, 7).pruned == expected
    assert set(expected.values()) == {1, 3}
    assert len(expected) < 60


# What limits depend on

pruners = pytest.mark.parametrize("pruner", ["median", "hyperband"])
FOUR = [TrainConfig.from_json({"epochs": EPOCHS, "schedule": name}) for name in ("constant", "sgdr") * 2]


def limits_of(pruner: Pruner, record: StudyRecord, numbers: Sequence[int] = (40, 41, 42, 43)) -> NDArray[np.float64]:
    found = limits(pruner, record, numbers, FOUR[: len(numbers)], EPOCHS, 3)
    assert found is not None
    return found


def test_without_a_pruner_there_are_no_limits() -> None:
    assert limits("none", drawn(0, 40), [40], FOUR[:1], EPOCHS, 3) is None


@pruners
def test_the_first_generation_is_never_pruned(pruner: Pruner) -> None:
    assert limits_of(pruner, study([])).tolist() == [[INF] * EPOCHS] * 4
    for seed in range(20):
        record = drawn(seed, 40, 8)
        pruned = replay(pruner, record, seed).pruned
        assert pruned
        assert min(pruned) >= 8


@pruners
@given(st.integers(0, 20), st.randoms())
def test_the_order_of_earlier_trials_does_not_matter(pruner: Pruner, seed: int, rng: random.Random) -> None:
    record = drawn(seed, 40, 4, ["constant", "sgdr"])
    shuffled = list(record.trials)
    rng.shuffle(shuffled)
    found = limits_of(pruner, record)
    assert np.isfinite(found).any()
    assert np.array_equal(found, limits_of(pruner, replace(record, trials=tuple(shuffled))))


@pruners
def test_only_trials_with_the_same_schedule_are_compared(pruner: Pruner) -> None:
    record = drawn(5, 40, 4, ["constant", "sgdr"])
    found = limits_of(pruner, record)
    for schedule, rows in (("constant", [0, 2]), ("sgdr", [1, 3])):
        alone = [each for each in record.trials if each.config.schedule.name == schedule]
        assert np.array_equal(limits_of(pruner, study(alone))[rows], found[rows])
        others = limits_of(pruner, study([each for each in record.trials if each not in alone]))
        assert others[rows].tolist() == [[INF] * EPOCHS] * 2


@pruners
def test_a_pruned_trial_counts_as_far_as_it_got(pruner: Pruner) -> None:
    """As a replay has it, which sees of a pruned trial what a pruned run would have trained."""
    record = drawn(2, 40, 4)
    pruned = replay(pruner, record, 3).pruned
    cut = [
        trial(each.number, [curve(losses_of(each)[: pruned[each.number]], Outcome.PRUNED)], each.generation)
        if each.number in pruned
        else each
        for each in record.trials
    ]
    assert not np.array_equal(limits_of(pruner, study(cut)), limits_of(pruner, record))
    for generation in in_generations(record.trials, 4):
        numbers = [each.number for each in generation]
        configs = [each.config for each in generation]
        own = limits(pruner, study(cut[: numbers[0]]), numbers, configs, EPOCHS, 3)
        assert own is not None
        for each, above in zip(generation, own, strict=True):
            assert pruned_after(losses_of(each), above, EPOCHS) == pruned.get(each.number)


def test_seeds_of_a_trial_are_averaged_and_capped() -> None:
    curves = [
        curve(np.full(EPOCHS, 50.0), cap=6.0),
        curve([1.0, 1.0], Outcome.DIVERGED, cap=6.0),
        curve([3.0] * 4, Outcome.STOPPED, cap=6.0),
    ]
    record = study([trial(i, curves, 0) for i in range(5)])
    assert limits_of("median", record)[0].tolist() == [INF] * 3 + [5.0] * 6


def test_brackets_come_nine_to_five_to_three_and_from_a_stream_of_their_own() -> None:
    record = study([])
    brackets = [bracket(record, number, 0) for number in range(1700)]
    assert chisquare(np.bincount(brackets), np.array(BRACKET_WEIGHTS) * 100).pvalue > 0.01
    for other in (study([], "adam"), replace(record, repeat=1)):
        assert [bracket(other, number, 0) for number in range(100)] != brackets[:100]
    assert [bracket(record, number, 1) for number in range(100)] != brackets[:100]
    # Numbers of a published experiment can be had again only as long as these stay what they are.
    assert brackets[:12] == [0, 2, 1, 1, 0, 0, 2, 0, 0, 0, 1, 0]
