"""The ranges and fixed values that a spec gives to single hyperparameters and strategies, read and checked."""

from collections.abc import Mapping, Sequence
from typing import Any

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Categorical, Declared, Hyperparameter, Scale
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.spec.arms import Arm

STRATEGY = "strategy"
"""The owner of a strategy in a parameter's name, as in `strategy.dropout`."""


def read_settings(texts: Sequence[str]) -> dict[str, Any]:
    """What `--set NAME=VALUE` says, as `ranges` of a spec.

    VALUE is one value, LOW:HIGH for a range or A,B for values to choose from; what it means is checked with the spec.
    Raises InputError, a line for each problem.
    """
    found: dict[str, Any] = {}
    problems = []
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name or not value.strip():
            problems.append(f"--set {text}: is written NAME=VALUE, as in strategy.dropout=0.2")
        elif name in found:
            problems.append(f"--set {text}: {name} is set twice")
        else:
            separator = ":" if ":" in value else ","
            parts = [_word(part) for part in value.split(separator)]
            numbers = all(isinstance(part, int | float) and not isinstance(part, bool) for part in parts)
            if len(parts) > 1 and numbers != (separator == ":"):
                meant = "a range is written LOW:HIGH" if numbers else "values to choose from are written A,B"
                problems.append(f"--set {text}: {meant}")
            found[name] = parts if len(parts) > 1 else parts[0]
    if problems:
        raise InputError("\n".join(problems))
    return found


def _word(text: str) -> Any:
    """A number, a truth value or a word."""
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


def read_ranges(given: Any, arms: Sequence[Arm] | None) -> dict[str, Any]:
    """The ranges of a spec by parameter name: `{"adam.beta1": 0.9}`, or nested as TOML has it for `adam.beta1 = 0.9`.

    A number stands for itself and (low, high) for a range; of a categorical hyperparameter or strategy one value for
    itself, and several for what the search may choose from; "off" for what is off by default. Raises InputError, a line
    for each problem: a value of another kind, a name that none of `arms` has (where these are known), an empty range,
    values that make no sense.
    """
    if not isinstance(given, Mapping):
        raise InputError(f'should be a table such as {{"momentum.learning_rate": [0.01, 1.0]}}, got {given!r:.80}')
    flat = flatten(given)
    declared: dict[str, tuple[str, Declared]] = {
        f"{STRATEGY}.{name}": (STRATEGY, strategy.declared) for name, strategy in STRATEGIES.items()
    }
    for arm in arms or ():
        for owner, hyperparameters in arm.hyperparameters.items():
            declared |= {f"{owner}.{each.name}": (owner, each) for each in hyperparameters}
    ranges: dict[str, Any] = {}
    problems = []
    for key, value in flat.items():
        try:
            if key in declared:
                # What is off by default is off without an entry.
                if not (value == "off" and declared[key][1].default is None):
                    ranges[key] = _read(key, *declared[key], value)
            elif arms is not None:
                kind = "strategy" if key.startswith(f"{STRATEGY}.") else "hyperparameter of these arms"
                raise unknown_name(kind, key, declared)
            else:
                ranges[key] = tuple(value) if isinstance(value, list) else value
        except InputError as error:
            problems.append(str(error))
    if f"{STRATEGY}.gradient_noise_decay" in ranges and not ranges.get(f"{STRATEGY}.gradient_noise"):
        problems.append("strategy.gradient_noise_decay does nothing without strategy.gradient_noise")
    if problems:
        raise InputError("\n".join(problems))
    return ranges


def flatten(given: Mapping[str, Any]) -> dict[str, Any]:
    """`{"adam": {"beta1": 0.9}}`, as TOML has it for `adam.beta1 = 0.9`, as `{"adam.beta1": 0.9}`."""
    flat: dict[str, Any] = {}
    for key, value in given.items():
        inner = {f"{key}.{name}": each for name, each in value.items()} if isinstance(value, Mapping) else {key: value}
        if twice := flat.keys() & inner.keys():
            raise InputError(f"{min(twice)} stands twice")
        flat |= inner
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
    """One value as itself, several as a tuple."""
    if not isinstance(value, list | tuple):
        return declared.check(owner, value)
    chosen = tuple(declared.check(owner, each) for each in value)
    if len(chosen) < 2 or len(set(chosen)) < len(chosen):
        raise InputError(f"{key} should be one value or several different ones to choose from, got {list(value)!r:.80}")
    return chosen


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


def _check_range(key: str, hyperparameter: Hyperparameter, low: float, high: float) -> None:
    text = f"{key} = [{low:g}, {high:g}]"
    if low >= high:
        raise InputError(f"{text} is empty: the first number must be the smaller")
    if hyperparameter.scale is Scale.LOG and low <= 0:
        raise InputError(f"{text}: a log scale needs a range above 0")
    if hyperparameter.scale is Scale.ONE_MINUS_LOG and high >= 1:
        raise InputError(f"{text}: 1 − {hyperparameter.name} on a log scale needs a range below 1")
