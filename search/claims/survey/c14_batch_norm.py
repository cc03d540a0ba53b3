"""C14: a ladder of learning rates, half a power of ten apart, each with and without batch normalization: the largest at
which all replicates of a repeat end better than the baseline. And how many times as much a poor initialization costs a
tuned network without the normalization.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.limits import of_networks
from cooldown.search.claims.measures import HIGHER, evaluated, ratio_of_ratios
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part

RATES = (0.1, 0.3, 1.0, 3.0, 10.0)
RULE = "momentum=0.9"
WITHOUT = tuple(f"plain-{rate:g}=momentum[learning_rate={rate:g}, {RULE}]" for rate in RATES)
WITH = tuple(f"normalized-{rate:g}=momentum[batch_norm=true, learning_rate={rate:g}, {RULE}]" for rate in RATES)
STARTS = (
    "poor=momentum[initialization=poor]",
    "he=momentum[initialization=he]",
    "normalized-poor=momentum[batch_norm=true, initialization=poor]",
    "normalized-he=momentum[batch_norm=true, initialization=he]",
)


def largest(trains: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(repeats,) the log of the largest rate that trains; half a power of ten below the smallest, where none does.

    trains: (rates, repeats).
    """
    steps = np.log([RATES[0] / np.sqrt(10), *RATES])
    places = np.where(trains.any(axis=0), len(RATES) - trains[::-1].argmax(axis=0), 0)
    return np.asarray(steps[places])


def of_studies(views: Sequence[View]) -> list[Part]:
    """The largest rates, and what the initialization costs."""
    ladder, starts = views
    trains = [
        np.array([evaluated(ladder, arm, lambda curve: curve.capped) == 0 for arm in arms]) for arms in (WITH, WITHOUT)
    ]
    poor, he, normalized_poor, normalized_he = STARTS
    return [
        Part(
            "largest learning rate that trains with batch normalization over that without",
            largest(trains[0]) - largest(trains[1]),
            HIGHER,
        ),
        ratio_of_ratios(
            "increase of the test loss by a poor initialization, without batch normalization over with it",
            (starts, poor, he),
            (starts, normalized_poor, normalized_he),
            HIGHER,
        ),
    ]


c14_batch_norm = Claim(
    name="c14_batch_norm",
    id="C14",
    statement="Batch normalization allows larger rates and less careful initialization",
    source="Ioffe & Szegedy 2015",
    published="",
    studies=(Study((*WITHOUT, *WITH), {"trials": 1, "seeds": 1, "finalists": 1, "finalist_seeds": 1}), Study(STARTS)),
    of_studies=of_studies,
    limits=of_networks,
)
