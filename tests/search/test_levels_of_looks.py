"""The levels of looks: published boundaries, scipy's multivariate normal, simulation, and what any plan keeps to."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cooldown.search.statistics.looks import levels, levels_of_shares, most_false_winners

FOUR = (5, 10, 20, 40)
MANY = 10_000
"""Repeats at which t is normal to four digits, so that published boundaries apply."""
rising = st.lists(st.integers(2, 200), min_size=1, max_size=3, unique=True).map(sorted)


def boundaries(found: Sequence[float]) -> list[float]:
    return [float(-scipy.stats.norm.ppf(level / 2)) for level in found]


def crossed(looks: Sequence[int], found: Sequence[float], experiments: int = 200_000) -> list[float]:
    """By simulation, the probability that equals were told apart at any look so far."""
    rng, ever, before = np.random.default_rng(7), np.zeros(experiments, bool), 0
    sums, squares, shares = np.zeros(experiments), np.zeros(experiments), []
    for n, level in zip(looks, found, strict=True):
        x = rng.normal(size=(experiments, n - before))
        sums, squares, before = sums + x.sum(axis=1), squares + (x**2).sum(axis=1), n
        error = np.sqrt((squares - sums**2 / n) / (n * (n - 1)))
        ever |= np.abs(sums / n) > scipy.stats.t.isf(level / 2, n - 1) * error
        shares.append(float(ever.mean()))
    return shares


def test_five_looks_with_obrien_and_flemings_spending() -> None:
    # Lan & DeMets' function for each side, five equal steps: the boundaries that textbooks print.
    looks = [MANY * k for k in range(1, 6)]
    spent = 4 * scipy.stats.norm.sf(scipy.stats.norm.isf(0.0125) / np.sqrt(np.arange(1, 6) / 5))
    found = boundaries(levels_of_shares(looks, list(np.diff(spent, prepend=0.0))))
    assert found == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-3)


def test_five_looks_with_pococks_spending() -> None:
    looks = [MANY * k for k in range(1, 6)]
    spent = 0.05 * np.log(1 + (np.e - 1) * np.arange(1, 6) / 5)
    found = boundaries(levels_of_shares(looks, list(np.diff(spent, prepend=0.0))))
    assert found == pytest.approx([2.4380, 2.4268, 2.4101, 2.3966, 2.3859], abs=2e-3)


@pytest.mark.parametrize(("count", "level"), [(2, 0.0294), (3, 0.0221), (4, 0.0182), (5, 0.0158)])
def test_pococks_constants(count: int, level: float) -> None:
    """Equal levels at equal steps, 5 % in all (Pocock 1977): each share is found by bisection for that level."""
    looks, shares = [MANY * k for k in range(1, count + 1)], [level]
    for k in range(2, count + 1):
        low, high = 0.0, level
        for _ in range(14):
            share = (low + high) / 2
            low, high = (low, share) if levels_of_shares(looks[:k], [*shares, share])[-1] > level else (share, high)
        shares.append((low + high) / 2)
    # The published levels have four digits.
    assert sum(shares) == pytest.approx(0.05, abs=2e-4)


@pytest.mark.parametrize("looks", [(MANY, 3 * MANY), (MANY, 2 * MANY, 3 * MANY), (MANY, 2 * MANY, 4 * MANY, 8 * MANY)])
def test_against_scipys_multivariate_normal(looks: Sequence[int]) -> None:
    limits = np.array(boundaries(levels(looks, looks[-1])))
    correlations = np.sqrt(np.minimum.outer(looks, looks) / np.maximum.outer(looks, looks))
    normal = scipy.stats.multivariate_normal(cov=correlations, seed=0, abseps=1e-6, releps=1e-6)
    within = normal.cdf(limits, lower_limit=-limits)
    assert 1 - within == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize("looks", [FOUR, (2, 4, 8, 16), (2, 3, 4, 5), (3, 40), (6, 7, 8, 9, 10), (30, 31, 60)])
def test_simulated_experiments_spend_what_they_may(looks: Sequence[int]) -> None:
    """However few the repeats: the statistics are t, and the levels are made for that."""
    allowed = 0.05 * np.sqrt(np.array(looks) / looks[-1])
    # Four standard errors of a share of 5 %, and what is rounded in between.
    assert crossed(looks, levels(looks, looks[-1])) == pytest.approx(allowed, abs=0.0021)


def test_the_four_looks_have_these_levels() -> None:
    # √(5/40) of 5 % is exact; the others as found with 128 values × 64 nodes by another program.
    found = levels(FOUR, 40)
    assert found[0] == pytest.approx(0.05 * np.sqrt(1 / 8))
    assert found[1:] == pytest.approx([0.00947, 0.01295, 0.01910], abs=2e-5)


@pytest.mark.parametrize("end", [2, 5, 40, 10**6])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.32])
def test_one_look_at_the_end_is_a_plain_interval(end: int, alpha: float) -> None:
    assert levels([end], end, alpha) == (alpha,)
    assert levels([end + 1], end, alpha) == (alpha,)


@settings(max_examples=30)
@given(rising, st.integers(2, 300), st.data())
def test_a_later_look_changes_no_earlier_level(looks: list[int], end: int, data: Any) -> None:
    first = data.draw(st.integers(1, len(looks)))
    assert levels(looks, end)[:first] == levels(looks[:first], end)


@settings(max_examples=30)
@given(rising, st.integers(2, 300), st.sampled_from([0.01, 0.05, 0.2]))
def test_levels_are_at_most_alpha_and_at_least_what_is_spent(looks: list[int], end: int, alpha: float) -> None:
    found = levels(looks, end, alpha)
    assert all(0 < level <= alpha for level in found)
    spent = [alpha * min(n / end, 1) ** 0.5 for n in looks if n < end]
    assert all(level >= share * (1 - 1e-9) for level, share in zip(found, np.diff(spent, prepend=0.0), strict=False))


@settings(max_examples=30)
@given(rising, st.integers(2, 300))
def test_a_greater_alpha_gives_no_stricter_level(looks: list[int], end: int) -> None:
    strict, loose = levels(looks, end, 0.01), levels(looks, end, 0.05)
    assert all(a < b for a, b in zip(strict, loose, strict=True))


def test_looks_beyond_the_plan_get_half_as_much_each_time() -> None:
    looks = (5, 10, 12, 20, 40)
    assert most_false_winners((5, 10), 10) == most_false_winners((5,), 10) == 0.05
    # A plan of 10 that was overshot keeps its 5 %.
    assert most_false_winners((5, 12), 10) == pytest.approx(0.05)
    assert [most_false_winners(looks[:k], 10) for k in (3, 4, 5)] == pytest.approx([0.075, 0.0875, 0.09375])
    assert crossed(looks, levels(looks, 10))[-1] == pytest.approx(0.09375, abs=0.003)
    assert most_false_winners(range(2, 200), 2) <= 0.1


def test_a_look_beyond_the_plan_at_almost_the_same_repeats_is_no_looser_than_alpha() -> None:
    assert levels([400, 402], 400)[1] <= 0.05


def test_numbers_of_any_size() -> None:
    n = 10**6
    found = levels([n, n + 1, n + 2000, 2 * n, 2 * n + 1], 2 * n)
    assert all(0 < level <= 0.05 for level in found)
    # A step of one in a million: the level is the share itself.
    assert found[1] == pytest.approx(0.05 * (np.sqrt((n + 1) / (2 * n)) - np.sqrt(0.5)))
    assert len(levels(range(2, 42), 41)) == 40
    assert all(level > 0 for level in levels(range(2, 62), 2))
    assert levels([2], 2) == (0.05,)
    assert levels(np.array([5, 10]), 10) == levels([5, 10], 10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 5), "looks must rise, from at least 2 repeats on, got \\[\\]"),
        (([1, 5], 5), "from at least 2 repeats on, got \\[1, 5\\]"),
        (([5, 5], 5), "looks must rise"),
        (([10, 5], 10), "looks must rise"),
        (([2.5], 5), "must be whole"),
        (([5], 1), "a plan must end at 2 repeats or more, got 1"),
        (([5], 5, 0.0), "alpha must be between 0 and 1, got 0.0"),
        (([5], 5, float("nan")), "alpha must be between 0 and 1, got nan"),
    ],
)
@pytest.mark.parametrize("call", [levels, most_false_winners])
def test_what_is_no_plan(call: Any, arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(*arguments)
