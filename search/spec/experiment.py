"""`Experiment`, the spec: what is compared, with which budget. From TOML, the command line or Python.

All mistakes in a spec are reported together. Settings that do not change the result (workers, database, name) are not
part of it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from cooldown.objectives import schedules
from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.data.aim import Aim, read_class_weight, read_measure
from cooldown.objectives.errors import InputError
from cooldown.search.spec import limits, samplers
from cooldown.search.spec.arm_lists import read_arms
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.looks import check_looks, planned_fields
from cooldown.search.spec.mistakes import Mistake, SpecError, invalid_fields, unknown_settings
from cooldown.search.spec.ranges import read_ranges
from cooldown.search.spec.task_fields import BY_TASK, READING, TaskFields
from cooldown.search.spec.values import plain
from cooldown.search.statistics.verdict import MARGIN

BESIDE = ("name", "db", "workers", "until_decided", "max_repeats")
"""Settings of a run that are no fields of its spec: they do not change the result, or say what `looks` is to be."""

AIMS = ("metric", "objective", "class_weight", "sample_weight", "target_transform")
"""Fields that say what a task's network is trained for and measured by."""

LEFT_OUT = (*BY_TASK, "kind", *READING, "widened", "primary", "margin", "looks", "until", *AIMS)
"""Fields that a spec has in JSON only where they are set: specs of older ledgers do not have them."""

DEFAULT_ARMS = ("momentum", "momentum+cosine", "momentum+sgdr", "adam", "adam+cosine")

Pruner = Literal["none", "median", "hyperband"]

Trials = Annotated[int, Field(ge=1, le=limits.TRIALS)]
Repeats = Annotated[int, Field(ge=1, le=limits.REPEATS)]
Epochs = Annotated[int, Field(ge=1, le=limits.EPOCHS)]
Seeds = Annotated[int, Field(ge=1, le=limits.SEEDS)]
Rows = Annotated[int, Field(ge=1, le=limits.BATCH_SIZE)]
Width = Annotated[int, Field(ge=1, le=limits.WIDTH)]


