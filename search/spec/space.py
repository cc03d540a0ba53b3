"""The search space of an arm: which parameters Optuna varies, in which ranges, and how a choice becomes a TrainConfig.

A parameter is called `<optimizer>.<name>`, `<schedule>.<name>` or `strategy.<name>` and has its natural value
everywhere outside the sampler. Only the sampler sees β and momentum as 1 − β on a log scale.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.hyperparameters import Categorical, Declared, Hyperparameter, Scale, Unit
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.values import STRATEGY

if TYPE_CHECKING:
    from optuna.distributions import (
        BaseDistribution,
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

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

    def position(self, value: float) -> float:
        """A value's position in the range on the scale of the search: 0 at the low end, 1 at the high end."""
        if self.low == self.high:
            return 0.5
        low, high, at = map(self._on_scale, (self.low, self.high, value))
        return (at - low) / (high - low)

    def at(self, position: float) -> float:
        """The value at a position in [0, 1]: the inverse of `position`. Not rounded for integers."""
        low, high = self.low, self.high
        value: float
        match self.hyperparameter.scale:
            case Scale.LOG:
                value = low * (high / low) ** position
            case Scale.ONE_MINUS_LOG:
                value = 1 - (1 - low) * ((1 - high) / (1 - low)) ** position
            case _:
                value = low + (high - low) * position
        return min(max(value, low), high)

    def wider(self, side: Literal["low", "high"]) -> tuple[float, float] | None:
        """(low, high) of the range widened on one side by a decade, or on a linear scale by its own width, as far as
        values are valid; None if it cannot be widened, such as a length that already covers the whole run.
        """
        h, end = self.hyperparameter, self.low if side == "low" else self.high
        if side == "high" and h.unit is not Unit.NONE:
            return None
        if h.scale is Scale.LINEAR:
            moved = end + (self.high - self.low) * (1 if side == "high" else -1)
        elif h.scale is Scale.LOG:
            moved = end * 10 if side == "high" else end / 10
        else:
            moved = 1 - (1 - end) / 10 if side == "high" else 1 - (1 - end) * 10
        moved = min(max(moved, h.minimum), h.maximum)
        if h.integer:
            moved = float(round(moved))
        # The end is already at the limit of valid values, or moving it would reach an excluded limit.
        if moved == end or (h.open_minimum and moved == h.minimum) or (h.open_maximum and moved == h.maximum):
            return None
        return (moved, self.high) if side == "low" else (self.low, moved)

    def _on_scale(self, value: float) -> float:
        """The value on the search's scale; increases with the value."""
        match self.hyperparameter.scale:
            case Scale.LOG:
                return math.log(value)
            case Scale.ONE_MINUS_LOG:
                return -math.log(1 - value)
        return value

    @cached_property
    def distribution(self) -> "NumberDistribution":
        """The range in natural units, as it is stored in Optuna's tables."""
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

    def natural(self, sampled: Any) -> float:
        """The sampler's number in natural units."""
        value: float = min(max(1 - sampled, self.low), self.high) if self.flipped else sampled
        return value

    def sampled(self, natural: float) -> float:
        """A value in the sampler's units: the inverse of `natural`."""
        return min(max(1 - natural, 1 - self.high), 1 - self.low) if self.flipped else natural


@dataclass(frozen=True)
class Choice:
    """A categorical hyperparameter or strategy with the values that the search may choose from."""

    key: str
    choices: tuple[str | bool, ...]

    @cached_property
    def distribution(self) -> "CategoricalDistribution":
        """The choices, both for Optuna's tables and for the sampler."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.choices)

    @property
    def sampled_distribution(self) -> "CategoricalDistribution":
        """The choices as the sampler sees them."""
        return self.distribution

    def suggest(self, trial: Any) -> str | bool:
        """The sampler's value in `trial` (an Optuna trial)."""
        return trial.suggest_categorical(self.key, list(self.choices))  # type: ignore[no-any-return]

    def natural(self, sampled: Any) -> str | bool:
        """The same value: choices need no conversion."""
        return sampled  # type: ignore[no-any-return]

    sampled = natural


