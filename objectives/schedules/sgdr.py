"""SGDR: cosine annealing with warm restarts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import schedule as _schedule
from cooldown.objectives.hyperparameters import Hyperparameter, Scale, Unit
from cooldown.objectives.relations import KnownArm, Native
from cooldown.objectives.schedule import ROUNDING, Schedule


def multiplier(
    s: NDArray[np.float64], total: int, period: float, period_mult: float, floor: float
) -> NDArray[np.float64]:
    """The cosine within period i, of length period·period_multⁱ; at its end only the rate restarts."""
    if period_mult == 1:
        start = period * np.floor(s / period + ROUNDING)
        length = period
    else:
        # Period i starts at period·(mult^i − 1)/(mult − 1), and i is what solves this for s. Written with log1p and
        # expm1, both stay exact for a mult close to 1.
        growth = np.log1p(period_mult - 1)
        index = np.floor(np.log1p(s * (period_mult - 1) / period) / growth + ROUNDING)
        start = period * np.expm1(index * growth) / (period_mult - 1)
        length = period * period_mult**index
    within = np.clip((s - start) / length, 0.0, 1.0)
    return floor + (1 - floor) * 0.5 * (1 + np.cos(np.pi * within))


MOST_PERIODS = 6
"""With more periods the export is a table of rates: optax evaluates the schedules of all periods in every update."""


def in_optax(lengths: Mapping[str, Any], epochs: int) -> Native | None:
    """optax's cosines of all periods, one after the other, if their lengths are whole epochs."""
    period, mult = lengths["period"], lengths["period_mult"]
    if not (float(period).is_integer() and float(mult).is_integer()):
        return None
    periods = [int(period)]
    while sum(periods) < epochs and len(periods) <= MOST_PERIODS:
        periods.append(int(periods[-1] * mult))
    if len(periods) > MOST_PERIODS:
        return None
    if len(periods) == 1:
        return Native("cosine_decay_schedule", ("LEARNING_RATE", f"{periods[0]} * updates_per_epoch", "{floor}"))
    starts = tuple(sum(periods[:i]) for i in range(1, len(periods)))
    cosine = "optax.cosine_decay_schedule(LEARNING_RATE, epochs * updates_per_epoch, {floor})"
    arguments = (
        f"[{cosine} for epochs in {tuple(periods)}]",
        f"[start * updates_per_epoch for start in {starts}]",
    )
    return Native("join_schedules", arguments)


sgdr = Schedule(
    "sgdr",
    multiplier,
    own=(
        Hyperparameter(
            "period", 10.0, 0.1, 1.0, Scale.LOG, Unit.EPOCHS, open_minimum=True, meaning="length T₀ of the first period"
        ),
        Hyperparameter("period_mult", 2.0, 1.0, 3.0, minimum=1, meaning="factor of each period's length over the last"),
        _schedule.floor(),
    ),
    formula="floor + (1 − floor)·½(1 + cos(π s_i/T_i)), T_i = T₀·multⁱ",
    reference="Loshchilov & Hutter 2017",
    dash="dot",
    symbol="square",
    native={
        "torch": Native(
            "CosineAnnealingWarmRestarts",
            ("optimizer", "{period:whole} * updates_per_epoch", "{period_mult:whole}", "eta_min={floor:rate}"),
        ),
        "optax": in_optax,
        # For growing periods it rounds the period's number, and misses the update to restart at.
        "keras": Native(
            "CosineDecayRestarts",
            ("LEARNING_RATE", "{period:whole} * updates_per_epoch", "t_mul=1.0", "alpha={floor}"),
            only={"period_mult": 1.0},
        ),
    },
    arms=(KnownArm("momentum+sgdr", "C1: warm restarts"),),
)
