"""`LoopTask`: a training loop of the user's own; splits are index sets over its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.data.checks import (
    check_kind,
    check_n_samples,
    check_name,
    check_target,
    check_uninformed_loss,
)
from cooldown.objectives.data.task import Kind, Task
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Indices, Loop, Problem
from cooldown.objectives.references import NO_MODEL


@dataclass(frozen=True, eq=False)
class LoopTask(Task):
    """A task from a user's own training loop.

    n_samples: number of rows; splits are index sets over `range(n_samples)`. Where the loop holds data, they are all
        its rows: the test rows are kept from a search by what `Run.rows` gives out.
    labels: (n_samples,) classes to stratify the splits by, or None.
    uninformed: the baseline loss, or None for each run's first held-out loss.
    """

    name: str
    kind: Kind
    loop: Loop
    n_samples: int
    labels: NDArray[np.int64] | None = None
    uninformed: float | None = None

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return self.n_samples

    @property
    def strata(self) -> NDArray[np.int64] | None:
        """The labels."""
        return self.labels

    @property
    def references(self) -> tuple[str, ...]:
        """No model, if its loss is known; no other predictor knows what a user's own loop measures."""
        return () if self.uninformed is None else (NO_MODEL,)

    def fingerprint(self) -> str:
        """SHA-256 of the settings, the labels and the data, and of the function's name: its code has no stable bytes,
        and a run may take long. A loop that was changed is another task to its author alone.
        """
        function = self.loop.function
        called = None if function is None else getattr(function, "__qualname__", type(function).__qualname__)
        digest = sha256(repr(("loop", called, self.kind, self.n_samples, self.uninformed)).encode())
        for array in (*(self.loop.data or ()), self.labels):
            if array is not None:
                digest.update(repr((array.dtype.str, array.shape)).encode())
                digest.update(repr(array.tolist()).encode() if array.dtype == object else array.tobytes())
        return digest.hexdigest()

    def problem(self, train: Indices, held_out: Indices) -> Problem:
        """The problem of these rows, on the one loop."""
        return Problem(self.loop, train, held_out, float("inf") if self.uninformed is None else self.uninformed)

    def fitted(self, config: TrainConfig, n_seeds: int = 1, seed: int = 0) -> Any:  # noqa: ARG002
        """InputError: only the loop knows its model."""
        raise InputError(
            f"task {self.name!r} is a training loop of your own, which keeps its model to itself: train once more on "
            "all rows with the best config, result.best(arm)"
        )


def from_loop(
    function: Callable[[Any], None],
    X: Any = None,
    y: Any = None,
    *,
    name: str | None = None,
    n_samples: int | None = None,
    kind: Kind | None = None,
    labels: Any = None,
    uninformed_loss: float | None = None,
) -> LoopTask:
    """A task from a training loop of the user's own.

    function: called with an `objectives.runs.Run` for each replicate; it trains `run.config` for `run.epochs` epochs
        with the random seed `run.seed`, and calls `run.report` after each of them. Worker processes call it.
    X, y: (n, …) arrays, of which `run.rows` gives the rows; or else n_samples: the number of rows, at least 10, of
        which it gives the indices.
    name: of the task, by default the function's. kind: decides the name of the score; by default as in `from_arrays`
        where there is a y, else "regression".
    labels: (n_samples,) classes to stratify the splits by; with X and y the classes are those of a classification.
    uninformed_loss: the baseline loss, which is the held-out loss of a predictor that has learned nothing; reported
        losses are capped at it, and a diverged run counts with it. By default each run's first held-out loss, so that
        a run which diverges later counts as if it had stopped after its first epoch.

    Raises InputError for an argument that breaks these rules.
    """
    if not callable(function):
        raise InputError(f"from_loop(function={function!r:.80}): must be a function of one argument, the run")
    name = getattr(function, "__name__", type(function).__name__) if name is None else name
    return loop_task("from_loop", function, X, y, name, n_samples, kind, labels, uninformed_loss)


def loop_task(
    call: str,
    function: Callable[[Any], None] | None,
    X: Any,
    y: Any,
    name: str,
    n_samples: int | None,
    kind: Kind | None,
    labels: Any,
    uninformed_loss: float | None,
) -> LoopTask:
    """`from_loop`; call: its name in messages. function: None for a task whose runs are handed out."""
    check_name(call, name)
    data = None
    if (X is None) != (y is None) or (X is None) == (n_samples is None):
        raise InputError(f"{call}: give either X and y, or n_samples")
    if X is None:
        n_rows, kind = check_n_samples(call, n_samples), check_kind(kind or "regression")
    else:
        data, n_rows = (_array(call, "X", X), _array(call, "y", y)), len(y)
        if len(data[0]) != n_rows:
            raise InputError(f"{call}: X and y must have equally many rows, got {len(data[0])} and {n_rows}")
        target, kind = _target(call, data[1], kind)
        labels = target if labels is None and kind == "classification" else labels
    classes = None
    if labels is not None:
        classes, _ = check_target(f"{call}(labels=...)", labels, n_rows, "classification")
    uninformed = check_uninformed_loss(call, uninformed_loss)
    return LoopTask(name, kind, Loop(function, data), n_rows, classes, uninformed)


def _array(call: str, name: str, values: Any) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise InputError(f"{call}({name}=...): must be an array: {error}") from None
    if not array.ndim:
        raise InputError(f"{call}({name}=...): must be an array with a row for each sample, got {values!r:.80}")
    return array


def _target(call: str, y: NDArray[Any], kind: Kind | None) -> tuple[NDArray[Any] | None, Kind]:
    """The target, checked if it has one column, and the kind of task."""
    if y.ndim == 1:
        return check_target(f"{call}(y=...)", y, len(y), kind)
    check_n_samples(call, len(y))
    return None, check_kind(kind or "regression")
