"""Who leads an experiment, in a few words, for lists: read from the winners alone, not from the whole record.

It is no verdict: that takes the alarms too.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.search.evidence.kept import Kept
from cooldown.search.evidence.losses import first_look, question_pair
from cooldown.search.evidence.measures import loss_name, score_in_words
from cooldown.search.evidence.numbers import Form, duration, formatted, percent
from cooldown.search.evidence.status import trials_asked
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.spec.arms import short
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.recorded import check_outline, spec_of
from cooldown.search.statistics.intervals import mean_interval
from cooldown.search.statistics.paired import Scale, paired, scale_of
from cooldown.search.statistics.verdict import probability_negative
from cooldown.storage import Status, Summary, UnreadableError, Winner

UNKNOWN = "not yet known"
UNREADABLE = "cannot be read here"


@dataclass(frozen=True)
class Line:
    """An experiment in a list.

    leader, took: in a few words. wins, compared, probability: as of its `Leader`. alarms: how many its answer has; None
    where that is not known. trials: how many there are, of `total` that its spec asks for. created_at, finished_at:
    seconds since 1970.
    """

    name: str
    task: str
    leader: str
    wins: int | None
    compared: int | None
    probability: float | None
    alarms: int | None
    took: str
    status: str
    arms: int
    repeats: int
    trials: int
    total: int
    created_at: float
    finished_at: float | None

    def to_json(self) -> dict[str, Any]:
        """The experiment in `cooldown list --json`."""
        names = ("name", "task", "status", "trials", "leader", "alarms", "created_at", "finished_at")
        lead = {"wins": self.wins, "compared_repeats": self.compared, "probability_better": self.probability}
        return {**{name: getattr(self, name) for name in names}, **lead}


@dataclass(frozen=True)
class Leader:
    """Who leads in the pair that the answer is about.

    text: who, and by how much lower a test loss, `adam by 8 %`; of a single arm, how good its best winner is. wins: in
    how many of the `compared` repeats; None where nothing is compared. probability: that it is better; None with fewer
    than two repeats.
    """

    text: str
    wins: int | None = None
    compared: int | None = None
    probability: float | None = None


def leader(summary: Summary, winners: Sequence[Winner]) -> Leader:
    """Who leads an experiment."""
    try:
        spec = spec_of(summary)
    except InputError:
        # It may use an optimizer or a schedule of a module that is missing here; `show` says which.
        return Leader(UNREADABLE)
    if len(spec.arms) == 1:
        return Leader(_best(spec, winners))
    seen = paired_winners(spec, summary.looks, winners)
    if seen is None:
        return Leader(UNKNOWN)
    pair, scale, x = seen
    effect = float(np.mean(x))
    if effect == 0:
        return Leader("equal losses")
    # As seen by the leader: what is below 0 speaks for it.
    in_favour = x if effect < 0 else -x
    amount = percent(1 - np.exp(-abs(effect))) if scale == "ratio" else formatted(abs(effect), Form.LOSS)
    return Leader(
        f"{short(pair[0] if effect < 0 else pair[1])} by {amount}",
        int((in_favour < 0).sum()),
        len(x),
        probability_negative(mean_interval(in_favour)) if len(x) > 1 else None,
    )


def paired_winners(
    spec: Experiment, looks: Sequence[int], winners: Sequence[Winner]
) -> tuple[tuple[str, str], Scale, NDArray[np.float64]] | None:
    """The pair that the answer is about, the scale on which it is compared, and its (repeats,) effects; None as long as
    there are none.
    """
    losses = {arm: {w.repeat: w.test_loss for w in winners if w.arm == arm} for arm in spec.arms}
    first = first_look(spec, looks)
    pair = question_pair(spec, {arm: _selection_loss(arm, first, winners) for arm in spec.arms})
    if pair is None or losses[pair[0]].keys().isdisjoint(losses[pair[1]]):
        return None
    scale = scale_of(losses)
    return pair, scale, paired(losses[pair[0]], losses[pair[1]], scale).x


class Leaders(Kept[Leader | UnreadableError]):
    """Who leads each of many experiments, as `leader` says it; the error where a spec lacks what a list shows."""

    def __init__(self) -> None:
        super().__init__(_leader_or_fault)


def _leader_or_fault(summary: Summary, winners: Sequence[Winner]) -> Leader | UnreadableError:
    try:
        check_outline(summary)
    except UnreadableError as error:
        return error
    return leader(summary, winners)


def lines(
    summaries: Sequence[Summary], winners: Mapping[str, Sequence[Winner]], leaders: Leaders
) -> tuple[list[Line], list[UnreadableError]]:
    """The experiments that can be listed, in this order; and why the others cannot."""
    listed, unreadable = [], []
    for summary in summaries:
        leads = leaders.of(summary, winners.get(summary.name, ()))
        if isinstance(leads, UnreadableError):
            unreadable.append(leads)
        else:
            listed.append(_line(summary, leads))
    return listed, unreadable


def _line(summary: Summary, leads: Leader) -> Line:
    spec = summary.spec
    return Line(
        summary.name,
        spec["task"],
        *(leads.text, leads.wins, leads.compared, leads.probability),
        None if summary.alarms is None else len(summary.alarms),
        took(summary),
        summary.status.value,
        len(spec["arms"]),
        spec["repeats"],
        summary.trials,
        trials_asked(summary),
        summary.created_at,
        summary.finished_at,
    )


def winners_table(summary: Summary, winners: Sequence[Winner]) -> Table:
    """The winners' test losses and scores by arm, without looking at what their configs are."""
    columns = (ARM, Column("Test loss", Form.LOSS), Column("Score", Form.SCORE), Column("Repeats", Form.COUNT))
    rows = []
    for arm in summary.spec["arms"]:
        of_arm = [winner for winner in winners if winner.arm == arm]
        scores = [winner.test_score for winner in of_arm if winner.test_score is not None]
        loss = float(np.mean([winner.test_loss for winner in of_arm])) if of_arm else None
        rows.append((arm, loss, float(np.mean(scores)) if scores else None, len(of_arm)))
    return Table(
        columns, rows, "Means over repeats of the winners' test losses and scores. Verdicts are not based on them."
    )


def took(summary: Summary, now: float | None = None) -> str:
    """How long an experiment has taken from its start to its end, breaks included, or so far while it runs; "–" where
    it has stopped before its end. Of one from the queue, for how long workers have run it. now: seconds since 1970, for
    a running one.
    """
    if summary.queue.since is not None:
        return duration(summary.queue.seconds) if summary.queue.seconds else formatted(None)
    end = summary.finished_at
    if summary.status is Status.RUNNING:
        end = time.time() if now is None else now
    return formatted(None) if end is None else duration(end - summary.created_at)


def _selection_loss(arm: str, repeats: int, winners: Sequence[Winner]) -> float | None:
    losses = [winner.selection_loss for winner in winners if winner.arm == arm and winner.repeat < repeats]
    return float(np.mean(losses)) if losses else None


def _best(spec: Experiment, winners: Sequence[Winner]) -> str:
    """The test score, or else the test loss, of the winner that was chosen by the lowest validation loss."""
    best = min(winners, key=lambda winner: winner.selection_loss, default=None)
    if best is None:
        return UNKNOWN
    if best.test_score is None:
        return f"best: test {loss_name(spec)} {formatted(best.test_loss, Form.LOSS)}"
    return f"best: {score_in_words(spec, best.test_score)}"
