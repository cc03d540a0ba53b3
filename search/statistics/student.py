"""Student's t distribution, whose quantiles and probabilities are behind every interval and every verdict.

`scipy.stats.t` has the same numbers, from these two functions, but importing it takes longer than reading a ledger.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def t_quantiles(probability: float, degrees: Any) -> NDArray[np.float64]:
    """The values below which t falls with `probability`, of (0, 1); degrees: of freedom, a number or an array of them,
    whose shape the result has.
    """
    from scipy.special import stdtrit

    return np.asarray(stdtrit(degrees, probability), np.float64)


def t_probability(value: float, degrees: float) -> float:
    """The probability that t is at most `value`."""
    from scipy.special import stdtr

    return float(stdtr(degrees, value))
