"""C5: step annealing beside batches that grow where it would cut the rate, both tuned."""

from collections.abc import Sequence

from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.limits import of_large
from cooldown.search.claims.measures import ALIKE, LOWER, evaluated_ratio, loss_ratio
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part

ARMS = ("momentum+batch_growth", "momentum+step")


def of_studies(views: Sequence[View]) -> list[Part]:
    """The test loss and the number of updates, growing batches over falling rates."""
    (view,) = views
    return [
        loss_ratio(view, *ARMS, ALIKE),
        evaluated_ratio(view, *ARMS, "updates", lambda curve: float(curve.updates), LOWER),
    ]


c05_batch_growth = Claim(
    name="c05_batch_growth",
    id="C5",
    statement="Growing the batch matches decaying the rate, with fewer updates",
    source="Smith, Kindermans & Le 2017",
    published="under 6,000 updates in place of 14,000 at equal accuracy (ImageNet): a ratio of 0.43",
    studies=(Study(ARMS),),
    of_studies=of_studies,
    limits=of_large,
)
