"""Read and check the ranges and fixed values that a spec gives to single hyperparameters and strategies."""

from collections.abc import Mapping, Sequence
from typing import Any

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Categorical, Declared, Hyperparameter, Scale
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.spec.arms import Arm

STRATEGY = "strategy"
"""The prefix of a strategy in a parameter's name, as in `strategy.dropout`."""


def read_settings(texts: Sequence[str]) -> dict[str, Any]:
    """The texts of `--set NAME=VALUE` as the `ranges` of a spec.

    VALUE is one value, LOW:HIGH for a range or A,B for values to choose from. Only the syntax is checked here; the spec
    checks names and values. Raises InputError with one line per problem.
    """
    ranges: dict[str, Any] = {}
    problems = []
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name or not value.strip():
            problems.append(f"--set {text}: must be NAME=VALUE, for example strategy.dropout=0.2")
        elif name in ranges:
            problems.append(f"--set {text}: {name} is set twice")
        else:
            separator = ":" if ":" in value else ","
            parts = [_word(part) for part in value.split(separator)]
            numbers = all(isinstance(part, int | float) and not isinstance(part, bool) for part in parts)
            if len(parts) > 1 and numbers != (separator == ":"):
                syntax = "write a range as LOW:HIGH" if numbers else "write values to choose from as A,B"
                problems.append(f"--set {text}: {syntax}")
            ranges[name] = parts if len(parts) > 1 else parts[0]
    if problems:
        raise InputError("\n".join(problems))
    return ranges


def _word(text: str) -> Any:
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


def read_ranges(ranges: Any, arms: Sequence[Arm] | None) -> dict[str, Any]:
    """The checked ranges of a spec by parameter name.

    ranges: `{"adam.beta1": 0.9}`, or nested as TOML reads `adam.beta1 = 0.9`. A number is a fixed value and (low, high)
    a range. For a categorical hyperparameter or strategy, one value is fixed and several are the search's choices.
    "off" is allowed for what is off by default. arms: whose parameters may be named; None if they are not known.
    Raises InputError with one line per problem: a wrong type, a name that none of `arms` has, an empty range, or an
    invalid value.
    """
    if not isinstance(ranges, Mapping):
        raise InputError(f'should be a table such as {{"momentum.learning_rate": [0.01, 1.0]}}, got {ranges!r:.80}')
    flat = flatten(ranges)
    declared: dict[str, tuple[str, Declared]] = {
        f"{STRATEGY}.{name}": (STRATEGY, strategy.declared) for name, strategy in STRATEGIES.items()
    }
    for arm in arms or ():
        for owner, hyperparameters in arm.hyperparameters.items():
            declared |= {
                f"{owner}.{hyperparameter.name}": (owner, hyperparameter) for hyperparameter in hyperparameters
            }
    checked: dict[str, Any] = {}
    problems = []
    for key, value in flat.items():
        try:
            if key in declared:
                # What is off by default needs no entry.
                if not (value == "off" and declared[key][1].default is None):
                    checked[key] = _read(key, *declared[key], value)
            elif arms is not None:
                kind = "strategy" if key.startswith(f"{STRATEGY}.") else "hyperparameter of these arms"
                raise unknown_name(kind, key, declared)
            else:
                checked[key] = tuple(value) if isinstance(value, list) else value
        except InputError as error:
            problems.append(str(error))
    if f"{STRATEGY}.gradient_noise_decay" in checked and not checked.get(f"{STRATEGY}.gradient_noise"):
        problems.append("strategy.gradient_noise_decay has no effect without strategy.gradient_noise")
    if problems:
        raise InputError("\n".join(problems))
    return checked


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


def _read(key: str, owner: str, declared: Declared, value: Any) -> Any:
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
    if len(numbers) != (2 if isinstance(value, list | tuple) else 1) or any(
        isinstance(number, bool) or not isinstance(number, int | float) for number in numbers
    ):
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
