"""The t interval of a mean: a hand-computed case, and scipy's own."""

from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cooldown.search.statistics.intervals import mean_interval
from cooldown.search.statistics.verdict import probability_negative

differences = hnp.arrays(np.float64, st.integers(2, 12), elements=st.floats(-100, 100, width=32))


def test_a_hand_computed_interval() -> None:
    # Mean 2, standard deviation 1, n 3: error 1/√3, and t(0.975, 2) is 4.302653.
    interval = mean_interval(np.array([1.0, 2.0, 3.0]))
    assert interval.estimate == 2
    assert interval.standard_error == pytest.approx(3**-0.5)
    assert interval.high - 2 == pytest.approx(4.302652729911275 * 3**-0.5)
    assert interval.low + interval.high == pytest.approx(4)


@given(differences)
def test_the_interval_is_scipys(values: Any) -> None:
    assume(np.ptp(values) > 1e-3)
    ours, test = mean_interval(values), scipy.stats.ttest_rel(values, np.zeros_like(values))
    theirs = test.confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9, abs=1e-9)
    one_sided = scipy.stats.ttest_rel(values, np.zeros_like(values), alternative="greater").pvalue
    assert probability_negative(ours) == pytest.approx(one_sided, abs=1e-9)


def test_one_repeat_has_no_interval() -> None:
    with pytest.raises(ValueError, match="needs at least 2 repeats, got 1"):
        mean_interval(np.array([1.0]))
