"""Student's t, ranks and Spearman's test, each held to scipy.stats, which is too slow to import for a command."""

from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cooldown.search.statistics.ranks import falling_p_value, mean_ranks
from cooldown.search.statistics.student import t_probability, t_quantiles

degrees_of_freedom = st.one_of(st.integers(1, 1000), st.floats(0.5, 1000))


@given(st.floats(1e-6, 1 - 1e-6), degrees_of_freedom)
def test_quantiles_are_scipys(probability: float, degrees: float) -> None:
    assert float(t_quantiles(probability, degrees)) == pytest.approx(
        scipy.stats.t.ppf(probability, degrees), rel=1e-12, abs=1e-12
    )


def test_quantiles_of_several_degrees_are_those_of_each() -> None:
    degrees = np.arange(1, 200)
    np.testing.assert_allclose(t_quantiles(0.975, degrees), scipy.stats.t.ppf(0.975, degrees), rtol=1e-12)


@given(st.floats(-50, 50), degrees_of_freedom)
def test_probabilities_are_scipys(value: float, degrees: float) -> None:
    assert t_probability(value, degrees) == pytest.approx(scipy.stats.t.cdf(value, degrees), rel=1e-12, abs=1e-300)
    assert t_probability(-value, degrees) == pytest.approx(scipy.stats.t.sf(value, degrees), rel=1e-12, abs=1e-300)


pairs = hnp.arrays(np.float64, st.tuples(st.just(2), st.integers(3, 40)), elements=st.floats(-4, 4, width=16))


@given(hnp.arrays(np.float64, st.integers(1, 40), elements=st.sampled_from([-1.0, 0.0, -0.0, 0.5, 2.0, np.inf])))
def test_ranks_are_scipys(values: Any) -> None:
    np.testing.assert_array_equal(mean_ranks(values), scipy.stats.rankdata(values))


@given(pairs)
def test_spearmans_test_is_scipys(pair: Any) -> None:
    x, y = pair
    assume(np.ptp(x) > 0 and np.ptp(y) > 0)
    expected = scipy.stats.spearmanr(x, y, alternative="less").pvalue
    assert falling_p_value(x, y) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_spearmans_test_by_hand() -> None:
    x = np.arange(9.0)
    assert falling_p_value(x, -(x**3)) == 0
    assert falling_p_value(x, x**3) == 1
    assert falling_p_value(x, np.ones(9)) == falling_p_value(np.ones(9), x) == 1
