"""The ranges and fixed values that a spec gives to single hyperparameters, read and checked."""

from collections.abc import Mapping, Sequence
from typing import Any

from objectives.catalog import unknown_name
from objectives.errors import InputError
from objectives.hyperparameters import Hyperparameter, Scale
from search.arms import Arm


def read_ranges(given: Any, arms: Sequence[Arm] | None) -> dict[str, float | tuple[float, float]]:
    """The ranges of a spec by parameter name: `{"adam.beta1": 0.9}`, or nested as TOML has it for `adam.beta1 = 0.9`.

    Raises InputError, a line for each problem: neither a number nor a pair of numbers, a name that none of `arms` has
    (where these are known), an empty range, values that make no sense.
    """
    if not isinstance(given, Mapping):
        raise InputError(f'should be a table such as {{"momentum.learning_rate": [0.01, 1.0]}}, got {given!r:.80}')
    flat: dict[str, Any] = {}
    for key, value in given.items():
        flat |= (
            {f"{key}.{name}": inner for name, inner in value.items()} if isinstance(value, Mapping) else {key: value}
        )
    declared = {
        f"{owner}.{hyperparameter.name}": (owner, hyperparameter)
        for arm in arms or ()
        for owner, hyperparameters in arm.hyperparameters.items()
        for hyperparameter in hyperparameters
    }
    ranges: dict[str, float | tuple[float, float]] = {}
    problems = []
    for key, value in flat.items():
        try:
            if arms is not None and key not in declared:
                raise unknown_name("hyperparameter of these arms", key, declared)
            numbers = _numbers(key, value)
            if key in declared:
                _check_range(*declared[key], numbers)
            ranges[key] = numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))
    return ranges


def _numbers(key: str, value: Any) -> tuple[float, ...]:
    """A fixed value as (value,), a range as (low, high)."""
    numbers = tuple(value) if isinstance(value, list | tuple) else (value,)
    if len(numbers) != (2 if isinstance(value, list | tuple) else 1) or any(
        isinstance(number, bool) or not isinstance(number, int | float) for number in numbers
    ):
        raise InputError(f"{key} should be a number or [low, high], got {value!r:.80}")
    try:
        return tuple(float(number) for number in numbers)
    except OverflowError:
        raise InputError(f"{key} should be a number or [low, high], got one too large") from None


def _check_range(owner: str, hyperparameter: Hyperparameter, numbers: tuple[float, ...]) -> None:
    for number in numbers:
        hyperparameter.check(owner, number)
    if len(numbers) == 1:
        return
    low, high = numbers
    text = f"{owner}.{hyperparameter.name} = [{low:g}, {high:g}]"
    if low >= high:
        raise InputError(f"{text} is empty: the first number must be the smaller")
    if hyperparameter.scale is Scale.LOG and low <= 0:
        raise InputError(f"{text}: a log scale needs a range above 0")
    if hyperparameter.scale is Scale.ONE_MINUS_LOG and high >= 1:
        raise InputError(f"{text}: 1 − {hyperparameter.name} on a log scale needs a range below 1")
