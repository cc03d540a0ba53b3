"""What an entry declares beside its formula: equal implementations in frameworks, rules that it contains, known arms.

Other code reads these from the entry, so that adding an entry means adding one file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Native:
    """A framework's own rule or schedule that is exactly the entry, as a call.

    function: its name in the framework. arguments: of the call, with hyperparameters in braces: `"eps={epsilon}"`.
        `{every:whole}` is for a length that the framework takes as a whole number, `{every:whole.0}` for one that it
        would compute with in single precision, `{floor:rate}` for a fraction that it takes as a learning rate. Those of
        a schedule may use `LEARNING_RATE`, `total` (the updates after the warm-up) and `updates_per_epoch`; torch's
        schedulers take the `optimizer` first.
    only: values of hyperparameters at which alone it is exact. It is not exact either if a length that must be whole
        is not. steady: whether it is exact at a constant rate only.
    reported: of a rule that reports other parameters than it trains, the framework's function that gives them.
    """

    function: str
    arguments: tuple[str, ...] = ()
    only: Mapping[str, float] = field(default_factory=dict)
    steady: bool = False
    reported: str = ""


Natives = Mapping[str, Native | Callable[[Mapping[str, Any], int], Native | None]]
"""By export format: the native call, or a function that finds it from the hyperparameters and the epochs."""


@dataclass(frozen=True)
class Contains:
    """Rules that a rule becomes, or nearly becomes, at very small or very large values of a hyperparameter."""

    rules: tuple[str, ...]
    hyperparameter: str
    at_most: float | None = None
    at_least: float | None = None

    def within(self, low: float, high: float) -> bool:
        """Whether the range from `low` to `high` includes such values."""
        return (self.at_most is not None and low <= self.at_most) or (
            self.at_least is not None and high >= self.at_least
        )


@dataclass(frozen=True)
class KnownArm:
    """An arm that the survey or a paper makes a claim about; any other combination may be an arm too.

    name: as written in `--arm`. presets: fixed values and ranges, by parameter name, which apply unless a spec gives
    others.
    """

    name: str
    about: str
    presets: Mapping[str, float | tuple[float, float]] = field(default_factory=dict)
