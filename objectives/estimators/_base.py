"""The common part of the classifier and the regressor: training on the engine, and the outputs of trained networks."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from cooldown.objectives import schedules
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.estimators._filled import Narrow, Wide, few_columns, filled
from cooldown.objectives.estimators._parameters import Parameters
from cooldown.objectives.estimators._progress import Progress
from cooldown.objectives.estimators._rows import Rows, Weights, read, read_validation
from cooldown.objectives.models.measuring import Measuring
from cooldown.objectives.models.mlp import EVALUATION_ROWS, MLP
from cooldown.objectives.problem import Indices, Problem
from cooldown.objectives.random_streams import seeds
from cooldown.objectives.records import Outcome
from cooldown.objectives.training.engine import Fitted, begin, fit, train_pass
from cooldown.objectives.training.replicates import Standing

Method = TypeVar("Method", bound=Callable[..., Any])
Loss = Literal["cross_entropy", "binary_cross_entropy", "squared_error"]


def _without_reactions(estimator: Any) -> bool:
    """Whether `partial_fit` is available; raises AttributeError with the reason if it is not."""
    reacts = estimator._patience() is not None
    # An unknown schedule is reported by the call itself.
    if estimator.schedule in schedules.names():
        reacts = reacts or schedules.get(estimator.schedule).reaction is not None
    if reacts:
        raise AttributeError(
            f"{type(estimator).__name__}.partial_fit: early_stopping={estimator.early_stopping!r} with "
            f"schedule={estimator.schedule!r} depends on held-out rows of the whole run, which single passes do not "
            "have; use fit"
        )
    if estimator.asynchronous is not None:
        raise AttributeError(
            f"{type(estimator).__name__}.partial_fit: asynchronous={estimator.asynchronous!r} has workers that do not "
            "wait at the end of a pass; use fit"
        )
    return True


def available_without_reactions(method: Method) -> Method:
    """Make `method` available only if the config does not depend on a held-out loss."""
    return cast(Method, available_if(_without_reactions)(method))


def tells_callbacks(method: Method) -> Method:
    """Make `method`, which trains, end the work of scikit-learn's callbacks, also if it fails."""
    return cast(Method, with_callbacks(method))


