"""The first page: the answer, its doubts, the pairs, the repeats behind them, and the configs to take away."""

import json
import math
import shlex
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from cooldown.objectives.config import Choice, TrainConfig
from cooldown.objectives.hyperparameters import Hyperparameter
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.evidence.losses import best_study, means, test_losses, test_scores
from cooldown.search.evidence.numbers import setting
from cooldown.search.evidence.tables import arms_table, pairs_table
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.figures import verdict as figures
from cooldown.search.report.blocks import Chart, Code, Config, Configs, Doubt, Section, Text, numbers, rendered, words
from cooldown.search.report.page import Head
from cooldown.search.statistics.verdict import PRACTICAL
from cooldown.storage import Status, StudyRecord


def head(result: Result) -> Head:
    """What the page is about, and what it says."""
    record, spec = result.record, result.record.spec
    arms, repeats = len(spec["arms"]), spec["repeats"]
    about = [
        f"Task {spec['task']}",
        f"{arms} arm{'s' * (arms > 1)}",
        f"{repeats} repeat{'s' * (repeats > 1)}",
        f"{spec['trials']} trials a study",
        day(record.created_at),
    ]
    blocks: list[Any] = []
    first = result.verdicts[0] if result.verdicts else None
    if first and first.difference is not None:
        blocks.append(Text(f"{first.why[0].upper()}{first.why[1:]}."))
        if first.repeats_to_decide and first.repeats_to_decide <= PRACTICAL and result.status is Status.DONE:
            blocks += [
                Text("To settle it:"),
                Code(f"cooldown resume {shlex.quote(result.name)} --repeats {first.repeats_to_decide}"),
            ]
    blocks.append(rendered(arms_table(result.view)))
    return Head(result.answer, tuple(about), tuple(_state(result)), tuple(blocks))


