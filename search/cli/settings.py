"""What a command line asks for, as the arguments of `compare`: a task or a spec file, and the options over it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cooldown.objectives.errors import InputError
from cooldown.search.spec.experiment import BESIDE, read_spec, read_toml
from cooldown.search.spec.ranges import flatten


def merged_settings(
    task: str | None,
    flags: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
    exported: Path | None = None,
) -> dict[str, Any]:
    """The arguments of `compare` for a TASK of the command line, a spec file's or a task's name.

    exported: a configuration that `cooldown export` wrote, whose experiment is what is run again. flags override these,
    which override defaults; a flag of None was not given. Ranges are overridden one by one.
    """
    given: dict[str, Any] = {}
    if exported is not None:
        given = _exported_spec(exported)
    if task is not None:
        if task != given.get("task"):
            # A table's column to predict, and a network's width, belong to the task.
            given = {key: value for key, value in given.items() if key not in ("target", "hidden")}
        given |= read_toml(Path(task)) if Path(task).suffix == ".toml" else {"task": task}
    merged = {**(defaults or {}), **given, **{key: value for key, value in flags.items() if value is not None}}
    ranges: Any = given.get("ranges")
    if isinstance(ranges, Mapping) and flags.get("ranges"):
        merged["ranges"] = {**flatten(ranges), **flags["ranges"]}
    if "task" not in merged or "report" in merged:
        # Neither makes a spec: this raises, and tells whatever else is wrong with it.
        read_spec(**{key: value for key, value in merged.items() if key not in BESIDE})
    return merged


def _exported_spec(path: Path) -> dict[str, Any]:
    """The spec in an exported configuration, with its ranges as they were before any were widened."""
    from cooldown.search.export.reading import read_exported

    spec = read_exported(path).spec
    if spec is None:
        raise InputError(f"{str(path)!r} holds a configuration, but no experiment that found it")
    return {key: value for key, value in spec.to_json().items() if key != "widened"}
