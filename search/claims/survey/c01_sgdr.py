"""C1: both schedules are tuned at one length of the run. Each repeat's target is the final validation loss of its
winner with step annealing; a run with SGDR that does not reach it counts as a whole one.
"""

from collections.abc import Sequence

from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.measures import time_ratio
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Limits, Part

ARMS = ("momentum+step", "momentum+sgdr")


def of_studies(views: Sequence[View]) -> list[Part]:
    """How many times as fast SGDR gets to the final loss of step annealing."""
    (view,) = views
    return [time_ratio(view, "momentum+sgdr", "momentum+step", Limits(above=2.0))]


c01_sgdr = Claim(
    name="c01_sgdr",
    id="C1",
    statement="SGDR reaches the quality of step annealing in 2 to 4 times fewer epochs",
    source="Loshchilov & Hutter 2017",
    published="2 to 4 times fewer epochs",
    studies=(Study(ARMS),),
    of_studies=of_studies,
)
