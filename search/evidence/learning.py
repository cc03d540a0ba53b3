"""Learning curves, from an experiment's record: arrays of what every replicate of the winners did, epoch by epoch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.cost import epochs_paid, evaluations_after, rows_per_epoch, simulated
from cooldown.objectives.records import Curve, Outcome
from cooldown.search.evidence.view import View, once
from cooldown.storage import Purpose, TrialRecord

Amount = Literal["epochs", "updates", "gradient evaluations", "simulated time", "seconds"]
AMOUNTS: tuple[Amount, ...] = get_args(Amount)
"""In what the length of a training run is counted."""


@dataclass(frozen=True, eq=False)
class ArmCurves:
    """The replicates of one arm's winners, or of one trial.

    repeat, seed: (n,) of each replicate. validation, train: (n, epochs) loss as measured, not capped, after each epoch
    and as the mean over its mini-batches; rate: (n, epochs) the executed rate of each epoch's last update. All are NaN
    after a run's end, and where a record has none. diverged: (n,) whether that end was a divergence.
    uninformed_loss: the validation loss of who knows only class frequencies or the mean target; the mean.
    staleness: (epochs,) of a gradient in updates, the mean of each epoch; 0 without asynchronous workers.
    axes: for each of `AMOUNTS` the (epochs,) amount at the end of each epoch, the mean over replicates as if all had
    trained to their last. Seconds are taken to pass evenly over a run; updates are those that its schedule planned.
        Simulated time is in the mean time of a gradient of one worker.
    """

    arm: str
    repeat: NDArray[np.int64]
    seed: NDArray[np.int64]
    validation: NDArray[np.float64]
    train: NDArray[np.float64]
    rate: NDArray[np.float64]
    diverged: NDArray[np.bool_]
    uninformed_loss: float
    staleness: NDArray[np.float64]
    axes: Mapping[Amount, NDArray[np.float64]]

    @property
    def typical(self) -> int:
        """The place of the replicate whose last loss is the median one, the lower of two. Runs that diverged come last.

        Schedules are shown as it executed them: a median over replicates with other periods is a schedule of none.
        """
        ended = [float(row[~np.isnan(row)][-1]) if not np.isnan(row).all() else np.inf for row in self.validation]
        last = np.where(self.diverged, np.inf, ended)
        return int(np.argsort(last, kind="stable")[(len(last) - 1) // 2])


@once
def winners_curves(view: View) -> dict[str, ArmCurves]:
    """Per arm that has trials its winners' replicates as finalists, of all repeats; of a repeat without finalists yet,
    those of the search's best trial.
    """
    curves = {}
    for arm in view.arms:
        winners = [(study.repeat, study.winner) for study in view.searches(arm) if study.winner]
        replicates = [
            _Replicate(repeat, trial.config, curve)
            for repeat, trial in winners
            for curve in trial.curves.get(Purpose.FINALIST) or trial.curves[Purpose.SEARCH]
        ]
        if replicates:
            curves[arm] = _curves(arm, replicates)
    return curves


def trial_curves(trial: TrialRecord, purpose: Purpose, *, arm: str = "", repeat: int = 0) -> ArmCurves | None:
    """One trial's replicates of one purpose; None where it has none. arm, repeat: whose it is, to be passed on."""
    curves = trial.curves.get(purpose, ())
    return _curves(arm, [_Replicate(repeat, trial.config, curve) for curve in curves]) if curves else None


def planned_rates(config: TrainConfig, n_rows: int) -> NDArray[np.float64]:
    """(updates,) the learning rate of each update of a run of `config` on `n_rows` training rows, as planned: what a
    schedule that reacts to the loss does in the run is not in it.
    """
    return np.asarray(config.plan(n_rows).multipliers * config.optimizer.hyperparameters["learning_rate"], np.float64)


