"""What a fit tells while it runs: scikit-learn's callbacks, and one line per epoch with `verbose=True`."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cooldown.objectives.training.population import Population
from cooldown.objectives.training.recording import Recording


class Progress:
    """An observer of the engine for one `fit`: each epoch is a task of scikit-learn's callbacks.

    data: what the callbacks are told of the rows, `X`, `y` and `metadata`. fitted: the attributes with which a copy of
    the estimator predicts, from parameters (r, size) and the places (r,) of their seeds.
    """

    def __init__(
        self, estimator: Any, epochs: int, data: Mapping[str, Any], fitted: Callable[[Any, Any], dict[str, Any]]
    ) -> None:
        self._estimator, self._epochs, self._data, self._fitted = estimator, epochs, data, fitted
        self._fit = estimator._init_callback_context(max_subtasks=epochs)
        self._fit.call_on_fit_task_begin(estimator=estimator, **data)

    def begins(self) -> None:
        """Tell the callbacks."""
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def ends(self, epoch: int, population: Population, record: Recording) -> bool:
        """Tell the callbacks, and write a line; returns whether a callback asks to stop."""
        if self._estimator.verbose:
            losses = {
                "training loss": record.train_loss[population.alive, epoch],
                "validation loss": record.held_out_loss[population.alive, epoch],
            }
            known = [f"{name} {np.nanmean(each):.6g}" for name, each in losses.items() if np.isfinite(each).any()]
            sys.stdout.write(f"epoch {epoch + 1}/{self._epochs}: {', '.join(known) or 'all seeds diverged'}\n")
        return bool(
            self._epoch.call_on_fit_task_end(
                estimator=self._estimator,
                **self._data,
                reconstruction_attributes=lambda: self._attributes(population.reported, population.alive),
            )
        )

    def finished(self) -> None:
        """Tell the callbacks that the estimator is fitted."""
        self._fit.call_on_fit_task_end(estimator=self._estimator, **self._data, reconstruction_attributes={})

    def _attributes(self, theta: Any, alive: Any) -> dict[str, Any] | None:
        finite = np.isfinite(theta).all(axis=1)
        return self._fitted(theta[finite].copy(), alive[finite]) if finite.any() else None
