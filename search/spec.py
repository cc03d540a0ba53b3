"""`Experiment`, the spec: what is compared, with which budget. From TOML, the command line or Python.

All mistakes of a spec are told at once. What does not change the result (workers, database, name) is not identity.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from objectives import optimizers, schedules
from objectives.catalog import unknown_name
from objectives.errors import InputError

DEFAULT_ARMS = ("momentum", "momentum+cosine", "momentum+sgdr", "adam", "adam+cosine")

Sampler = Literal["tpe", "random", "qmc", "cmaes", "gp"]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


@dataclass(frozen=True)
class Arm:
    """What one search may choose from: optimizers × schedules."""

    optimizers: tuple[str, ...]
    schedules: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Arm":
        """`"momentum,nag+cosine,sgdr"`: optimizers, then schedules; no `+` means `constant`.

        Raises InputError with the nearest suggestion for an unknown name.
        """
        first, plus, second = text.partition("+")
        chosen = tuple(name.strip() for name in first.split(","))
        annealing = tuple(name.strip() for name in second.split(",")) if plus else ("constant",)
        problems = []
        for names, catalog in ((chosen, optimizers), (annealing, schedules)):
            for name in names:
                try:
                    catalog.get(name)
                except InputError as error:
                    problems.append(str(error))
            if len(set(names)) < len(names):
                problems.append(f"the arm {text!r} names {max(names, key=names.count)!r} twice")
        if problems:
            raise InputError("\n  ".join(problems))
        return cls(chosen, annealing)

    @property
    def name(self) -> str:
        """The arm as one writes it, `momentum` for `momentum+constant`."""
        first = ",".join(self.optimizers)
        return first if self.schedules == ("constant",) else f"{first}+{','.join(self.schedules)}"


class Experiment(BaseModel):
    """All arms on one task, with one budget.

    task: a built-in name, a path to a CSV or Parquet file, or `module:attribute`. target: the table's target column.
    trials: configs tried per study. repeats: independent studies per arm. epochs: passes over the training rows.
    seeds: search seeds per trial. finalists: each study's best trials that are trained again with `finalist_seeds`
    further seeds. confirm_seeds: fresh seeds of the winner's evaluation. generation: trials asked together.
    ranges: search ranges or fixed values of single hyperparameters, by `optimizer.name` or `schedule.name`, in natural
    units: `{"momentum.learning_rate": [0.01, 1.0], "adam.beta2": 0.999}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    task: str = Field(min_length=1)
    target: str | None = None
    arms: tuple[str, ...] = Field(DEFAULT_ARMS, min_length=1)
    trials: Count = 24
    repeats: Count = 5
    epochs: Count = 30
    seeds: Count = 3
    finalists: Count = 6
    finalist_seeds: Count = 10
    confirm_seeds: Count = 10
    generation: Count = 4
    seed: int = Field(0, ge=0)
    sampler: Sampler = "tpe"
    pruner: Literal["none"] = "none"
    batch_size: Count = 32
    hidden: tuple[Count, ...] | None = None
    ranges: dict[str, float | tuple[float, float]] = Field(default_factory=dict)

    @field_validator("arms", "hidden", mode="before")
    @classmethod
    def _tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("ranges", mode="before")
    @classmethod
    def _tuples(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {key: tuple(given) if isinstance(given, list) else given for key, given in value.items()}

    @field_validator("arms", mode="after")
    @classmethod
    def _arms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(Arm.parse(text).name for text in value)
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"the arm {name!r} is named twice")
        return names

    @model_validator(mode="after")
    def _ranges(self) -> "Experiment":
        from search.space import check_ranges

        check_ranges(self)
        return self

    @cached_property
    def parsed_arms(self) -> tuple[Arm, ...]:
        """The arms in their order."""
        return tuple(Arm.parse(name) for name in self.arms)

    def to_json(self) -> dict[str, Any]:
        """The spec as a JSON-ready dict."""
        return self.model_dump(mode="json")


def experiment(**given: Any) -> Experiment:
    """The spec with these fields; raises InputError that tells all mistakes at once."""
    known = list(Experiment.model_fields)
    problems = [str(unknown_name("setting", name, known)) for name in given if name not in known]
    try:
        made = Experiment(**{name: value for name, value in given.items() if name in known})
    except ValidationError as error:
        problems += [_problem(each) for each in error.errors()]
    else:
        if not problems:
            return made
    if len(problems) == 1:
        raise InputError(problems[0])
    raise InputError("\n".join([f"{len(problems)} problems in the spec:", *(f"  {problem}" for problem in problems)]))


def _problem(error: Any) -> str:
    """One mistake in words: where, the rule, the value."""
    where = ".".join(str(part) for part in error["loc"][:2] if not str(part).startswith("tuple"))
    cause = error.get("ctx", {}).get("error")
    if cause is not None:
        return f"{where}: {cause}" if where and where not in str(cause) else str(cause)
    if error["type"] == "missing":
        return f"{where}: is missing"
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{where}: {message.replace('input should', 'should')}, got {error['input']!r}"


def read_toml(path: Path) -> dict[str, Any]:
    """The settings in a TOML file; raises InputError naming the file and, for a syntax error, the place."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise InputError(f"there is no spec file {path}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