def band(
    values: NDArray[np.float64], diverged: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Median, lower and upper quartile (epochs,) of values (n, epochs), each epoch over the replicates known in it.

    NaN is not counted; all three are NaN where nothing is known. diverged: (n,) replicates whose NaN counts as worse
    than any number instead: a run that diverged is not left out, or the others would look better for it, and no loss is
    made up for it, as median and quartiles need only its rank. They are inf where they fall on such a run.
    """
    if diverged is not None:
        values = np.where(np.isnan(values) & diverged[:, None], np.inf, values)
    # The unknown last, so that the first `known` of a column are its values.
    ordered, known = np.sort(values, axis=0), (~np.isnan(values)).sum(axis=0)
    return tuple(_quantile(ordered, known, share) for share in (0.5, 0.25, 0.75))  # type: ignore[return-value]


def _quantile(ordered: NDArray[np.float64], known: NDArray[np.int64], share: float) -> NDArray[np.float64]:
    """The quantile of each column, linear between its values, of which the first `known` (epochs,) count."""
    if not ordered.size:
        return np.full(ordered.shape[1], np.nan)
    place = np.maximum(known - 1, 0) * share
    columns = np.arange(ordered.shape[1])
    low, high = (ordered[at.astype(int), columns] for at in (np.floor(place), np.ceil(place)))
    part = place % 1
    # At a number the next one plays no part, and between inf and inf is inf: neither is to be subtracted.
    with np.errstate(invalid="ignore"):
        between = low + part * (high - low)
    return np.asarray(np.where((part > 0) & (high > low), between, low), np.float64)


@dataclass(frozen=True)
class _Replicate:
    repeat: int
    config: TrainConfig
    curve: Curve


def _curves(arm: str, replicates: Sequence[_Replicate]) -> ArmCurves:
    # All configs of an arm train for the same number of epochs.
    epochs = replicates[0].config.epochs

    def stacked(of: Callable[[Curve], NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.array([_padded(of(each.curve), each.curve.train_loss.size, epochs) for each in replicates])

    amounts, staleness = zip(*(_amounts(each.config, each.curve) for each in replicates), strict=True)
    return ArmCurves(
        arm=arm,
        repeat=np.array([each.repeat for each in replicates]),
        seed=np.array([each.curve.seed for each in replicates]),
        validation=stacked(lambda curve: curve.held_out_loss),
        train=stacked(lambda curve: curve.train_loss),
        rate=stacked(lambda curve: curve.learning_rate),
        diverged=np.array([each.curve.outcome is Outcome.DIVERGED for each in replicates]),
        uninformed_loss=float(np.mean([each.curve.uninformed_loss for each in replicates])),
        staleness=np.mean(staleness, axis=0),
        axes={amount: np.mean([each[amount] for each in amounts], axis=0) for amount in AMOUNTS},
    )


def _padded(values: NDArray[np.float64], trained: int, epochs: int) -> NDArray[np.float64]:
    """(epochs,) `values`, NaN behind them. A single one of a run of `trained` epochs was measured at its end."""
    row = np.full(epochs, np.nan)
    first = trained - 1 if values.size == 1 and trained else 0
    row[first : first + values.size] = values
    return row


def _amounts(config: TrainConfig, curve: Curve) -> tuple[dict[Amount, NDArray[np.float64]], NDArray[np.float64]]:
    """(epochs,) of each amount how much of it a run has taken by the end of each epoch, also beyond its own end; and
    (epochs,) the mean staleness of each epoch's gradients.
    """
    count, starts = np.arange(1, config.epochs + 1, dtype=np.float64), _starts(config, rows_per_epoch(curve, config))
    time, staleness = simulated(config, starts, curve.seed)
    amounts: dict[Amount, NDArray[np.float64]] = {
        "epochs": count,
        "updates": starts[1:].astype(np.float64),
        "gradient evaluations": evaluations_after(curve, config).astype(np.float64),
        "simulated time": time,
        "seconds": np.asarray(curve.seconds / epochs_paid(curve) * count, np.float64),
    }
    return amounts, staleness


@lru_cache(maxsize=64)
def _starts(config: TrainConfig, n_rows: int) -> NDArray[np.int64]:
    """(epochs + 1,) updates before each epoch, and of the whole run; kept, as a trial's replicates have the same."""
    return config.plan(n_rows).starts
