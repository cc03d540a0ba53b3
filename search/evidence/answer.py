"""The answer of an experiment: one word, one sentence and one next step, the same in every place that shows it.

The word is about the question "does a beat b?": yes, no, no difference that matters, or open. An experiment of one arm
has no such question; its answer is the best config that was found.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cooldown.objectives.data.uploaded import in_short
from cooldown.search.evidence.alarms import boundary_alarms
from cooldown.search.evidence.commands import AGAIN, command_about, options_of
from cooldown.search.evidence.lengths import pair_lengths_sentence
from cooldown.search.evidence.looks import remark
from cooldown.search.evidence.losses import best_study
from cooldown.search.evidence.measures import loss_name, score_in_words
from cooldown.search.evidence.numbers import Form, counted, formatted, percent
from cooldown.search.evidence.prices import price_of_arms, price_of_repeats, price_of_rest, price_of_trials
from cooldown.search.evidence.status import lifted
from cooldown.search.evidence.verdict import pair_verdicts
from cooldown.search.evidence.view import View, once
from cooldown.search.evidence.wording import lead
from cooldown.search.spec.arms import NO_ANNEALING, spoken
from cooldown.search.spec.looks import FIRST
from cooldown.search.spec.recorded import continued_by_name
from cooldown.search.statistics.finite import finite
from cooldown.search.statistics.verdict import NOT_FINITE, NOTHING_LEARNED, Verdict
from cooldown.storage import Status, StudyRecord

Word = Literal["yes", "no", "no difference that matters", "open", "best found"]


@dataclass(frozen=True)
class NextStep:
    """What to do next.

    purpose: what it is for, as the beginning of a line. command: quoted for a shell; "" where the purpose says it all,
    because only a Python program can do it. seconds: what it will take by the
    clock, with a worker per core; None where it is not known. changes: the arguments of `resume` that do it; None where
    that does not.
    """

    purpose: str
    command: str
    seconds: float | None
    changes: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Answer:
    """The answer. question: in one sentence. word: in one word, or a few. sentence: the answer by itself, understood
    without the question. why: what decided it, as a sentence; "" where there is nothing to say. next: one next step.
    """

    question: str
    word: Word
    sentence: str
    why: str = ""
    next: NextStep | None = None

    def __str__(self) -> str:
        return self.sentence

    def to_json(self) -> dict[str, Any]:
        """The answer in `show --json`."""
        step = self.next
        return {
            "question": self.question,
            "word": self.word,
            "sentence": self.sentence,
            "next": None if step is None else {"command": step.command, "seconds": step.seconds},
        }


@once
def answer(view: View) -> Answer:
    """The answer of an experiment, as far as it has got."""
    found = pair_verdicts(view)
    return _of_question(view, found[0]) if found else _of_one_arm(view)


def question_word(verdict: Verdict) -> Word:
    """The word for "does a beat b?"."""
    if verdict.withheld or verdict.low is None or verdict.margin_low is None:
        return "open"
    if verdict.verdict == "a_better":
        return "yes"
    if verdict.verdict == "b_better":
        return "no"
    if verdict.equal:
        return "no difference that matters"
    return "no" if verdict.low > verdict.margin_low else "open"


def _of_question(view: View, verdict: Verdict) -> Answer:
    a, b, task = spoken(verdict.a), spoken(verdict.b), in_short(view.spec.task)
    question = f"Does tuned {a} beat tuned {b} on {task}?"
    word, said = question_word(verdict), lead(verdict, loss_name(view.spec))
    if said is None:
        sentence = f"Open: on {task}, there is no verdict on tuned {a} vs tuned {b} yet."
        return Answer(question, word, sentence, _sentence(verdict.why), _next(view, verdict))
    numbers = f"{said.amount} {said.interval}, {said.record}, {said.sureness}"
    if view.status is not Status.DONE:
        sentence = f"So far on {task}, tuned {said.leader} leads tuned {said.other}: {numbers}."
        why = f"The answer is due after {counted(view.spec.repeats, 'repeat')} of every arm."
        return Answer(question, "open", sentence, why, _next(view, verdict))
    hardly = ", by an amount that hardly matters" if verdict.equal else ""
    why = _sentence(verdict.why)
    if word == "yes":
        sentence = f"Yes: on {task}, tuned {a} beats tuned {b}{hardly}: {numbers}."
    elif verdict.verdict == "b_better":
        sentence = f"No: on {task}, tuned {b} beats tuned {a}{hardly}: {numbers}."
    elif word == "no":
        sentence = (
            f"No: on {task}, tuned {a} does not beat tuned {b} by {_margin(verdict)}: "
            f"{_at_most(verdict, loss_name(view.spec))}."
        )
        why = f"{said.leader} leads with {numbers}, but is not shown to be better."
    elif word == "no difference that matters":
        sentence = (
            f"No difference that matters: on {task}, tuned {a} and tuned {b} are equal within {_margin(verdict)}."
        )
        why = f"{said.leader} leads with {numbers}. {why}"
    else:
        sentence = f"Open: on {task}, tuned {said.leader} leads tuned {said.other}: {numbers}."
        if not said.size:
            sentence = f"Open: on {task}, tuned {a} and tuned {b} have the same loss."
        if verdict.withheld:
            why = f"No verdict: {verdict.why}."
    sentence = f"{sentence} {pair_lengths_sentence(view, verdict.a, verdict.b)}".strip()
    return Answer(question, word, sentence, f"{why} {remark(view)}".strip(), _next(view, verdict))


def _margin(verdict: Verdict) -> str:
    """The margin in words."""
    if verdict.scale == "ratio" or verdict.margin_high is None:
        # As it was given, and not rounded.
        return f"{100 * verdict.margin:g} %"
    return formatted(verdict.margin_high, Form.LOSS)


def _at_most(verdict: Verdict, measure: str) -> str:
    """How much lower the first arm's loss can be: `at most 4 % lower loss`. measure: what the loss is called."""
    low = verdict.low or 0.0
    if verdict.scale == "ratio":
        return f"at most {percent(1 - low)} lower {measure}" if low < 1 else f"no lower {measure}"
    return f"{measure} lower by at most {formatted(-low, Form.LOSS)}" if low < 0 else f"no lower {measure}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _next(view: View, verdict: Verdict) -> NextStep | None:
    """The one step that does most about an open question; None for an answered one, and where nothing helps."""
    if unfinished := _unfinished(view):
        return unfinished
    if view.status.under_way or question_word(verdict) != "open":
        return None
    if verdict.withheld:
        return _against_alarm(view, verdict)
    needed = verdict.repeats_to_decide
    if needed is None:
        # There are too few for a forecast.
        if verdict.repeats >= FIRST or verdict.why == NOT_FINITE:
            return None
        needed = FIRST
    if verdict.repeats < 2:
        return resumed(view, "To settle it", {"repeats": needed}, price_of_repeats(view, needed))
    changes = {"until_decided": True, "max_repeats": needed}
    return resumed(view, "To settle it", changes, price_of_repeats(view, needed))


