"""C2: competitive means that the test loss is not higher by the margin or more; faster, that fewer gradient evaluations
lead to the validation loss with which Adam ends.
"""

from collections.abc import Sequence

from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.measures import HIGHER, NO_WORSE, loss_ratio, time_ratio
from cooldown.search.claims.shared import ANNEALING
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part


def of_studies(views: Sequence[View]) -> list[Part]:
    """The test loss of annealed momentum beside Adam's, and how fast each gets to Adam's validation loss."""
    (view,) = views
    return [
        loss_ratio(view, "momentum+cosine", "adam", NO_WORSE),
        time_ratio(view, "momentum+cosine", "adam", HIGHER),
    ]


c02_sgd_against_adam = Claim(
    name="c02_sgd_against_adam",
    id="C2",
    statement="SGD with a tuned rate, annealing and tuned momentum is competitive with Adam, and converges faster",
    source="Zhang, Mitliagkas & Ré 2017; Ruder 2017",
    published="",
    studies=(Study(ANNEALING),),
    of_studies=of_studies,
)
