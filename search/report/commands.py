"""How to reproduce an experiment: commands, and where these are not enough, a spec file or Python code.

An experiment that was extended is reproduced step by step: the first comparison, then each `cooldown resume`.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomli_w

from cooldown.objectives import tasks
from cooldown.search.evidence.measures import options
from cooldown.search.spec.arms import joint_arm
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.task_fields import BY_TASK, OWN_TEST, data_options
from cooldown.search.spec.values import flatten
from cooldown.storage import ExperimentRecord

OPTIONS = (
    "trials",
    "repeats",
    "epochs",
    "seeds",
    "finalists",
    "confirm_seeds",
    "seed",
    "sampler",
    "pruner",
    "batch_size",
    "margin",
)
"""The fields of a spec that each have an option with the same name and value."""

FILE_ONLY = ("finalist_seeds", "generation")
"""The fields that only a spec file can set."""


@dataclass(frozen=True)
class Reproduction:
    """How to reproduce an experiment.

    commands: to run in this order. spec_file: the content of `spec.toml`, which the first command reads; "" where it
    needs none. python: replaces the first command where the task is a Python object, called `task`.
    """

    commands: tuple[str, ...]
    spec_file: str = ""
    python: str = ""


def reproduction(record: ExperimentRecord) -> Reproduction:
    """How to reproduce the experiment."""
    spec, steps = _grown(record)
    settings = _changed(spec)
    name = shlex.quote(record.name)
    resumed = tuple(f"cooldown resume {name} {step}" for step in steps)
    if tasks.origin(record.spec["task"]) == "object":
        arguments = "".join(f",\n    {key}={value!r}" for key, value in settings.items() if key != "task")
        return Reproduction(
            resumed,
            python=f"from cooldown import compare\n\ncompare(\n    task,\n    name={record.name!r}{arguments},\n)",
        )
    if any(key in settings for key in FILE_ONLY) or (sets := _sets(spec)) is None or _weighs(spec):
        return Reproduction((f"cooldown compare spec.toml --name {name}", *resumed), spec_file=_toml(settings))
    # An experiment on a built-in task has its name by default.
    chosen_name = (
        "" if record.name == spec["task"] and not resumed and tasks.origin(spec["task"]) == "built-in" else record.name
    )
    return Reproduction((_compare(spec, settings, sets, chosen_name), *resumed))


def _grown(record: ExperimentRecord) -> tuple[Mapping[str, Any], list[str]]:
    """The first spec, and the options of each `cooldown resume` since; what its plan did, it does again by itself."""
    spec, steps = dict(record.spec), []
    for step in reversed(record.extended_from):
        changed = {key: before for key, before in step.items() if key != "planned"}
        options = [f"--{key} {spec[key]}" for key in ("trials", "repeats") if key in changed]
        if "widened" in changed:
            options.append("--extend")
        if not step.get("planned"):
            steps.append(" ".join(options))
        for key, before in changed.items():
            if before is None:
                spec.pop(key, None)
            else:
                spec[key] = before
    return spec, steps[::-1]


def _changed(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The task, and all settings of a spec that differ from their defaults."""
    defaults = {name: field.get_default(call_default_factory=True) for name, field in Experiment.model_fields.items()}
    # A task brings its own test rows, groups and times without being asked.
    brought = {name for name in BY_TASK if spec.get(name) == OWN_TEST}
    return {
        key: value
        for key, value in spec.items()
        if key == "task" or (_plain(value) != _plain(defaults[key]) and key not in brought)
    }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _compare(spec: Mapping[str, Any], settings: Mapping[str, Any], sets: Sequence[str], name: str) -> str:
    """The command of the comparison itself. name: "" for the default name."""
    task = str(spec["task"])
    joint = list(settings.get("arms", ())) == [joint_arm()]
    words = ["cooldown", "tune" if joint else "compare", *([] if task.startswith("-") else [task])]
    if not joint:
        words += [part for arm in settings.get("arms", ()) for part in ("--arm", arm)]
        if settings.get("primary"):
            words += ["--primary", *settings["primary"]]
    for key in OPTIONS:
        # `tune` has its own default number of repeats.
        value = spec[key] if (joint and key == "repeats") else settings.get(key)
        if value is not None and not (joint and key == "repeats" and value == 1):
            words += [f"--{key.replace('_', '-')}", str(value)]
    if spec.get("hidden") is not None:
        words += ["--hidden", ",".join(map(str, spec["hidden"])) or "0"]
    words += [part for argument in sets for part in ("--set", argument)]
    words += data_options(spec)
    words += options(spec)
    if name:
        words += ["--name", name]
    return shlex.join([*words, *(["--", task] if task.startswith("-") else [])])


def _weighs(spec: Mapping[str, Any]) -> bool:
    """Whether each class has a weight of its own, which no option can set."""
    return isinstance(spec.get("class_weight"), Mapping)


def _sets(spec: Mapping[str, Any]) -> list[str] | None:
    """The ranges as arguments of `--set`; None where it cannot express them."""
    arguments = []
    for key, value in flatten(spec.get("ranges", {})).items():
        several = isinstance(value, list | tuple)
        parts = [_word(item) for item in (value if several else [value])]
        if any(part is None for part in parts):
            return None
        separator = "," if several and any(isinstance(item, str | bool) for item in value) else ":"
        arguments.append(f"{key}={separator.join(part for part in parts if part is not None)}")
    return arguments


def _word(value: Any) -> str | None:
    """A value as it is typed; None for a text that would be read as something else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return (
            value if value.isidentifier() and value.lower() not in ("true", "false", "nan", "inf", "infinity") else None
        )
    return repr(value)


def _toml(settings: Mapping[str, Any]) -> str:
    """A spec file."""
    spec: dict[str, Any] = {key: value for key, value in settings.items() if key not in ("ranges", "widened")}
    if ranges := flatten(settings.get("ranges", {})):
        spec["ranges"] = dict(ranges)
    return tomli_w.dumps(spec)
