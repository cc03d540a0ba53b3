"""The first sections: the answer, its alarms, the pairs, all repeats, and the best configs."""

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.commands import AGAIN, command_about, options_of
from cooldown.search.evidence.configs import settings_of
from cooldown.search.evidence.losses import best_study, means, test_losses, test_scores
from cooldown.search.evidence.measures import best_score
from cooldown.search.evidence.numbers import Form, counted, duration, formatted
from cooldown.search.evidence.references import references_table
from cooldown.search.evidence.status import lifted
from cooldown.search.evidence.tables import arms_table, pairs_table
from cooldown.search.evidence.target_units import errors_table
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.export import choose
from cooldown.search.figures import verdict as figures
from cooldown.search.report.blocks import Chart, Code, Config, Configs, Doubt, Section, Text, numbers, rendered, words
from cooldown.search.report.page import Head
from cooldown.search.spec.arms import spoken
from cooldown.search.spec.recorded import continued_by_name
from cooldown.storage import ExperimentRecord, Status, StudyRecord

UNDER_WAY = {
    Status.RUNNING: "is still running",
    Status.OPEN: "waits for its callers to train its runs",
    Status.QUEUED: "waits in the queue for a worker",
}
"""The states of an experiment that goes on, as a report says them."""


def head(result: Result) -> Head:
    """The top of the page: the facts about the experiment, its answer, and its arms."""
    record, spec = result.record, result.record.spec
    about = [
        f"Task {spec['task']}",
        counted(len(spec["arms"]), "arm"),
        counted(spec["repeats"], "repeat"),
        f"{counted(spec['trials'], 'trial')} per study",
        day(record.created_at),
    ]
    found = result.answer
    blocks: list[Any] = [Text(found.why)] if found.why else []
    blocks += [Text(result.scope)] if result.scope else []
    view = result.view
    blocks += [rendered(arms_table(view)), *first_chart(result), *_best_config(result)]
    blocks += [rendered(table) for table in (references_table(view), errors_table(view)) if len(table)]
    # What an unfinished experiment needs is said above the answer.
    if found.next and result.status is Status.DONE:
        price = f", about {duration(found.next.seconds)}" if found.next.seconds else ""
        if found.next.command:
            blocks += [Text(f"{found.next.purpose}{price}:"), Code(found.next.command)]
        else:
            blocks += [Text(f"{found.next.purpose}{price}.")]
    return Head(found.sentence, tuple(about), tuple(_state(result)), tuple(blocks))


def first_chart(result: Result) -> list[Chart]:
    """The pair of the answer, and what the best arm is ahead of: the chart of the first page."""
    losses = {v.a: v.a_loss for v in result.verdicts} | {v.b: v.b_loss for v in result.verdicts}
    best = min(
        (arm for arm, loss in losses.items() if loss is not None), key=lambda arm: losses[arm] or 0, default=None
    )
    shown = [v for v in result.verdicts if (v.primary or best in (v.a, v.b)) and v.difference is not None]
    return [Chart(figures.forest_title(shown), figures.FOREST_CAPTION, figures.forest(shown))] if shown else []


def _best_config(result: Result) -> list[Configs]:
    """The config that an export takes."""
    try:
        chosen = choose(result.view, None)
    except InputError:
        return []
    found = _config(chosen.study.arm, chosen.study, chosen.trial.config)
    return [Configs((replace(found, title=f"Best config: {found.title}"),))]


