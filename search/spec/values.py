"""One value of a spec: its text as a word or a number, and its check against what a hyperparameter declares.

A number is a fixed value, and (low, high) a range to search. Of a categorical hyperparameter or strategy, one value is
fixed, and several are what a search may choose from.
"""

from collections.abc import Mapping
from os import PathLike, fspath
from typing import Any

import numpy as np

from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Categorical, Declared, Hyperparameter, Scale

STRATEGY = "strategy"
"""The prefix of a strategy in a parameter's name, as in `strategy.dropout`."""

TASK = "task"
"""The prefix of what changes the task itself, as in `task.random_labels`."""

OFF = "off"
"""The value of a strategy that is off by default, such as `early_stopping`, where it stays off."""


def plain(value: Any) -> Any:
    """A value of Python's own types for one of NumPy's, also within lists, tuples and dicts; a path as its text."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value


def word(text: str) -> Any:
    """The text as a boolean or a number if it is one, else as a string."""
    text = text.strip()
    try:
        return {"true": True, "false": False}[text.lower()]
    except KeyError:
        pass
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return text


def flatten(table: Mapping[str, Any]) -> dict[str, Any]:
    """`{"adam": {"beta1": 0.9}}`, as TOML reads `adam.beta1 = 0.9`, as `{"adam.beta1": 0.9}`."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        entries = (
            {f"{key}.{name}": inner for name, inner in value.items()} if isinstance(value, Mapping) else {key: value}
        )
        if twice := flat.keys() & entries.keys():
            raise InputError(f"{min(twice)} is set twice")
        flat |= entries
    return flat


def is_number(value: Any) -> bool:
    """Whether it is a number; a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_off(declared: Declared, value: Any) -> bool:
    """Whether `value` says "off" of what is off by default."""
    return isinstance(value, str) and value == OFF and declared.default is None


def read_value(key: str, owner: str, declared: Declared, value: Any) -> Any:
    """The checked value of `declared`: a float, (low, high), one choice, or a tuple of choices.

    key: the parameter's name in messages; owner: the entry that declares it. Raises InputError with the rule and the
    value for a wrong type, an invalid value, and an empty range.
    """
    if isinstance(declared, Categorical):
        return _choices(key, owner, declared, value)
    numbers = _numbers(key, value)
    for number in value if isinstance(value, list | tuple) else (value,):
        declared.check(owner, number)
    if len(numbers) == 1:
        return numbers[0]
    _check_range(key, declared, *numbers)
    return numbers


def _choices(key: str, owner: str, declared: Categorical, value: Any) -> Any:
    """One value as it is, several as a tuple."""
    if not isinstance(value, list | tuple):
        return declared.check(owner, value)
    choices = tuple(declared.check(owner, choice) for choice in value)
    if len(choices) < 2 or len(set(choices)) < len(choices):
        raise InputError(f"{key} should be one value, or several different ones, got {list(value)!r:.80}")
    return choices


def _numbers(key: str, value: Any) -> tuple[float, ...]:
    """A fixed value as (value,), a range as (low, high)."""
    numbers = tuple(value) if isinstance(value, list | tuple) else (value,)
    if len(numbers) != (2 if isinstance(value, list | tuple) else 1) or not all(map(is_number, numbers)):
        raise InputError(f"{key} should be a number or [low, high], got {value!r:.80}")
    try:
        return tuple(float(number) for number in numbers)
    except OverflowError:
        raise InputError(f"{key} should be a number or [low, high], got a number that is too large") from None


def _check_range(key: str, hyperparameter: Hyperparameter, low: float, high: float) -> None:
    text = f"{key} = [{low:g}, {high:g}]"
    if low >= high:
        raise InputError(f"{text} is empty: the first number must be smaller than the second")
    if hyperparameter.scale is Scale.LOG and low <= 0:
        raise InputError(f"{text}: a log scale needs a range above 0")
    if hyperparameter.scale is Scale.ONE_MINUS_LOG and high >= 1:
        raise InputError(f"{text}: 1 − {hyperparameter.name} on a log scale needs a range below 1")