class ScheduledMLP(CallbackSupportMixin, Parameters):  # type: ignore[misc]  # scikit-learn has no types
    """The estimators' common part; see `ScheduledMLPClassifier`."""

    _members: NDArray[np.bool_]
    _narrow: Narrow

    # Differences between classifier and regressor

    @property
    def _loss(self) -> Loss:
        """The training loss."""
        raise NotImplementedError

    def _read_target(self, y: NDArray[Any], classes: NDArray[Any] | None = None, /) -> NDArray[Any]:
        """The target from the first `y`: what the network learns, before scaling. classes: all labels, if known."""
        raise NotImplementedError

    def _read_further_target(self, y: NDArray[Any]) -> NDArray[Any]:
        """The target from the `y` of later rows."""
        raise NotImplementedError

    def _n_outputs(self) -> int:
        """K, the number of outputs."""
        raise NotImplementedError

    def _strata(self, target: NDArray[Any]) -> NDArray[Any] | None:
        """(n,) the classes by which a split is stratified, if there are some."""
        raise NotImplementedError

    def _learn_scale(self, target: NDArray[Any], weights: Weights) -> None:
        """Store the scale of the training rows' `target`."""
        raise NotImplementedError

    def _scaled(self, target: NDArray[Any]) -> NDArray[Any]:
        """The target in the scale of the training."""
        raise NotImplementedError

    def _weights(self, rows: Rows, train: Indices) -> Weights:
        """(n,) the weights of the rows in all losses, of which those in `train` are trained on; or None."""
        raise NotImplementedError

    def _uninformed_loss(self, target: NDArray[Any], train: Indices, measured: Indices, weights: Weights) -> float:
        """The baseline loss: on `measured`, of the predictor of frequencies or means of `train`."""
        raise NotImplementedError

    # Training

    def _fit(self, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any]) -> Self:
        # The results of an earlier fit must not remain if this one fails.
        last = self._theta if self.warm_start and self.__sklearn_is_fitted__() else None
        self._forget()
        config = self.to_config()
        self._check_parameters()
        initial = None if last is None else self._initial(config, last)
        given = {"X": X, "y": y, "metadata": {"sample_weight": sample_weight}}
        X, y, weights = read(self, X, y, sample_weight, reset=initial is None)
        rows = Rows(X, self._read_target(y) if initial is None else self._read_further_target(y), weights)
        base = self._base_seed()
        rows = rows.in_one_batch(config.batch_size)
        train, held_out = np.arange(len(rows)), np.arange(0)
        if (watched := read_validation(self, *validation)) is not None:
            X, y, weights = watched
            rows = rows.followed_by(Rows(X, self._read_further_target(y), weights))
            held_out = np.arange(len(train), len(rows))
        elif config.reacts:
            train, held_out = self._split(rows.target, base)
        self._warn_if_cut_short("fit", config, len(train))
        if initial is None:
            self._learn_scale(rows.target[train], rows.of(train))
        problem = self._problem(rows, train, held_out)
        self._keep_predictor(config)
        wide = None
        if (narrowed := filled(problem, config, self.seeds_, self.dtype, initial)) is not None:
            problem, wide = narrowed
            initial = wide.beginning(np.arange(len(self.seeds_)), wide.columns)

        def attributes(theta: NDArray[Any], alive: NDArray[np.int64]) -> dict[str, Any]:
            return {"_theta": theta if wide is None else wide.widened(theta, alive)}

        progress = Progress(self, config.epochs, given, attributes)
        fitted = fit(problem, config, self.seeds_, dtype=self.dtype, initial=initial, observer=progress)
        self._keep(fitted, wide, config, len(held_out) > 0)
        progress.finished()
        return self

    def _keep(self, fitted: Fitted, wide: Wide | None, config: TrainConfig, validated: bool) -> None:
        """Store what was learned. wide: the whole networks, if a part was trained. validated: whether rows were held
        out.
        """
        self._members = np.array([curve.outcome is not Outcome.DIVERGED for curve in fitted.curves])
        self._report_diverged("fit", int((~self._members).sum()), len(self._members), config)
        theta = fitted.theta[self._members]
        if wide is None:
            self._theta, self._standing = theta, fitted.standing
        else:
            self._narrow = Narrow(wide, np.flatnonzero(self._members), theta, fitted.standing)
        self.curves_ = fitted.curves
        converged = [curve for curve in fitted.curves if curve.outcome is not Outcome.DIVERGED]
        self.n_iter_ = max(len(curve.train_loss) for curve in converged)
        self.loss_curve_ = _mean_over_seeds([curve.train_loss for curve in converged])
        self.validation_loss_curve_ = (
            _mean_over_seeds([curve.held_out_loss for curve in converged]) if validated else None
        )
        # Without reactions and workers all seeds have the same rates.
        own = config.reacts or config.asynchronous is not None
        rates = fitted.rates[self._members] if own else fitted.rates[self._members][:1]
        self.learning_rate_curve_ = _mean_over_seeds([row[: _updates(row)] for row in rates])

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: NDArray[Any] | None = None) -> Self:
        config = self.to_config()
        self._check_parameters()
        standing: Standing | None = getattr(self, "_standing", None)
        X, y, weights = read(self, X, y, sample_weight, reset=standing is None)
        target = self._read_target(y, classes) if standing is None else self._read_further_target(y)
        rows = Rows(X, target, weights)
        rows = rows.in_one_batch(config.batch_size)
        train = np.arange(len(rows))
        if standing is None:
            self._base_seed()
            self._warn_if_cut_short("partial_fit", config, len(rows))
            self._learn_scale(rows.target, rows.weights)
            problem = self._problem(rows, train, np.arange(0))
            standing = begin(problem, config, self.seeds_, dtype=self.dtype)
            self.n_iter_, self.validation_loss_curve_ = 0, None
            self.loss_curve_ = self.learning_rate_curve_ = np.empty(0)
        else:
            self._check_same(standing, config)
            problem = self._problem(rows, train, np.arange(0))
        losses, reached = train_pass(problem, standing)
        self._report_diverged("partial_fit", len(standing.theta) - len(losses), len(standing.theta), config)
        self._keep_predictor(config)
        self._forget()
        self._theta, self._standing = reached.reported, reached
        self._members = np.isin(self.seeds_, [replicate.seed for replicate in reached.replicates])
        self.n_iter_ += 1
        self.loss_curve_ = np.append(self.loss_curve_, losses.mean())
        rates = reached.rates[standing.updates : reached.updates, 0]
        self.learning_rate_curve_ = np.append(self.learning_rate_curve_, rates.astype(np.float64))
        return self

    @cached_property
    def _theta(self) -> NDArray[Any]:
        """(members, size) the parameters of the trained networks; after a fit on some columns made when needed."""
        return self._narrow.whole()

    @cached_property
    def _standing(self) -> Standing | None:
        """The state from which training goes on, if it can; made as `_theta` is."""
        return self._narrow.standing()

    def _forget(self) -> None:
        """Remove what was learned."""
        for name in ("_theta", "_standing", "_narrow"):
            self.__dict__.pop(name, None)

    def _initial(self, config: TrainConfig, theta: NDArray[Any]) -> NDArray[Any]:
        """(n_seeds, size) the parameters to begin with: `theta` of the last fit, NaN for a seed that had diverged.

        Raises InputError if the network that is to be trained now is another one.
        """
        then = self._predictor
        last = then.hidden, str(then.activation), then.batch_norm, len(self._members)
        if last != (now := (self._hidden(), str(self.activation), config.batch_norm, int(self.n_seeds))):
            raise InputError(
                f"{type(self).__name__}(warm_start=True).fit: hidden_layer_sizes, activation, batch_norm and n_seeds "
                f"must be those of the last fit, {last}, got {now}; with warm_start=False it begins anew"
            )
        initial = np.full((len(self._members), theta.shape[1]), np.nan)
        initial[self._members] = theta
        return initial

    def _base_seed(self) -> int:
        """One number from `random_state` that determines all random numbers of a run; sets `seeds_`."""
        base = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self.seeds_ = seeds(base, "estimator", count=int(self.n_seeds))
        return base

    def _split(self, target: NDArray[Any], base: int) -> tuple[Indices, Indices]:
        """Rows to train on and rows to watch, in ascending order, stratified by class if possible."""
        n, labels = len(target), self._strata(target)
        watched = int(np.ceil(self.validation_fraction * n))
        if labels is not None:
            counts = np.bincount(labels)
            if counts.min() < 2 or min(watched, n - watched) < len(counts):
                labels = None
        (state,) = seeds(base, "estimator's validation split", count=1)
        rows = train_test_split(np.arange(n), test_size=self.validation_fraction, random_state=state, stratify=labels)
        return np.sort(rows[0]), np.sort(rows[1])

    def _problem(self, rows: Rows, train: Indices, held_out: Indices) -> Problem:
        activation, target = cast(Literal["relu", "tanh"], self.activation), self._scaled(rows.target)
        model = MLP(rows.X, target, self._hidden(), self._n_outputs(), self._loss, activation)
        weights = self._weights(rows, train)
        if weights is not None:
            if not (mean := weights[train].mean()):
                raise InputError(f"{type(self).__name__}: the weights of all training rows are zero")
            measuring = Measuring(None, None, target, weights=weights)
            alike = np.ptp(weights[train]) == 0
            model = replace(model, weights=None if alike else weights / mean, measuring=measuring)
        measured = held_out if len(held_out) else train
        return Problem(model, train, held_out, self._uninformed_loss(target, train, measured, weights))

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
        return not {"_theta", "_narrow"}.isdisjoint(self.__dict__)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # Predicting

    @property
    def layers_(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Weights (members, in, out) and biases (members, 1, out) of each layer of the trained networks, which a member
        applies as inputs @ weights + biases, with the activation after each but the last. Batch normalization is part
        of them, as is a regressor's scale.
        """
        check_is_fitted(self)
        return self._predictor.folded(self._theta.astype(np.float64))

    def _outputs(self, X: Any) -> Iterator[NDArray[np.float64]]:
        """Outputs (members, m, K) for `X` (n, d), in chunks of m rows to limit memory.

        Always in float64, so that a row's prediction does not depend on the other rows. Raises InputError if a
        prediction is not finite.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, accept_sparse="csr", dtype=[np.float64, np.float32])
        network, theta, X = self._on_filled(X)
        rows = max(EVALUATION_ROWS // len(theta), 1)
        for start in range(0, X.shape[0], rows):
            with np.errstate(over="ignore", invalid="ignore"):
                outputs = network.predict(theta, X[start : start + rows])
            if not np.isfinite(outputs).all():
                raise InputError(
                    f"{type(self).__name__}.predict: outputs for some of the rows from {start} on are not finite; "
                    "X or the trained parameters are too large"
                )
            yield outputs

    def _on_filled(self, X: Any) -> tuple[MLP, NDArray[np.float64], Any]:
        """The network, its parameters (members, size) and the rows `X`: of sparse rows that fill few columns, all three
        on these alone.
        """
        network, columns = self._predictor, few_columns(X)
        if columns is None:
            return network, self._theta.astype(np.float64), X
        narrow: Narrow | None = self.__dict__.get("_narrow")
        theta = None if narrow is None or "_theta" in self.__dict__ else narrow.on(columns)
        if theta is None:
            theta = self._theta[:, network.architecture.places(columns)]
        return replace(network, X=np.empty((0, len(columns)))), theta.astype(np.float64), X[:, columns]


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
