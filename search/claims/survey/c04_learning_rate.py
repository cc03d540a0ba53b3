"""C4: arms that differ in a fixed learning rate, half a power of ten apart, and are tuned otherwise. The best
rate is chosen by the validation losses of all repeats; what its neighbours lose is measured on the test rows.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.measures import log_losses, selection_losses
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Limits, Part
from cooldown.search.statistics.verdict import MARGIN

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
ARMS = tuple(f"adam[learning_rate={rate:g}]" for rate in RATES)


def lost(losses: NDArray[np.float64], best: int, steps: int) -> NDArray[np.float64]:
    """(repeats,) how much higher the log loss is `steps` arms away from the arm `best`: the mean of both sides, or that
    of the one side that there is.

    losses: (arms, repeats) log losses, arms by their rate.
    """
    sides = [side for side in (best - steps, best + steps) if 0 <= side < len(losses)]
    return np.asarray(losses[sides].mean(axis=0) - losses[best])


def of_studies(views: Sequence[View]) -> list[Part]:
    """What Adam loses by a rate that is off by a factor of about 3, and of 10."""
    (view,) = views
    losses = np.array([log_losses(view, arm) for arm in ARMS])
    best = int(np.log(selection_losses(view, ARMS)).mean(axis=1).argmin())
    return [
        Part(
            f"test loss of adam with a learning rate a factor {factor} off the best over that with the best",
            lost(losses, best, steps),
            Limits(above=1 + MARGIN),
        )
        for factor, steps in ((3, 1), (10, 2))
    ]


c04_learning_rate = Claim(
    name="c04_learning_rate",
    id="C4",
    statement="Even adaptive methods lose a lot between a good and the best learning rate",
    source="Ruder 2017",
    published="",
    studies=(Study(ARMS, times={"trials": 0.5}),),
    of_studies=of_studies,
)
