"""`Experiment`, the spec: what is compared, with which budget. From TOML, the command line or Python.

All mistakes in a spec are reported together. Settings that do not change the result (workers, database, name) are not
part of it.
"""

import tomllib
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from cooldown.objectives import schedules
from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.search.spec import samplers
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.ranges import read_ranges

BESIDE = ("name", "db", "workers")
"""Settings of a run that are not part of its spec, because they do not change the result."""

DEFAULT_ARMS = ("momentum", "momentum+cosine", "momentum+sgdr", "adam", "adam+cosine")

OWN_TEST = "the task's own"
"""The `test` of a spec whose task, an object or a `module:attribute`, has test rows of its own. No file is named so."""

Pruner = Literal["none", "median", "hyperband"]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class Experiment(BaseModel):
    """All arms on one task, with one budget.

    task: a built-in name, a path to a CSV or Parquet file, `openml:NAME` or `module:attribute`. target: the column to
    predict, for a file or an OpenML data set. test: a file of test rows, for a task that is a file; `OWN_TEST` if the
    task has test rows of its own, which `compare` then records; None if they are drawn for each repeat.
    trials: configs tried per study. repeats: independent studies per arm. epochs: passes over the training rows.
    seeds: search seeds per trial. finalists: each study's best trials that are trained again with `finalist_seeds`
    further seeds. confirm_seeds: fresh seeds of the winner's evaluation. generation: trials proposed together.
    sampler: what proposes them, by its name in the catalog of samplers.
    pruner: whether trials that are worse than earlier ones of their own study are stopped early.
    ranges: search ranges or fixed values of single hyperparameters and strategies, by `optimizer.name`, `schedule.name`
    or `strategy.name`, in natural units: `{"momentum.learning_rate": [0.01, 1.0], "strategy.batch_norm": true}`.
    protocol: how rows are split (objectives/data/splits.py): 1 only in a ledger of an older version.
    widened: by arm, the ranges that `resume --extend` has widened, one table per extension; they override `ranges`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    task: str = Field(min_length=1, title="Task", description="what is trained on")
    target: str | None = Field(None, title="Target column", description="a table's target column")
    test: str | None = Field(
        None, title="Test set", description="a table of test rows for all repeats, for a task that is a table"
    )
    arms: tuple[str, ...] = Field(DEFAULT_ARMS, title="Arms", description="optimizers, or optimizers+schedules")
    trials: Count = Field(24, title="Trials per study", description="configs tried per study")
    repeats: Count = Field(5, title="Repeats per arm", description="independent studies per arm")
    epochs: Count = Field(30, title="Epochs", description="passes over the training rows")
    seeds: Count = Field(3, title="Seeds per trial", description="seeds per trial")
    finalists: Count = Field(
        6, title="Finalists per study", description="best trials of a study to train again with more seeds"
    )
    finalist_seeds: Count = Field(10, title="Further seeds of a finalist", description="further seeds of a finalist")
    confirm_seeds: Count = Field(
        10, title="Fresh seeds of a winner", description="fresh seeds of a winner's evaluation"
    )
    generation: Count = Field(4, title="Trials proposed together", description="trials proposed together")
    seed: int = Field(0, ge=0, lt=2**63, title="Seed of the experiment", description="seed of everything random")
    sampler: str = Field("tpe", title="Sampler", description="what proposes configs")
    pruner: Pruner = Field("none", title="Pruner", description="stop bad trials early")
    batch_size: Count = Field(32, title="Batch size", description="rows per update")
    hidden: tuple[Count, ...] | None = Field(None, title="Hidden layers", description="widths of the hidden layers")
    ranges: dict[str, Any] = Field(
        default_factory=dict, title="Custom ranges", description="ranges or fixed values of single hyperparameters"
    )
    protocol: Literal[1, 2] = Field(2, title="Protocol", description="how rows are split")
    widened: dict[str, tuple[dict[str, Any], ...]] = Field(
        default_factory=dict, title="Widened ranges", description="by arm, the ranges that were widened"
    )

    @field_validator("arms", "hidden", mode="before")
    @classmethod
    def _tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("arms", mode="after")
    @classmethod
    def _arms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names: list[str] = []
        problems = [] if value else ["should contain at least one arm"]
        for text in value:
            try:
                names.append(Arm.parse(text).name)
            except InputError as error:
                problems.append(str(error))
        problems += [f"arm {name!r} is listed twice" for name, count in Counter(names).items() if count > 1]
        if problems:
            raise InputError("\n".join(problems))
        return tuple(names)

    @field_validator("sampler", mode="after")
    @classmethod
    def _known_sampler(cls, value: str) -> str:
        return samplers.get(value).name

    @field_validator("ranges", mode="before")
    @classmethod
    def _ranges(cls, value: Any, info: ValidationInfo) -> dict[str, Any]:
        # Invalid arms are reported by their own validator.
        arms = [Arm.parse(name) for name in info.data["arms"]] if "arms" in info.data else None
        return read_ranges(value, arms)

    @field_validator("widened", mode="before")
    @classmethod
    def _widened(cls, value: Any, info: ValidationInfo) -> dict[str, Any]:
        arms = info.data.get("arms", ())
        if not isinstance(value, dict) or not all(isinstance(steps, list | tuple) for steps in value.values()):
            raise InputError(f"should be a table of lists of ranges by arm, got {value!r:.80}")
        if "arms" not in info.data:
            # Invalid arms are reported by their own validator.
            return {}
        if unknown := [arm for arm in value if arm not in arms]:
            raise unknown_name("arm", unknown[0], arms)
        read = {arm: tuple(read_ranges(step, [Arm.parse(arm)]) for step in steps) for arm, steps in value.items()}
        for steps in read.values():
            if not steps or not all(step and all(map(_is_range, step.values())) for step in steps):
                raise InputError(f"should contain only ranges [low, high], got {value!r:.80}")
        return read

    def ranges_of(self, arm: Arm) -> dict[str, Any]:
        """The arm's presets, overridden by the spec's ranges, overridden by the widened ranges."""
        ranges = {**arm.presets, **self.ranges}
        for step in self.widened.get(arm.name, ()):
            ranges |= step
        return ranges

    @cached_property
    def parsed_arms(self) -> tuple[Arm, ...]:
        """The arms, in the order of `arms`."""
        return tuple(Arm.parse(name) for name in self.arms)

    @property
    def reacts(self) -> bool:
        """Whether a run may depend on its validation loss: by early stopping, or by a schedule that reacts to it."""
        names = {name for arm in self.parsed_arms for name in arm.schedules}
        return "strategy.early_stopping" in self.ranges or any(schedules.get(name).reaction for name in names)

    def to_json(self) -> dict[str, Any]:
        """The spec as a JSON-ready dict; without `widened` if no range was widened, without `test` if test rows are
        drawn, and as an older version wrote it if it is of protocol 1."""
        left_out = {"widened": not self.widened, "test": self.test is None, "protocol": self.protocol == 1}
        return self.model_dump(mode="json", exclude={name for name, out in left_out.items() if out})


def data_options(spec: Mapping[str, Any]) -> list[str]:
    """The options with which a command names a spec's target column and test set."""
    # Joined with "=", because a column or a file may be named like an option.
    return [f"--{key}={spec[key]}" for key in ("target", "test") if spec.get(key) not in (None, OWN_TEST)]


