"""The common part of the classifier and the regressor: parameters, training on the engine, predictions."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from cooldown.objectives import schedules
from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.models.mlp import EVALUATION_ROWS, MLP
from cooldown.objectives.problem import Indices, Problem
from cooldown.objectives.random_streams import seeds
from cooldown.objectives.records import Outcome
from cooldown.objectives.strategies import STRATEGIES, default
from cooldown.objectives.training.engine import begin, fit, train_pass
from cooldown.objectives.training.population import Standing

DTYPES = ("float32", "float64")
Method = TypeVar("Method", bound=Callable[..., Any])


def _without_reactions(estimator: Any) -> bool:
    """Whether `partial_fit` is available; raises AttributeError with the reason if it is not."""
    reacts = estimator.early_stopping is not None
    # An unknown schedule is reported by the call itself.
    if estimator.schedule in schedules.names():
        reacts = reacts or schedules.get(estimator.schedule).reaction is not None
    if reacts:
        raise AttributeError(
            f"{type(estimator).__name__}.partial_fit: early_stopping={estimator.early_stopping!r} with "
            f"schedule={estimator.schedule!r} depends on held-out rows of the whole run, which single passes do not "
            "have; use fit"
        )
    return True


def available_without_reactions(method: Method) -> Method:
    """Make `method` available only if the config does not depend on a held-out loss."""
    return cast(Method, available_if(_without_reactions)(method))


class ScheduledMLP(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The estimators' common part; see `ScheduledMLPClassifier`."""

    _loss: ClassVar[Literal["cross_entropy", "squared_error"]]

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
        early_stopping: int | None = default("early_stopping"),
        validation_fraction: float = 0.2,
        gradient_noise: float = default("gradient_noise"),
        gradient_noise_decay: float = default("gradient_noise_decay"),
        dropout: float = default("dropout"),
        batch_norm: bool = default("batch_norm"),
        clip_norm: float | None = default("clip_norm"),
        l2: float = default("l2"),
        weight_decay: float = default("weight_decay"),
        initialization: str = default("initialization"),
        n_seeds: int = 1,
        dtype: str = "float32",
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
        self.n_seeds = n_seeds
        self.dtype = dtype
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
        fields = config.to_json()
        optimizer, schedule = fields.pop("optimizer"), fields.pop("schedule")
        fields |= {"optimizer": optimizer.pop("name"), "learning_rate": optimizer.pop("learning_rate")}
        fields |= {"optimizer_params": optimizer, "schedule": schedule.pop("name"), "schedule_params": schedule}
        if duplicates := [name for name in others if name in fields]:
            raise TypeError(
                f"{cls.__name__}.from_config: the config already sets {duplicates[0]}: use set_params to change it"
            )
        return cls(**fields, **others)

    def to_config(self) -> TrainConfig:
        """The config that `fit` trains. Raises InputError for invalid parameters."""
        rates = {} if self.learning_rate is None else {"learning_rate": self.learning_rate}
        return TrainConfig.from_json(
            {
                "optimizer": self._choice("optimizer", rates),
                "schedule": self._choice("schedule", {}),
                **{name: getattr(self, name) for name in ("batch_size", "epochs", *STRATEGIES)},
            }
        )

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

    # Differences between classifier and regressor

    def _read_target(self, y: NDArray[Any]) -> NDArray[Any]:
        """The target from the first `y`: (n,) classes 0…K−1 or (n, K) numbers."""
        raise NotImplementedError

    def _read_further_target(self, y: NDArray[Any]) -> NDArray[Any]:
        """The target from the `y` of a later pass."""
        raise NotImplementedError

    def _n_outputs(self) -> int:
        """K, the number of outputs."""
        raise NotImplementedError

    def _learn_scale(self, target: NDArray[Any]) -> None:
        """Store the scale of the training rows' `target`."""
        raise NotImplementedError

    def _scaled(self, target: NDArray[Any]) -> NDArray[Any]:
        """The target in the scale of the training."""
        raise NotImplementedError

    def _uninformed_loss(self, target: NDArray[Any], train: Indices, measured: Indices) -> float:
        """The baseline loss: on `measured`, of the predictor of class frequencies or means of `train`."""
        raise NotImplementedError

    # Training

    def _validated(self, X: Any, y: Any, reset: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        """X (n, d) and y (n,) or (n, K), finite, as scikit-learn reads them."""
        numeric = self._loss == "squared_error"
        X, y = validate_data(
            self, X, y, reset=reset, dtype=[np.float64, np.float32], multi_output=True, y_numeric=numeric
        )
        return X, y

    def _fit(self, X: Any, y: Any) -> Self:
        # The results of an earlier fit must not remain if this one fails.
        for learned in ("_theta", "_standing"):
            self.__dict__.pop(learned, None)
        config = self.to_config()
        self._check_parameters()
        X, y = self._validated(X, y, reset=True)
        target = self._read_target(y)
        base = self._base_seed()
        train, held_out = np.arange(len(X)), np.arange(0)
        if config.reacts:
            train, held_out = self._split(target, base)
        self._warn_if_cut_short("fit", config, len(train))
        self._learn_scale(target[train])
        problem = self._problem(X, self._scaled(target), train, held_out)
        fitted = fit(problem, config, self.seeds_, dtype=self.dtype)
        members = np.array([curve.outcome is not Outcome.DIVERGED for curve in fitted.curves])
        self._report_diverged("fit", len(members) - int(members.sum()), len(members), config)
        self._keep_predictor(config)
        self._theta, self._standing = fitted.theta[members], fitted.standing
        self.curves_ = fitted.curves
        converged = [curve for curve in fitted.curves if curve.outcome is not Outcome.DIVERGED]
        self.n_iter_ = max(len(curve.train_loss) for curve in converged)
        self.loss_curve_ = _mean_over_seeds([curve.train_loss for curve in converged])
        self.validation_loss_curve_ = (
            _mean_over_seeds([curve.held_out_loss for curve in converged]) if config.reacts else None
        )
        # Without reactions all seeds have the same rates.
        rates = fitted.rates[members] if config.reacts else fitted.rates[members][:1]
        self.learning_rate_curve_ = _mean_over_seeds([row[: _updates(row)] for row in rates])
        return self

    def _partial_fit(self, X: Any, y: Any) -> Self:
        config = self.to_config()
        self._check_parameters()
        standing: Standing | None = getattr(self, "_standing", None)
        X, y = self._validated(X, y, reset=standing is None)
        train = np.arange(len(X))
        if standing is None:
            target = self._read_target(y)
            self._base_seed()
            self._warn_if_cut_short("partial_fit", config, len(X))
            self._learn_scale(target)
            problem = self._problem(X, self._scaled(target), train, np.arange(0))
            standing = begin(problem, config, self.seeds_, dtype=self.dtype)
            self.n_iter_, self.validation_loss_curve_ = 0, None
            self.loss_curve_ = self.learning_rate_curve_ = np.empty(0)
        else:
            self._check_same(standing, config)
            target = self._read_further_target(y)
            problem = self._problem(X, self._scaled(target), train, np.arange(0))
        losses, reached = train_pass(problem, standing)
        self._report_diverged("partial_fit", len(standing.theta) - len(losses), len(standing.theta), config)
        self._keep_predictor(config)
        self._theta, self._standing = reached.theta, reached
        self.n_iter_ += 1
        self.loss_curve_ = np.append(self.loss_curve_, losses.mean())
        rates = reached.rates[standing.updates : reached.updates, 0]
        self.learning_rate_curve_ = np.append(self.learning_rate_curve_, rates.astype(np.float64))
        return self

    def _base_seed(self) -> int:
        """One number from `random_state` that determines all random numbers of a run; sets `seeds_`."""
        base = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self.seeds_ = seeds(base, "estimator", count=int(self.n_seeds))
        return base

    def _split(self, target: NDArray[Any], base: int) -> tuple[Indices, Indices]:
        """Rows to train on and rows to watch, in ascending order, stratified by class if possible."""
        n, labels = len(target), target if self._loss == "cross_entropy" else None
        watched = int(np.ceil(self.validation_fraction * n))
        if labels is not None:
            counts = np.bincount(labels)
            if counts.min() < 2 or min(watched, n - watched) < len(counts):
                labels = None
        (state,) = seeds(base, "estimator's validation split", count=1)
        rows = train_test_split(np.arange(n), test_size=self.validation_fraction, random_state=state, stratify=labels)
        return np.sort(rows[0]), np.sort(rows[1])

    def _problem(self, X: NDArray[Any], target: NDArray[Any], train: Indices, held_out: Indices) -> Problem:
        activation = cast(Literal["relu", "tanh"], self.activation)
        model = MLP(X, target, self._hidden(), self._n_outputs(), self._loss, activation)
        measured = held_out if len(held_out) else train
        return Problem(model, train, held_out, self._uninformed_loss(target, train, measured))

    def _keep_predictor(self, config: TrainConfig) -> None:
        """Store the network without its rows, so that `set_params` does not change a trained network."""
        activation = cast(Literal["relu", "tanh"], self.activation)
        rows = np.empty((0, self.n_features_in_))
        self._predictor = MLP(
            rows, np.empty(0), self._hidden(), self._n_outputs(), self._loss, activation, config.batch_norm
        )

    def _check_same(self, standing: Standing, config: TrainConfig) -> None:
        now = config, self._hidden(), str(self.activation), str(self.dtype), int(self.n_seeds)
        then = self._predictor
        run = standing.replicates[0].config, then.hidden, str(then.activation), standing.theta.dtype.name
        if now != (*run, len(self.seeds_)):
            raise InputError(
                f"{type(self).__name__}.partial_fit: parameters were changed since the run began; use fit, or "
                "partial_fit of a clone, to begin another run"
            )

    def _warn_if_cut_short(self, call: str, config: TrainConfig, n_rows: int) -> None:
        if (warning := config.cut_short(n_rows)) is not None:
            warnings.warn(f"{type(self).__name__}.{call}: {warning}", UserWarning, stacklevel=4)

    def _report_diverged(self, call: str, diverged: int, of: int, config: TrainConfig) -> None:
        name, rate = f"{type(self).__name__}.{call}", config.optimizer.hyperparameters["learning_rate"]
        advice = f"try a learning rate below {rate:g}, clip_norm or standardized features"
        if diverged == of:
            raise InputError(f"{name}: all {of} seeds diverged, so there is no model to predict with; {advice}")
        if diverged:
            warnings.warn(
                f"{name}: {diverged} of {of} seeds diverged and are left out; {advice}",
                ConvergenceWarning,
                stacklevel=4,
            )

    def __sklearn_is_fitted__(self) -> bool:
        return "_theta" in self.__dict__

    # Predicting

    def _outputs(self, X: Any) -> Iterator[NDArray[np.float64]]:
        """Outputs (members, m, K) for `X` (n, d), in chunks of m rows to limit memory.

        Always in float64, so that a row's prediction does not depend on the other rows. Raises InputError if a
        prediction is not finite.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        theta = self._theta.astype(np.float64)
        rows = max(EVALUATION_ROWS // len(theta), 1)
        for start in range(0, len(X), rows):
            with np.errstate(over="ignore", invalid="ignore"):
                outputs = self._predictor.predict(theta, X[start : start + rows])
            if not np.isfinite(outputs).all():
                raise InputError(
                    f"{type(self).__name__}.predict: outputs for some of the rows from {start} on are not finite; "
                    "X or the trained parameters are too large"
                )
            yield outputs


def _updates(rates: NDArray[Any]) -> int:
    """The number of executed updates; the rates after them are NaN."""
    return int(np.isfinite(rates).sum())


def _mean_over_seeds(series: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """(longest,) means; each place averages over the `series` that are long enough."""
    longest = max(len(values) for values in series)
    sums, counts = np.zeros(longest), np.zeros(longest, np.int64)
    for values in series:
        sums[: len(values)] += values
        counts[: len(values)] += 1
    return sums / counts
