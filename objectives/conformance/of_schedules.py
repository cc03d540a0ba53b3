"""The rules for a schedule."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import schedules
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.conformance.check import Check, expect
from cooldown.objectives.conformance.runs import expect_learned, expect_round_trip, run, same
from cooldown.objectives.hyperparameters import Categorical, Unit
from cooldown.objectives.schedules import Schedule

TOTALS = (1, 2, 10, 90, 301)
UPDATES_PER_EPOCH = 3
USUAL = 1000
"""Updates of a usual run."""
RATES = (0.02, 0.1, 0.5)
"""Learning rates of `momentum` at the schedule's peak; with each of them a constant rate learns iris."""


def schedule_checks(name: str) -> list[Check]:
    """The checks of the schedule called `name`, or at `module:attribute`; InputError if there is none."""
    schedule = schedules.get(name)
    laws = {
        "its declaration is valid": _declaration,
        "gives one finite multiplier of at least 0 for each update": _multipliers,
        "depends on the update's number alone": _pure,
        "starts_at_peak and peak match its multipliers": _peak,
        "survives a round trip through JSON": _json,
        "the same run twice gives the same bits": _deterministic,
        "momentum learns iris under it": _learns,
    }
    return [Check(law, partial(check, schedule)) for law, check in laws.items()]


def _settings(schedule: Schedule, total: int) -> Iterator[dict[str, Any]]:
    """Its defaults, and each hyperparameter at both ends of its range or at each choice; lengths in updates."""
    epochs = -(-total // UPDATES_PER_EPOCH)
    yield {}
    for declared in schedule.hyperparameters:
        if isinstance(declared, Categorical):
            yield from ({declared.name: choice} for choice in declared.choices)
            continue
        name, ends = declared.name, declared.range_in(epochs, total)
        in_updates = UPDATES_PER_EPOCH if declared.unit is Unit.EPOCHS else 1
        yield from ({name: type(end)(end * in_updates)} for end in ends if _allowed(schedule, name, end))
    # Also a run that ends within its warm-up.
    yield from ({"warmup_steps": length} for length in (1, 5, 2 * total))


def _allowed(schedule: Schedule, name: str, value: float) -> bool:
    """Whether `value`, which may be very small in a short run, is allowed."""
    declared = next(declared for declared in schedule.hyperparameters if declared.name == name)
    return not (isinstance(declared, Categorical) or (declared.open_minimum and value <= declared.minimum))


def _config(schedule: Schedule, rate: float, epochs: int) -> TrainConfig:
    return TrainConfig.from_json(
        {
            "optimizer": {"name": "momentum", "learning_rate": rate / schedule.peak},
            "schedule": {"name": schedule.name, **_short_warmup(schedule)},
            "epochs": epochs,
        }
    )


def _short_warmup(schedule: Schedule) -> dict[str, int]:
    """A warm-up short enough for a small run, if the schedule's default is longer."""
    return {"warmup_steps": 10} if (schedule.warmup.default or 0) > 10 else {}


def _declaration(schedule: Schedule) -> None:
    names = [declared.name for declared in schedule.hyperparameters]
    expect(len(set(names)) == len(names), f"two of its hyperparameters have the same name: {names}")
    for declared in schedule.hyperparameters:
        declared.check(schedule.name, declared.default)
        if not isinstance(declared, Categorical):
            low, high = declared.low, declared.high
            expect(low <= high, f"{declared.name}: the search range {low:g} to {high:g} is empty")
    expect(schedule.peak > 0, f"peak must be above 0, got {schedule.peak}")
    expect(schedule.formula, "formula must not be empty")


def _multipliers(schedule: Schedule) -> None:
    for total in TOTALS:
        for settings in _settings(schedule, total):
            values = schedule(np.arange(total), total, **settings)
            call = f"a run of {total} updates with {settings or 'its defaults'}"
            expect(isinstance(values, np.ndarray), f"{call}: must give an array, got {type(values).__name__}")
            expect(values.shape == (total,), f"{call}: must give {total} multipliers, got shape {values.shape}")
            expect(np.isfinite(values).all(), f"{call}: multiplier {_first(~np.isfinite(values))} is not finite")
            expect((values >= 0).all(), f"{call}: multiplier {_first(values < 0)} is below 0: {values.min():.3g}")


def _first(wrong: NDArray[np.bool_]) -> int:
    return int(wrong.argmax())


def _pure(schedule: Schedule) -> None:
    total = 90
    for settings in _settings(schedule, total):
        steps = np.arange(total, dtype=np.float64)
        values = schedule(steps, total, **settings)
        call = f"with {settings or 'its defaults'}"
        expect(np.array_equal(steps, np.arange(total)), f"{call} it changes the steps in place")
        expect(
            np.array_equal(values, schedule(steps, total, **settings)),
            f"{call} the same call twice gives different multipliers",
        )
        for step in (0, 1, total // 2, total - 1):
            alone = float(schedule([step], total, **settings)[0])
            expect(
                np.isclose(alone, values[step], rtol=1e-9, atol=1e-12),
                f"{call} multiplier {step} is {values[step]:.6g} in the whole run, {alone:.6g} alone",
            )


def _peak(schedule: Schedule) -> None:
    total = USUAL
    usual = {} if schedule.warmup.default == 0 else {"warmup_steps": sum(schedule.warmup.range_in(1, total)) // 2}
    values = schedule(np.arange(total), total, **usual)
    highest = float(values.max())
    # Behind a ramp, the schedule itself starts with the multiplier that a run without a warm-up begins with.
    first = float(schedule([0], total, **{**usual, "warmup_steps": 0})[0] if schedule.ramped else values[0])
    expect(
        (first >= 0.95 * highest) == schedule.starts_at_peak,
        f"starts_at_peak is {schedule.starts_at_peak}, but in a run of {total} updates its first multiplier is "
        f"{first:.3g} and its highest {highest:.3g}",
    )
    expect(
        schedule.peak / 2 <= highest <= 2 * schedule.peak,
        f"peak is {schedule.peak:g}, but the highest multiplier of a run of {total} updates is {highest:.3g}: the "
        "search range of learning rates is divided by peak",
    )


def _json(schedule: Schedule) -> None:
    expect_round_trip(_config(schedule, 0.1, 5))


def _deterministic(schedule: Schedule) -> None:
    config = _config(schedule, 0.1, 5)
    expect(same(run([config])[0][0], run([config])[0][0]), "two runs of one config with one seed differ")


def _learns(schedule: Schedule) -> None:
    expect_learned([_config(schedule, rate, 20) for rate in RATES])
