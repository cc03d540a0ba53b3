"""One question on several tasks: the ratio of two arms' losses on each, and over all of them.

Within a task it is that of the experiment's own answer. Over tasks it is pooled with random effects: tasks differ, and
the interval is of the mean over tasks like these.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cooldown.search.evidence.across.choosing import lacks_ratio, one_per_task
from cooldown.search.evidence.across.measured import LeftOut, Measured
from cooldown.search.evidence.answer import Word, question_word
from cooldown.search.evidence.numbers import counted
from cooldown.search.evidence.wording import lead
from cooldown.search.statistics.intervals import mean_interval
from cooldown.search.statistics.paired import paired
from cooldown.search.statistics.pooling import Pooled, random_effects
from cooldown.search.statistics.student import t_probability
from cooldown.search.statistics.verdict import LEVEL, MARGIN, Verdict, decide, practically_equal, verdicts

SURVEY = ("annealed SGD", "adaptive methods")
"""The sides of the survey's question, each the best arm of its kind in an experiment."""

LEAST = 2
"""Repeats of both arms without which a task has no interval, and tasks without which nothing is pooled."""


@dataclass(frozen=True)
class OnTask:
    """The question on one task. verdict: on its two arms. effect, error: the mean of the logarithm of their losses'
    ratio over repeats, and its standard error.
    """

    of: Measured
    verdict: Verdict
    effect: float
    error: float

    @property
    def alarms(self) -> tuple[tuple[str, str], ...] | None:
        """Kind and arm of the alarms about its arms, or the whole experiment; None where they are not known."""
        about = ("", self.verdict.a, self.verdict.b)
        known = self.of.alarms
        return None if known is None else tuple(alarm for alarm in known if alarm[1] in about)


@dataclass(frozen=True)
class Across:
    """The question on all tasks. sides: what is compared. pooled: the verdict on both sides over the tasks, with a task
    in place of a repeat, and the random effects behind it, on the scale of logarithms; None for fewer than two tasks.
    """

    sides: tuple[str, str]
    tasks: tuple[OnTask, ...]
    left_out: tuple[LeftOut, ...]
    pooled: Verdict | None
    effects: Pooled | None

    @property
    def question(self) -> str:
        """What is asked, as a sentence."""
        return f"Is the loss of tuned {self.sides[0]} lower than that of tuned {self.sides[1]}, over tasks like these?"

    @property
    def word(self) -> Word:
        """The answer in a word: as for one experiment, with the pooled interval."""
        return "open" if self.pooled is None else question_word(self.pooled)

    @property
    def sentence(self) -> str:
        """The answer by itself."""
        (a, b), many = self.sides, counted(len(self.tasks), "task")
        said = None if self.pooled is None else lead(self.pooled)
        if said is None:
            have = {0: "no task has", 1: "only one task has"}.get(len(self.tasks), f"only {many} have")
            return f"Open: {have} a finished experiment on tuned {a} vs tuned {b}."
        word, lower = f"{self.word[0].upper()}{self.word[1:]}", said.amount.removesuffix(f" {said.measure}")
        return (
            f"{word}: over {many}, the loss of tuned {said.leader} is {lower} than that of tuned {said.other} "
            f"{said.interval}; it is lower on {said.wins} of them, {said.sureness}.{self._doubtful}"
        )

    @property
    def _doubtful(self) -> str:
        doubtful = sum(bool(each.alarms) for each in self.tasks)
        if doubtful == 1:
            return " The answer on 1 of them has alarms."
        return f" The answers on {doubtful} of them have alarms." if doubtful else ""


def across(measured: Sequence[Measured], arms: tuple[str, str] | None = None) -> Across:
    """The question on the newest finished experiment of each task. arms: asks about these two instead of the survey's
    question.
    """

    def pair(each: Measured) -> tuple[str, str] | None:
        return each.question if arms is None else arms if set(arms) <= each.losses.keys() else None

    def lacks_pair(each: Measured) -> str:
        asked = " and ".join(arms) if arms else "annealed SGD and an adaptive method"
        return "" if pair(each) else f"it does not ask about {asked}" if arms is None else f"it lacks {asked}"

    def lacks_repeats(each: Measured) -> str:
        a, b = pair(each) or ("", "")
        return "" if len(each.repeats(a, b)) >= LEAST else "an interval needs at least 2 repeats of both arms"

    chosen, left_out = one_per_task(measured, lacks_pair, lacks_repeats, lacks_ratio)
    on_tasks = [_on_task(each, pair(each) or ("", "")) for each in chosen]
    pooled, effects = _pooled(on_tasks, arms or SURVEY)
    return Across(arms or SURVEY, tuple(on_tasks), tuple(left_out), pooled, effects)


def _on_task(each: Measured, pair: tuple[str, str]) -> OnTask:
    a, b = pair
    losses = {arm: each.losses[arm] for arm in pair}
    (verdict,) = verdicts(losses, pair, margin=each.margin, level=each.level)
    interval = mean_interval(paired(losses[a], losses[b], "ratio").x)
    return OnTask(each, verdict, interval.estimate, interval.standard_error)


def _pooled(on_tasks: Sequence[OnTask], sides: tuple[str, str]) -> tuple[Verdict | None, Pooled | None]:
    # Where all repeats agree to the last digit, as those of arms that learned nothing do, no error says its weight.
    weighed = [each for each in on_tasks if each.error > 0]
    if len(weighed) < LEAST:
        return None, None
    effects, errors = np.array([[each.effect, each.error] for each in weighed]).T
    wide, narrow = (random_effects(effects, errors, confidence=1 - level) for level in (LEVEL, 2 * LEVEL))
    equal = practically_equal(narrow.low, narrow.high, float(np.log1p(MARGIN)))
    direction = decide(wide.low, wide.high)
    verdict = Verdict(
        *sides,
        verdict="tie" if equal and direction == "undecided" else direction,
        why="",
        repeats=len(weighed),
        primary=True,
        scale="ratio",
        margin=MARGIN,
        equal=equal,
        ratio=float(np.exp(wide.estimate)),
        low=float(np.exp(wide.low)),
        high=float(np.exp(wide.high)),
        wins=int((effects < 0).sum()),
        b_wins=int((effects > 0).sum()),
        probability_a_better=t_probability(-wide.estimate / wide.standard_error, wide.groups - 1),
        equal_low=float(np.exp(narrow.low)),
        equal_high=float(np.exp(narrow.high)),
        margin_low=1 / (1 + MARGIN),
        margin_high=1 + MARGIN,
        level=LEVEL,
        method="t",
    )
    return verdict, wide
