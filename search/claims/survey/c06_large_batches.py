"""C6: batches of 32 and of 256 rows, over equal epochs: at one rate for both, as in the paper, and each with a tuned
one. Of each repeat's winner, a network is trained again and its sharpness φ measured (`cooldown show NAME
generalization` has it also after rescaling layers, which changes φ and not the function).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.records import Outcome
from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.limits import of_large_batches
from cooldown.search.claims.measures import HIGHER, loss_ratio, withheld
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part

SMALL, LARGE = 32, 256
RATE = "learning_rate=0.05, momentum=0.9"
ARMS = (
    f"large-tuned=momentum[batch_size={LARGE}]",
    f"small-tuned=momentum[batch_size={SMALL}]",
    f"large-fixed=momentum[batch_size={LARGE}, {RATE}]",
    f"small-fixed=momentum[batch_size={SMALL}, {RATE}]",
)


def log_sharpness(view: View) -> dict[str, NDArray[np.float64]]:
    """By arm, (repeats,) the log of φ; not finite where it is not above 0, or the network diverged."""
    # Whoever only asks what a claim says loads no engine.
    from cooldown.objectives.probes import sharpness
    from cooldown.objectives.probes.probed import training_loss
    from cooldown.objectives.training.engine import fit
    from cooldown.search.evidence.generalization import evaluated_winners

    values: dict[str, list[float]] = {}
    for winner in evaluated_winners(view):
        model: Any = winner.problem.model
        fitted = fit(winner.problem, winner.config, [winner.seed])
        theta, diverged = fitted.theta[0].astype(np.float64), fitted.curves[0].outcome is Outcome.DIVERGED
        loss = training_loss(model, theta, winner.problem.train)
        values.setdefault(winner.arm, []).append(np.nan if diverged else sharpness(loss, theta))
    with np.errstate(divide="ignore", invalid="ignore"):
        return {arm: np.log(of_arm) for arm, of_arm in values.items()}


def of_studies(views: Sequence[View]) -> list[Part]:
    """The sharpness and the test loss of large batches over those of small ones, at a fixed and at a tuned rate."""
    (view,) = views
    logs = log_sharpness(view)
    parts = []
    for large, small in (("large-fixed", "small-fixed"), ("large-tuned", "small-tuned")):
        sharper = np.subtract(*(logs[view.spec.arm_called(arm)] for arm in (large, small)))
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