def day(seconds: float) -> str:
    """A date, of seconds since 1970, everywhere the same."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def how_to_go_on(result: Result) -> list[Any]:
    """What to do where something is missing, as blocks."""
    if result.status is Status.RUNNING:
        return [Text("It comes as the run goes on: write this report again later.", "note")]
    if result.status is Status.DONE:
        return []
    return [Text("It comes when the experiment goes on:", "note"), Code(f"cooldown resume {shlex.quote(result.name)}")]


def missing(result: Result, text: str) -> list[Any]:
    """A sentence for a section without evidence, and what to do about it."""
    return [Text(text, "missing"), *how_to_go_on(result)]


def _state(result: Result) -> list[Any]:
    """What an experiment lacks that is not done."""
    record, spec = result.record, result.record.spec
    if result.status is Status.DONE:
        return []
    total = len(spec["arms"]) * spec["repeats"] * spec["trials"]
    trials = sum(len(study.trials) for study in record.studies)
    done = f"{min(trials, total):,} of {total:,} trials are in"
    name = shlex.quote(result.name)
    if result.status is Status.RUNNING:
        return [
            Text(f"This experiment is still running: {done}. The page shows what is known so far; to write it again:"),
            Code(f"cooldown report {name} -o report.html --force"),
        ]
    told = "was interrupted" if result.status is Status.INTERRUPTED else "failed"
    reason = [Text(f"What went wrong: {record.message}")] if record.message else []
    return [
        Text(f"This experiment {told} before it was done: {done}. What follows is no final answer. To go on:"),
        Code(f"cooldown resume {name}"),
        *reason,
    ]


def alarms(result: Result) -> Section:
    """Reasons to distrust the answer, and what to do about each."""
    found = [
        Doubt(
            alarm.arm or alarm.kind.capitalize(),
            f"{alarm.message}.",
            "" if alarm.resume is None else f"cooldown resume {shlex.quote(result.name)} {alarm.resume}".rstrip(),
        )
        for alarm in result.alarms
    ]
    known = any(verdict.difference is not None for verdict in result.verdicts)
    told = "No alarm: nothing in the record speaks against the answer." if known else "No alarm so far."
    nothing = [Text(told)] if result.verdicts else []
    return Section("Alarms", "alarms", tuple(found or nothing))


def pairs(result: Result) -> Section:
    """Every pair of arms with its interval."""
    if not result.verdicts:
        task = shlex.quote(result.view.spec.task)
        return Section(
            "Pairs",
            "pairs",
            (
                Text("A single arm was tuned: a verdict takes two, each with searches of its own.", "missing"),
                Code(f"cooldown compare {task} --arm momentum+cosine --arm adam"),
            ),
        )
    chart = Chart(
        "Difference of test loss by pair",
        figures.FOREST_CAPTION,
        figures.forest(result.verdicts),
        numbers(figures.forest_table(result.verdicts)),
    )
    more = [] if any(verdict.difference is not None for verdict in result.verdicts) else how_to_go_on(result)
    return Section("Pairs", "pairs", (chart, rendered(pairs_table(result.view)), *more))


MEASURES: tuple[tuple[str, Callable[[View], Any], Literal["lowest", "highest"]], ...] = (
    ("Test loss", test_losses, "lowest"),
    ("Test score", test_scores, "highest"),
)


def scores(result: Result) -> Section:
    """Every repeat of every arm, by loss and by score."""
    charts = []
    for title, read, best in MEASURES:
        values: Mapping[str, Mapping[int, float]] = {
            arm: means(per_repeat) for arm, per_repeat in read(result.view).items()
        }
        # A model without a score has NaN for one.
        if any(math.isfinite(value) for own in values.values() for value in own.values()):
            charts.append(
                Chart(
                    f"{title} of every repeat",
                    figures.repeats_caption(best),
                    figures.repeats(values, title, best=best),
                    numbers(figures.repeats_table(values, title, best=best)),
                )
            )
    nothing = missing(result, "No winner has been evaluated on the test rows yet.")
    return Section("Test scores", "scores", tuple(charts or nothing))


def configs(result: Result) -> Section:
    """The best config of each arm, to read and to copy."""
    found = []
    for arm in result.view.arms:
        study = best_study(result.view, arm)
        if study is not None and study.winner is not None:
            found.append(_config(arm, study, study.winner.config))
    if not found:
        return Section("Best configs", "configs", tuple(missing(result, "There are no trials yet.")))
    several = ": of the repeats' winners the one furthest below the other arms on the same split"
    return Section(
        "Best configs",
        "configs",
        (
            Text(
                f"What to train with, arm by arm{several if result.view.spec.repeats > 1 else ''}. "
                "TrainConfig.from_json reads the JSON back."
            ),
            Configs(tuple(found)),
        ),
    )


def _config(arm: str, study: StudyRecord, config: TrainConfig) -> Config:
    winner = study.winner
    told = [f"Repeat {study.repeat}", f"trial {winner.number if winner else 0}"]
    if winner is not None:
        told.append(f"validation loss {winner.validation_loss:.4f}")
        if winner.finalist_loss is not None:
            told.append(f"over further seeds {winner.finalist_loss:.4f}")
    table = words(("Setting", "Value"), config_rows(config))
    return Config(arm, ", ".join(told), table, json.dumps(config.to_json(), indent=2, ensure_ascii=False))


def config_rows(config: TrainConfig) -> list[tuple[str, str]]:
    """A config setting by setting; strategies only where they are on."""
    from cooldown.objectives import optimizers, schedules

    found: list[tuple[str, str]] = []
    choices: tuple[tuple[str, Choice, Any], ...] = (
        ("Optimizer", config.optimizer, optimizers),
        ("Schedule", config.schedule, schedules),
    )
    for title, choice, catalog in choices:
        found.append((title, choice.name))
        units = {
            each.name: f" {each.unit.value}"
            for each in catalog.get(choice.name).hyperparameters
            if isinstance(each, Hyperparameter) and each.unit.value
        }
        found += [(name, f"{setting(value)}{units.get(name, '')}") for name, value in choice.hyperparameters.items()]
    found += [("batch_size", str(config.batch_size)), ("epochs", str(config.epochs))]
    for name, strategy in STRATEGIES.items():
        value = getattr(config, name)
        if value != strategy.declared.default:
            found.append((name, setting(value)))
    return found
