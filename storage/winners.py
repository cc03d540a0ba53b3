"""The winners of all experiments in a few numbers: enough to say who leads, without reading a single curve.

`KeptWinners` keeps them between reads: a list that is updated every few seconds costs what is new, not what there is.
"""

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, func, select

from cooldown.storage import tables
from cooldown.storage.checking import is_finite
from cooldown.storage.records import Purpose
from cooldown.storage.rows import TUNED
from cooldown.storage.summaries import MOST_KEPT


@dataclass(frozen=True)
class Winner:
    """The winner of one search that has been evaluated.

    selection_loss: the mean validation loss that it was chosen by. test_loss, test_score: means over its evaluation's
    seeds; the score is None where no replicate has one. test_rmse: likewise, of a regression in its target's own units.
    epoch_gradients: the fewest gradient evaluations of an epoch of it, which for a rule that takes one gradient an
    update are its training rows; None where it diverged at once.
    """

    arm: str
    repeat: int
    selection_loss: float
    test_loss: float
    test_score: float | None
    test_rmse: float | None = None
    epoch_gradients: int | None = None


class KeptWinners:
    """The winners of all experiments of one ledger, each read again only after an evaluation was added to it. May be
    used by several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, _Kept] = {}

    def read(self, connection: Connection, of: Collection[int] | None = None) -> Mapping[int, Sequence[Winner]]:
        """The winners of every experiment that has some, or of those with the ids `of`, by its id. connection: in a
        transaction that reads.
        """
        e = tables.experiments
        # SQLite gives the number of what was deleted to what comes next, which is of another time.
        query = select(e.c.id, e.c.created_at, e.c.appends)
        rows = connection.execute(query if of is None else query.where(e.c.id.in_(of)))
        stored = {row.id: (row.created_at, row.appends) for row in rows}
        with self._lock:
            kept = {id: self._kept[id] for id, at in stored.items() if id in self._kept and self._kept[id].is_of(*at)}
        grown = {id for id, at in stored.items() if id not in kept or kept[id].appends != at[1]}
        if grown:
            every = of is None and not kept
            evaluations = _evaluations(connection, None if every else grown)
            new = {id for id in grown if id not in kept or kept[id].evaluations != evaluations.get(id, 0)}
            evaluated = new & evaluations.keys()
            found = read_winners(connection, None if every else evaluated) if evaluated else {}
            for id in grown:
                # One that is among them no longer has become unreadable.
                winners = found.get(id, ()) if id in new else kept[id].winners
                kept[id] = _Kept(*stored[id], evaluations.get(id, 0), winners)
        with self._lock:
            self._kept |= kept
            if len(self._kept) > len(kept) + MOST_KEPT:
                self._kept = kept
        return {id: at.winners for id, at in kept.items() if at.winners}


@dataclass(frozen=True)
class _Kept:
    """The winners of an experiment as it was after so many appends, when it had so many evaluations."""

    created_at: float
    appends: int
    evaluations: int
    winners: Sequence[Winner]

    def is_of(self, created_at: float, appends: int) -> bool:
        """Whether it is of an experiment that was created then, and now has so many appends."""
        return self.created_at == created_at and self.appends <= appends


def _evaluations(connection: Connection, of: Collection[int] | None) -> dict[int, int]:
    """The numbers of evaluations that experiments have, by the ids of those that have some; of all, or of these."""
    s, t, c = tables.studies, tables.trials, tables.curves
    query = select(s.c.experiment_id, func.count()).join(t, t.c.study_id == s.c.id).join(c, c.c.trial_id == t.c.id)
    if of is not None:
        query = query.where(s.c.experiment_id.in_(of))
    counted = query.where(c.c.purpose == Purpose.EVALUATION.value).group_by(s.c.experiment_id)
    return dict(connection.execute(counted).all())


def read_winners(connection: Connection, of: Collection[int] | None = None) -> Mapping[int, Sequence[Winner]]:
    """The winners of every experiment, or of those with the ids `of`, by its id; those of each arm's last attempt in a
    repeat alone. An experiment whose winners cannot be read has none here: reading it says why.
    """
    s, t, c = tables.studies, tables.trials, tables.curves
    # By the index on a trial's curves, without reading them.
    evaluated = select(c.c.trial_id).where(c.c.purpose == Purpose.EVALUATION.value).distinct()
    wanted = (s.c.variant == TUNED) & t.c.id.in_(evaluated)
    if of is not None:
        ours = select(t.c.id).join(s, s.c.id == t.c.study_id).where(s.c.experiment_id.in_(of))
        wanted = (s.c.variant == TUNED) & t.c.id.in_(evaluated.where(c.c.trial_id.in_(ours)))
    # A curve is one number of 8 bytes an epoch.
    epochs = func.nullif(func.length(c.c.train_loss, type_=Integer) // 8, 0, type_=Integer)
    query = (
        select(
            *(s.c.experiment_id, s.c.arm, s.c.repeat, s.c.attempt, t.c.id, t.c.validation_loss, c.c.purpose),
            func.avg(c.c.final_loss).label("loss"),
            func.avg(c.c.final_score).label("score"),
            func.avg(c.c.rmse).label("rmse"),
            func.min(c.c.gradient_evaluations // epochs).label("gradients"),
        )
        .join(t, t.c.study_id == s.c.id)
        .join(c, c.c.trial_id == t.c.id)
        .where(wanted)
        .group_by(s.c.experiment_id, s.c.arm, s.c.repeat, s.c.attempt, t.c.id, t.c.validation_loss, c.c.purpose)
    )
    measured: dict[tuple[int, str, int], dict[tuple[int, int], dict[str, float | None]]] = defaultdict(dict)
    for row in connection.execute(query):
        trial = measured[row.experiment_id, row.arm, row.repeat].setdefault((row.attempt, row.id), {})
        trial["searched"] = row.validation_loss
        trial[row.purpose] = row.loss
        if row.purpose == Purpose.EVALUATION.value:
            trial |= {"score": row.score, "rmse": row.rmse, "gradients": row.gradients}
    winners: dict[int, list[Winner]] = defaultdict(list)
    for (experiment, arm, repeat), trials in measured.items():
        last = max(attempt for attempt, _ in trials)
        found = [_winner(arm, repeat, trial) for (attempt, _), trial in trials.items() if attempt == last]
        winners[experiment].append(min(found, key=lambda winner: winner.selection_loss))
    return {experiment: found for experiment, found in winners.items() if all(map(_is_sound, found))}


def _is_sound(winner: Winner) -> bool:
    losses = (winner.selection_loss, winner.test_loss)
    is_of_study = isinstance(winner.arm, str) and isinstance(winner.repeat, int)
    return is_of_study and all(isinstance(loss, float) and is_finite(loss) for loss in losses)


def _winner(arm: str, repeat: int, trial: Mapping[str, float | None]) -> Winner:
    finalist = trial.get(Purpose.FINALIST.value)
    chosen_by = trial["searched"] if finalist is None else finalist
    gradients = trial["gradients"]
    return Winner(
        arm,
        repeat,
        chosen_by or 0.0,
        trial[Purpose.EVALUATION.value] or 0.0,
        trial["score"],
        trial["rmse"],
        None if gradients is None else int(gradients),
    )
