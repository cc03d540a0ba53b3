"""Arm → search space: which parameters Optuna varies, in which ranges, and how its choice becomes a TrainConfig.

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
from cooldown.search.spec.ranges import STRATEGY

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
        """Where a value lies in the range on the scale of the search: 0 its low end, 1 its high end."""
        if self.low == self.high:
            return 0.5
        low, high, at = (self._on_scale(each) for each in (self.low, self.high, value))
        return (at - low) / (high - low)

    def at(self, position: float) -> float:
        """The value at a position, 0 to 1: the inverse of `position`. Of whole numbers it may lie between two."""
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
        """The range widened on one side by a decade, or on a linear scale by its own width, as far as values make sense
        there; None where it ends for good, as a length does at the whole run.
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
        # An end that values cannot pass, or that an excluded limit leaves no room behind.
        if moved == end or (h.open_minimum and moved == h.minimum) or (h.open_maximum and moved == h.maximum):
            return None
        return (moved, self.high) if side == "low" else (self.low, moved)

    def _on_scale(self, value: float) -> float:
        """The value on the search's scale, rising with it."""
        match self.hyperparameter.scale:
            case Scale.LOG:
                return math.log(value)
            case Scale.ONE_MINUS_LOG:
                return -math.log(1 - value)
        return value

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

    def natural(self, sampled: Any) -> float:
        """The value that the sampler's number stands for."""
        value: float = min(max(1 - sampled, self.low), self.high) if self.flipped else sampled
        return value

    def sampled(self, natural: float) -> float:
        """The sampler's number for a value: `natural`'s inverse."""
        return min(max(1 - natural, 1 - self.high), 1 - self.low) if self.flipped else natural


@dataclass(frozen=True)
class Choice:
    """A categorical hyperparameter or strategy with the values that the search may choose from."""

    key: str
    choices: tuple[str | bool, ...]

    @cached_property
    def distribution(self) -> "CategoricalDistribution":
        """The choices, for Optuna's tables and for the sampler alike."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.choices)

    @property
    def sampled_distribution(self) -> "CategoricalDistribution":
        """As the sampler sees them."""
        return self.distribution

    def suggest(self, trial: Any) -> str | bool:
        """The sampler's value in `trial` (an Optuna trial)."""
        return trial.suggest_categorical(self.key, list(self.choices))  # type: ignore[no-any-return]

    def natural(self, sampled: Any) -> str | bool:
        """The value itself."""
        return sampled  # type: ignore[no-any-return]

    sampled = natural


