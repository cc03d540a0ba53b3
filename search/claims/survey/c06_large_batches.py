"""C6: batches of 16 and of 128 rows, over equal epochs: at one rate for both, as in the paper, and each with a tuned
one. Of each repeat's winner, a network is trained again and its sharpness φ measured (`cooldown show NAME
generalization` has it also after rescaling layers, which changes φ and not the function).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.limits import of_large_batches
from cooldown.search.claims.measures import HIGHER, loss_ratio, withheld
from cooldown.search.evidence.generalization import Generalization, generalization
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part

SMALL, LARGE = 16, 128
RATE = "learning_rate=0.05, momentum=0.9"
ARMS = (
    f"large-tuned=momentum[batch_size={LARGE}]",
    f"small-tuned=momentum[batch_size={SMALL}]",
    f"large-fixed=momentum[batch_size={LARGE}, {RATE}]",
    f"small-fixed=momentum[batch_size={SMALL}, {RATE}]",
)


def log_sharpness(arm: Generalization) -> NDArray[np.float64]:
    """(repeats,) the log of φ; not finite where it is not above 0, or the network diverged."""
    values = [np.nan if probes is None else probes.sharpness for _, probes in sorted(arm.repeats.items())]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(values)


def of_studies(views: Sequence[View]) -> list[Part]:
    """The sharpness and the test loss of large batches over those of small ones, at a fixed and at a tuned rate."""
    (view,) = views
    probed = {arm.arm: log_sharpness(arm) for arm in generalization(view)}
    parts = []
    for large, small in (("large-fixed", "small-fixed"), ("large-tuned", "small-tuned")):
        sharper = np.subtract(*(probed[view.spec.arm_called(arm)] for arm in (large, small)))
        effect = f"sharpness of {large} over that of {small}"
        parts.append(Part(effect, sharper, HIGHER, withheld=withheld(view, large, small)))
        parts.append(loss_ratio(view, large, small, HIGHER))
    return parts


c06_large_batches = Claim(
    name="c06_large_batches",
    id="C6",
    statement="Large batches end in sharper minima that generalize worse",
    source="Keskar et al. 2017; disputed by Dinh et al. 2017",
    published="sharpness 205 for batches of a tenth of the data beside 1.2 for 256 rows (F1), 707 beside 28.6 (C1), "
    "at a rate that was not tuned again",
    studies=(Study(ARMS),),
    of_studies=of_studies,
    retrains=True,
    limits=of_large_batches,
)
