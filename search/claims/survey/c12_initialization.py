"""C12: how many times as much SGD loses as Adam by weights that are too small, and by a constant rate; all tuned."""

from collections.abc import Sequence

from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.limits import of_networks
from cooldown.search.claims.measures import HIGHER, ratio_of_ratios
from cooldown.search.claims.shared import ANNEALING
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part

STARTS = tuple(f"{rule}[initialization={start}]" for rule in ("sgd", "adam") for start in ("poor", "he"))


def of_studies(views: Sequence[View]) -> list[Part]:
    """What depends on the initialization, and what on the annealing."""
    starts, annealing = views
    sgd_poor, sgd_he, adam_poor, adam_he = STARTS
    return [
        ratio_of_ratios(
            "increase of the test loss by a poor initialization, of sgd over that of adam",
            (starts, sgd_poor, sgd_he),
            (starts, adam_poor, adam_he),
            HIGHER,
        ),
        ratio_of_ratios(
            "increase of the test loss by a constant rate, of sgd over that of adam",
            (annealing, "sgd", "sgd+cosine"),
            (annealing, "adam", "adam+cosine"),
            HIGHER,
        ),
    ]


c12_initialization = Claim(
    name="c12_initialization",
    id="C12",
    statement="Plain SGD depends more on initialization and on the annealing than adaptive methods",
    source="Ruder 2016",
    published="",
    studies=(Study(STARTS), Study(ANNEALING)),
    of_studies=of_studies,
    limits=of_networks,
)
