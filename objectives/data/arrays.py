"""`ArrayTask`: rows of numbers, how they are split and scaled, and the MLP that is trained on them.

Everything that a user's data can be comes to one form: a matrix of numbers with NaN for missing cells, some
of whose columns hold the codes of categories. One preprocessor turns it into features; it is fitted on a
problem's training rows only. `from_arrays` makes a task of arrays, `from_table` (in _table.py) of a file.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import sha256
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.data.checks import check_features, check_hidden, check_kind, check_name, check_target
from cooldown.objectives.data.splits import split
from cooldown.objectives.data.task import Kind, Task
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.problem import Indices, Problem

Data = tuple[NDArray[np.float64], NDArray[Any]]


@dataclass(frozen=True, eq=False)
class ArrayTask(Task):
    """A task of arrays: stratified 60/20/20 splits, standardized features, an MLP.

    load: () -> X (n, d) numbers, NaN where a cell is missing, and y: (n,) classes 0…K−1, each of at least 5
        rows, or numbers (n,) or (n, K) for K targets. Called once, when the data are needed; what it returns
        is trusted (`from_arrays` checks).
    hidden: widths of the hidden layers; () is logistic or linear regression. activation: "relu" or "tanh".
    standardize: whether numbers are brought to mean 0 and variance 1 of the training rows.
    categorical: indices of the columns that hold codes of categories, which are encoded one-hot.

    The loss is cross-entropy, or for a regression the mean squared error of targets that are standardized
    with the training rows' mean and standard deviation: in standardized units, which leaves R² as it is.
    Several targets are centred each and scaled together, by the root of their mean variance: one that hardly
    varies counts for as little as it varies, and R² is the share of their variance that is explained.
    """

    name: str
    kind: Kind
    load: Callable[[], Data]
    hidden: tuple[int, ...] = (32,)
    activation: Literal["relu", "tanh"] = "relu"
    standardize: bool = True
    categorical: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_name("ArrayTask", self.name)
        check_kind(self.kind)
        object.__setattr__(self, "hidden", check_hidden(self.hidden))
        if self.activation not in ("relu", "tanh"):
            raise unknown_name("activation", self.activation, ("relu", "tanh"))

    @cached_property
    def data(self) -> Data:
        """X (n, d) before preprocessing and y: (n,) classes 0…K−1, or numbers (n,) or (n, K)."""
        X, y = self.load()
        return np.ascontiguousarray(X, np.float64), np.asarray(y, np.int64 if self._classifies else np.float64)

    def preprocessor(self) -> Any:
        """The unfitted scikit-learn transformer from X (n, d) to features.

        Numbers: a missing cell becomes the median and is marked in a column of its own; then standardization.
        Categories: one column each if at least two training rows have it, 49 at most; all others, and those
        that no training row has, share one column. A missing cell is a category of its own.
        """
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        # A column may lack any value among the training rows of one split: it becomes zeros there.
        imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        numbers = make_pipeline(imputer, StandardScaler() if self.standardize else "passthrough")
        categories = OneHotEncoder(
            handle_unknown="infrequent_if_exist", min_frequency=2, max_categories=50, sparse_output=False
        )
        numeric = [column for column in range(self.data[0].shape[1]) if column not in self.categorical]
        return ColumnTransformer([("numbers", numbers, numeric), ("categories", categories, list(self.categorical))])

    def search_problem(self, seed: int = 0, repeat: int = 0) -> Problem:
        """Training and validation rows of one repeat; without the test rows."""
        train, validation, _ = split(len(self.data[1]), self._labels, seed, repeat)
        return self._problem(train, validation)

    def evaluation_problem(self, seed: int = 0) -> Problem:
        """Training + validation rows to train on, test rows to measure."""
        train, validation, test = split(len(self.data[1]), self._labels, seed)
        return replace(self._problem(train, test), monitor=np.searchsorted(train, validation))

    def fingerprint(self) -> str:
        """SHA-256 of the numbers and settings that fix every result; names and spellings of labels are not in
        it."""
        X, y = self.data
        settings = (self.kind, self.hidden, self.activation, self.standardize, self.categorical, X.shape)
        return sha256(repr(settings).encode() + X.tobytes() + y.tobytes()).hexdigest()

    def with_hidden(self, hidden: tuple[int, ...]) -> "ArrayTask":
        """The same task with hidden layers of these widths."""
        return replace(self, hidden=hidden)

    @property
    def _classifies(self) -> bool:
        return self.kind == "classification"

    @property
    def _labels(self) -> NDArray[Any] | None:
        return self.data[1] if self._classifies else None

    def _problem(self, train: Indices, held_out: Indices) -> Problem:
        """The problem of the rows `train` (n,) and `held_out` (m,), which are 0…n−1 and n…n+m−1 in it."""
        X, y = self.data
        preprocessor = self.preprocessor().fit(X[train])
        features = preprocessor.transform(np.concatenate([X[train], X[held_out]]))
        n, target = len(train), np.concatenate([y[train], y[held_out]])
        if self._classifies:
            n_outputs = int(y.max()) + 1
            # A class without a training row counts as one row, so that the loss stays finite.
            counts = np.maximum(np.bincount(target[:n], minlength=n_outputs), 1)
            uninformed = -np.log(counts / counts.sum())[target[n:]].mean()
            model = MLP(features, target, self.hidden, n_outputs, "cross_entropy", self.activation)
        else:
            scaled = standardized(target.reshape(len(target), -1), n)
            uninformed = np.square(scaled[n:] - scaled[:n].mean(axis=0)).mean()
            model = MLP(features, scaled, self.hidden, scaled.shape[1], "squared_error", self.activation)
        return Problem(model, np.arange(n), np.arange(n, len(target)), float(uninformed))


def from_arrays(
    X: Any, y: Any, *, name: str = "arrays", kind: Kind | None = None, hidden: tuple[int, ...] = (32,)
) -> ArrayTask:
    """A task of a user's own arrays.

    X: (n, d) finite numbers. y: (n,) labels (texts, truth values or numbers) or numbers to predict.
    kind: "classification" or "regression". Where it is None, texts, truth values and at most 20 distinct
        whole numbers are classes and everything else is a regression.
    hidden: widths of the MLP's hidden layers, () for linear or logistic regression.

    Raises InputError for anything that cannot be split and trained on: missing or infinite values, a constant
    target, a class of fewer than 5 rows, fewer than 10 rows.
    """
    check_name("from_arrays", name)
    features = check_features(X)
    target, found = check_target("from_arrays(y=...)", y, len(features), kind)
    return ArrayTask(name, found, partial(given, features, target), hidden)


def standardized(targets: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Targets (rows, K) centred and scaled to a mean variance of 1 over the first `n` rows, the training rows."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(targets[:n])
    # For one target the scaler's own scale, which is 1 where the training rows happen to be all alike.
    scale = scaler.scale_ if targets.shape[1] == 1 else np.sqrt(scaler.var_.mean())
    return np.asarray((targets - scaler.mean_) / scale)


def given(X: NDArray[np.float64], y: NDArray[Any]) -> Data:
    """The `load` of a task whose data are already in memory."""
    return X, y
