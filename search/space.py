"""Arm → search space: which parameters Optuna varies, in which ranges, and how its choice becomes a TrainConfig.

A parameter is called `<optimizer>.<name>` or `<schedule>.<name>` and has its natural value everywhere outside the
sampler. Only the sampler sees β and momentum as 1 − β on a log scale.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from objectives.config import TrainConfig
from objectives.hyperparameters import Hyperparameter, Scale
from search.arms import Arm
from search.spec import Experiment

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

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

    arm: Arm
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


def space(experiment: Experiment, arm: Arm, updates_per_epoch: int) -> Space:
    """The space of `arm`; ranges that depend on the run's length follow from its number of updates."""
    parameters: dict[str, tuple[Parameter, ...]] = {}
    fixed: dict[str, dict[str, float]] = {}
    for owner, declared in arm.hyperparameters.items():
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
