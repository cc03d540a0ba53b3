"""`Optimizer`: an update rule as a formula on scalars, with the state and the hyperparameters it needs."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.catalog import Entry, unknown_name
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Hyperparameter, Scale, complete
from cooldown.objectives.relations import Contains, KnownArm, Natives

Family = Literal["sgd", "adaptive"]

DELAYS = ("missed", "staleness")
"""What a formula may take of a gradient that comes late, as its last arguments, with the default 0 of one in time: the
sum of the gradients applied since its parameters were read, and their number.
"""

OF_MATRICES = ("direction", "in_matrix")
"""What the formula of a rule with `matrices` takes of them, as its last arguments, with the default 0 of a parameter
that is in none: the entry of the matrix that was worked out, and whether there is one, 1 or 0.
"""


@dataclass(frozen=True)
class Numbers:
    """What a rule computes once per update for all parameters of a replicate together, before its formula.

    work_out: `work_out(sums, memory, t, *hyperparameters) -> numbers`, a tuple of scalars. memory: (size,) float64,
        kept for each replicate from update to update, zero at the start, updated in place.
    size: length of the memory.
    terms: formulas for one parameter with the arguments of `update`, but without the numbers:
        `term(theta, gradient, *slots, learning_rate, t, *hyperparameters)`; `sums` holds the sum of each over all
        parameters, in float64.
    pure: for a rule without terms, `work_out` without assignments to the memory, which JAX can compile:
        `pure(memory, t, *hyperparameters) -> (numbers, memory)`. Without it JAX calls `work_out` on the host.
    """

    work_out: Callable[..., tuple[Any, ...]]
    size: int
    terms: tuple[Callable[..., Any], ...] = ()
    pure: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Matrices:
    """What a rule does to the weight matrices of a model as a whole, before its formula.

    source: a formula for one entry, with the arguments of a term of `Numbers`: the matrix that is worked on.
    work_out: from a matrix (inputs, outputs) to one of this shape, in operations that arrays of numpy and of all
        frameworks have, and Numba compiles: arithmetic, `@`, `.T`, `.sum()`, `.shape`, `np.eye`.
    compiled: the same for Numba alone, where loops and arrays that are used again are faster; None for `work_out`.
    """

    source: Callable[..., Any]
    work_out: Callable[..., Any]
    compiled: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Optimizer(Entry):
    """One update rule of the catalog.

    update: the textbook formula for one parameter,
        `update(theta, gradient, *slots, learning_rate, t, *hyperparameters, *numbers) -> (theta, *slots)`,
        where t = 1, 2, … is the number of the update; at the end it may take `DELAYS`, and `OF_MATRICES`. It uses only
        arithmetic and numpy's elementwise functions: so it also works on arrays, and the engine can compile it into one
        loop (objectives/fusion.py).
    hyperparameters: `learning_rate` first, then those of the formula in its order.
    family: "sgd" for one step size for all parameters, "adaptive" for one per parameter.
    formula, reference: for the documentation.
    numbers: for a rule whose formula takes numbers computed for the replicate as a whole.
    matrices: for a rule that treats the weight matrices of a model as such.
    reported: `reported(theta, *slots, *hyperparameters) -> theta`, the parameters that are measured and kept, for a
        rule that trains others; written like `update`. With all slots zero they are `theta` itself.
    idle_without_gradient: whether the formula changes neither a parameter nor its state where the gradient is 0, so
        that on sparse rows only what has a gradient is updated.
    note: how to read this rule's learning rate, if it is unusual.
    colour: `#rrggbb` in every figure, distinct from all others on white and on black; "" derives one from the name.
    native: by export format, the framework's own rule that is exactly this one. differs: by export format, why the
        rule of the same name there is not. contains: simpler rules that it becomes at some value of a hyperparameter.
    arms: arms with this rule that the literature makes claims about.
    """

    name: str
    family: Family
    update: Callable[..., Any]
    hyperparameters: tuple[Hyperparameter, ...]
    formula: str
    reference: str
    numbers: Numbers | None = None
    matrices: Matrices | None = None
    reported: Callable[..., Any] | None = None
    idle_without_gradient: bool = False
    note: str = ""
    colour: str = ""
    native: Natives = field(default_factory=dict, compare=False)
    differs: Mapping[str, str] = field(default_factory=dict, compare=False)
    contains: tuple[Contains, ...] = field(default=(), compare=False)
    arms: tuple[KnownArm, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if self.family not in get_args(Family):
            raise unknown_name(f"family of optimizer {self.name!r}:", self.family, get_args(Family))
        if self.colour and not re.fullmatch("#[0-9A-Fa-f]{6}", self.colour):
            raise InputError(
                f"optimizer {self.name!r}: colour must be six hexadecimal digits as in #1A7FC4, or empty to derive one "
                f"from the name, got {self.colour!r}"
            )

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """The names of the state slots, each of the parameters' shape and zero at the start."""
        names = list(inspect.signature(self.update).parameters)
        return tuple(names[2 : names.index("learning_rate")])

    @cached_property
    def number_names(self) -> tuple[str, ...]:
        """The names of the `numbers` that the formula takes after the hyperparameters."""
        names = list(inspect.signature(self.update).parameters)
        return tuple(names[names.index("t") + len(self.hyperparameters) : len(names) - len(self.optional)])

    @cached_property
    def optional(self) -> tuple[str, ...]:
        """Which of `DELAYS` and `OF_MATRICES` the formula takes, in its order."""
        given = inspect.signature(self.update).parameters.values()
        return tuple(each.name for each in given if each.default is not inspect.Parameter.empty)

    @cached_property
    def delays(self) -> tuple[str, ...]:
        """Which of `DELAYS` the formula takes, in its order."""
        return tuple(name for name in self.optional if name not in OF_MATRICES)

    @property
    def memory_size(self) -> int:
        """Length of the memory that the rule keeps for each replicate."""
        return self.numbers.size if self.numbers else 0

    def in_time(self, gradient: NDArray[Any]) -> list[NDArray[Any]]:
        """What the compiled rule takes for its `optional` arguments, for gradients (R, P) at the latest parameters of a
        model without matrices: 0.
        """
        (replicates, parameters), both = gradient.shape, gradient.shape
        shapes = {"missed": both, "staleness": (replicates,), "direction": both, "in_matrix": (parameters,)}
        return [np.zeros(shapes[name], gradient.dtype) for name in self.optional]

    def complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The hyperparameters `given`, checked, and the defaults of the others."""
        return complete(self.name, self.hyperparameters, given)


def learning_rate(default: float, low: float, high: float) -> Hyperparameter:
    """The base learning rate η, searched on a log scale in the rule's own range."""
    return Hyperparameter(
        "learning_rate", default, low, high, Scale.LOG, open_minimum=True, meaning="base learning rate η"
    )


