"""How sure an answer is to be: what each level finds, and on which spread that rests."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from search_runs import TINY, run_in_threads, spec

from cooldown.search.experiments.service import dry_run, dry_runs
from cooldown.search.experiments.sureness import (
    LEVELS,
    OF_LEVEL,
    TYPICAL,
    Spread,
    smallest_share,
    spread_on,
    timed_effects,
)
from cooldown.search.spec.experiment import planned_spec
from cooldown.search.statistics.forecast import power, smallest_effect
from cooldown.search.tuning.dry_run import Estimate
from cooldown.storage import Ledger


@pytest.mark.parametrize("repeats", [2, 5, 40])
@pytest.mark.parametrize("deviation", [0.01, 0.2, 3.0])
def test_the_smallest_effect_is_found_with_the_power_that_is_said(repeats: int, deviation: float) -> None:
    effect = smallest_effect(deviation, repeats)
    assert power(effect, deviation, repeats, 0.0, question=False) == pytest.approx(0.8, abs=1e-3)
    # It is as many standard deviations for every spread, and more repeats find less.
    assert effect / deviation == pytest.approx(smallest_effect(1.0, repeats), rel=1e-3)
    assert smallest_effect(deviation, 2 * repeats) < effect


def test_the_smallest_effect_is_that_of_the_paired_t_test() -> None:
    # 20 pairs at 5 % and power 0.8: d = 0.66 (statsmodels' TTestPower.solve_power(nobs=20, alpha=0.05, power=0.8)).
    assert smallest_effect(1.0, 20) == pytest.approx(0.6604, abs=2e-3)


def estimate(repeats: int, most: int) -> Estimate:
    return Estimate("iris", 1, repeats, 1.0, most, 1.0, 0.1, 0.1, 1, ())


def test_more_repeats_and_a_smaller_spread_find_smaller_differences() -> None:
    five, forty = (smallest_share(each, Spread()) for each in (estimate(5, 5), estimate(5, 40)))
    assert 0 < forty < five < 1
    assert smallest_share(estimate(5, 5), Spread(TYPICAL / 2)) < five
    assert five == pytest.approx(1 - np.exp(-smallest_effect(TYPICAL, 5)))
    # Looks on the way cost something.
    assert forty > 1 - np.exp(-smallest_effect(TYPICAL, 40))


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_has_settings_of_a_comparison_and_of_a_search(level: str) -> None:
    for settings, arms in ((LEVELS[level].compared, ["momentum", "adam"]), (LEVELS[level].searched, ["momentum,adam"])):
        assert set(settings) <= set(OF_LEVEL)
        planned_spec(task="iris", arms=arms, **settings)


def test_the_spread_is_that_of_the_largest_finished_experiment_on_the_same_data(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cooldown.db"
    for repeats in (3, 4):
        run_in_threads(url, spec(repeats=repeats), name=f"with {repeats}")
    ledger = Ledger(url)
    summaries, winners = ledger.summaries(), ledger.winners()
    found = spread_on({"task": "iris"}, summaries, winners)
    assert found.seen == ("with 4", 4)
    losses = {arm: [w.test_loss for w in winners["with 4"] if w.arm == arm] for arm in TINY["arms"]}
    by_hand = np.std(np.log(losses["momentum+sgdr"]) - np.log(losses["adam"]), ddof=1)
    assert found.value == pytest.approx(by_hand)
    assert spread_on({"task": "iris", "drop": ["x"]}, summaries, winners) == Spread()
    assert spread_on({"task": "wine"}, summaries, winners) == Spread()
    two = [replace(summary, spec={**summary.spec, "repeats": 2}) for summary in summaries]
    assert spread_on({"task": "iris"}, two, {name: winners[name][:4] for name in winners}) == Spread()


def test_a_dry_run_is_weighed_with_what_is_known_before() -> None:
    effects = np.array([0.1, -0.1, 0.3, 0.1])
    own, typical = float(np.var(effects, ddof=1)), TYPICAL**2
    found = Spread().weighed(effects)
    assert found.value**2 == pytest.approx((4 * typical + 3 * own) / 7)
    assert (found.timed, found.seen) == (4, None)
    seen = Spread(0.05, ("before", 10)).weighed(effects)
    assert seen.value**2 == pytest.approx((9 * 0.05**2 + 3 * own) / 12)
    assert Spread().weighed(effects[:1]) == Spread().weighed(np.array([np.nan, 0.1])) == Spread()
    # A wider one finds less.
    plan = estimate(5, 5)
    assert smallest_share(plan, Spread().weighed(10 * effects)) > smallest_share(plan, Spread().weighed(effects))


def test_the_effects_of_a_dry_run_are_those_of_the_question() -> None:
    asked = spec(arms=("momentum+sgdr", "nag", "adam"))
    losses = {"momentum+sgdr": (0.2, 0.4), "nag": (0.1, 0.1), "adam": (0.1, 0.4)}
    timed = replace(estimate(5, 5), losses=losses)
    np.testing.assert_allclose(timed_effects(asked, timed), np.log([2.0, 1.0]))
    assert not timed_effects(asked, estimate(5, 5)).size


def test_one_calibration_prices_several_plans(tmp_path: Path) -> None:
    settings = {
        **{key: value for key, value in TINY.items() if key not in ("task", *OF_LEVEL)},
        "arms": ["adam", "nag"],
    }
    choices = [{"trials": 2, "repeats": 1}, {"trials": 4, "repeats": 3}, {"until_decided": True, "max_repeats": 10}]
    db = f"sqlite:///{tmp_path}/none.db"
    small, large, open_ended = dry_runs("iris", choices, db=db, **settings)
    assert small.calibration_seconds == large.calibration_seconds
    assert (small.repeats, large.repeats) == (1, 3)
    assert (open_ended.repeats, open_ended.most_repeats) == (5, 10)
    assert large.seconds > small.seconds
    assert {arm: len(of_arm) for arm, of_arm in large.losses.items()} == {"adam": 4, "nag": 4}
    assert small.losses == large.losses
    assert len({round(loss, 6) for loss in large.losses["adam"]}) > 1
    assert open_ended.most_seconds > open_ended.seconds
    alone = dry_run("iris", db=db, workers=1, **settings, **choices[1])
    assert alone.gradient_evaluations == large.gradient_evaluations
    assert not (tmp_path / "none.db").exists()
