"""What an entry says of itself beside its formula: a framework's own that is the same, rules that it contains, arms.

Whoever needs to know such a thing of an entry asks the entry, so that adding one is adding one file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Native:
    """A framework's own rule or schedule that is exactly an entry of ours, as a call.

    function: its name there. arguments: as they stand in the call, with hyperparameters in braces: `"eps={epsilon}"`.
        `{every:whole}` is for a length that the framework takes as a whole number, `{every:whole.0}` for one that it
        would compute with in single precision, `{floor:rate}` for a fraction that it takes as a learning rate. Those of
        a schedule may use `LEARNING_RATE`, `total`, the updates after the warm-up, and `updates_per_epoch`; torch's
        schedulers take the `optimizer` first.
    only: the values of hyperparameters at which alone it is exact; it is not either where a whole number is none.
    steady: whether it is exact at a constant rate only.
    """

    function: str
    arguments: tuple[str, ...] = ()
    only: Mapping[str, float] = field(default_factory=dict)
    steady: bool = False


Natives = Mapping[str, Native | Callable[[Mapping[str, Any], int], Native | None]]
"""By export format the framework's own, or what finds it from the hyperparameters and the number of epochs."""


@dataclass(frozen=True)
class Contains:
    """Rules that a rule becomes, or all but becomes, where a hyperparameter may be so small or so large."""

    rules: tuple[str, ...]
    hyperparameter: str
    at_most: float | None = None
    at_least: float | None = None

    def within(self, low: float, high: float) -> bool:
        """Whether a range of the hyperparameter reaches there."""
        return (self.at_most is not None and low <= self.at_most) or (
            self.at_least is not None and high >= self.at_least
        )


@dataclass(frozen=True)
class KnownArm:
    """An arm that the survey or a paper makes a claim about; any other pairing is an arm too.

    name: as one writes it. presets: fixed values and ranges, by parameter name, that belong to it unless a spec gives
    others.
    """

    name: str
    about: str
    presets: Mapping[str, float | tuple[float, float]] = field(default_factory=dict)
