"""`TrainConfig`: everything that fixes one training run except its seed. JSON both ways."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from types import MappingProxyType
from typing import Any

from cooldown.objectives import optimizers, schedules
from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Model, Network
from cooldown.objectives.strategies import STRATEGIES, default

SCHEMA = 1
"""The version of the documents that `cooldown export` writes, in which a config stands under "config"."""


@dataclass(frozen=True)
class Choice:
    """A catalog entry by name with all its hyperparameters, as a config holds it."""

    name: str
    hyperparameters: Mapping[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "hyperparameters", MappingProxyType(dict(self.hyperparameters)))

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.hyperparameters.items())))

    def __reduce__(self) -> tuple[type["Choice"], tuple[str, dict[str, Any]]]:
        return Choice, (self.name, dict(self.hyperparameters))

    def to_json(self) -> dict[str, Any]:
        """`{"name": ..., hyperparameter: value, ...}`."""
        return {"name": self.name, **self.hyperparameters}


def _choice(kind: str, catalog: Any, given: Any) -> Choice:
    if isinstance(given, str):
        given = {"name": given}
    if isinstance(given, Choice):
        given = given.to_json()
    if not isinstance(given, Mapping) or "name" not in given:
        raise InputError(f"{kind} must be a name or a table with a name, got {given!r}")
    entry = catalog.get(given["name"])
    return Choice(entry.name, entry.complete({key: value for key, value in given.items() if key != "name"}))


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise InputError(f"TrainConfig({name}={value!r}): {name} must be a whole number of at least 1, got {value!r}")
    return int(value)


def _exported(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The config in an exported document; raises InputError for a schema that this version does not know."""
    schema, config = document["schema"], document.get("config")
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise InputError(f"TrainConfig.from_json: not an exported configuration: schema {schema!r:.80}")
    if schema > SCHEMA:
        raise InputError(
            f"TrainConfig.from_json: the configuration has schema {schema}, and this version of Cooldown reads those "
            f"up to {SCHEMA}: it was written by a newer one"
        )
    if not isinstance(config, Mapping):
        raise InputError(f"TrainConfig.from_json: not an exported configuration: config {config!r:.80}")
    return config


@dataclass(frozen=True)
class TrainConfig:
    """One training run, but for its seed.

    optimizer, schedule: catalog entries with their hyperparameters; lengths `period` and `every` in epochs,
        `warmup_steps` in updates.
    batch_size: rows per update; the last batch of an epoch may be smaller, and one of at least the number of training
        rows is full-batch descent. epochs: passes over the training rows.
    All others are strategies, off unless given; `objectives.strategies.STRATEGIES` says what each does.
    """

    optimizer: Choice = field(default_factory=lambda: _choice("optimizer", optimizers, "adam"))
    schedule: Choice = field(default_factory=lambda: _choice("schedule", schedules, "constant"))
    batch_size: int = 32
    epochs: int = 30
    shuffle: bool = default("shuffle")
    curriculum: str = default("curriculum")
    early_stopping: int | None = default("early_stopping")
    gradient_noise: float = default("gradient_noise")
    gradient_noise_decay: float = default("gradient_noise_decay")
    dropout: float = default("dropout")
    batch_norm: bool = default("batch_norm")
    clip_norm: float | None = default("clip_norm")
    l2: float = default("l2")
    weight_decay: float = default("weight_decay")
    initialization: str = default("initialization")

    def __post_init__(self) -> None:
        checked = {
            "optimizer": _choice("optimizer", optimizers, self.optimizer),
            "schedule": _choice("schedule", schedules, self.schedule),
            "batch_size": _count("batch_size", self.batch_size),
            "epochs": _count("epochs", self.epochs),
        }
        for name, strategy in STRATEGIES.items():
            checked[name] = strategy.declared.check("TrainConfig", getattr(self, name))
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def reacts(self) -> bool:
        """Whether the run looks at held-out rows to decide how it goes on."""
        return self.early_stopping is not None or schedules.get(self.schedule.name).reaction is not None

    def cut_short(self, n_rows: int) -> str | None:
        """What to tell of a run on `n_rows` rows that ends within its warm-up, else None.

        A config keeps the updates of its warm-up on any data: on far fewer rows than it was tuned for it is another
        one.
        """
        warmup, updates = self.schedule.hyperparameters["warmup_steps"], self.epochs * -(-n_rows // self.batch_size)
        if warmup < max(updates, 2):
            return None
        return (
            f"the run, of {updates:,} updates, ends within its warm-up, of {warmup:,.0f}: the learning rate only rises"
        )

    def check_model(self, model: Model) -> None:
        """Raise InputError where `model` has no place for one of the strategies."""
        names = [name for name in ("dropout", "batch_norm", "initialization") if getattr(self, name) != default(name)]
        if not names:
            return
        call = f"{names[0]}={getattr(self, names[0])!r}"
        if not isinstance(model, Network):
            raise InputError(f"{call} is for an MLP: this task's model, {type(model).__name__}, is none")
        if model.hidden_units == 0 and names != ["initialization"]:
            raise InputError(f"{call} needs a hidden layer: this task's model has none")
        if self.batch_norm and self.batch_size == 1:
            raise InputError("batch_norm=True needs at least 2 rows in a batch, got batch_size=1")

    @classmethod
    def from_json(cls, given: str | bytes | Mapping[str, Any]) -> "TrainConfig":
        """Read a dict or a JSON text; what is left out takes its default. Of a document that `cooldown export` wrote
        it is the config in it.

        Raises InputError with call, rule and value for anything that is not a config.
        """
        if isinstance(given, str | bytes):
            try:
                given = json.loads(given)
            except ValueError as error:  # also of bytes that are no text
                raise InputError(f"TrainConfig.from_json: not JSON: {error}") from None
        if not isinstance(given, Mapping):
            raise InputError(f"TrainConfig.from_json: a config is a table, got {given!r}")
        if "schema" in given:
            given = _exported(given)
        known = list(cls.__dataclass_fields__)
        for name in given:
            if name not in known:
                raise unknown_name("field of TrainConfig", name, known)
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """The config as a JSON-ready dict; `from_json` reads it back as the same config."""
        return {
            "optimizer": self.optimizer.to_json(),
            "schedule": self.schedule.to_json(),
            **{name: getattr(self, name) for name in ("batch_size", "epochs", *STRATEGIES)},
        }
