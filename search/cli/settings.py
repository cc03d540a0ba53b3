"""The arguments of `compare` from a command line: a task or a spec file, overridden by options."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cooldown.objectives.errors import InputError
from cooldown.search.spec.documents import read_document
from cooldown.search.spec.experiment import AIMS, planned_spec
from cooldown.search.spec.task_fields import BY_TASK, READING
from cooldown.search.spec.values import flatten

OF_RUN = ("name", "db", "workers", "executor", "priority", *("time_limit", "max_gradient_evaluations"), "tags", "notes")
"""Arguments that say how an experiment is run and found, and not what it is."""


def merged_settings(
    task: str | None,
    flags: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
    exported: Path | None = None,
) -> dict[str, Any]:
    """The arguments of `compare` for a TASK of the command line: the name of a task or of a spec file.

    exported: a file written by `cooldown export`, whose experiment is run again. flags override these settings, which
    override defaults; a flag that is None was not given. Ranges are overridden one by one. Raises InputError for a file
    that cannot be read and for a spec without a task.
    """
    settings: dict[str, Any] = {}
    if exported is not None:
        settings = _exported_spec(exported)
    if task is not None:
        if task != settings.get("task"):
            # The columns and their reading, the test set, the hidden layers, and the measures belong to the other task.
            others = ("target", "kind", *BY_TASK, *READING, "hidden", *AIMS)
            settings = {key: value for key, value in settings.items() if key not in others}
        is_spec = Path(task).suffix == ".toml"
        settings |= read_document(Path(task), f"spec file {task!r}") if is_spec else {"task": task}
    merged = {**(defaults or {}), **settings, **{key: value for key, value in flags.items() if value is not None}}
    if any(flags.get(name) is not None for name in ("repeats", "until_decided", "max_repeats")):
        # Another plan than the one in the file.
        merged.pop("looks", None)
    ranges: Any = settings.get("ranges")
    if isinstance(ranges, Mapping) and flags.get("ranges"):
        merged["ranges"] = {**flatten(ranges), **flags["ranges"]}
    if "task" not in merged or {"report", "on_task"} & merged.keys():
        # Not a valid spec: this raises, and reports all other mistakes too.
        planned_spec(**{key: value for key, value in merged.items() if key not in OF_RUN})
    return merged


def _exported_spec(path: Path) -> dict[str, Any]:
    """The spec in an exported configuration, with its ranges before they were widened."""
    from cooldown.search.export.reading import read_exported

    spec = read_exported(path).spec
    if spec is None:
        raise InputError(f"{str(path)!r} contains a configuration, but not the experiment that found it")
    return {key: value for key, value in spec.to_json().items() if key != "widened"}
