"""C18: arms with simulated workers: gradients that are late beside none, and what is said to repair that beside the
late ones. All are tuned, so that no rate is chosen at which late gradients diverge: what is measured is the loss that
remains.
"""

from collections.abc import Sequence

from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.measures import HIGHER, LOWER, loss_ratio
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part

WORKERS, LATE = 8, 16
PUSHED = f"workers={WORKERS}, push_every={LATE}"
ARMS = (
    "adagrad",
    f"late=adagrad@downpour[{PUSHED}]",
    f"tolerant=delay_tolerant_adagrad@downpour[{PUSHED}]",
    f"elastic=adagrad@easgd[workers={WORKERS}, exchange_every={LATE}]",
)


def of_studies(views: Sequence[View]) -> list[Part]:
    """What staleness costs, and what the two remedies change."""
    (view,) = views
    return [
        loss_ratio(view, "late", "adagrad", HIGHER),
        loss_ratio(view, "tolerant", "late", LOWER),
        loss_ratio(view, "elastic", "late", LOWER),
    ]


c18_staleness = Claim(
    name="c18_staleness",
    id="C18",
    statement="Stale asynchronous updates can diverge; delay-tolerant updates and elastic averaging repair that",
    source="Zhang, Choromanska & LeCun 2015; McMahan & Streeter 2014",
    published="Downpour is stable when it exchanges after 1 or 4 updates, unstable after 16 or 64; elastic averaging "
    "is ahead at each of these",
    studies=(Study(ARMS),),
    of_studies=of_studies,
)
