"""One cycle: the rate rises once, then falls to almost zero.

The convention is that of torch's `OneCycleLR` and optax's `cosine_onecycle_schedule`: two half cosines, with the peak
after the share `rise` of the run (torch's `pct_start`), and no third phase. Smith's paper has linear ramps, up and down
equally long, a last phase that falls far below the start, and a momentum that cycles in the opposite direction.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import schedule as _schedule
from cooldown.objectives.hyperparameters import Hyperparameter
from cooldown.objectives.relations import KnownArm
from cooldown.objectives.schedule import WARMUP_STEPS, Schedule


def multiplier(s: NDArray[np.float64], total: int, rise: float, start: float, floor: float) -> NDArray[np.float64]:
    """Half a cosine from `start` up to 1 over the first `rise`·T updates, then one down to `floor`. The peak is at
    `rise`·T, which may lie between two updates, and the floor at the end of the last update: torch reaches both one
    update earlier. The momentum stays constant.
    """
    peak = rise * total
    up = start + (1 - start) * 0.5 * (1 - np.cos(np.pi * np.minimum(s / peak, 1.0)))
    down = floor + (1 - floor) * 0.5 * (1 + np.cos(np.pi * np.clip((s - peak) / (total - peak), 0.0, 1.0)))
    return np.where(s < peak, up, down)


one_cycle = Schedule(
    "one_cycle",
    multiplier,
    own=(
        Hyperparameter(
            "rise",
            0.3,
            0.1,
            0.5,
            maximum=1,
            open_minimum=True,
            open_maximum=True,
            meaning="share of the run in which the rate rises",
        ),
        Hyperparameter("start", 0.04, 0.0, 0.2, searched=False, maximum=1, meaning="initial fraction of the peak"),
        _schedule.floor(),
    ),
    formula="start + (1−start)·½(1 − cos(π s/S)), S = rise·T; from S on floor + (1−floor)·½(1 + cos(π (s−S)/(T−S)))",
    reference="Smith & Topin 2018; Smith 2018",
    # The rate rises anyway: a further ramp before it is not searched by default.
    warmup=replace(WARMUP_STEPS, searched=False),
    starts_at_peak=False,
    dash="18px,6px",
    symbol="triangle-sw",
    # optax's cosine_onecycle_schedule has its peak at a whole update, and cannot end at 0.
    arms=(KnownArm("momentum+one_cycle", "Smith's one cycle: up once, then down to zero"),),
)
