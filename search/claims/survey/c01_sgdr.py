"""C1: both schedules are tuned at one length of the run; each repeat's target is the final validation loss of its winner
with step annealing, and SGDR's time to it is censored at the end of its run.
"""

from collections.abc import Sequence

from cooldown.search.claims.entry import Claim
from cooldown.search.claims.measures import time_ratio
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part

ARMS = ("momentum+step", "momentum+sgdr")


def of_studies(views: Sequence[View]) -> list[Part]:
    """How many times as fast SGDR gets to the final loss of step annealing."""
    (view,) = views
    return [time_ratio(view, "momentum+sgdr", "momentum+step", above=2.0)]


c01_sgdr = Claim(
    name="c01_sgdr",
    id="C1",
    statement="SGDR reaches the quality of step annealing in 2 to 4 times fewer epochs",
    source="Loshchilov & Hutter 2017",
    published="2 to 4 times fewer epochs",
    studies=lambda budget: ({"arms": ARMS},),
    of_studies=of_studies,
)