def _is_range(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(end, float) for end in value)


def recorded_spec(fields: Mapping[str, Any]) -> Experiment:
    """The spec as a ledger or an exported file has it: of protocol 1 if it does not say otherwise."""
    return read_spec(**{"protocol": 1, **fields})


def read_spec(**fields: Any) -> Experiment:
    """The spec with these fields; raises InputError that lists all mistakes."""
    known = list(Experiment.model_fields)
    problems = [str(unknown_name("setting", name, (*known, *BESIDE))) for name in fields if name not in known]
    try:
        spec = Experiment(**{name: value for name, value in fields.items() if name in known})
    except ValidationError as error:
        problems += [problem for detail in error.errors() for problem in _problems(detail)]
    else:
        if not problems:
            return spec
    if len(problems) == 1:
        raise InputError(problems[0])
    raise InputError("\n".join([f"{len(problems)} problems in the spec:", *(f"  {problem}" for problem in problems)]))


def _problems(error: Any) -> list[str]:
    """The messages for one of pydantic's errors: field, rule, value."""
    field, value = error["loc"][0], error["input"]
    where = field + "".join(f"[{part}]" for part in error["loc"][1:])
    if (cause := error.get("ctx", {}).get("error")) is not None:
        return [f"{field}: {line}" for line in str(cause).split("\n")]
    match error["type"]:
        case "missing":
            return [f"{where}: is missing"]
        case "literal_error" if isinstance(value, str):
            return [str(unknown_name(field, value, get_args(Experiment.model_fields[field].annotation)))]
        case "tuple_type":
            return [f"{where}: should be a list, got {value!r}"]
    message = error["msg"].replace("Input should", "should").replace("String should", "should")
    return [f"{where}: {message}, got {value!r:.80}"]


def read_toml(path: Path) -> dict[str, Any]:
    """The settings in a TOML file; raises InputError with the file's name and, for a syntax error, the line."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise InputError(f"spec file {path} does not exist") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not valid TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
