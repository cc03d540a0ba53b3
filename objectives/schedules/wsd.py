"""WSD (warm-up, stable, decay): the full rate for most of the run, then a decay over its last part, the cooldown."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import schedule as _schedule
from cooldown.objectives.hyperparameters import Categorical, Hyperparameter
from cooldown.objectives.relations import KnownArm
from cooldown.objectives.schedule import Schedule


def multiplier(s: NDArray[np.float64], total: int, decay: float, shape: str, floor: float) -> NDArray[np.float64]:
    """1; over the last `decay`·T updates floor + (1 − floor)·f(u), u from 0 to 1, where f is 1 − √u (`sqrt`), 1 − u
    (`linear`), ½(1 + cos πu) (`cosine`) or 1 − u² (`square`).
    """
    u = np.clip(1 - (total - s) / (decay * total), 0.0, 1.0)
    match shape:
        case "sqrt":
            left = 1 - np.sqrt(u)
        case "linear":
            left = 1 - u
        case "cosine":
            left = 0.5 * (1 + np.cos(np.pi * u))
        case _:
            left = 1 - u * u
    return np.asarray(floor + (1 - floor) * left)


wsd = Schedule(
    "wsd",
    multiplier,
    own=(
        Hyperparameter(
            "decay", 0.2, 0.05, 0.5, maximum=1, open_minimum=True, meaning="share of the run over which the rate decays"
        ),
        Categorical("shape", "sqrt", ("sqrt", "linear", "cosine", "square"), meaning="shape of the decay"),
        _schedule.floor(),
    ),
    formula="1; over the last share `decay` of T floor + (1 − floor)·f(u), f: 1 − √u, 1 − u, ½(1 + cos πu) or 1 − u²",
    reference="Zhai et al. 2022; Hu et al. 2024; 1 − √u: Hägele et al. 2024",
    dash="24px,4px",
    symbol="octagon",
    arms=(KnownArm("adamw+wsd", "the full rate for most of the run, then a cooldown"),),
)