def _unfinished(view: View) -> NextStep | None:
    """How to finish an experiment that stopped before its end."""
    if view.status.under_way or view.status is Status.DONE:
        return None
    if not continued_by_name(view.record):
        return NextStep(f"To finish it, {AGAIN}", "", price_of_rest(view))
    return resumed(view, "To finish it", lifted(view.record), price_of_rest(view))


def _against_alarm(view: View, verdict: Verdict) -> NextStep | None:
    """What to do about the alarm that withholds a verdict, or where neither arm learned."""
    pair = (verdict.a, verdict.b)
    at_edge = [arm for arm in dict.fromkeys(alarm.arm for alarm in boundary_alarms(view)) if arm in pair]
    if at_edge and verdict.why != NOTHING_LEARNED:
        return resumed(view, "To widen the ranges and search again", {"extend": True}, price_of_arms(view, at_edge))
    trials = 2 * view.spec.trials
    return resumed(view, "To search longer", {"trials": trials}, price_of_trials(view, trials))


def resumed(view: View, purpose: str, changes: Mapping[str, Any], seconds: float | None) -> NextStep:
    """The step of going on with these arguments of `resume`."""
    options = options_of(changes)
    if not continued_by_name(view.record):
        return NextStep(f"{purpose}, start a new experiment from Python with {_in_python(options)}", "", None)
    return NextStep(purpose, command_about(view.record, "resume", *options), seconds, changes)


def _in_python(options: tuple[str, ...]) -> str:
    """Options of `cooldown resume` as the arguments of an experiment that is new."""
    text = " ".join(options).replace("--extend", "wider ranges").replace("--until-decided", "until_decided=True,")
    return re.sub(r"--(\S+) ", lambda option: f"{option[1].replace('-', '_')}=", text)


def _of_one_arm(view: View) -> Answer:
    """The answer of an experiment that compares nothing: the best config, and how to export it."""
    task = in_short(view.spec.task)
    question = f"Which config is best on {task}?"
    study = best_study(view, view.arms[0])
    if study is None or study.winner is None:
        return Answer(question, "open", f"Open: nothing has been found on {task} yet.", next=_unfinished(view))
    choices = [study.winner.config.optimizer.name, study.winner.config.schedule.name]
    name = "+".join(choice for choice in choices if choice != NO_ANNEALING)
    so_far = " so far" if view.status is not Status.DONE or not study.evaluations else ""
    sentence = f"Best found{so_far} on {task}: {name}, {_quality(view, study)}."
    export = NextStep("Export it with", command_about(view.record, "export", "-o", "best.toml"), 0.0)
    return Answer(question, "best found", sentence, next=_unfinished(view) if so_far else export)


def _quality(view: View, study: StudyRecord) -> str:
    """How good a study's winner is: its score on the test rows, or a loss where it has none."""
    if not study.evaluations:
        return f"validation {loss_name(view.spec)} {formatted(study.selection_loss, Form.LOSS)}"
    score = finite(float(np.mean([curve.final_score for curve in study.evaluations])))
    if score is None:
        loss = float(np.mean([curve.final_loss for curve in study.evaluations]))
        return f"test {loss_name(view.spec)} {formatted(loss, Form.LOSS)}"
    return score_in_words(view.spec, score)
