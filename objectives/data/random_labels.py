"""Labels that say nothing: a share of a classification's labels, drawn anew, after Zhang et al. 2017.

A network that fits them has learned its training rows by heart; on others it can only guess.
"""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.hyperparameters import Hyperparameter
from cooldown.objectives.random_streams import generator

RANDOM_LABELS = Hyperparameter(
    "random_labels", 0.0, 0.0, 1.0, searched=False, maximum=1, meaning="share of the labels that are drawn at random"
)


def with_random_labels(y: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """The classes (n,) in which round(share · n) rows, drawn from a stream of their own, have a class drawn uniformly
    from those in `y`, which may be the one they had. A larger share keeps the draws of a smaller one.
    """
    rng = generator(0, "random labels")
    order, drawn = rng.permutation(len(y)), rng.choice(np.unique(y), len(y))
    chosen, mixed = order[: round(share * len(y))], y.copy()
    mixed[chosen] = drawn[chosen]
    return mixed
