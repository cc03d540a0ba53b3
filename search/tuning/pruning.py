"""Fair pruning: which trials of a study are stopped early, and at what cost.

A trial is compared only with trials of its own study, with the same schedule, at the same epoch: a schedule whose rate
drops late is never compared with one whose rate drops early. It is compared only with earlier generations, so that what
is pruned is a function of the record alone, for any number of workers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.cost import epochs_paid, rows_per_epoch
from cooldown.objectives.errors import InputError
from cooldown.objectives.random_streams import generator
from cooldown.objectives.records import Outcome
from cooldown.objectives.training.limits import mean_losses
from cooldown.search.spec.experiment import Pruner
from cooldown.search.statistics.pruning import BRACKET_WEIGHTS, halving_limits, median_limits, pruned_after
from cooldown.storage import Purpose, StudyRecord, TrialRecord

PRUNERS: tuple[Pruner, ...] = ("median", "hyperband")


@dataclass(frozen=True)
class Replay:
    """What a pruner would have changed in a study that was run without one.

    pruned: by trial number, the epoch (from 1) after which it would have been stopped. gradient_evaluations: those of
    the study's search. saved: how many of them the pruner would have saved. winner: the number of the study's winner;
    None for a study without trials.
    winner_instead: the number of the winner among the remaining trials: the winner itself unless it is pruned. None if
    no trial remains, or if all finalists are pruned, so that no remaining trial has a loss on further seeds.
    loss_difference: the loss of `winner_instead` minus the winner's, over the finalists' further seeds if there are
    any, else over the search seeds; None if `winner_instead` is None.

    A real run with the pruner would differ in two ways: the sampler would learn from shorter trials, and other trials
    would become finalists in place of the pruned ones.
    """

    pruned: Mapping[int, int]
    gradient_evaluations: int
    saved: int
    winner: int | None
    winner_instead: int | None
    loss_difference: float | None

    @property
    def winner_pruned(self) -> bool:
        """Whether the study's winner would have been stopped."""
        return self.winner in self.pruned


@dataclass(frozen=True)
class _Trial:
    """A trial as a pruner sees it. losses: (epochs,) if it is an earlier trial; NaN after its last trained epoch."""

    schedule: str
    bracket: int
    losses: NDArray[np.float64]


def bracket(study: StudyRecord, number: int, seed: int) -> int:
    """Hyperband's bracket of a trial: 0, 1 or 2. It does not depend on the other arms."""
    drawn = generator(seed, "pruner", study.arm, study.repeat, number).integers(sum(BRACKET_WEIGHTS))
    return int(np.searchsorted(np.cumsum(BRACKET_WEIGHTS), drawn, side="right"))


def limits(
    pruner: Pruner, study: StudyRecord, numbers: Sequence[int], configs: Sequence[TrainConfig], epochs: int, seed: int
) -> NDArray[np.float64] | None:
    """(configs, epochs) loss limits of a study's next generation, for `objectives.train`; None without a pruner.

    study: with all its earlier generations and nothing else. numbers: the trial numbers of `configs`. epochs: of every
    config. seed: the experiment's.
    """
    if pruner == "none":
        return None
    earlier = [_seen(study, trial, epochs, seed) for trial in study.trials]
    nothing = np.empty(0)
    following = [
        _Trial(config.schedule.name, bracket(study, number, seed), nothing)
        for number, config in zip(numbers, configs, strict=True)
    ]
    return np.array([_limits(pruner, earlier, trial, epochs) for trial in following]).reshape(-1, epochs)


def replay(pruner: Pruner, study: StudyRecord, seed: int) -> Replay:
    """What `pruner` would have changed in a study that was run without one.

    Generation by generation; each is compared only with those epochs of earlier ones that would have been trained.
    seed: the experiment's. Raises InputError for a study in which a trial was pruned.
    """
    curves = study.curves(Purpose.SEARCH)
    if any(curve.outcome is Outcome.PRUNED for curve in curves):
        raise InputError(
            f"study {study.arm}/{study.repeat} was run with a pruner: the final losses of its pruned trials are unknown"
        )
    total = sum(curve.gradient_evaluations for curve in curves)
    pruned = {} if pruner == "none" else _replayed(pruner, study, seed)
    saved = sum(_saved(trial, pruned[trial.number]) for trial in study.trials if trial.number in pruned)
    winner = study.winner
    remaining = replace(study, trials=tuple(trial for trial in study.trials if trial.number not in pruned))
    instead, before, after = remaining.winner, study.selection_loss, remaining.selection_loss
    if winner is None or instead is None or before is None or after is None:
        return Replay(pruned, total, saved, winner.number if winner else None, None, None)
    if (winner.finalist_loss is None) != (instead.finalist_loss is None):
        return Replay(pruned, total, saved, winner.number, None, None)
    return Replay(pruned, total, saved, winner.number, instead.number, after - before)


def _replayed(pruner: Pruner, study: StudyRecord, seed: int) -> dict[int, int]:
    """By trial number, the epoch (from 1) after which it would have been pruned."""
    pruned: dict[int, int] = {}
    earlier: list[_Trial] = []
    for generation in sorted({trial.generation for trial in study.trials}):
        trained = []
        # Trials that are compared with the same earlier ones have the same limits.
        limits_of: dict[tuple[str, int], NDArray[np.float64]] = {}
        for trial in (trial for trial in study.trials if trial.generation == generation):
            epochs = trial.config.epochs
            seen = _seen(study, trial, epochs, seed)
            last = max(epochs_paid(curve) for curve in trial.curves[Purpose.SEARCH])
            kind = seen.schedule, seen.bracket if pruner == "hyperband" else 0
            if kind not in limits_of:
                limits_of[kind] = _limits(pruner, earlier, seen, epochs)
            end = pruned_after(seen.losses, limits_of[kind], last)
            if end is not None:
                pruned[trial.number] = end
                seen = replace(seen, losses=_known_until(seen.losses, end))
            trained.append(seen)
        earlier += trained
    return pruned


def _limits(pruner: Pruner, earlier: Sequence[_Trial], trial: _Trial, epochs: int) -> NDArray[np.float64]:
    """(epochs,) the limits of one trial."""
    comparable = [
        other.losses
        for other in earlier
        if other.schedule == trial.schedule and (pruner == "median" or other.bracket == trial.bracket)
    ]
    losses = np.array(comparable).reshape(-1, epochs)
    return median_limits(losses) if pruner == "median" else halving_limits(losses, trial.bracket)


def _seen(study: StudyRecord, trial: TrialRecord, epochs: int, seed: int) -> _Trial:
    curves = trial.curves[Purpose.SEARCH]
    losses = mean_losses(np.array([curve.capped_losses(epochs) for curve in curves]))
    ends = [len(curve.train_loss) for curve in curves if curve.outcome is Outcome.PRUNED]
    return _Trial(
        trial.config.schedule.name, bracket(study, trial.number, seed), _known_until(losses, max(ends, default=epochs))
    )


def _known_until(losses: NDArray[np.float64], end: int) -> NDArray[np.float64]:
    return np.where(np.arange(len(losses)) < end, losses, np.nan)


def _saved(trial: TrialRecord, end: int) -> int:
    """The gradient evaluations of the trial's replicates after the epoch `end` (from 1)."""
    return sum(
        rows_per_epoch(curve, trial.config) * max(epochs_paid(curve) - end, 0) for curve in trial.curves[Purpose.SEARCH]
    )