@dataclass(frozen=True)
class Space:
    """The search space of one arm in one experiment.

    parameters: what is searched, by owner: a catalog entry's name or "strategy". fixed: by owner, the values that the
    spec fixes.
    """

    arm: Arm
    parameters: Mapping[str, tuple[Parameter | Choice, ...]]
    fixed: Mapping[str, Mapping[str, Any]]
    batch_size: int
    epochs: int

    def suggest(self, trial: Any) -> dict[str, Any]:
        """The choices of `trial` (an Optuna trial): natural values by parameter name."""
        chosen: dict[str, Any] = {}
        for kind, names in (("optimizer", self.arm.optimizers), ("schedule", self.arm.schedules)):
            owner = names[0]
            if len(names) > 1:
                owner = chosen[kind] = trial.suggest_categorical(kind, list(names))
            chosen |= self._suggest(owner, trial)
        for owner in (self.arm.asynchronous, STRATEGY):
            chosen |= self._suggest(owner, trial) if owner else {}
        return chosen

    def _suggest(self, owner: str, trial: Any) -> dict[str, Any]:
        return {parameter.key: parameter.natural(parameter.suggest(trial)) for parameter in self.parameters[owner]}

    def sampled(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """`chosen` in the sampler's units."""
        return {name: self.by_key[name].sampled(value) if "." in name else value for name, value in chosen.items()}

    def distributions(self, chosen: Mapping[str, Any], *, natural: bool) -> "dict[str, BaseDistribution]":
        """The ranges of the chosen parameters, in natural units or in the sampler's."""
        from optuna.distributions import CategoricalDistribution

        choices = {"optimizer": self.arm.optimizers, "schedule": self.arm.schedules}
        return {
            name: CategoricalDistribution(choices[name])
            if name in choices
            else (self.by_key[name].distribution if natural else self.by_key[name].sampled_distribution)
            for name in chosen
        }

    def config(self, chosen: Mapping[str, Any]) -> TrainConfig:
        """The config for a choice of natural values by parameter name."""

        def values_of(owner: str) -> dict[str, Any]:
            # A module's name can contain dots too, as in "package.module:Lion.beta1".
            parts = [(*name.rpartition("."), value) for name, value in chosen.items()]
            return {**self.fixed[owner], **{name: value for of, _, name, value in parts if of == owner}}

        optimizer = chosen.get("optimizer", self.arm.optimizers[0])
        schedule, method = chosen.get("schedule", self.arm.schedules[0]), self.arm.asynchronous
        return TrainConfig.from_json(
            {
                "optimizer": {"name": optimizer, **values_of(optimizer)},
                "schedule": {"name": schedule, **values_of(schedule)},
                "batch_size": self.batch_size,
                "epochs": self.epochs,
                **values_of(STRATEGY),
                "asynchronous": {"name": method, **values_of(method)} if method else None,
            }
        )

    def reach(self, owner: str, name: str) -> tuple[float, float]:
        """(low, high): the smallest and the largest value that a numeric hyperparameter of a catalog entry can take."""
        parameter = self.by_key.get(f"{owner}.{name}")
        if isinstance(parameter, Parameter):
            return parameter.low, parameter.high
        value = float(self.fixed[owner].get(name, self._declared(f"{owner}.{name}").default))
        return value, value

    @property
    def default(self) -> TrainConfig:
        """The arm's default config: the values that the spec and the arm fix, and defaults for everything else. Where
        the arm's own setting is a range or a choice, the default if that is in it; else the middle of the range, on the
        scale of the search, or the first choice.
        """
        optimizer = self.arm.optimizers[0]
        rate = next(declared for declared in self.arm.hyperparameters[optimizer] if declared.name == "learning_rate")
        assert isinstance(rate, Hyperparameter)
        key = f"{optimizer}.learning_rate"
        chosen: dict[str, Any] = {}
        if "learning_rate" not in self.fixed[optimizer] and rate.default:
            # A default is the highest rate of a run; a schedule such as noam has a peak other than 1.
            chosen[key] = rate.default / self.arm.peak
        for name, value in self.arm.ranges.items():
            if isinstance(value, tuple):
                chosen[name] = _default_within(name, self._declared(name), value, chosen.get(name))
        return self.config(chosen)

    def _declared(self, key: str) -> Declared:
        """What declares the parameter `key` of this arm."""
        owner, _, name = key.rpartition(".")
        if owner == STRATEGY:
            return STRATEGIES[name].declared
        return next(declared for declared in self.arm.hyperparameters[owner] if declared.name == name)

    def programs(self) -> list[TrainConfig]:
        """Configs that together use everything that the search can choose, each for one epoch at a constant rate: what
        has to be compiled, and what the task's model must support.
        """
        searched = self.parameters[STRATEGY]
        highest = {parameter.key: parameter.high for parameter in searched if isinstance(parameter, Parameter)}
        choices = [
            {parameter.key: choice}
            for parameter in searched
            if isinstance(parameter, Choice)
            for choice in parameter.choices
        ]
        configs = []
        for optimizer in self.arm.optimizers:
            for choice in choices or [{}]:
                full = self.config({"optimizer": optimizer, **highest, **choice}).to_json()
                configs.append(TrainConfig.from_json(full | {"schedule": "constant", "epochs": 1}))
        return configs

    @cached_property
    def by_key(self) -> dict[str, Parameter | Choice]:
        """All searched parameters by name."""
        return {parameter.key: parameter for owned in self.parameters.values() for parameter in owned}


def search_space(spec: Experiment, arm: Arm, updates_per_epoch: int) -> Space:
    """The search space of `arm`; ranges that depend on the run's length follow from its number of updates.

    updates_per_epoch: in the arm's runs, as `Experiment.updates_per_epoch` counts them.
    """
    ranges, epochs = spec.ranges_of(arm), spec.epochs_of(arm)
    parameters: dict[str, tuple[Parameter | Choice, ...]] = {}
    fixed: dict[str, dict[str, Any]] = {}
    hyperparameters: dict[str, Iterable[Declared]] = {
        **arm.hyperparameters,
        STRATEGY: [strategy.declared for strategy in STRATEGIES.values()],
    }
    for owner, declarations in hyperparameters.items():
        fixed[owner] = {}
        searched: list[Parameter | Choice] = []
        for declared in declarations:
            key = f"{owner}.{declared.name}"
            value = ranges.get(key)
            if isinstance(declared, Categorical):
                if value is None and declared.searched:
                    value = declared.choices
                if isinstance(value, tuple):
                    searched.append(Choice(key, value))
                elif value is not None:
                    fixed[owner][declared.name] = value
            elif isinstance(value, tuple):
                searched.append(Parameter(key, declared, *value))
            elif value is not None:
                fixed[owner][declared.name] = int(value) if declared.integer else value
            elif declared.searched:
                low, high = declared.range_in(epochs, epochs * updates_per_epoch)
                if declared.name == "learning_rate":
                    low, high = low / arm.peak, high / arm.peak
                searched.append(Parameter(key, declared, low, high))
        parameters[owner] = tuple(searched)
    return Space(arm, parameters, fixed, spec.batch_size_of(arm), epochs)


def _default_within(key: str, declared: Declared, values: tuple[Any, ...], default: Any) -> Any:
    """The default of a hyperparameter, or `default` in its place, if a range or choice contains it; else the middle of
    the range on the scale of the search, or the first choice.
    """
    if default is None:
        default = declared.default
    if isinstance(declared, Categorical):
        return default if default in values else values[0]
    low, high = values
    if default is not None and low <= default <= high:
        return default
    middle = Parameter(key, declared, low, high).at(0.5)
    return round(middle) if declared.integer else middle
