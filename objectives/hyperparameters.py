"""What a rule, schedule or strategy declares beside its formula: the hyperparameters with their defaults and ranges.

`Hyperparameter` is a number, `Categorical` one of a few named values. Defaults are defined nowhere else.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from numbers import Real
from typing import Any

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError


class Scale(Enum):
    """The axis on which a hyperparameter is searched."""

    LINEAR = "linear"
    LOG = "log"
    ONE_MINUS_LOG = "1-x on a log scale"
    """The distance to 1 is what matters: 0.9 to 0.99 is as far as 0.99 to 0.999."""


class Unit(Enum):
    """The unit of a hyperparameter in a config and in the search space."""

    NONE = ""
    EPOCHS = "epochs"
    UPDATES = "updates"


@dataclass(frozen=True)
class Hyperparameter:
    """One number that a rule or a schedule takes.

    low, high: the search range, both ends included; in units of epochs or updates they are fractions of the run.
    minimum, maximum: the allowed values; `open_minimum` and `open_maximum` exclude the end itself.
    searched: whether a search varies it by default; otherwise it stays at `default` unless a spec gives a range.
    default: a number, or None for a strategy that is off; only then may a config give None.
    """

    name: str
    default: float | None
    low: float
    high: float
    scale: Scale = Scale.LINEAR
    unit: Unit = Unit.NONE
    integer: bool = False
    searched: bool = True
    minimum: float = 0.0
    maximum: float = math.inf
    open_minimum: bool = False
    open_maximum: bool = False
    meaning: str = ""

    def range_in(self, epochs: int, updates: int) -> tuple[float, float]:
        """The search range in this hyperparameter's unit, for a run of `epochs` epochs and `updates` updates."""
        length = {Unit.NONE: 1, Unit.EPOCHS: epochs, Unit.UPDATES: updates}[self.unit]
        low, high = max(self.low * length, self.minimum), max(self.high * length, self.minimum)
        return (round(low), round(high)) if self.integer else (low, high)

    def check(self, owner: str, value: Any) -> float | None:
        """`value` as a float (an int if `integer`); InputError with call, rule and value if it is not allowed."""
        if value is None and self.default is None:
            return None
        number = _finite(value)
        if number is None:
            raise self._refused(owner, value, "a finite number")
        if number < self.minimum or (self.open_minimum and number == self.minimum):
            rule = "greater than" if self.open_minimum else "at least"
            raise self._refused(owner, value, f"{rule} {self.minimum:g}{self._unit}")
        if number > self.maximum or (self.open_maximum and number == self.maximum):
            rule = "less than" if self.open_maximum else "at most"
            raise self._refused(owner, value, f"{rule} {self.maximum:g}{self._unit}")
        if not self.integer:
            return number
        if not number.is_integer():
            raise self._refused(owner, value, f"a whole number{self._unit and ' of' + self._unit}")
        return int(number)

    @property
    def _unit(self) -> str:
        return f" {self.unit.value}" if self.unit.value else ""

    def _refused(self, owner: str, value: Any, rule: str) -> InputError:
        return InputError(f"{owner}({self.name}={value!r}): {self.name} must be {rule}, got {value!r}")

    def to_json(self) -> dict[str, Any]:
        """The entry of `cooldown catalog --json`."""
        return {
            "name": self.name,
            "default": self.default,
            "range": [self.low, self.high],
            "range_is_fraction_of_run": self.unit is not Unit.NONE,
            "scale": self.scale.value,
            "unit": self.unit.value,
            "integer": self.integer,
            "searched": self.searched,
            "meaning": self.meaning,
        }


@dataclass(frozen=True)
class Categorical:
    """One of a few named values of a schedule or a strategy, or whether a strategy is on.

    choices: all values, strings or booleans, which a search may choose from too. searched: as for `Hyperparameter`.
    """

    name: str
    default: str | bool
    choices: tuple[str | bool, ...]
    searched: bool = False
    meaning: str = ""

    def check(self, owner: str, value: Any) -> str | bool:
        """`value` if it is one of the choices; otherwise InputError with call, rule and value."""
        if any(value is choice if isinstance(choice, bool) else value == choice for choice in self.choices):
            return value  # type: ignore[no-any-return]
        known = " or ".join(str(choice).lower() if isinstance(choice, bool) else choice for choice in self.choices)
        raise InputError(f"{owner}({self.name}={value!r}): {self.name} must be {known}, got {value!r}")

    def to_json(self) -> dict[str, Any]:
        """The entry of `cooldown catalog --json`."""
        return {
            "name": self.name,
            "default": self.default,
            "choices": list(self.choices),
            "searched": self.searched,
            "meaning": self.meaning,
        }


Declared = Hyperparameter | Categorical


def _finite(value: Any) -> float | None:
    """`value` as a float; None if it is not a finite number."""
    # Checking against an abstract class is slow, so the usual types come first.
    if isinstance(value, bool) or not isinstance(value, (float, int, Real)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def complete(owner: str, declared: Sequence[Declared], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values `given`, checked and completed with the defaults of `declared`, in the declared order.

    Raises InputError with `owner`, the hyperparameter and its value, or with the nearest match of an unknown name.
    """
    names = [hyperparameter.name for hyperparameter in declared]
    for name in given:
        if name not in names:
            raise unknown_name(f"hyperparameter of {owner}", name, names)
    return {
        hyperparameter.name: hyperparameter.check(owner, given.get(hyperparameter.name, hyperparameter.default))
        for hyperparameter in declared
    }
