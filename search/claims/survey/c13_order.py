"""C13: one tuned rule with four orders of the rows."""

from collections.abc import Sequence

from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.limits import of_arrays
from cooldown.search.claims.measures import LOWER, loss_ratio
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part

ARMS = (
    "shuffled=momentum+cosine",
    "unshuffled=momentum+cosine[shuffle=false]",
    "mixed=momentum+cosine[curriculum=mixed]",
    "strict=momentum+cosine[curriculum=easy_to_hard]",
)


def of_studies(views: Sequence[View]) -> list[Part]:
    """Shuffled rows beside rows in their order, and a mixed curriculum beside a strict one."""
    (view,) = views
    return [loss_ratio(view, "shuffled", "unshuffled", LOWER), loss_ratio(view, "mixed", "strict", LOWER)]


c13_order = Claim(
    name="c13_order",
    id="C13",
    statement="Shuffling helps; a mixed curriculum beats a strict easy-to-hard one",
    source="Zaremba & Sutskever 2014; Ruder 2016",
    published="",
    studies=(Study(ARMS),),
    of_studies=of_studies,
    limits=of_arrays,
)
