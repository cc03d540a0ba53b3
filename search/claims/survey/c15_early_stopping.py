"""C15: Adam over four times the usual epochs, and the same that stops early; both tuned, on equal rows."""

from collections.abc import Sequence

from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.measures import LOWER, NO_WORSE, evaluated_ratio, loss_ratio
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part

ARMS = ("stop=adam[early_stopping=5]", "adam")


def of_studies(views: Sequence[View]) -> list[Part]:
    """The test loss and the work of runs that stop early, over those of whole ones."""
    (view,) = views
    return [
        loss_ratio(view, *ARMS, NO_WORSE),
        evaluated_ratio(view, *ARMS, "gradient evaluations", lambda curve: float(curve.gradient_evaluations), LOWER),
    ]


c15_early_stopping = Claim(
    name="c15_early_stopping",
    id="C15",
    statement="Early stopping saves work at no loss in quality",
    source="Prechelt 1998; Ruder 2016",
    published="",
    studies=(Study(ARMS, times={"epochs": 4}),),
    of_studies=of_studies,
)
