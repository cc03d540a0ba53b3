"""Read a configuration that `cooldown export` wrote; every field that is used is checked."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, ValidationError

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.data.reading.text import decoded
from cooldown.objectives.errors import InputError
from cooldown.objectives.trust import UntrustedModuleError
from cooldown.search.spec.experiment import Experiment, recorded_spec

Seeds = list[Annotated[int, Field(ge=0)]]


class _Part(BaseModel):
    """Part of a document. Fields that are not declared here are for human readers, and ignored."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


def _spec(value: Any) -> Any:
    return recorded_spec(value) if isinstance(value, Mapping) else value


class _Origin(_Part):
    spec: Annotated[InstanceOf[Experiment], BeforeValidator(_spec)] | None = None


class _Task(_Part):
    fingerprint: str | None = None


class _Seeds(_Part):
    search: Seeds = []
    evaluation: Seeds = []


class _Score(_Part):
    mean: float | None = None


class _Scores(_Part):
    test_loss: _Score | None = None


class _Curve(_Part):
    validation_loss: list[float | None] = []


class Document(_Part):
    """An exported configuration, with the part of its provenance that is used; a bare config has none.

    curve.validation_loss: (epochs,) mean validation losses after each epoch; fewer for a pruned trial.
    """

    config: InstanceOf[TrainConfig]
    repeat: int = Field(0, ge=0)
    pruned: bool = False
    experiment: _Origin = _Origin()
    task: _Task = _Task()
    seeds: _Seeds = _Seeds()
    scores: _Scores = _Scores()
    curve: _Curve = _Curve()

    @property
    def spec(self) -> Experiment | None:
        """The spec of the experiment that found the configuration; None if the document has none."""
        return self.experiment.spec

    @property
    def test_loss(self) -> float | None:
        """Mean test loss over the evaluation's seeds; None if the document has none."""
        return None if self.scores.test_loss is None else self.scores.test_loss.mean


def read_exported(path: Path) -> Document:
    """The document in a JSON or TOML file; raises InputError that names the file and the field."""
    content = _read(path)
    try:
        config = TrainConfig.from_json(content)
    except UntrustedModuleError:
        raise
    except InputError as error:
        raise InputError(f"{str(path)!r} is not a configuration written by `cooldown export`: {error}") from None
    # A bare config has no fields but its own.
    fields = set(Document.model_fields) - {"config"} if "schema" in content else set()
    try:
        return Document(config=config, **{name: content[name] for name in fields if name in content})
    except ValidationError as error:
        raise InputError(f"{str(path)!r}: {_first_problem(error)}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"file {str(path)!r} does not exist") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    text = decoded(content, repr(str(path)))
    kind = "TOML" if path.suffix.lower() == ".toml" else "JSON"
    try:
        document = tomllib.loads(text) if kind == "TOML" else json.loads(text)
    except RecursionError:
        raise InputError(f"{str(path)!r} cannot be read as {kind}: it is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{str(path)!r} is not valid {kind}: {error}") from None
    if not isinstance(document, dict):
        raise InputError(f"{str(path)!r} is not a configuration: expected a table, got {type(document).__name__}")
    return document


def _first_problem(error: ValidationError) -> str:
    """The message for the first of pydantic's errors: field, rule, value."""
    first = error.errors()[0]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    cause = first.get("ctx", {}).get("error")
    if cause is not None:
        return f"{where.lstrip('.')}: {cause}"
    rule = first["msg"].replace("Input should", "should")
    # In JSON and TOML there are tables, not dictionaries or instances of Python classes.
    for classes in ("a valid dictionary or instance of", "an instance of"):
        rule = rule.replace(classes, "a table, as").partition(", as ")[0]
    return f"{where.lstrip('.')}: {rule}, got {first['input']!r:.80}"