def day(seconds: float) -> str:
    """The date of seconds since 1970, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def how_to_continue(result: Result) -> list[Any]:
    """What to do where something is missing, as blocks."""
    if result.status.under_way:
        return [Text("Not known yet: write this report again later.", "note")]
    if result.status is Status.DONE:
        return []
    return [Text("To get it:", "note"), resumed(result.record)]


def resumed(record: ExperimentRecord) -> Code | Text:
    """What finishes an experiment."""
    if not continued_by_name(record):
        return Text(f"{AGAIN[0].upper()}{AGAIN[1:]}.")
    return Code(command_about(record, "resume", *options_of(lifted(record))))


def missing(result: Result, text: str) -> list[Any]:
    """A sentence for a section without evidence, and what to do about it."""
    return [Text(text, "missing"), *how_to_continue(result)]


def _state(result: Result) -> list[Any]:
    """The progress of an experiment that is not done, and how to finish it."""
    record, spec = result.record, result.record.spec
    if result.status is Status.DONE:
        return []
    total = len(spec["arms"]) * spec["repeats"] * spec["trials"]
    trials = sum(len(study.trials) for study in record.studies)
    done = f"{min(trials, total):,} of {total:,} trials are done"
    if result.status.under_way:
        state = UNDER_WAY[result.status]
        return [
            Text(f"This experiment {state}: {done}. The report shows the results so far. To update it:"),
            Code(command_about(record, "report", "-o", "report.html", "--force")),
        ]
    status = "failed" if result.status is Status.FAILED else f"was {result.status.value}"
    reason = [Text(f"Reason: {record.message}")] if record.message else []
    return [
        Text(f"This experiment {status}: {done}. The results below are not final. To finish it:"),
        resumed(record),
        *reason,
    ]


def alarms(result: Result) -> Section:
    """Reasons to distrust the answer, and what to do about each."""
    doubts = [
        Doubt(
            spoken(alarm.arm) or alarm.kind.capitalize(),
            f"{alarm.message}.",
            "" if alarm.resume is None else command_about(result.record, "resume", *alarm.resume.split()),
        )
        for alarm in result.alarms
    ]
    known = any(verdict.difference is not None for verdict in result.verdicts)
    nothing = [Text("No alarms." if known else "No alarms so far.")] if result.verdicts else []
    return Section("Alarms", "alarms", tuple(doubts or nothing), folded=False)


def pairs(result: Result) -> Section:
    """Every pair of arms with its interval; nothing where there is only one arm."""
    if not result.verdicts:
        return Section("Pairs", "pairs")
    chart = Chart(figures.forest_title(result.verdicts), figures.FOREST_CAPTION, figures.forest(result.verdicts))
    more = [] if any(verdict.difference is not None for verdict in result.verdicts) else how_to_continue(result)
    return Section(
        "Pairs", "pairs", (chart, rendered(pairs_table(result.verdicts, best_score(result.view.spec))), *more)
    )


def scores(result: Result) -> Section:
    """Every repeat of every arm, by loss and by score."""
    charts = []
    measures: tuple[tuple[str, Callable[[View], Any], Literal["lowest", "highest"]], ...] = (
        ("Test loss", test_losses, "lowest"),
        ("Test score", test_scores, best_score(result.view.spec)),
    )
    for title, read, best in measures:
        values: Mapping[str, Mapping[int, float]] = {
            arm: means(per_repeat) for arm, per_repeat in read(result.view).items()
        }
        # A model without a score has NaN for one.
        if any(math.isfinite(value) for by_repeat in values.values() for value in by_repeat.values()):
            charts.append(
                Chart(
                    f"{title} of all repeats",
                    figures.repeats_caption(best),
                    figures.repeats(values, title, best=best),
                    numbers(figures.repeats_table(values, title, best=best)),
                )
            )
    nothing = missing(result, "No winner has been evaluated on the test rows yet.")
    return Section("Test scores", "scores", tuple(charts or nothing))


def configs(result: Result) -> Section:
    """The best config of each arm, to read and to copy."""
    best = []
    for arm in result.view.arms:
        study = best_study(result.view, arm)
        if study is not None and study.winner is not None:
            best.append(_config(arm, study, study.winner.config))
    if not best:
        return Section("Best configs", "configs", tuple(missing(result, "There are no trials yet.")))
    several = ", from the repeat in which the arm is furthest ahead of the others"
    return Section(
        "Best configs",
        "configs",
        (
            Text(
                f"The best config of each arm{several if result.view.spec.repeats > 1 else ''}. "
                "TrainConfig.from_json reads the JSON."
            ),
            Configs(tuple(best)),
        ),
    )


def _config(arm: str, study: StudyRecord, config: TrainConfig) -> Config:
    winner = study.winner
    facts = [f"Repeat {study.repeat}", f"trial {winner.number if winner else 0}"]
    if winner is not None:
        facts.append(f"validation loss {formatted(winner.validation_loss, Form.LOSS)}")
        if winner.finalist_loss is not None:
            facts.append(f"{formatted(winner.finalist_loss, Form.LOSS)} over further seeds")
    table = words(("Setting", "Value"), settings_of(config))
    return Config(arm, ", ".join(facts), table, json.dumps(config.to_json(), indent=2, ensure_ascii=False))
