"""C10: alike means that tuned test losses differ by less than the margin."""

from collections.abc import Sequence

import numpy as np

from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.measures import ALIKE, HIGHER, log_losses, loss_ratio, withheld
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part

ARMS = ("rmsprop", "adadelta", "adam")


def of_studies(views: Sequence[View]) -> list[Part]:
    """The test losses of RMSprop and of Adadelta over that of Adam."""
    (view,) = views
    rmsprop, adadelta, adam = (log_losses(view, arm) for arm in ARMS)
    return [
        loss_ratio(view, "rmsprop", "adam", ALIKE),
        loss_ratio(view, "adadelta", "adam", ALIKE),
        Part(
            "mean test loss of rmsprop and adadelta over that of adam",
            np.mean([rmsprop, adadelta], axis=0) - adam,
            HIGHER,
            withheld=withheld(view, *ARMS),
        ),
    ]


c10_alike = Claim(
    name="c10_alike",
    id="C10",
    statement="RMSprop, Adadelta and Adam perform alike; bias correction puts Adam slightly ahead",
    source="Kingma & Ba 2015; Ruder 2016",
    published="",
    studies=(Study(ARMS),),
    of_studies=of_studies,
)
