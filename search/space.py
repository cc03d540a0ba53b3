"""Arm → search space: which parameters Optuna varies, in which ranges, and how its choice becomes a TrainConfig.

A parameter is called `<optimizer>.<name>` or `<schedule>.<name>` and has its natural value everywhere outside the
sampler. Only the sampler sees β and momentum as 1 − β on a log scale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from objectives import optimizers, schedules
from objectives.catalog import unknown_name
from objectives.config import TrainConfig
from objectives.errors import InputError
from objectives.hyperparameters import Hyperparameter, Scale

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

    from search.spec import Arm, Experiment

    NumberDistribution = FloatDistribution | IntDistribution


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter with its range in one run: `low` and `high` in natural units, both included."""

    key: str
    hyperparameter: Hyperparameter
    low: float
    high: float

    @property
    def flipped(self) -> bool:
        """Whether the sampler sees 1 − value."""
        return self.hyperparameter.scale is Scale.ONE_MINUS_LOG

    @cached_property
    def distribution(self) -> "NumberDistribution":
        """The range in natural units, as Optuna's tables hold it."""
        from optuna.distributions import FloatDistribution, IntDistribution

        log = self.hyperparameter.scale is Scale.LOG
        if self.hyperparameter.integer:
            return IntDistribution(int(self.low), int(self.high), log=log)
        return FloatDistribution(self.low, self.high, log=log)

    @cached_property
    def sampled_distribution(self) -> "NumberDistribution":
        """The range as the sampler sees it."""
        from optuna.distributions import FloatDistribution

        return FloatDistribution(1 - self.high, 1 - self.low, log=True) if self.flipped else self.distribution

    def suggest(self, trial: Any) -> float:
        """The sampler's number for this parameter in `trial` (an Optuna trial)."""
        range_ = self.sampled_distribution
        suggest = trial.suggest_int if self.hyperparameter.integer else trial.suggest_float
        return suggest(self.key, range_.low, range_.high, log=range_.log)  # type: ignore[no-any-return]

    def natural(self, sampled: float) -> float:
        """The value that the sampler's number stands for."""
        return min(max(1 - sampled, self.low), self.high) if self.flipped else sampled

    def sampled(self, natural: float) -> float:
        """The sampler's number for a value: `natural`'s inverse."""
        return min(max(1 - natural, 1 - self.high), 1 - self.low) if self.flipped else natural


@dataclass(frozen=True)
class Space:
    """The search space of one arm in one experiment.

    parameters: by owner, a catalog entry's name. fixed: values by owner that the spec holds fast.
    """

    arm: "Arm"
    parameters: Mapping[str, tuple[Parameter, ...]]
    fixed: Mapping[str, Mapping[str, float]]
    batch_size: int
    epochs: int

    def suggest(self, trial: Any) -> dict[str, Any]:
        """What `trial` (an Optuna trial) chooses: natural values by parameter name."""
        chosen: dict[str, Any] = {}
        for kind, names in (("optimizer", self.arm.optimizers), ("schedule", self.arm.schedules)):
            owner = names[0]
            if len(names) > 1:
                owner = chosen[kind] = trial.suggest_categorical(kind, list(names))
            for parameter in self.parameters[owner]:
                chosen[parameter.key] = parameter.natural(parameter.suggest(trial))
        return chosen

    def sampled(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """`chosen` as the sampler saw it."""
        return {name: self._by_key[name].sampled(value) if "." in name else value for name, value in chosen.items()}

    def distributions(self, chosen: Mapping[str, Any], *, natural: bool) -> "dict[str, BaseDistribution]":
        """The ranges of what was chosen, in natural units or as the sampler saw them."""
        from optuna.distributions import CategoricalDistribution

        choices = {"optimizer": self.arm.optimizers, "schedule": self.arm.schedules}
        return {
            name: CategoricalDistribution(choices[name])
            if name in choices
            else (self._by_key[name].distribution if natural else self._by_key[name].sampled_distribution)
            for name in chosen
        }

    def config(self, chosen: Mapping[str, Any]) -> TrainConfig:
        """The config that a choice stands for."""

        def entry(kind: str, names: tuple[str, ...]) -> dict[str, Any]:
            owner = chosen.get(kind, names[0])
            own = {
                name.removeprefix(f"{owner}."): value for name, value in chosen.items() if name.startswith(f"{owner}.")
            }
            return {"name": owner, **self.fixed.get(owner, {}), **own}

        return TrainConfig.from_json(
            {
                "optimizer": entry("optimizer", self.arm.optimizers),
                "schedule": entry("schedule", self.arm.schedules),
                "batch_size": self.batch_size,
                "epochs": self.epochs,
            }
        )

    @cached_property
    def _by_key(self) -> dict[str, Parameter]:
        return {parameter.key: parameter for owned in self.parameters.values() for parameter in owned}


def space(experiment: "Experiment", arm: "Arm", updates_per_epoch: int) -> Space:
    """The space of `arm`; ranges that depend on the run's length follow from its number of updates."""
    parameters: dict[str, tuple[Parameter, ...]] = {}
    fixed: dict[str, dict[str, float]] = {}
    for owner, declared in _owners(arm).items():
        fixed[owner] = {}
        found = []
        for hyperparameter in declared:
            key = f"{owner}.{hyperparameter.name}"
            given = experiment.ranges.get(key)
            if isinstance(given, tuple):
                found.append(Parameter(key, hyperparameter, *given))
            elif given is not None:
                fixed[owner][hyperparameter.name] = int(given) if hyperparameter.integer else given
            elif hyperparameter.searched:
                low, high = hyperparameter.range_in(experiment.epochs, experiment.epochs * updates_per_epoch)
                found.append(Parameter(key, hyperparameter, low, high))
        parameters[owner] = tuple(found)
    return Space(arm, parameters, fixed, experiment.batch_size, experiment.epochs)


def read_ranges(given: Any, arms: "Sequence[Arm] | None") -> dict[str, float | tuple[float, float]]:
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
        for owner, hyperparameters in _owners(arm).items()
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


def _owners(arm: "Arm") -> dict[str, tuple[Hyperparameter, ...]]:
    """The catalog entries that an arm can choose, with their hyperparameters."""
    return {name: optimizers.get(name).hyperparameters for name in arm.optimizers} | {
        name: schedules.get(name).hyperparameters for name in arm.schedules
    }