def momentum() -> Hyperparameter:
    """The velocity's decay μ, searched as 1 − μ on a log scale."""
    return Hyperparameter(
        "momentum",
        0.9,
        0.5,
        0.995,
        Scale.ONE_MINUS_LOG,
        maximum=1,
        open_maximum=True,
        meaning="decay μ of the velocity",
    )


def decay(name: str, default: float, low: float, high: float, meaning: str) -> Hyperparameter:
    """A moving average's decay (β₁, β₂, ρ), searched as its distance to 1 on a log scale."""
    return Hyperparameter(name, default, low, high, Scale.ONE_MINUS_LOG, maximum=1, open_maximum=True, meaning=meaning)


def moments(second: str = "decay β₂ of the second moment") -> tuple[Hyperparameter, Hyperparameter]:
    """Adam's β₁ and β₂; second: what β₂ is the decay of."""
    return (
        decay("beta1", 0.9, 0.5, 0.99, "decay β₁ of the first moment"),
        decay("beta2", 0.999, 0.9, 0.9999, second),
    )


def epsilon(default: float) -> Hyperparameter:
    """The denominator's ε: not searched by default, and searchable up to very large values."""
    return Hyperparameter(
        "epsilon",
        default,
        1e-10,
        1e2,
        Scale.LOG,
        searched=False,
        open_minimum=True,
        meaning="ε in the denominator",
    )
