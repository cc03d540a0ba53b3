"""Fair pruning: which trials of a study are stopped early, and at what cost.

A trial is compared only with trials of its own study, with the same schedule, at the same epoch: a schedule whose rate
drops late is never compared with one whose rate drops early. It is compared only with earlier generations, so that what
is pruned is a function of the record alone, for any number of workers.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.cost import epochs_paid, evaluations_in
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


class _Kind(NamedTuple):
    """What a trial has in common with those that it is compared with. bracket: 0 for a pruner without brackets."""

    schedule: str
    bracket: int


def bracket(study: StudyRecord, number: int, seed: int) -> int:
    """Hyperband's bracket of a trial: 0, 1 or 2. It does not depend on the other arms."""
    drawn = generator(seed, "pruner", study.arm, study.repeat, number).integers(sum(BRACKET_WEIGHTS))
    return int(np.searchsorted(np.cumsum(BRACKET_WEIGHTS), drawn, side="right"))


def limits(
    pruner: Pruner, study: StudyRecord, numbers: Sequence[int], configs: Sequence[TrainConfig], epochs: int, seed: int
) -> NDArray[np.float64] | None:
    """(configs, epochs) loss limits of a study's next generation, for `train`; None without a pruner.

    study: with all its earlier generations and nothing else. numbers: the trial numbers of `configs`. epochs: of every
    config. seed: the experiment's.
    """
    if pruner == "none":
        return None
    earlier = [(_kind(pruner, study, trial.number, trial.config, seed), trial) for trial in study.trials]
    following = [_kind(pruner, study, number, config, seed) for number, config in zip(numbers, configs, strict=True)]
    known = {
        kind: _limits(pruner, kind, _losses([trial for its_kind, trial in earlier if its_kind == kind], epochs))
        for kind in set(following)
    }
    return np.array([known[kind] for kind in following]).reshape(-1, epochs)


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
    by_kind: dict[_Kind, list[TrialRecord]] = defaultdict(list)
    for trial in study.trials:
        by_kind[_kind(pruner, study, trial.number, trial.config, seed)].append(trial)
    pruned: dict[int, int] = {}
    for kind, trials in by_kind.items():
        generations = np.array([trial.generation for trial in trials])
        losses = _losses(trials, trials[0].config.epochs)
        for generation in np.unique(generations):
            limits = _limits(pruner, kind, losses[generations < generation])
            for place in np.flatnonzero(generations == generation):
                trained = max(epochs_paid(curve) for curve in trials[place].curves[Purpose.SEARCH])
                end = pruned_after(losses[place], limits, trained)
                if end is not None:
                    pruned[trials[place].number] = end
                    losses[place, end:] = np.nan
    return pruned


def _kind(pruner: Pruner, study: StudyRecord, number: int, config: TrainConfig, seed: int) -> _Kind:
    return _Kind(config.schedule.name, bracket(study, number, seed) if pruner == "hyperband" else 0)


def _limits(pruner: Pruner, kind: _Kind, losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """(epochs,) the limits of trials of one kind, from the losses (trials, epochs) of earlier ones of that kind."""
    return median_limits(losses) if pruner == "median" else halving_limits(losses, kind.bracket)


def _losses(trials: Sequence[TrialRecord], epochs: int) -> NDArray[np.float64]:
    """(trials, epochs) mean capped losses over the seeds; NaN after the epoch that a pruned trial got to."""
    losses = np.empty((len(trials), epochs))
    for row, trial in zip(losses, trials, strict=True):
        curves = trial.curves[Purpose.SEARCH]
        row[:] = mean_losses(np.array([curve.capped_losses(epochs) for curve in curves]))
        row[max((len(c.train_loss) for c in curves if c.outcome is Outcome.PRUNED), default=epochs) :] = np.nan
    return losses


def _saved(trial: TrialRecord, end: int) -> int:
    """The gradient evaluations of the trial's replicates after the epoch `end` (from 1)."""
    return sum(
        evaluations_in(curve, trial.config, max(epochs_paid(curve) - end, 0)) for curve in trial.curves[Purpose.SEARCH]
    )
