"""Who deserves the credit, from an experiment's record: its default configs beside the tuned ones."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.search.evidence.losses import default_config_losses, means, test_losses, winners_loss
from cooldown.search.spec.arms import Arm
from cooldown.search.statistics.credit import factorial_effects, factorial_shares, gains, tuned_effects
from cooldown.search.statistics.intervals import Interval
from cooldown.search.tuning.studies import single
from cooldown.storage import ExperimentRecord


@dataclass(frozen=True)
class TuningGain:
    """What the search did for one arm: mean test losses over the repeats that have both, and the difference tuned minus
    default with its 95 % interval, None with a single repeat.
    """

    arm: str
    default_loss: float
    tuned_loss: float
    difference: float
    low: float | None
    high: float | None
    repeats: int


@dataclass(frozen=True)
class Credit:
    """How the difference between two optimizers splits up.

    first, other: the cube's corners in words, a default config at a constant rate and a tuned one with annealing.
    optimizers: the two, the first's and the other's. shares: what of it each of the three factors accounts for;
    effects: the factorial's own; tuned: those among the tuned arms alone; all by name, as `factorial_shares`,
    `factorial_effects` and `tuned_effects` give them, empty where arms are missing. missing: arms, or repeats, that the
    full factorial would need.
    """

    first: str
    other: str
    optimizers: tuple[str, str]
    shares: Mapping[str, Interval]
    effects: Mapping[str, Interval]
    tuned: Mapping[str, Interval]
    missing: tuple[str, ...]


def tuning_gains(record: ExperimentRecord) -> list[TuningGain]:
    """What tuning did for each arm that has a default config, in the spec's order."""
    (default, tuned), found = _variants(record), []
    for arm in record.spec["arms"]:
        common = sorted(set(default[arm]) & set(tuned[arm]))
        if not common:
            continue
        before, after = (np.array([losses[arm][repeat] for repeat in common]) for losses in (default, tuned))
        gain = gains(before, after) if len(common) > 1 else None
        found.append(
            TuningGain(
                arm,
                float(before.mean()),
                float(after.mean()),
                float((after - before).mean()),
                gain.low if gain else None,
                gain.high if gain else None,
                len(common),
            )
        )
    return found


def credit(record: ExperimentRecord, pair: tuple[str, str]) -> Credit | None:
    """The factorial {optimizer} × {constant, annealed} × {default, tuned} of the pair's optimizers, from the second's
    default config at a constant rate to the first's tuned one with annealing. An optimizer's annealed arm is that of
    the pair, or else its best by validation loss. None where the two arms are not of two single optimizers.
    """
    arms = [Arm.parse(name) for name in pair]
    if not all(map(single, arms)) or arms[0].optimizers == arms[1].optimizers:
        return None
    corners, missing = [], []
    for name, arm in reversed(list(zip(pair, arms, strict=True))):
        optimizer = arm.optimizers[0]
        constant, annealed = _levels(record, name, optimizer)
        missing += [] if constant else [optimizer]
        missing += [] if annealed else [f"{optimizer} with annealing, such as {optimizer}+cosine"]
        corners.append((constant or optimizer, annealed or f"{optimizer} with annealing"))
    first, other = f"default {corners[0][0]}", f"tuned {corners[1][1]}"
    optimizers = arms[1].optimizers[0], arms[0].optimizers[0]
    cells = None if missing else _cells(record, corners)
    if cells is None:
        return Credit(first, other, optimizers, {}, {}, {}, tuple(missing) or ("2 repeats of all",))
    return Credit(first, other, optimizers, factorial_shares(cells), factorial_effects(cells), tuned_effects(cells), ())


def credit_sentence(record: ExperimentRecord, pair: tuple[str, str]) -> str:
    """What tuning, the optimizer and the schedule change, in one sentence; "" where it cannot be told."""
    found = credit(record, pair)
    if found is None or not found.effects:
        return ""
    first, other = found.optimizers
    return (
        f"Tuning changes the test loss by {_told(found.effects['tuning'])}, the mean over both optimizers with and "
        f"without annealing. Once all is tuned, {other} in place of {first} changes it by "
        f"{_told(found.tuned['optimizer'])}, and annealing by {_told(found.tuned['schedule'])}."
    )


def spoken_effects(found: Credit) -> dict[str, Interval]:
    """The numbers of `credit_sentence`, by what they are of; empty where there are none."""
    if not found.effects:
        return {}
    first, other = found.optimizers
    return {
        "tuning": found.effects["tuning"],
        f"{other} in place of {first}, all tuned": found.tuned["optimizer"],
        "annealing, all tuned": found.tuned["schedule"],
    }


def way_sentence(found: Credit) -> str:
    """The whole way that the shares divide, in words; "" where there are none."""
    return f"From {found.first} to {found.other}: {_told(found.effects['total'])}." if found.effects else ""


def _told(each: Interval) -> str:
    return f"{each.estimate:+.4f} [{each.low:+.4f}, {each.high:+.4f}]"


def credit_document(record: ExperimentRecord, pair: tuple[str, str] | None) -> dict[str, Any]:
    """JSON-ready: the tuning gains of all arms, and the factorial of the pair."""
    found = pair and credit(record, pair)
    return {
        "tuning": [asdict(gain) for gain in tuning_gains(record)],
        "from": found.first if found else None,
        "to": found.other if found else None,
        "missing": list(found.missing) if found else [],
        "shares": _rows(found.shares) if found else [],
        "effects": _rows(found.effects) if found else [],
        "tuned": _rows(found.tuned) if found else [],
    }


def _rows(intervals: Mapping[str, Interval]) -> list[dict[str, Any]]:
    return [
        {"effect": name, "estimate": each.estimate, "low": each.low, "high": each.high}
        for name, each in intervals.items()
    ]


def _levels(record: ExperimentRecord, name: str, optimizer: str) -> tuple[str | None, str | None]:
    """The arms of one optimizer at a constant rate and with annealing: the arm `name` itself where it is one."""

    def rank(arm: str) -> tuple[bool, float]:
        loss = winners_loss(record, arm)
        return arm != name, float("inf") if loss is None else loss

    own = [Arm.parse(arm) for arm in record.spec["arms"]]
    own = [arm for arm in own if single(arm) and arm.optimizers == (optimizer,)]

    def best(constant: bool) -> str | None:
        return min((arm.name for arm in own if (arm.schedules == ("constant",)) == constant), key=rank, default=None)

    return best(True), best(False)


def _cells(record: ExperimentRecord, corners: Sequence[tuple[str, str]]) -> NDArray[np.float64] | None:
    """(optimizer, schedule, tuning, repeat) test losses in the repeats that all eight have; None for fewer than 2."""
    variants = _variants(record)
    every = [losses[arm] for levels in corners for arm in levels for losses in variants]
    repeats = set(every[0]).intersection(*every)
    if len(repeats) < 2:
        return None
    return np.array(
        [[[[losses[arm][r] for r in sorted(repeats)] for losses in variants] for arm in levels] for levels in corners]
    )


def _variants(record: ExperimentRecord) -> tuple[dict[str, dict[int, float]], dict[str, dict[int, float]]]:
    """Default and tuned: per arm and repeat the mean test loss."""
    default, tuned = (
        {arm: means(by_repeat) for arm, by_repeat in losses.items()}
        for losses in (default_config_losses(record), test_losses(record))
    )
    return default, tuned
