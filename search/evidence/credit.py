"""Who deserves the credit, from an experiment's record: its default configs beside the tuned ones."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.search.evidence.losses import default_config_losses, means, test_losses, winners_loss
from cooldown.search.evidence.numbers import estimate
from cooldown.search.evidence.view import View, once
from cooldown.search.statistics.credit import factorial_effects, factorial_shares, gains, tuned_effects
from cooldown.search.statistics.intervals import Interval


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
class CreditSplit:
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


@once
def tuning_gains(view: View) -> list[TuningGain]:
    """What tuning did for each arm that has a default config, in the spec's order."""
    default, tuned = _default_and_tuned(view)
    tuning = []
    for arm in view.arms:
        common = sorted(set(default[arm]) & set(tuned[arm]))
        if not common:
            continue
        before, after = (np.array([losses[arm][repeat] for repeat in common]) for losses in (default, tuned))
        gain = gains(before, after) if len(common) > 1 else None
        tuning.append(
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
    return tuning


@once
def credit_split(view: View, pair: tuple[str, str]) -> CreditSplit | None:
    """The factorial {optimizer} × {constant, annealed} × {default, tuned} of the pair's optimizers, from the second's
    default config at a constant rate to the first's tuned one with annealing. An optimizer's annealed arm is that of
    the pair, or else its best by validation loss. All have the same settings around the rule: else these would be a
    factor too. None where the pair's differ in them, or where the two arms are not of two single optimizers.
    """
    arms = [view.parsed_arms[name] for name in pair]
    if not all(arm.is_single for arm in arms) or arms[0].optimizers == arms[1].optimizers:
        return None
    if arms[0].around != arms[1].around:
        return None
    corners, missing = [], []
    for name, arm in reversed(list(zip(pair, arms, strict=True))):
        optimizer = arm.optimizers[0]
        constant, annealed = _levels(view, name, optimizer)
        missing += [] if constant else [optimizer]
        missing += [] if annealed else [f"{optimizer} with annealing, such as {optimizer}+cosine"]
        corners.append((constant or optimizer, annealed or f"{optimizer} with annealing"))
    first, other = f"default {corners[0][0]}", f"tuned {corners[1][1]}"
    optimizers = arms[1].optimizers[0], arms[0].optimizers[0]
    cells = None if missing else _cells(view, corners)
    if cells is None:
        return CreditSplit(first, other, optimizers, {}, {}, {}, tuple(missing) or ("2 repeats of all",))
    return CreditSplit(
        first, other, optimizers, factorial_shares(cells), factorial_effects(cells), tuned_effects(cells), ()
    )


def credit_sentence(view: View, pair: tuple[str, str]) -> str:
    """What tuning, the optimizer and the schedule contributed, in one sentence; "" where it is not known."""
    split = credit_split(view, pair)
    if split is None or not split.effects:
        return ""
    first, other = split.optimizers
    return (
        f"Compared with default configs, tuning changed the test loss by {_estimate(split.effects['tuning'])} (mean "
        f"over both optimizers, with and without annealing; 95 % intervals). With everything tuned, choosing {other} "
        f"over {first} changed it by {_estimate(split.tuned['optimizer'])}, and annealing by "
        f"{_estimate(split.tuned['schedule'])}."
    )


def spoken_effects(split: CreditSplit) -> dict[str, Interval]:
    """The numbers of `credit_sentence`, by what they are of; empty where there are none."""
    if not split.effects:
        return {}
    first, other = split.optimizers
    return {
        "tuning": split.effects["tuning"],
        f"{other} over {first}, all tuned": split.tuned["optimizer"],
        "annealing, all tuned": split.tuned["schedule"],
    }


def total_sentence(split: CreditSplit) -> str:
    """The total that the shares add up to, in words; "" where there are none."""
    return f"From {split.first} to {split.other}: {_estimate(split.effects['total'])}." if split.effects else ""


def missing_sentence(split: CreditSplit) -> str:
    """Which arms a credit split needs besides those there are; "" where none is missing."""
    return f"Missing for the credit split: {', '.join(split.missing)}." if split.missing else ""


def _estimate(interval: Interval) -> str:
    return estimate(interval.estimate, interval.low, interval.high)


def credit_document(view: View, pair: tuple[str, str] | None) -> dict[str, Any]:
    """JSON-ready: the tuning gains of all arms, and the factorial of the pair."""
    split = pair and credit_split(view, pair)
    return {
        "tuning": [asdict(gain) for gain in tuning_gains(view)],
        "from": split.first if split else None,
        "to": split.other if split else None,
        "missing": list(split.missing) if split else [],
        "shares": _rows(split.shares) if split else [],
        "effects": _rows(split.effects) if split else [],
        "tuned": _rows(split.tuned) if split else [],
    }


def _rows(intervals: Mapping[str, Interval]) -> list[dict[str, Any]]:
    return [
        {"effect": name, "estimate": effect.estimate, "low": effect.low, "high": effect.high}
        for name, effect in intervals.items()
    ]


def _levels(view: View, name: str, optimizer: str) -> tuple[str | None, str | None]:
    """The arms of one optimizer at a constant rate and with annealing: the arm `name` itself where it is one."""

    def rank(arm: str) -> tuple[bool, float]:
        loss = winners_loss(view, arm)
        return arm != name, float("inf") if loss is None else loss

    around = view.parsed_arms[name].around
    levels = [
        arm
        for arm in view.parsed_arms.values()
        if arm.is_single and arm.optimizers == (optimizer,) and arm.around == around
    ]

    def best(constant: bool) -> str | None:
        return min((arm.name for arm in levels if arm.is_constant == constant), key=rank, default=None)

    return best(True), best(False)


def _cells(view: View, corners: Sequence[tuple[str, str]]) -> NDArray[np.float64] | None:
    """(optimizer, schedule, tuning, repeat) test losses in the repeats that all eight have; None for fewer than 2."""
    tunings = _default_and_tuned(view)
    every = [losses[arm] for levels in corners for arm in levels for losses in tunings]
    repeats = set(every[0]).intersection(*every)
    if len(repeats) < 2:
        return None
    return np.array(
        [[[[losses[arm][r] for r in sorted(repeats)] for losses in tunings] for arm in levels] for levels in corners]
    )


@once
def _default_and_tuned(view: View) -> tuple[dict[str, dict[int, float]], dict[str, dict[int, float]]]:
    """Default and tuned: per arm and repeat the mean test loss."""
    default, tuned = (
        {arm: means(by_repeat) for arm, by_repeat in losses.items()}
        for losses in (default_config_losses(view), test_losses(view))
    )
    return default, tuned
