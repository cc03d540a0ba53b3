"""`ArrayTask`: rows of numbers, how they are split and scaled, and the MLP that is trained on them.

All data are brought to one form: a matrix of numbers with NaN for missing cells, in which some columns hold the
codes of categories. One preprocessor turns it into features; it is fitted on a problem's training rows only.
`from_arrays` (own_arrays.py) creates a task from a user's arrays, `from_table` (table.py) from a file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import sha256
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.data.aim import OWN, Aim
from cooldown.objectives.data.aimed import aimed, check_aim
from cooldown.objectives.data.checks import (
    Label,
    check_hidden,
    check_kind,
    check_name,
    names_of,
)
from cooldown.objectives.data.downloads import DOWNLOADS
from cooldown.objectives.data.random_labels import with_random_labels
from cooldown.objectives.data.reading.doubts import doubts, repeated_rows
from cooldown.objectives.data.reading.summary import Doubt, ReadColumn
from cooldown.objectives.data.scaling import Scale, Unscaled, standardized
from cooldown.objectives.data.splits import NOTHING_APART, Apart, Split
from cooldown.objectives.data.task import Kind, Task
from cooldown.objectives.errors import InputError
from cooldown.objectives.models.joining import joined
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.models.sparse_rows import arrays_of, hashed, in_dtype, is_sparse
from cooldown.objectives.problem import Indices, Problem
from cooldown.objectives.random_streams import seeds
from cooldown.objectives.references import LOGISTIC, NO_MODEL, RIDGE, TREES

Data = tuple[Any, NDArray[Any]]
"""X (n, d), an array or a CSR array, and y."""


@dataclass(frozen=True, eq=False)
class ArrayTask(Task):
    """A task of arrays: stratified 60/20/20 splits, standardized features, an MLP.

    load: () -> X (n, d) numbers, NaN for a missing cell, and y: (n,) classes 0…K−1, each with at least 5 rows,
        or numbers (n,) or (n, K) for K targets. Called once, when the data are needed; its result is not checked
        (`from_arrays` checks). X may be a CSR array, whose columns are divided by their largest absolute value in place
        of a standardization (sparse_features.py).
    hidden: widths of the hidden layers; () is logistic or linear regression. activation: "relu" or "tanh".
    standardize: whether numbers are scaled to mean 0 and variance 1 over the training rows.
    categorical: indices of the columns that hold codes of categories, which are encoded one-hot.
    aim: other measures than these, and weights of classes. classes: the labels of the K classes, () for their numbers.
    sample_weight: (n,) weights of the rows, in training and in all measures; None if all count alike.
    apart: the groups or times of the n rows, across which nothing is split.
    shared_scale: whether several targets, which then have one unit, are scaled together.
    n_test: how many of the rows are a test set of the user's own, the last ones; 0 if test rows are drawn. Of the other
        rows a quarter then validates (75/25), and a class needs only 4 of them.
    columns: how each column of the table was read that the arrays come from, () for another origin.

    The loss is cross-entropy, or for a regression the mean squared error of targets standardized with the training
    rows' mean and standard deviation, which does not change R². Several targets are standardized one by one, so that
    each counts alike whatever its unit, and R² is the explained share of the variance of the standardized targets. With
    `shared_scale` they are centred one by one and divided by the root of their mean variance: a target that varies
    little then has little weight, and R² is the explained share of the total variance.
    """

    name: str
    kind: Kind
    load: Callable[[], Data]
    hidden: tuple[int, ...] = (32,)
    activation: Literal["relu", "tanh"] = "relu"
    standardize: bool = True
    categorical: tuple[int, ...] = ()
    n_test: int = 0
    aim: Aim = OWN
    classes: tuple[Label, ...] = ()
    sample_weight: NDArray[np.float64] | None = None
    apart: Apart = NOTHING_APART
    shared_scale: bool = False
    columns: tuple[ReadColumn, ...] = ()

    def __post_init__(self) -> None:
        check_name("ArrayTask", self.name)
        check_kind(self.kind)
        object.__setattr__(self, "hidden", check_hidden(self.hidden))
        if self.activation not in ("relu", "tanh"):
            raise unknown_name("activation", self.activation, ("relu", "tanh"))
        if isinstance(self.n_test, bool) or not isinstance(self.n_test, int) or self.n_test < 0:
            raise InputError(f"ArrayTask(n_test={self.n_test!r}): must be a whole number of at least 0")

    @cached_property
    def data(self) -> Data:
        """X (n, d) before preprocessing and y: (n,) classes 0…K−1, or numbers (n,) or (n, K)."""
        X, y = self.load()
        return in_dtype(X, np.dtype(np.float64)), np.asarray(y, np.int64 if self._classifies else np.float64)

    @property
    def downloads(self) -> bool:
        """Whether its data are downloaded when they are first needed."""
        return hasattr(self.load, DOWNLOADS)

    def preprocessor(self) -> Any:
        """The unfitted scikit-learn transformer from X (n, d) to features.

        Numbers: a missing cell becomes the median and is marked in an extra column; then standardization.
        Categories: one column for each that at least two training rows have, at most 49; all others, also those
        not among the training rows, share one column. A missing cell is a category of its own.
        """
        if self.is_sparse:
            from cooldown.objectives.data.sparse_features import sparse_preprocessor

            return sparse_preprocessor(self.standardize)
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        # A column may be empty in the training rows of one split: there it becomes zeros.
        imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        numbers = make_pipeline(imputer, StandardScaler() if self.standardize else "passthrough")
        categories = OneHotEncoder(
            handle_unknown="infrequent_if_exist", min_frequency=2, max_categories=50, sparse_output=False
        )
        return ColumnTransformer(
            [("numbers", numbers, self._numeric), ("categories", categories, list(self.categorical))]
        )

    @cached_property
    def doubts(self) -> tuple[Doubt, ...]:
        """The doubts about the columns of a table, found on the rows that are not test rows of the user's own."""
        X, y = (rows[: self.n_rows - self.n_test] for rows in self.data)
        target = next((column.name for column in self.columns if column.role == "target"), "the target")
        return tuple(doubts(self.columns, X, y, target))

    @cached_property
    def n_repeated(self) -> int:
        """How many test rows of the user's own are rows to train on, too, with the same features and target."""
        X, y = self.data
        rows = np.column_stack([hashed(X), y.reshape(len(y), -1)])
        return repeated_rows(rows[: self.n_rows - self.n_test], rows[self.n_rows - self.n_test :])

    @property
    def is_sparse(self) -> bool:
        """Whether the features are a CSR array."""
        return is_sparse(self.data[0])

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.data[1])

    @property
    def strata(self) -> NDArray[Any] | None:
        """The classes."""
        return self.data[1] if self._classifies else None

    @property
    def references(self) -> tuple[str, ...]:
        """A linear model and trees beside no model. Several targets have no trees, which would take a model for each,
        and neither have sparse rows, which scikit-learn's do not take; an autoencoder has no model at all, as a linear
        one would copy its input.
        """
        X, y = self.data
        trees = () if self.is_sparse else (TREES,)
        if self._classifies:
            return NO_MODEL, LOGISTIC, *trees
        if y.size == len(y):
            return NO_MODEL, RIDGE, *trees
        return (NO_MODEL,) if not self.is_sparse and np.array_equal(X, y) else (NO_MODEL, RIDGE)

    @property
    def test_rows(self) -> Indices | None:
        """(n_test,) the last rows, or None. InputError if there are not more rows than these."""
        if not self.n_test:
            return None
        if self.n_test >= self.n_rows:
            raise InputError(
                f"task {self.name!r}: n_test={self.n_test} of its {self.n_rows} rows are test rows, which leaves none "
                "to train on"
            )
        return np.arange(self.n_rows - self.n_test, self.n_rows)

    def fingerprint(self) -> str:
        """SHA-256 of the numbers and settings that fix every result; names and the spelling of labels are not
        included, and what only some tasks have only in those: tasks keep theirs when there is more to set."""
        X, y = self.data
        own: list[Any] = [self.n_test] if self.n_test else []
        if self.scales_each:
            own.append("each target is scaled")
        settings = (self.kind, self.hidden, self.activation, self.standardize, self.categorical, X.shape, *own)
        digest = sha256(repr(settings).encode())
        # Not their bytes: a large table would be copied.
        for array in (*arrays_of(X), np.ascontiguousarray(y)):
            digest.update(array.data)
        if self.aim:
            digest.update(repr(self.aim).encode())
        for name, of_rows in (("", self.sample_weight), *self.apart._asdict().items()):
            if of_rows is not None:
                digest.update(name.encode() + of_rows.tobytes())
        return digest.hexdigest()

    def with_hidden(self, hidden: tuple[int, ...]) -> "ArrayTask":
        """The same task with hidden layers of these widths."""
        return replace(self, hidden=hidden)

    def with_random_labels(self, share: float) -> "ArrayTask":
        """The same task with this share of its labels drawn at random; InputError unless it has classes."""
        if not self._classifies:
            raise InputError(f"task {self.name!r} has no classes: random_labels is for a classification")
        X, y = self.data
        return replace(self, load=partial(_same, (X, with_random_labels(y, share))))

    def with_aim(self, aim: Aim) -> "ArrayTask":
        """The same task with this aim; InputError if it does not fit the data."""
        check_aim(repr(self.name), aim, self.kind, self.data[1], self.labels, self.sample_weight is not None)
        return replace(self, aim=aim)

    @property
    def score_name(self) -> str:
        """The aim's score, or "accuracy" or "R²", which is that of the transformed target."""
        transformed = "R² of the log" if self.aim.target_transform is not None else super().score_name
        return self.aim.score_name or transformed

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes' names; none for a regression."""
        return names_of(self._known_classes)

    @property
    def _known_classes(self) -> tuple[Label, ...]:
        if not self._classifies:
            return ()
        return self.classes or tuple(range(int(self.data[1].max()) + 1))

    @property
    def scales_each(self) -> bool:
        """Whether there are several targets, each with a scale of its own."""
        y = self.data[1]
        return y.ndim == 2 and y.shape[1] > 1 and not self.shared_scale

    @cached_property
    def _is_plain(self) -> bool:
        """Whether the features are numbers, all there, which nothing but scaling is done to."""
        return not self.is_sparse and not self.categorical and not bool(np.isnan(self.data[0]).any())

    def fitted(self, config: TrainConfig, n_seeds: int = 1, seed: int = 0) -> Any:
        """A scikit-learn `Pipeline` from raw rows to labels or numbers: see `Task.fitted`.

        InputError for several targets with one scale, which the estimators do not have.
        """
        from cooldown.objectives.data.fitted import Rows, fitted_pipeline

        X, y = self.data
        if self.shared_scale and y.ndim == 2:
            raise InputError(
                f"task {self.name!r}: its {y.shape[1]} targets have one scale, but a regressor scales each: there is "
                "no model to take home"
            )
        labels = np.array(self._known_classes)[y] if self._classifies else y
        return fitted_pipeline(
            Rows(X, labels, self.sample_weight, self.watched_by_fit(config, seed)),
            self.columns,
            self.preprocessor(),
            config,
            classifies=self._classifies,
            class_weight=self._class_weight,
            log=self.aim.target_transform is not None,
            hidden_layer_sizes=self.hidden,
            activation=self.activation,
            n_seeds=n_seeds,
            random_state=seeds(seed, "fitted", count=1)[0],
        )

    @property
    def _class_weight(self) -> Any:
        """The weights of the classes as scikit-learn takes them, by label."""
        if not isinstance(self.aim.class_weight, tuple):
            return self.aim.class_weight
        by_name = dict(zip(self.labels, self._known_classes, strict=True))
        return {by_name[name]: weight for name, weight in self.aim.class_weight}

    @property
    def _numeric(self) -> list[int]:
        return [column for column in range(self.data[0].shape[1]) if column not in self.categorical]

    @property
    def _classifies(self) -> bool:
        return self.kind == "classification"

    def problem(self, train: Indices, held_out: Indices) -> Problem:
        """The problem of the rows `train` (n,) and `held_out` (m,), renumbered to 0…n−1 and n…n+m−1. All numbers that
        features and targets are scaled by are those of `train`.
        """
        return self._problem(train, held_out, self._fitted_on(self.data[0][train]))

    def problems(self, splits: Sequence[Split]) -> tuple[Problem, ...]:
        """The problem of each split, all on one model: they have the same columns, also for categories and missing
        cells that the training rows of some have not.
        """
        return joined([self._problem(rows.train, rows.validation, self._preprocessed(rows)) for rows in splits])

    def _fitted_on(self, rows: Any) -> Any:
        """The preprocessor fitted on rows of X; of plain numbers the part of it that does something."""
        if not self._is_plain:
            return self.preprocessor().fit(rows)
        return Scale.of(rows) if self.standardize else Unscaled()

    def _preprocessed(self, rows: Split) -> Any:
        """The preprocessor with the columns of all rows but the test rows, and the numbers of the training rows."""
        X = self.data[0]
        if self.is_sparse:
            from cooldown.objectives.data.sparse_features import fitted_on

            return fitted_on(self.preprocessor(), X, rows.train, rows.rest)
        if self._is_plain:
            return self._fitted_on(X[rows.train])
        from sklearn.base import clone

        fitted = self.preprocessor().fit(X[rows.rest])
        if self._numeric:
            imputer, *scaler = (step for _, step in fitted.named_transformers_["numbers"].steps)
            numbers = X[rows.train][:, self._numeric]
            imputer.statistics_ = clone(imputer).fit(numbers).statistics_
            if self.standardize:
                scaler[0].fit(imputer.transform(numbers))
        return fitted

    def _problem(self, train: Indices, held_out: Indices, preprocessor: Any) -> Problem:
        X, y = self.data
        rows, n = np.concatenate([train, held_out]), len(train)
        features, target = preprocessor.transform(X[rows]), y[rows]
        units = None
        if self._classifies:
            n_outputs = int(y.max()) + 1
            # A class without training rows counts as one row, so that the loss stays finite.
            counts = np.maximum(np.bincount(target[:n], minlength=n_outputs), 1)
            baseline = -np.log(counts / counts.sum())[target[n:]].mean()
            score = (target[n:] == counts.argmax()).mean()
            model = MLP(features, target, self.hidden, n_outputs, "cross_entropy", self.activation)
        else:
            target = target.reshape(len(target), -1)
            log = self.aim.target_transform is not None
            scaled, units = standardized(np.log(target) if log else target, n, log=log, shared=self.shared_scale)
            baseline, variance = np.square(scaled[n:] - scaled[:n].mean(axis=0)).mean(), scaled[n:].var(axis=0).mean()
            score = 1 - baseline / variance if variance > 0 else np.nan
            model = MLP(features, scaled, self.hidden, scaled.shape[1], "squared_error", self.activation)
        weights = None if self.sample_weight is None else self.sample_weight[rows]
        problem = Problem(
            model,
            np.arange(n),
            np.arange(n, len(target)),
            float(baseline),
            uninformed_score=float(score),
            # Rows with weights have no errors, which are plain means; and targets of several units have none in common.
            units=None if weights is not None or self.scales_each else units,
        )
        if not self.aim and weights is None:
            return problem
        scaled_by = None if units is None else (units.mean, units.scale)
        return aimed(problem, self.aim, target, self.labels, scaled_by, weights)


def in_memory(X: Any, y: NDArray[Any]) -> Data:
    """The `load` of a task whose data are already in memory."""
    return X, y


def _same(data: Data) -> Data:
    """What `load` is of a task whose data are known."""
    return data