@dataclass(frozen=True)
class Space:
    """The search space of one arm in one experiment.

    parameters: by owner, a catalog entry's name or "strategy". fixed: values by owner that the spec holds fast.
    """

    arm: Arm
    parameters: Mapping[str, tuple[Parameter | Choice, ...]]
    fixed: Mapping[str, Mapping[str, Any]]
    batch_size: int
    epochs: int

    def suggest(self, trial: Any) -> dict[str, Any]:
        """What `trial` (an Optuna trial) chooses: natural values by parameter name."""
        chosen: dict[str, Any] = {}
        for kind, names in (("optimizer", self.arm.optimizers), ("schedule", self.arm.schedules)):
            owner = names[0]
            if len(names) > 1:
                owner = chosen[kind] = trial.suggest_categorical(kind, list(names))
            chosen |= self._suggest(owner, trial)
        return chosen | self._suggest(STRATEGY, trial)

    def _suggest(self, owner: str, trial: Any) -> dict[str, Any]:
        return {each.key: each.natural(each.suggest(trial)) for each in self.parameters[owner]}

    def sampled(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """`chosen` as the sampler saw it."""
        return {name: self.by_key[name].sampled(value) if "." in name else value for name, value in chosen.items()}

    def distributions(self, chosen: Mapping[str, Any], *, natural: bool) -> "dict[str, BaseDistribution]":
        """The ranges of what was chosen, in natural units or as the sampler saw them."""
        from optuna.distributions import CategoricalDistribution

        choices = {"optimizer": self.arm.optimizers, "schedule": self.arm.schedules}
        return {
            name: CategoricalDistribution(choices[name])
            if name in choices
            else (self.by_key[name].distribution if natural else self.by_key[name].sampled_distribution)
            for name in chosen
        }

    def config(self, chosen: Mapping[str, Any]) -> TrainConfig:
        """The config that a choice stands for."""

        def own(owner: str) -> dict[str, Any]:
            # A module's name holds dots too, as in "package.module:Lion.beta1".
            parts = [(*name.rpartition("."), value) for name, value in chosen.items()]
            return {**self.fixed[owner], **{name: value for of, _, name, value in parts if of == owner}}

        optimizer = chosen.get("optimizer", self.arm.optimizers[0])
        schedule = chosen.get("schedule", self.arm.schedules[0])
        return TrainConfig.from_json(
            {
                "optimizer": {"name": optimizer, **own(optimizer)},
                "schedule": {"name": schedule, **own(schedule)},
                "batch_size": self.batch_size,
                "epochs": self.epochs,
                **own(STRATEGY),
            }
        )

    def reach(self, owner: str, name: str) -> tuple[float, float]:
        """The least and the greatest value that a numeric hyperparameter of a catalog entry can take."""
        parameter = self.by_key.get(f"{owner}.{name}")
        if isinstance(parameter, Parameter):
            return parameter.low, parameter.high
        default = next(each.default for each in self.arm.hyperparameters[owner] if each.name == name)
        value = float(self.fixed[owner].get(name, default))
        return value, value

    @property
    def default(self) -> TrainConfig:
        """The arm's config untuned: what the spec fixes, and the default of everything else."""
        optimizer = self.arm.optimizers[0]
        rate = next(each for each in self.arm.hyperparameters[optimizer] if each.name == "learning_rate")
        assert isinstance(rate, Hyperparameter)
        key = f"{optimizer}.learning_rate"
        # A default is meant for the highest rate of a run, which a schedule like noam's does not reach by itself.
        own = (
            {} if "learning_rate" in self.fixed[optimizer] or not rate.default else {key: rate.default / self.arm.peak}
        )
        return self.config(own)

    def programs(self) -> list[TrainConfig]:
        """Configs that between them use all that a search may ask for, each for one epoch at a constant rate: what has
        to be compiled, and what the task's model must have a place for.
        """
        searched = self.parameters[STRATEGY]
        highest = {each.key: each.high for each in searched if isinstance(each, Parameter)}
        choices = [{each.key: choice} for each in searched if isinstance(each, Choice) for choice in each.choices]
        configs = []
        for optimizer in self.arm.optimizers:
            for choice in choices or [{}]:
                full = self.config({"optimizer": optimizer, **highest, **choice}).to_json()
                configs.append(TrainConfig.from_json(full | {"schedule": "constant", "epochs": 1}))
        return configs

    @cached_property
    def by_key(self) -> dict[str, Parameter | Choice]:
        """All that is searched, by parameter name."""
        return {parameter.key: parameter for owned in self.parameters.values() for parameter in owned}


def search_space(spec: Experiment, arm: Arm, updates_per_epoch: int) -> Space:
    """The space of `arm`; ranges that depend on the run's length follow from its number of updates."""
    given = spec.ranges_of(arm)
    parameters: dict[str, tuple[Parameter | Choice, ...]] = {}
    fixed: dict[str, dict[str, Any]] = {}
    owned: dict[str, Iterable[Declared]] = {
        **arm.hyperparameters,
        STRATEGY: [strategy.declared for strategy in STRATEGIES.values()],
    }
    for owner, declared in owned.items():
        fixed[owner] = {}
        found: list[Parameter | Choice] = []
        for each in declared:
            key = f"{owner}.{each.name}"
            value = given.get(key)
            if isinstance(each, Categorical):
                if value is None and each.searched:
                    value = each.choices
                if isinstance(value, tuple):
                    found.append(Choice(key, value))
                elif value is not None:
                    fixed[owner][each.name] = value
            elif isinstance(value, tuple):
                found.append(Parameter(key, each, *value))
            elif value is not None:
                fixed[owner][each.name] = int(value) if each.integer else value
            elif each.searched:
                low, high = each.range_in(spec.epochs, spec.epochs * updates_per_epoch)
                if each.name == "learning_rate":
                    low, high = low / arm.peak, high / arm.peak
                found.append(Parameter(key, each, low, high))
        parameters[owner] = tuple(found)
    return Space(arm, parameters, fixed, spec.batch_size, spec.epochs)
