"""Read and check the ranges and fixed values that a spec gives to single hyperparameters and strategies."""

from collections.abc import Mapping, Sequence
from typing import Any

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.data.random_labels import RANDOM_LABELS
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Categorical, Declared
from cooldown.objectives.strategies import STRATEGIES, Strategy
from cooldown.search.spec import limits
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.values import STRATEGY, TASK, flatten, is_number, is_off, read_value, word

RANDOM_LABELS_KEY = f"{TASK}.{RANDOM_LABELS.name}"


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
            parts = [word(part) for part in value.split(separator)]
            numbers = all(map(is_number, parts))
            if len(parts) > 1 and numbers != (separator == ":"):
                syntax = "write a range as LOW:HIGH" if numbers else "write values to choose from as A,B"
                problems.append(f"--set {text}: {syntax}")
            ranges[name] = parts if len(parts) > 1 else parts[0]
    if problems:
        raise InputError("\n".join(problems))
    return ranges


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
    if len(flat) > limits.RANGES:
        raise InputError(f"should be at most {limits.RANGES:,} ranges, got {len(flat):,}")
    declared: dict[str, tuple[str, Declared]] = {
        f"{STRATEGY}.{name}": (STRATEGY, strategy.declared) for name, strategy in STRATEGIES.items()
    }
    declared[RANDOM_LABELS_KEY] = (TASK, RANDOM_LABELS)
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
                if not is_off(declared[key][1], value):
                    checked[key] = read_value(key, *declared[key], value)
                if key == RANDOM_LABELS_KEY and isinstance(checked[key], tuple):
                    raise InputError(
                        f"{key}: is one share from 0 to 1, such as 0.5, and cannot be searched, since all trials have "
                        "one task; for several shares, run an experiment for each"
                    )
            elif arms is not None:
                kind = "strategy" if key.startswith(f"{STRATEGY}.") else "hyperparameter of these arms"
                raise unknown_name(kind, key, declared)
            else:
                checked[key] = tuple(value) if isinstance(value, list) else value
        except InputError as error:
            problems.append(str(error))
    problems += _without_effect(checked, arms)
    if problems:
        raise InputError("\n".join(problems))
    return checked


def _without_effect(ranges: Mapping[str, Any], arms: Sequence[Arm] | None) -> list[str]:
    """What is set for nothing, by the ranges or by an arm's own settings: a message for each."""
    problems = []
    for name, strategy in STRATEGIES.items():
        if strategy.needs is None:
            continue
        needed, example = strategy.needs
        what = f"{needed}={example}" if isinstance(STRATEGIES[needed].declared, Categorical) else needed
        key = f"{STRATEGY}.{name}"
        if key in ranges and not any(_has_effect(strategy, {**ranges, **arm.ranges}) for arm in arms or [Arm((), ())]):
            problems.append(f"{key} has no effect without {STRATEGY}.{what}")
        problems += [
            f"arm {arm.name!r}: {name} has no effect without {what}"
            for arm in arms or ()
            if key in arm.ranges and not _has_effect(strategy, {**ranges, **arm.ranges})
        ]
    return problems


def _has_effect(strategy: Strategy, ranges: Mapping[str, Any]) -> bool:
    """Whether the strategy that this one needs is on, or may be, with these ranges."""
    assert strategy.needs is not None
    needed, example = strategy.needs
    given = ranges.get(f"{STRATEGY}.{needed}")
    if isinstance(STRATEGIES[needed].declared, Categorical):
        return example in given if isinstance(given, tuple) else given == example
    return bool(given)
