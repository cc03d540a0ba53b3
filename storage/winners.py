"""The winners of all experiments in a few numbers: enough to say who leads, without reading a single curve."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from cooldown.storage import tables
from cooldown.storage.checking import is_finite
from cooldown.storage.records import Purpose
from cooldown.storage.rows import TUNED


@dataclass(frozen=True)
class Winner:
    """The winner of one search that has been evaluated.

    selection_loss: the mean validation loss that it was chosen by. test_loss, test_score: means over its evaluation's
    seeds; the score is None where no replicate has one.
    """

    arm: str
    repeat: int
    selection_loss: float
    test_loss: float
    test_score: float | None


def read_winners(connection: Connection) -> Mapping[int, Sequence[Winner]]:
    """The winners of every experiment, by its id; those of each arm's last attempt in a repeat alone. An experiment
    whose winners cannot be read has none here: reading it says why.
    """
    s, t, c = tables.studies, tables.trials, tables.curves
    # By the index on a trial's curves, without reading them.
    evaluated = select(c.c.trial_id).where(c.c.purpose == Purpose.EVALUATION.value).distinct()
    query = (
        select(
            *(s.c.experiment_id, s.c.arm, s.c.repeat, s.c.attempt, t.c.id, t.c.validation_loss, c.c.purpose),
            func.avg(c.c.final_loss).label("loss"),
            func.avg(c.c.final_score).label("score"),
        )
        .join(t, t.c.study_id == s.c.id)
        .join(c, c.c.trial_id == t.c.id)
        .where((s.c.variant == TUNED) & t.c.id.in_(evaluated))
        .group_by(s.c.experiment_id, s.c.arm, s.c.repeat, s.c.attempt, t.c.id, t.c.validation_loss, c.c.purpose)
    )
    measured: dict[tuple[int, str, int], dict[tuple[int, int], dict[str, float | None]]] = defaultdict(dict)
    for row in connection.execute(query):
        trial = measured[row.experiment_id, row.arm, row.repeat].setdefault((row.attempt, row.id), {})
        trial["searched"] = row.validation_loss
        trial[row.purpose] = row.loss
        if row.purpose == Purpose.EVALUATION.value:
            trial["score"] = row.score
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
    return Winner(arm, repeat, chosen_by or 0.0, trial[Purpose.EVALUATION.value] or 0.0, trial["score"])