class Experiment(TaskFields):
    """All arms on one task, with one budget.

    arms: texts such as `bn=momentum+cosine[batch_norm=true]`, or tables as `Arm.from_table` reads them, in a list or by
    label; stored as the arms' names. An arm's own settings override `ranges`, `batch_size` and `epochs`.
    task: a built-in name, a path to a CSV or Parquet file, `openml:NAME` or `module:attribute`. target: the column to
    predict, for a file or an OpenML data set. test: a file of test rows, for a task that is a file; `OWN_TEST` if the
    task has test rows of its own, which `compare` then records; None if they are drawn for each repeat. groups, time: a
    table's column across which nothing is split, of groups or of times; `OWN_TEST` likewise.
    kind: "classification" or "regression", where the target does not say it. decimal, missing, categories, dates, drop:
    how a file is read, as in `objectives.tasks.Reading`.
    trials: configs tried per study. repeats: independent studies per arm. epochs: passes over the training rows.
    seeds: search seeds per trial. finalists: each study's best trials that are trained again with `finalist_seeds`
    further seeds. confirm_seeds: fresh seeds of the winner's evaluation. generation: trials proposed together.
    sampler: what proposes them, by its name in the catalog of samplers.
    pruner: whether trials that are worse than earlier ones of their own study are stopped early.
    ranges: search ranges or fixed values of single hyperparameters and strategies, by `optimizer.name`, `schedule.name`
    or `strategy.name`, in natural units: `{"momentum.learning_rate": [0.01, 1.0], "strategy.batch_norm": true}`.
    protocol: how rows are split (objectives/data/splits.py): 1 only in a ledger of an older version.
    widened: by arm, the ranges that `resume --extend` has widened, one table per extension; they override `ranges`.
    looks: the numbers of repeats at which an experiment that goes on until it answers may be looked at, `repeats` being
    what it has so far; none for one that has `repeats` in any case.
    until: the repeats up to which it goes on beyond its plan, as `resume --until-decided` was asked to.
    primary: the two arms of the question, "does the first beat the second?"; by default tuned annealed SGD and a tuned
    adaptive method. margin: losses that differ by less than this fraction count as practically equal.
    metric, objective, class_weight, target_transform: as in `Aim`; class_weight as a mapping of label to weight.
    sample_weight: the column with the rows' weights, of a table.
    """

    arms: tuple[str, ...] = Field(
        DEFAULT_ARMS,
        title="Arms",
        description="optimizers, or optimizers+schedules; or a set of arms: survey, modern",
        examples=[["momentum+cosine", "adam"]],
    )
    trials: Trials = Field(16, title="Trials per study", description="configs tried per study", examples=[16])
    repeats: Repeats = Field(5, title="Repeats per arm", description="independent studies per arm", examples=[5])
    epochs: Epochs = Field(30, title="Epochs", description="passes over the training rows", examples=[30])
    seeds: Seeds = Field(3, title="Seeds per trial", description="seeds per trial", examples=[3])
    finalists: Seeds = Field(
        4,
        title="Finalists per study",
        description="best trials of a study to train again with more seeds",
        examples=[4],
    )
    finalist_seeds: Seeds = Field(
        4, title="Further seeds of a finalist", description="further seeds of a finalist", examples=[4]
    )
    confirm_seeds: Seeds = Field(
        5, title="Fresh seeds of a winner", description="fresh seeds of a winner's evaluation", examples=[5]
    )
    generation: Seeds = Field(4, title="Trials proposed together", description="trials proposed together", examples=[4])
    seed: int = Field(
        0, ge=0, lt=2**63, title="Seed of the experiment", description="seed of everything random", examples=[0]
    )
    sampler: str = Field("tpe", title="Sampler", description="what proposes configs", examples=["tpe"])
    pruner: Pruner = Field("none", title="Pruner", description="stop bad trials early", examples=["median"])
    batch_size: Rows = Field(32, title="Batch size", description="rows per update", examples=[32])
    hidden: tuple[Width, ...] | None = Field(
        None,
        max_length=limits.LAYERS,
        title="Hidden layers",
        description="widths of the hidden layers",
        examples=[[64, 32]],
    )
    ranges: dict[str, Any] = Field(
        default_factory=dict,
        title="Custom ranges",
        description="ranges or fixed values of single hyperparameters",
        # What an arm sets for nothing is said here.
        validate_default=True,
        examples=[{"momentum.learning_rate": [0.01, 1.0]}],
    )
    protocol: Literal[1, 2] = Field(2, title="Protocol", description="how rows are split", examples=[2])
    widened: dict[str, tuple[dict[str, Any], ...]] = Field(
        default_factory=dict,
        title="Widened ranges",
        description="by arm, the ranges that were widened",
        examples=[{"adam": [{"adam.learning_rate": [1e-5, 1.0]}]}],
    )
    looks: tuple[Repeats, ...] = Field(
        (), title="Planned looks", description="numbers of repeats at which it may end", examples=[[5, 10, 20]]
    )
    until: Repeats | None = Field(
        None, title="Goes on until", description="repeats up to which it goes on, if open", examples=[40]
    )
    primary: tuple[str, str] | None = Field(
        None,
        title="Question",
        description="the two arms of the question: does the first beat the second?",
        examples=[["momentum+cosine", "adam"]],
    )
    margin: float = Field(
        MARGIN,
        gt=0,
        lt=1,
        title="Margin",
        description="losses closer than this fraction are practically equal",
        examples=[0.1],
    )

    metric: str | None = Field(
        None, title="Score", description="score to show, one of scikit-learn's scorers", examples=["accuracy"]
    )
    objective: str | None = Field(
        None,
        title="Objective",
        description="measure to search and decide by instead of the loss, such as roc_auc or mae",
        examples=["roc_auc"],
    )
    class_weight: Literal["balanced"] | dict[str, float] | None = Field(
        None, title="Class weights", description="weights of the classes in the training loss", examples=["balanced"]
    )
    sample_weight: str | None = Field(
        None,
        title="Column of weights",
        description="a table's column with the weights of its rows",
        examples=["weight"],
    )
    target_transform: Literal["log"] | None = Field(
        None, title="Transformed target", description="train on the logarithm of the target", examples=["log"]
    )

    @field_validator("hidden", "primary", "looks", mode="before")
    @classmethod
    def _tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("arms", mode="before")
    @classmethod
    def _arms(cls, value: Any) -> Any:
        """The arms' names."""
        return read_arms(value)

    @field_validator("primary", mode="before")
    @classmethod
    def _primary(cls, value: Any, info: ValidationInfo) -> Any:
        arms = info.data.get("arms", ())
        if value is None or not arms:
            # Invalid arms are reported by their own validator.
            return None
        names = value if isinstance(value, list | tuple) else [value]
        if len(names) != 2 or not all(isinstance(name, str) for name in names):
            raise InputError(f"should be two arms, such as ['momentum+cosine', 'adam'], got {value!r:.80}")
        pair = tuple(_called(arms, name.strip()) for name in names)
        if pair[0] == pair[1]:
            raise InputError(f"should be two different arms, got {pair[0]!r} twice")
        return pair

    @field_validator("looks", mode="after")
    @classmethod
    def _rising(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        check_looks(value, info.data.get("repeats", 0) or max(value, default=0))
        return value

    @field_validator("metric", "objective", mode="before")
    @classmethod
    def _measure(cls, value: Any) -> Any:
        return None if value is None else read_measure(value)

    @field_validator("class_weight", mode="before")
    @classmethod
    def _class_weight(cls, value: Any) -> Any:
        read = read_class_weight(value)
        return dict(read) if isinstance(read, tuple) else read

    @field_validator("target_transform", mode="before")
    @classmethod
    def _target_transform(cls, value: Any) -> Any:
        if value not in (None, "log"):
            raise InputError(f"should be 'log', got {value!r:.80}")
        return value

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
        """The arm's presets, overridden by the spec's ranges, by the arm's own settings and by the widened ranges."""
        ranges = {**arm.presets, **self.ranges, **arm.ranges}
        for step in self.widened.get(arm.name, ()):
            ranges |= step
        return {name: value for name, value in ranges.items() if value is not None}

    def batch_size_of(self, arm: Arm) -> int:
        """Rows per update in the runs of an arm."""
        return arm.batch_size or self.batch_size

    def epochs_of(self, arm: Arm) -> int:
        """Passes over the training rows in the runs of an arm."""
        return arm.epochs or self.epochs

    def updates_per_epoch(self, arm: Arm, rows: int) -> int:
        """Updates in an epoch of `rows` training rows in the runs of an arm; the last batch may be smaller."""
        return -(-rows // self.batch_size_of(arm))

    def arm_called(self, text: object) -> str:
        """The name of the arm called `text`: its name, its label if no other arm has it, or a longer form of its
        name. Raises InputError for no arm.
        """
        return _called(self.arms, str(text))

    @cached_property
    def parsed_arms(self) -> tuple[Arm, ...]:
        """The arms, in the order of `arms`."""
        return tuple(Arm.parse(name) for name in self.arms)

    @cached_property
    def aim(self) -> Aim:
        """What the task's network is trained for and measured by, as far as the spec says it."""
        weights = read_class_weight(self.class_weight)
        return Aim(self.metric, self.objective, weights, self.target_transform)

    @property
    def reacts(self) -> bool:
        """Whether a run may depend on its validation loss: by early stopping, or by a schedule that reacts to it."""
        names = {name for arm in self.parsed_arms for name in arm.schedules}
        stopped = any("strategy.early_stopping" in self.ranges_of(arm) for arm in self.parsed_arms)
        return stopped or any(schedules.get(name).reaction for name in names)

    def to_json(self) -> dict[str, Any]:
        """The spec as a JSON-ready dict; without what most specs leave at its default, and as an older version wrote it
        if it is of protocol 1.
        """
        left_out = {key for key in LEFT_OUT if self.at_default(key)} | ({"protocol"} if self.protocol == 1 else set())
        return self.model_dump(mode="json", exclude=left_out)

    def at_default(self, field: str) -> bool:
        """Whether a field has its default value."""
        return bool(getattr(self, field) == type(self).model_fields[field].get_default(call_default_factory=True))


def _called(arms: Sequence[str], text: str) -> str:
    """The one of `arms` that is called `text`: see `Experiment.arm_called`."""
    if text in arms:
        return text
    labels = [Arm.parse(name).label for name in arms]
    labelled = {label: name for label, name in zip(labels, arms, strict=True) if label and labels.count(label) == 1}
    if text in labelled:
        return labelled[text]
    with suppress(InputError):
        if (name := Arm.parse(text).name) in arms:
            return name
    raise unknown_name("arm of this experiment", text, (*arms, *labelled))


def _is_range(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(end, float) for end in value)


def recorded_spec(fields: Mapping[str, Any]) -> Experiment:
    """The spec as a ledger or an exported file has it: of protocol 1 if it does not say otherwise."""
    return read_spec(**{"protocol": 1, **fields})


def read_spec(**fields: Any) -> Experiment:
    """The spec with these fields; raises SpecError, an InputError that lists all mistakes."""
    return _read(plain(fields), [])


def planned_spec(**settings: Any) -> Experiment:
    """The spec of a caller's settings, which may say until_decided and max_repeats; raises as `read_spec` does."""
    return _read(*planned_fields(plain(settings)))


def _read(fields: Mapping[str, Any], problems: Sequence[str]) -> Experiment:
    """The spec with these fields; raises SpecError for the `problems` that are known and all further ones."""
    known = list(Experiment.model_fields)
    unknown = [name for name in fields if name not in known]
    mistakes = [Mistake(problem.partition(":")[0], problem) for problem in problems]
    unknown_ones, count = unknown_settings(unknown, (*known, *BESIDE))
    mistakes, count = [*mistakes, *unknown_ones], len(mistakes) + count
    try:
        spec = Experiment(**{name: value for name, value in fields.items() if name in known})
    except ValidationError as error:
        annotations = {name: field.annotation for name, field in Experiment.model_fields.items()}
        further = invalid_fields(error, annotations)
        mistakes, count = [*mistakes, *further], count + len(further)
    else:
        if not count:
            return spec
    raise SpecError(mistakes, count)
