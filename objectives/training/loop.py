"""The one training loop: a population from its first epoch to its end."""

import time
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.problem import Problem
from cooldown.objectives.training.assembly import population_of
from cooldown.objectives.training.limits import Limits
from cooldown.objectives.training.population import Flags, Population
from cooldown.objectives.training.recording import Recording
from cooldown.objectives.training.replicates import Replicate
from cooldown.objectives.training.watch import Watch


class Observer(Protocol):
    """What is told of every epoch of a run, numbered from 0. It reads, and changes nothing but when the run ends."""

    def begins(self) -> None:
        """The next epoch begins."""

    def ends(self, epoch: int, population: Population, record: Recording) -> bool:
        """An epoch has ended, and its losses are recorded; returns whether the whole run ends with it."""


def run(
    problems: Sequence[Problem],
    replicates: Sequence[Replicate],
    dtype: np.dtype[Any],
    every_epoch: bool,
    limits: Limits | None = None,
    *,
    initial: NDArray[Any] | None = None,
    observer: Observer | None = None,
    every_update: bool = False,
    repeated: bool = False,
    compiled_passes: bool = True,
) -> tuple[Recording, Population]:
    """Train a population, each replicate on its problem, to its end; returns the record in the replicates' order, and
    the replicates that finished.

    limits: those of its configs, whose replicates must then be adjacent, equally many of each. initial: (R, size)
    parameters to begin with, NaN in the row of a replicate that draws its own. every_update: whether the loss of each
    update is recorded. repeated: as for `population_of`. compiled_passes: as `engine.train` takes it.
    """
    started = time.perf_counter()
    population, paid = population_of(problems, replicates, dtype, initial, repeated=repeated)
    if not compiled_passes:
        population.compiled = None
    record = Recording(population, paid)
    if every_update:
        record.keep_updates()
    measurable, watches_held_out = len(problems[0].held_out) > 0, problems[0].monitor is None
    every_epoch = record.every_epoch = every_epoch and measurable
    watch = _watch(population)
    # A diverging replicate may overflow; it is detected at the end of its epoch.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for epoch in range(population.epochs):
            if observer is not None:
                observer.begins()
            losses = population.train_epoch(epoch)
            record.trained(population, epoch, losses)
            finite = np.isfinite(losses)
            ending = np.full(len(losses), epoch == population.epochs - 1)
            if every_epoch or (watch and watches_held_out):
                finite &= np.isfinite(record.measured(population, epoch))
            if observer is not None and observer.ends(epoch, population, record):
                record.stopped[population.alive] |= ~ending
                ending[:] = True
            if watch:
                _react(population, watch, record, epoch, finite, ending)
            if not every_epoch and ending.any():
                # Without held-out rows divergence shows only in the parameters.
                final = record.measured(population, epoch)[:, None] if measurable else population.reported
                finite &= ~ending | np.isfinite(final).all(axis=1)
            record.diverged[population.alive[~finite]] = True
            staying = finite & ~ending
            if limits is not None:
                over = limits.exceeded(epoch, record.reported(epoch))[population.alive]
                record.pruned[population.alive[staying & over]] = True
                staying &= ~over
            if not staying.all():
                record.ended(population, epoch, ~staying, finite)
                # Replicates that finished are kept: their training may continue.
                kept = finite if epoch == population.epochs - 1 else staying
                population.keep(kept)
                if watch:
                    watch.keep(kept)
                if not population.alive.size:
                    break
        record.measure_errors(population.model)
    record.seconds = (time.perf_counter() - started) / len(replicates)
    return record, population


def _react(population: Population, watch: Watch, record: Recording, epoch: int, finite: Flags, ending: Flags) -> None:
    """Stop, restart or set back the replicates that react to the watched loss after `epoch`.

    finite, ending: (R,) which replicates have finite losses, and which end now; both are updated in place.
    """
    watched_loss = record.held_out_loss[population.alive, epoch]
    if population.problems[0].monitor is not None:
        watched_loss, _ = population.measure("watched")
        finite &= np.isfinite(watched_loss)
    stopping, restarting = watch.see(epoch + 1, watched_loss, population.reported)
    if not ending.all():
        record.stopped[population.alive[stopping]] = True
        ending |= stopping
        population.restart(restarting & finite, watch.best_theta, watch.factors, int(population.starts[epoch + 1]))
    # With early stopping a replicate ends with its best parameters, also at its last epoch.
    back = ending & finite & np.isfinite(watch.stop_after)
    population.set_back(back, watch.best_theta)
    record.kept_epoch[population.alive[back]] = watch.best_epoch[back]


def _watch(population: Population) -> Watch | None:
    """The patience and the factors of each replicate; None if no replicate reacts."""
    if not population.replicates[0].config.reacts:
        return None
    reactions = [replicate.plan.reaction for replicate in population.replicates]
    return Watch(
        np.array([replicate.config.early_stopping or np.inf for replicate in population.replicates], np.float64),
        np.array([reaction.patience if reaction else np.inf for reaction in reactions], np.float64),
        np.array([reaction.factor if reaction else 1.0 for reaction in reactions], np.float64),
        population.theta,
    )
