"""What to type to get an experiment again: commands, and where these cannot say it, a spec file or Python.

A spec that grew is told as it grew: the comparison that it began with, and each `cooldown resume` in its order.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomli_w

from cooldown.objectives import tasks
from cooldown.search.spec.arms import joint_arm
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.ranges import flatten
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
)
"""The fields of a spec that are an option of their own, and nothing else."""

FILE_ONLY = ("finalist_seeds", "generation")
"""Those that only a spec file can give."""


@dataclass(frozen=True)
class Reproduction:
    """How an experiment is had again.

    commands: to be typed in this order. spec_file: what `spec.toml`, which the first of them reads, holds; "" where it
    needs none. python: in place of the first command, where the task is an object that only the user has; `task` is it.
    """

    commands: tuple[str, ...]
    spec_file: str = ""
    python: str = ""


def reproduction(record: ExperimentRecord) -> Reproduction:
    """How the experiment is had again."""
    spec, steps = _grown(record)
    given = _given(spec)
    name = shlex.quote(record.name)
    resumed = tuple(f"cooldown resume {name} {step}" for step in steps)
    if tasks.origin(record.spec["task"]) == "object":
        settings = "".join(f",\n    {key}={value!r}" for key, value in given.items() if key != "task")
        return Reproduction(
            resumed,
            python=f"from cooldown import compare\n\ncompare(\n    task,\n    name={record.name!r}{settings},\n)",
        )
    if any(key in given for key in FILE_ONLY) or (sets := _sets(spec)) is None:
        return Reproduction((f"cooldown compare spec.toml --name {name}", *resumed), spec_file=_toml(given))
    # By itself an experiment is called after a built-in task.
    own = (
        "" if record.name == spec["task"] and not resumed and tasks.origin(spec["task"]) == "built-in" else record.name
    )
    return Reproduction((_compare(spec, given, sets, own), *resumed))


def _grown(record: ExperimentRecord) -> tuple[Mapping[str, Any], list[str]]:
    """The spec that it began with, and the options of each `cooldown resume` since."""
    spec, steps = dict(record.spec), []
    for changed in reversed(record.extended_from):
        options = [f"--{key} {spec[key]}" for key in ("trials", "repeats") if key in changed]
        if "widened" in changed:
            options.append("--extend")
        steps.append(" ".join(options))
        for key, before in changed.items():
            if before is None:
                spec.pop(key, None)
            else:
                spec[key] = before
    return spec, steps[::-1]


def _given(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What a spec says that is not its default; the task always."""
    defaults = {name: field.get_default(call_default_factory=True) for name, field in Experiment.model_fields.items()}
    return {key: value for key, value in spec.items() if key == "task" or _plain(value) != _plain(defaults[key])}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _compare(spec: Mapping[str, Any], given: Mapping[str, Any], sets: Sequence[str], name: str) -> str:
    """The command of the comparison itself. name: "" for the one that it gets by itself."""
    task = str(spec["task"])
    joint = list(given.get("arms", ())) == [joint_arm()]
    words = ["cooldown", "tune" if joint else "compare", *([] if task.startswith("-") else [task])]
    if not joint:
        words += [part for arm in given.get("arms", ()) for part in ("--arm", arm)]
    for key in OPTIONS:
        # `tune` has a default of its own.
        value = spec[key] if (joint and key == "repeats") else given.get(key)
        if value is not None and not (joint and key == "repeats" and value == 1):
            words += [f"--{key.replace('_', '-')}", str(value)]
    if spec.get("hidden") is not None:
        words += ["--hidden", ",".join(map(str, spec["hidden"])) or "0"]
    words += [part for each in sets for part in ("--set", each)]
    if spec.get("target") is not None:
        # Joined, as a column may be called like an option.
        words.append(f"--target={spec['target']}")
    if name:
        words += ["--name", name]
    return shlex.join([*words, *(["--", task] if task.startswith("-") else [])])


def _sets(spec: Mapping[str, Any]) -> list[str] | None:
    """The ranges as `--set` takes them; None where it cannot."""
    found = []
    for key, value in flatten(spec.get("ranges", {})).items():
        several = isinstance(value, list | tuple)
        parts = [_word(each) for each in (value if several else [value])]
        if any(part is None for part in parts):
            return None
        separator = "," if several and any(isinstance(each, str | bool) for each in value) else ":"
        found.append(f"{key}={separator.join(part for part in parts if part is not None)}")
    return found


def _word(value: Any) -> str | None:
    """A value as it is typed; None for a word that would be read as something else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return (
            value if value.isidentifier() and value.lower() not in ("true", "false", "nan", "inf", "infinity") else None
        )
    return repr(value)


def _toml(given: Mapping[str, Any]) -> str:
    """A spec file."""
    spec: dict[str, Any] = {key: value for key, value in given.items() if key not in ("ranges", "widened")}
    if ranges := flatten(given.get("ranges", {})):
        spec["ranges"] = dict(ranges)
    return tomli_w.dumps(spec)
