"""`TrainConfig`: everything that fixes one training run except its seed; to and from JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from numbers import Integral
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cooldown.objectives import asynchronous, optimizers, schedules
from cooldown.objectives.asynchronous import Events
from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.installed import needed
from cooldown.objectives.problem import Loop, Model, Network, trainable
from cooldown.objectives.schedule import Plan
from cooldown.objectives.strategies import STRATEGIES, default

if TYPE_CHECKING:
    import optax
    import torch

SCHEMA = 1
"""The version of the documents that `cooldown export` writes; their config is under the key "config"."""

LATER = ("averaging", "averaging_decay", "averaging_share", "sam")
"""Strategies that came after the first documents: one has them only where they are not at their defaults, and is then
the same as before, and read by earlier versions.
"""


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


def _choice(kind: str, catalog: Any, value: Any) -> Choice:
    if isinstance(value, str):
        value = {"name": value}
    if isinstance(value, Choice):
        value = value.to_json()
    if not isinstance(value, Mapping) or "name" not in value:
        raise InputError(f"{kind} must be a name or a table with a name, got {value!r}")
    entry = catalog.get(value["name"])
    return Choice(entry.name, entry.complete({key: setting for key, setting in value.items() if key != "name"}))


@lru_cache(maxsize=64)
def _planned_events(method: Choice, updates: int, seed: int) -> Events:
    """The events of a run of so many updates, which all configs of a search with this method and seed share."""
    return asynchronous.get(method.name).plan(method.hyperparameters, updates, seed)


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
            f"TrainConfig.from_json: the configuration has schema {schema}, of a newer version of Cooldown; this "
            f"version reads schemas up to {SCHEMA}: update Cooldown"
        )
    if not isinstance(config, Mapping):
        raise InputError(f"TrainConfig.from_json: not an exported configuration: config {config!r:.80}")
    return config


@dataclass(frozen=True)
class TrainConfig:
    """One training run, without its seed.

    optimizer, schedule: catalog entries with their hyperparameters; lengths `period` and `every` in epochs,
        `warmup_steps` in updates.
    batch_size: rows per update; the last batch of an epoch may be smaller. A batch size of at least the number of
        training rows is full-batch descent. epochs: passes over the training rows.
    asynchronous: a method of `objectives.asynchronous` with its settings, whose workers are simulated; None for updates
        one after another, each with the gradient at the latest parameters.
    The other fields are strategies, off by default; `objectives.strategies.STRATEGIES` describes each of them.
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
    averaging: str = default("averaging")
    averaging_decay: float = default("averaging_decay")
    averaging_share: float = default("averaging_share")
    sam: float = default("sam")
    asynchronous: Choice | None = None

    def __post_init__(self) -> None:
        checked = {
            "optimizer": _choice("optimizer", optimizers, self.optimizer),
            "schedule": _choice("schedule", schedules, self.schedule),
            "batch_size": _count("batch_size", self.batch_size),
            "epochs": _count("epochs", self.epochs),
        }
        for name, strategy in STRATEGIES.items():
            checked[name] = strategy.declared.check("TrainConfig", getattr(self, name))
        if self.asynchronous is not None:
            checked["asynchronous"] = _choice("asynchronous", asynchronous, self.asynchronous)
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if self.averaging != "none" and optimizers.get(self.optimizer.name).reported is not None:
            raise InputError(
                f"TrainConfig(averaging={self.averaging!r}): {self.optimizer.name} averages its parameters itself; use "
                "averaging='none', or another optimizer"
            )
        if self.asynchronous is not None and self.reacts:
            what = "early_stopping" if self.early_stopping else f"schedule {self.schedule.name}"
            raise InputError(
                f"TrainConfig(asynchronous={self.asynchronous.name}): {what} reacts at the end of an epoch, which the "
                "workers of an asynchronous run do not wait for"
            )

    @property
    def entries(self) -> tuple[Choice, ...]:
        """The catalog entries that it uses: optimizer, schedule and, if it is asynchronous, the method."""
        return self.optimizer, self.schedule, *((self.asynchronous,) if self.asynchronous else ())

    @property
    def reacts(self) -> bool:
        """Whether the run depends on its held-out loss: early stopping, or a schedule such as `plateau`."""
        return self.early_stopping is not None or schedules.get(self.schedule.name).reaction is not None

    @property
    def gradients_per_update(self) -> int:
        """How many gradients of its batch an update takes: two with sharpness-aware minimization."""
        return 2 if self.sam else 1

    def cut_short(self, n_rows: int) -> str | None:
        """A warning for a run on `n_rows` rows that ends within its warm-up, else None.

        The warm-up is a number of updates, whatever the data: on far fewer rows than a config was tuned for, it is a
        larger part of the run.
        """
        warmup, updates = self.schedule.hyperparameters["warmup_steps"], self.epochs * -(-n_rows // self.batch_size)
        if warmup < max(updates, 2):
            return None
        return f"the run of {updates:,} updates ends within its warm-up of {warmup:,.0f}: the learning rate only rises"

    def check_model(self, model: Model | Loop) -> None:
        """Raise InputError if `model` does not support one of the strategies; a loop reads those that it has."""
        if self.asynchronous is not None:
            self._check_workers(model)
        names = [name for name in ("dropout", "batch_norm", "initialization") if getattr(self, name) != default(name)]
        if not names or isinstance(model, Loop):
            return
        call = f"{names[0]}={getattr(self, names[0])!r}"
        if not isinstance(model, Network):
            raise InputError(f"{call} is for an MLP, but this task's model is {type(model).__name__}")
        if model.hidden_units == 0 and names != ["initialization"]:
            raise InputError(f"{call} needs a hidden layer: this task's model has none")
        if self.batch_norm and self.batch_size == 1:
            raise InputError("batch_norm=True needs at least 2 rows in a batch, got batch_size=1")

    def _check_workers(self, model: Model | Loop) -> None:
        """Raise InputError if simulated workers cannot train `model`."""
        assert self.asynchronous is not None
        call = f"asynchronous={self.asynchronous.name}"
        if isinstance(model, Loop):
            raise InputError(f"{call}: workers are simulated by Cooldown's own training, not by a loop of your own")
        has_statistics = self.batch_norm or trainable(model) < model.size
        if has_statistics and asynchronous.get(self.asynchronous.name).has_copies:
            raise InputError(
                f"{call}: each worker has parameters of its own, and there is no rule that joins their running "
                "statistics (batch normalization)"
            )

    @classmethod
    def from_json(cls, given: str | bytes | Mapping[str, Any]) -> "TrainConfig":
        """Read a dict or a JSON text; fields that are left out take their defaults. From a document that `cooldown
        export` wrote, read the config in it.

        Raises InputError with call, rule and value for anything that is not a config.
        """
        document: Any = given
        if isinstance(given, str | bytes):
            try:
                document = json.loads(given)
            except ValueError as error:  # also for bytes that are not text
                raise InputError(f"TrainConfig.from_json: not JSON: {error}") from None
        if not isinstance(document, Mapping):
            raise InputError(f"TrainConfig.from_json: a config must be a table, got {document!r}")
        fields = _exported(document) if "schema" in document else document
        known = list(cls.__dataclass_fields__)
        for name in fields:
            if name not in known:
                raise unknown_name("field of TrainConfig", name, known)
        return cls(**fields)

    def plan(self, n_rows: int) -> Plan:
        """The updates of a run on `n_rows` training rows: the rows and the rate's multiplier of each."""
        schedule = schedules.get(self.schedule.name)
        return schedule.plan(n_rows, self.batch_size, self.epochs, self.schedule.hyperparameters)

    def events(self, n_rows: int, seed: int) -> Events:
        """The gradients of a run with `seed` on `n_rows` training rows, in the order in which they are applied: which
        worker computes each of them, when it is applied, in units of the mean time of a gradient, and how stale it is.
        Without an asynchronous method there is one worker, whose gradients take 1 each.
        """
        return self.events_of(len(self.plan(n_rows).sizes), seed)

    def events_of(self, updates: int, seed: int) -> Events:
        """The same of a run of so many updates."""
        if self.asynchronous is None:
            return asynchronous.one_after_another(updates)
        return _planned_events(self.asynchronous, updates, seed)

    def torch(
        self, parameters: "Iterable[Any]", updates_per_epoch: int
    ) -> "tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]":
        """This config's optimizer and scheduler for a PyTorch training loop of your own.

            optimizer, scheduler = config.torch(model.parameters(), updates_per_epoch=len(loader))

        Call `optimizer.step()` and `scheduler.step()` after every batch, for `epochs` epochs. They do what Cooldown's
        own training does, to rounding: the rule, the schedule, and of the strategies `clip_norm`, `gradient_noise`,
        `l2`, `weight_decay`, `averaging` and `sam`; those of the network and of the loop (`dropout`, `batch_norm`,
        `early_stopping`, …) are yours. Measure the model, and keep it, in `with optimizer.reported():`, where its
        parameters are the averaged ones if the rule or a strategy averages. With `sam`, `optimizer.step(closure)` needs
        a function that evaluates the model again, with its gradients. For `plateau`, also call
        `scheduler.evaluated(loss)` with the held-out loss after every epoch. For `batch_growth`, which plans the sizes
        of batches, take those of `plan(n_rows).sizes`.

        parameters: as for every optimizer of torch. updates_per_epoch: batches in an epoch, at least 1. Raises
        InputError for another number, and if torch is not installed.
        """
        with needed("torch", "config.torch"):
            from cooldown.objectives.frameworks.torch_optimizer import optimizer_and_scheduler
        return optimizer_and_scheduler(self, parameters, self._plan_of_updates(updates_per_epoch))

    def optax(self, updates_per_epoch: int, seed: int = 0) -> "optax.GradientTransformationExtraArgs":
        """This config's optimizer with its schedule as an optax transformation.

            transformation = config.optax(updates_per_epoch=len(batches))
            changes, state = transformation.update(gradients, state, parameters)

        It does what Cooldown's own training does, to rounding; of the strategies it has those that `torch` has, and
        like there the others are yours. Measure and keep `transformation.reported(state, parameters)`. With `sam`,
        `update` needs `grad_fn=`, a function from the parameters and a number to the gradients, as optax's has it.
        `update` needs the parameters. For `plateau`, also call `update(gradients, state, parameters, value=loss)` with
        the held-out loss after every epoch: the gradients are ignored, and the changes lead back to the best parameters
        where the run reacts. For `batch_growth`, take the sizes of `plan(n_rows).sizes`.

        updates_per_epoch: batches in an epoch, at least 1. seed: of the gradient noise. Raises InputError for another
        number, and if optax is not installed.
        """
        with needed("optax", "config.optax"):
            from cooldown.objectives.frameworks.optax_transformation import transformation
        return transformation(self, self._plan_of_updates(updates_per_epoch), seed)

    def _plan_of_updates(self, updates_per_epoch: int) -> Plan:
        """The plan of a run with so many full batches in an epoch."""
        if self.asynchronous is not None:
            raise InputError(
                f"asynchronous={self.asynchronous.name}: its workers are simulated by Cooldown's own training; a loop "
                "of your own has one worker"
            )
        return self.plan(_count("updates_per_epoch", updates_per_epoch) * self.batch_size)

    def to_json(self) -> dict[str, Any]:
        """The config as a JSON-ready dict; `from_json` reads it back as the same config."""
        left_out = [name for name in LATER if getattr(self, name) == default(name)]
        return {
            "optimizer": self.optimizer.to_json(),
            "schedule": self.schedule.to_json(),
            **{name: getattr(self, name) for name in ("batch_size", "epochs", *STRATEGIES) if name not in left_out},
            **({"asynchronous": self.asynchronous.to_json()} if self.asynchronous else {}),
        }
