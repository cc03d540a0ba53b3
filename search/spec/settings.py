"""The settings of an experiment as keyword arguments: their types for editors, and their names and help at run time.

The fields of `Experiment` say what there is; the tests compare them with the types here, which are those that a caller
may give: a list for a tuple, None for what is not given.
"""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from os import PathLike
from textwrap import wrap
from typing import Any, Literal, TypedDict, TypeVar, get_type_hints

from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.task_fields import TaskFields

Function = TypeVar("Function", bound=Callable[..., Any])
Texts = str | Sequence[str] | None

WIDTH = 110
"""Characters of a line of help, indented."""

OWN = {
    "repeats": "independent studies per arm, by default as many as the answer takes",
    "until_decided": "go on until the question is answered, without a budget",
    "max_repeats": "the repeats up to which until_decided goes on, by default 20",
}
"""Settings that are no fields of a spec, or whose default depends on others."""


class OfTable(TypedDict, total=False):
    """The settings of a task that is a table, and of its network."""

    target: str | None
    test: str | PathLike[str] | None
    groups: str | None
    time: str | None
    kind: Literal["classification", "regression"] | None
    decimal: Literal[".", ","] | None
    missing: Texts
    categories: Texts
    dates: Texts
    drop: Texts
    hidden: Sequence[int] | None
    metric: str | None
    objective: str | None
    class_weight: Literal["balanced"] | Mapping[Any, float] | None
    sample_weight: str | None
    target_transform: Literal["log"] | None


class OfSearch(TypedDict, total=False):
    """The settings of the search of an arm."""

    trials: int | None
    epochs: int | None
    seeds: int | None
    finalists: int | None
    finalist_seeds: int | None
    confirm_seeds: int | None
    generation: int | None
    seed: int | None
    sampler: str | None
    pruner: Literal["none", "median", "hyperband"] | None
    batch_size: int | None
    ranges: Mapping[str, Any] | None


class OfComparison(TypedDict, total=False):
    """The settings of arms that are compared."""

    arms: Sequence[str | Mapping[str, Any]] | Mapping[str, Any] | None
    primary: Sequence[str] | None
    margin: float | None
    repeats: int | None
    until_decided: bool | None
    max_repeats: int | None
    looks: Sequence[int] | None


class OneArm(OfTable, OfSearch):
    """The settings of a search of one arm."""


class Settings(OneArm, OfComparison):
    """The settings of a comparison."""


class Asked(OfSearch, OfComparison):
    """The settings of a comparison whose runs are handed out: its task has a model of its own."""


def explicit(settings: type) -> Callable[[Function], Function]:
    """A decorator for a function with `**settings: Unpack[…]`: its signature and its help name each setting.

    settings: the TypedDict of its keyword arguments. They are as the function itself declares them otherwise.
    """

    def named(function: Function) -> Function:
        signature = inspect.signature(function)
        kept = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        hints = get_type_hints(settings)
        # What is compared comes first, how a table is read last.
        order = dict.fromkeys((*Experiment.__annotations__, *OWN, *TaskFields.model_fields))
        names = [name for name in order if name in hints]
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hints[name])
            for name in names
        ]
        # As functools.wraps says what a wrapper stands for: the call itself is unchanged.
        setattr(function, "__signature__", signature.replace(parameters=[*kept, *more]))  # noqa: B010
        function.__doc__ = (
            f"{inspect.cleandoc(function.__doc__ or '')}\n\nSettings, None for the default:\n{_help(names)}"
        )
        return function

    return named


def _help(names: Collection[str]) -> str:
    """What each setting is, and its default."""
    lines = []
    for name in names:
        text = OWN.get(name) or _described(name)
        lines += wrap(f"{name}: {text}", WIDTH, initial_indent="    ", subsequent_indent="        ")
    return "\n".join(lines)


def _described(name: str) -> str:
    field = Experiment.model_fields[name]
    default = field.get_default(call_default_factory=True)
    return f"{field.description}" + (f" [default: {_shown(default)}]" if default not in (None, (), {}) else "")


def _shown(default: Any) -> str:
    return ", ".join(default) if isinstance(default, tuple) else str(default)
