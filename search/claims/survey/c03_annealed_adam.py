"""C3: Adam tuned with cosine annealing, beside Adam tuned at a constant rate."""

from collections.abc import Sequence

from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.measures import LOWER, loss_ratio
from cooldown.search.claims.shared import ANNEALING
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part


def of_studies(views: Sequence[View]) -> list[Part]:
    """The test loss of annealed Adam over that of Adam."""
    (view,) = views
    return [loss_ratio(view, "adam+cosine", "adam", LOWER)]


c03_annealed_adam = Claim(
    name="c03_annealed_adam",
    id="C3",
    statement="Adding annealing to Adam helps, though Adam adapts its own step sizes",
    source="Denkowski & Neubig 2017; Ruder 2017",
    published="",
    studies=(Study(ANNEALING),),
    of_studies=of_studies,
)
