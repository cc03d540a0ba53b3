"""The parameters of the estimators: their defaults, their checks, and configs to and from them."""

from collections.abc import Mapping, Sequence
from typing import Any, Self, cast

import numpy as np
from sklearn.base import BaseEstimator, clone

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.strategies import STRATEGIES, default

DTYPES = ("float32", "float64")

PATIENCE = 10
"""The epochs of `early_stopping=True`: scikit-learn's `n_iter_no_change`."""


class Parameters(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The parameters that classifier and regressor have in common; see `ScheduledMLPClassifier`."""

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (32,),
        activation: str = "relu",
        *,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        optimizer_params: Mapping[str, Any] | None = None,
        schedule: str = "constant",
        schedule_params: Mapping[str, Any] | None = None,
        batch_size: int = 32,
        epochs: int = 30,
        shuffle: bool = default("shuffle"),
        curriculum: str = default("curriculum"),
        early_stopping: bool | int | None = default("early_stopping"),
        validation_fraction: float = 0.2,
        gradient_noise: float = default("gradient_noise"),
        gradient_noise_decay: float = default("gradient_noise_decay"),
        dropout: float = default("dropout"),
        batch_norm: bool = default("batch_norm"),
        clip_norm: float | None = default("clip_norm"),
        l2: float = default("l2"),
        weight_decay: float = default("weight_decay"),
        initialization: str = default("initialization"),
        averaging: str = default("averaging"),
        averaging_decay: float = default("averaging_decay"),
        averaging_share: float = default("averaging_share"),
        sam: float = default("sam"),
        asynchronous: str | Mapping[str, Any] | None = None,
        n_seeds: int = 1,
        dtype: str = "float32",
        warm_start: bool = False,
        verbose: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.optimizer_params = optimizer_params
        self.schedule = schedule
        self.schedule_params = schedule_params
        self.batch_size = batch_size
        self.epochs = epochs
        self.shuffle = shuffle
        self.curriculum = curriculum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.gradient_noise = gradient_noise
        self.gradient_noise_decay = gradient_noise_decay
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.clip_norm = clip_norm
        self.l2 = l2
        self.weight_decay = weight_decay
        self.initialization = initialization
        self.averaging = averaging
        self.averaging_decay = averaging_decay
        self.averaging_share = averaging_share
        self.sam = sam
        self.asynchronous = asynchronous
        self.n_seeds = n_seeds
        self.dtype = dtype
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    # Configs

    @classmethod
    def from_config(cls, config: TrainConfig, **others: Any) -> Self:
        """An estimator that trains with `config`; `others` are parameters that a config does not have, such as the
        network's widths, `hidden_layer_sizes`.

        `to_config` returns an equal config. Raises InputError for anything but a TrainConfig, and TypeError if
        `others` names a field of the config; use `set_params` to change one.
        """
        if not isinstance(config, TrainConfig):
            raise InputError(
                f"{cls.__name__}.from_config(config=...): should be a TrainConfig, as from TrainConfig.from_json, "
                f"got {config!r:.80}"
            )
        fields = _fields(config)
        if duplicates := [name for name in others if name in fields]:
            raise TypeError(
                f"{cls.__name__}.from_config: the config already sets {duplicates[0]}: use set_params to change it"
            )
        return cls(**fields, **others)

    def with_config(self, config: TrainConfig) -> Self:
        """An unfitted copy that trains with `config`; its other parameters are those of this estimator."""
        return cast(Self, clone(self).set_params(**_fields(config)))

    def to_config(self) -> TrainConfig:
        """The config that `fit` trains. Raises InputError for invalid parameters."""
        rates = {} if self.learning_rate is None else {"learning_rate": self.learning_rate}
        return TrainConfig.from_json(
            {
                "optimizer": self._choice("optimizer", rates),
                "schedule": self._choice("schedule", {}),
                **{name: getattr(self, name) for name in ("batch_size", "epochs", *STRATEGIES)},
                "early_stopping": self._patience(),
                "asynchronous": self.asynchronous,
            }
        )

    def _patience(self) -> int | None:
        """The epochs of early stopping; `early_stopping` may be a truth value, as in scikit-learn."""
        if isinstance(self.early_stopping, bool | np.bool_):
            return PATIENCE if self.early_stopping else None
        return self.early_stopping

    def _choice(self, kind: str, separate: Mapping[str, Any]) -> dict[str, Any]:
        """The catalog entry of `kind` as a config reads it; `separate` are hyperparameters with their own parameter."""
        name = f"{kind}_params"
        hyperparameters = getattr(self, name)
        if hyperparameters is not None and not isinstance(hyperparameters, Mapping):
            raise self._refused(name, "must be None or a dict of hyperparameters", hyperparameters)
        choice = {"name": getattr(self, kind), **separate}
        for key in choice:
            if hyperparameters and key in hyperparameters:
                raise self._refused(name, f"must not have {key!r}, which is a separate parameter", hyperparameters)
        return {**choice, **(hyperparameters or {})}

    def _refused(self, name: str, rule: str, value: Any) -> InputError:
        return InputError(f"{type(self).__name__}({name}={value!r}): {name} {rule}, got {value!r}")

    def _hidden(self) -> tuple[int, ...]:
        sizes = self.hidden_layer_sizes
        widths = (sizes,) if isinstance(sizes, int | np.integer) else sizes
        usable = isinstance(widths, Sequence | np.ndarray) and not isinstance(widths, str)
        if not usable or any(
            isinstance(width, bool) or not isinstance(width, int | np.integer) or width < 1 for width in widths
        ):
            raise self._refused("hidden_layer_sizes", "must be whole numbers of at least 1, as in (32,)", sizes)
        return tuple(int(width) for width in widths)

    def _check_parameters(self) -> None:
        """Check the parameters that are not part of a config; raises InputError."""
        self._hidden()
        if self.activation not in ("relu", "tanh"):
            raise unknown_name("activation", self.activation, ("relu", "tanh"))
        n_seeds, fraction = self.n_seeds, self.validation_fraction
        if isinstance(n_seeds, bool) or not isinstance(n_seeds, int | np.integer) or n_seeds < 1:
            raise self._refused("n_seeds", "must be a whole number of at least 1", n_seeds)
        if not isinstance(fraction, float | np.floating) or not 0 < fraction < 1:
            raise self._refused("validation_fraction", "must be a number between 0 and 1", fraction)
        if not isinstance(self.dtype, str) or self.dtype not in DTYPES:
            raise self._refused("dtype", "must be 'float32' or 'float64'", self.dtype)
        for name in ("warm_start", "verbose"):
            if not isinstance(value := getattr(self, name), bool | np.bool_ | int):
                raise self._refused(name, "must be True or False", value)


def _fields(config: TrainConfig) -> dict[str, Any]:
    """The parameters of an estimator that trains with `config`."""
    fields = {"asynchronous": None, **{name: default(name) for name in STRATEGIES}, **config.to_json()}
    optimizer, schedule = fields.pop("optimizer"), fields.pop("schedule")
    fields |= {"optimizer": optimizer.pop("name"), "learning_rate": optimizer.pop("learning_rate")}
    return {**fields, "optimizer_params": optimizer, "schedule": schedule.pop("name"), "schedule_params": schedule}
