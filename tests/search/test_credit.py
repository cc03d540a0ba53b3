"""Credit: the factorial's effects are the textbook's, find what was planted and nothing else."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from cooldown.search.statistics.credit import factorial_effects, factorial_shares, gains, tuned_effects

MAIN = ("optimizer", "schedule", "tuning")
INTERACTIONS = (
    "optimizer × schedule",
    "optimizer × tuning",
    "schedule × tuning",
    "optimizer × schedule × tuning",
)
factorials = st.integers(2, 6).flatmap(
    lambda repeats: hnp.arrays(np.float64, (2, 2, 2, repeats), elements=st.floats(-1e3, 1e3))
)


def additive(optimizer: float, schedule: float, tuning: float, repeats: int) -> np.ndarray:
    """Losses without interactions or noise: 1 in the first cell, and each factor adds its own."""
    o, s, t = np.meshgrid([0.0, optimizer], [0.0, schedule], [0.0, tuning], indexing="ij")
    return np.repeat((1 + o + s + t)[..., None], repeats, axis=3)


def test_the_textbook_pilot_plant() -> None:
    # Box, Hunter & Hunter's pilot plant: yields in standard order, temperature fastest, then concentration, catalyst.
    yields = np.array([60.0, 72.0, 54.0, 68.0, 52.0, 83.0, 45.0, 80.0])
    temperature_concentration_catalyst = yields.reshape(2, 2, 2).transpose(2, 1, 0)
    effects = factorial_effects(np.repeat(temperature_concentration_catalyst[..., None], 2, axis=3))
    estimates = [effects[name].estimate for name in (*MAIN, *INTERACTIONS)]
    assert estimates == pytest.approx([23.0, -5.0, 1.5, 1.5, 10.0, 0.0, 0.5])
    assert effects["total"].estimate == 80 - 60


def test_every_effect_and_nothing_else_is_there() -> None:
    assert tuple(factorial_effects(additive(0, 0, 0, 2))) == (*MAIN, *INTERACTIONS, "total")


@given(factorials)
def test_main_effects_and_the_three_way_interaction_add_up_to_the_total(cells: np.ndarray) -> None:
    effects = factorial_effects(cells)
    summed = sum(effects[name].estimate for name in (*MAIN, "optimizer × schedule × tuning"))
    assert summed == pytest.approx(effects["total"].estimate, abs=1e-9)


def test_intervals_are_those_of_the_t_test() -> None:
    cells = np.random.default_rng(0).normal(size=(2, 2, 2, 5))
    effects = factorial_effects(cells)
    high, low = cells[:, 1].mean(axis=(0, 1)), cells[:, 0].mean(axis=(0, 1))
    paired = stats.ttest_rel(high, low).confidence_interval(0.95)
    assert (effects["schedule"].low, effects["schedule"].high) == pytest.approx((paired.low, paired.high))
    # Half of how much annealing's gain differs between the optimizers.
    gain = (cells[:, 1] - cells[:, 0]).mean(axis=1)
    single = stats.ttest_1samp((gain[1] - gain[0]) / 2, 0).confidence_interval(0.95)
    interaction = effects["optimizer × schedule"]
    assert (interaction.low, interaction.high) == pytest.approx((single.low, single.high))
    total = stats.ttest_rel(cells[1, 1, 1], cells[0, 0, 0]).confidence_interval(0.95)
    assert (effects["total"].low, effects["total"].high) == pytest.approx((total.low, total.high))
    assert all(effect.repeats == 5 and effect.degrees == 4 for effect in effects.values())


def test_an_additive_truth_is_recovered_without_interactions() -> None:
    effects = factorial_effects(additive(-0.3, -0.2, -0.1, 3))
    assert [effects[name].estimate for name in MAIN] == pytest.approx([-0.3, -0.2, -0.1])
    assert [effects[name].estimate for name in INTERACTIONS] == pytest.approx([0, 0, 0, 0], abs=1e-12)
    assert effects["total"].estimate == pytest.approx(-0.6)


def test_intervals_hold_an_additive_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    truth = dict(zip(MAIN, (-0.3, -0.2, -0.1), strict=True)) | dict.fromkeys(INTERACTIONS, 0.0) | {"total": -0.6}
    simulations = 300
    inside = 0
    for _ in range(simulations):
        shared = rng.normal(0, 2, size=5)
        effects = factorial_effects(additive(-0.3, -0.2, -0.1, 5) + shared + rng.normal(0, 0.1, size=(2, 2, 2, 5)))
        inside += sum(effects[name].low <= value <= effects[name].high for name, value in truth.items())
    # About 2400 draws, so a standard error of half a percent.
    assert 0.93 < inside / (simulations * len(truth)) < 0.97


def test_a_planted_interaction_is_found_and_only_that() -> None:
    cells = additive(-0.3, -0.2, -0.1, 5)
    # The other optimizer gains nothing from annealing.
    cells[1, 1] += 0.2
    effects = factorial_effects(cells + np.random.default_rng(2).normal(0, 0.005, size=cells.shape))
    assert effects["optimizer × schedule"].low > 0
    assert effects["optimizer × schedule"].estimate == pytest.approx(0.1, abs=0.01)
    for name in INTERACTIONS[1:]:
        assert effects[name].estimate == pytest.approx(0, abs=0.01)


@given(factorials)
def test_swapping_the_optimizers_flips_exactly_the_effects_with_the_optimizer(cells: np.ndarray) -> None:
    one, other = factorial_effects(cells), factorial_effects(cells[::-1])
    for name in (*MAIN, *INTERACTIONS):
        mine, its = one[name], other[name]
        expected = (-its.estimate, -its.high, -its.low) if "optimizer" in name else (its.estimate, its.low, its.high)
        assert (mine.estimate, mine.low, mine.high) == pytest.approx(expected, abs=1e-8)


@given(factorials, st.data())
def test_the_order_of_repeats_does_not_matter(cells: np.ndarray, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(cells.shape[3])))
    one, other = factorial_effects(cells), factorial_effects(cells[..., order])
    for name, effect in one.items():
        its = other[name]
        assert (effect.estimate, effect.low, effect.high) == pytest.approx((its.estimate, its.low, its.high), abs=1e-8)


def test_what_a_repeat_shares_cancels() -> None:
    cells = np.random.default_rng(3).normal(size=(2, 2, 2, 4))
    one, other = factorial_effects(cells), factorial_effects(cells + np.array([0.0, 10.0, -20.0, 5.0]))
    for name, effect in one.items():
        assert (effect.low, effect.high) == pytest.approx((other[name].low, other[name].high))


@pytest.mark.parametrize("shape", [(2, 2, 2), (2, 2, 3, 4), (3, 2, 2, 4), (2, 2, 2, 1), (2, 2, 2, 0), (2, 2, 2, 4, 1)])
def test_another_shape_or_too_few_repeats_raises(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 2, 2, repeats\) with at least 2 repeats"):
        factorial_effects(np.ones(shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_missing_loss_raises(bad: float) -> None:
    cells = np.ones((2, 2, 2, 3))
    cells[1, 0, 1, 2] = bad
    with pytest.raises(ValueError, match="must be finite, got 1 NaN or infinite of 24"):
        factorial_effects(cells)
    with pytest.raises(ValueError, match=r"gains\(before="):
        gains(cells[1, 0, 1], cells[0, 0, 0])
    with pytest.raises(ValueError, match=r"gains\(after="):
        gains(cells[0, 0, 0], cells[1, 0, 1])


def test_gains_are_after_less_before_with_the_paired_t_interval() -> None:
    before, after = np.array([1.0, 2.0, 4.0, 3.0]), np.array([0.5, 1.0, 3.5, 2.9])
    gain = gains(before, after)
    expected = stats.ttest_rel(after, before).confidence_interval(0.95)
    assert gain.estimate == pytest.approx(-0.525)
    assert (gain.low, gain.high) == pytest.approx((expected.low, expected.high))
    assert gain.repeats == 4


@pytest.mark.parametrize(("before", "after"), [((3,), (4,)), ((1,), (1,)), ((0,), (0,)), ((2, 2), (2, 2))])
def test_gains_need_two_paired_repeats(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"one shape \(repeats,\) with at least 2 repeats"):
        gains(np.ones(before), np.ones(after))


@given(factorials)
def test_shares_are_the_means_over_all_orders_of_change(cells: np.ndarray) -> None:
    """Brute force over the six orders; and they add up to the total."""
    shares = factorial_shares(cells)
    for axis, name in enumerate(MAIN):
        steps = []
        for order in permutations(range(3)):
            before = tuple(int(order.index(other) < order.index(axis)) for other in range(3))
            after = tuple(1 if other == axis else level for other, level in enumerate(before))
            steps.append(cells[after] - cells[before])
        assert shares[name].estimate == pytest.approx(np.mean(steps), abs=1e-9)
        assert shares[name].repeats == cells.shape[3]
    total = (cells[1, 1, 1] - cells[0, 0, 0]).mean()
    assert sum(share.estimate for share in shares.values()) == pytest.approx(total, abs=1e-9)


def test_a_share_has_the_interval_of_its_repeats() -> None:
    cells = np.random.default_rng(1).normal(size=(2, 2, 2, 5))
    effects, shares = factorial_effects(cells), factorial_shares(cells)
    three_way = "optimizer × schedule × tuning"
    for name in MAIN:
        assert shares[name].estimate == pytest.approx(effects[name].estimate + effects[three_way].estimate / 3)
    step = cells[:, :, 1] - cells[:, :, 0]
    per_repeat = (2 * step[0, 0] + step[0, 1] + step[1, 0] + 2 * step[1, 1]) / 6
    paired = stats.ttest_1samp(per_repeat, 0).confidence_interval(0.95)
    assert (shares["tuning"].low, shares["tuning"].high) == pytest.approx((paired.low, paired.high))


@pytest.mark.parametrize("shape", [(2, 2, 2), (2, 2, 3, 5), (2, 2, 2, 1)])
def test_shares_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"factorial_shares\(cells=.*2 repeats"):
        factorial_shares(np.zeros(shape))


def test_effects_among_the_tuned_are_the_simple_differences() -> None:
    cells = np.random.default_rng(2).normal(size=(2, 2, 2, 5))
    found = tuned_effects(cells)
    tuned = cells[:, :, 1]
    for name, after, before in (("optimizer", tuned[1], tuned[0]), ("schedule", tuned[:, 1], tuned[:, 0])):
        paired = stats.ttest_rel(after.mean(axis=0), before.mean(axis=0)).confidence_interval(0.95)
        assert (found[name].low, found[name].high) == pytest.approx((paired.low, paired.high))
    untuned = cells.copy()
    untuned[:, :, 0] += 7
    assert tuned_effects(untuned) == found, "what is not tuned plays no part"
