"""Widths and profiles: by hand, and of planted losses."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

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
