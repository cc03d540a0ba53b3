"""What the terminal shows: the live display of a run, the answer, and the tables of the other commands."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cooldown.objectives import optimizers
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.cli.options import SECTIONS
from cooldown.search.evidence.alarms import Alarm
from cooldown.search.evidence.budgets import crossover_sentence
from cooldown.search.evidence.credit import credit_sentence
from cooldown.search.evidence.verdict import ArmSummary, arm_summaries
from cooldown.search.experiments.result import Result
from cooldown.search.experiments.service import Report
from cooldown.search.spec.arms import short
from cooldown.search.statistics.verdict import PRACTICAL, Verdict
from cooldown.search.tuning.progress import Progress
from cooldown.storage import Status

if TYPE_CHECKING:
    from cooldown.search.experiments.retrain import Retrained
    from cooldown.search.tuning.dry_run import Estimate

NOT_SEARCHED = "; searched if asked for"
WORDS = {"a_better": "better", "b_better": "worse", "tie": "tie", "undecided": "undecided"}


def table(*columns: str, title: str | None = None) -> Table:
    """A borderless table; a column whose name starts with `>` is set flush right."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, title=title, title_justify="left", title_style="bold")
    for place, column in enumerate(columns):
        justify: Literal["left", "right"] = "right" if column.startswith(">") else "left"
        # What a row is about stays whole; where there is no room, numbers go over two lines.
        made.add_column(column.lstrip(">"), justify=justify, overflow="fold", no_wrap=place == 0 and len(columns) > 2)
    return made


def duration(seconds: float) -> str:
    """`75` as `1:15`."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def spoken(seconds: float) -> str:
    """`75` as `1 min 15 s`, `7500` as `2 h 5 min`; an estimate needs no more digits."""
    whole = max(round(seconds), 1)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


@contextmanager
def live(console: Console) -> Iterator[Report]:
    """A report function that keeps a display of the run up to date on `console`; plain lines without a terminal."""
    if not console.is_terminal:
        yield _plain(console)
        return
    state: dict[str, Progress] = {}

    def render() -> RenderableType:
        return _progress(state["now"]) if state else Text("")

    with Live(get_renderable=render, console=console, refresh_per_second=4, transient=True) as display:

        def report(progress: Progress) -> None:
            state["now"] = progress
            if progress.done:
                display.refresh()

        yield report


def _plain(console: Console) -> Report:
    """Without a terminal: a line at the start, at every tenth, and at the end."""
    shown = -1

    def report(progress: Progress) -> None:
        nonlocal shown
        tenth = int(10 * progress.work / progress.total)
        if tenth > shown:
            shown = tenth
            left = progress.seconds_left
            suffix = f", about {duration(left)} left" if left and not progress.done else ""
            console.print(f"{progress.name}: {progress.work / progress.total:.0%}{suffix}")

    return report


def _progress(progress: Progress) -> RenderableType:
    made = table("Arm", "", ">Trials", ">Best val. loss", ">Studies done")
    for arm in progress.arms:
        best = "–" if arm.best is None else f"{arm.best:.4f}"
        made.add_row(
            short(arm.arm),
            ProgressBar(total=arm.trials_total, completed=arm.trials, width=16),
            f"{arm.trials}/{arm.trials_total}",
            best,
            f"{arm.studies}/{arm.studies_total}",
        )
    if progress.compile_seconds is None and not progress.done:
        foot = f"starting the workers and compiling (once per machine) … {time.monotonic() - progress.started:.0f} s"
    else:
        left = progress.seconds_left
        remaining = "…" if left is None else f"about {duration(left)} left"
        compiled = progress.compile_seconds or 0
        foot = f"{progress.work / progress.total:.0%} of the training · {remaining} · compiled in {compiled:.1f} s"
    return Group(Text(progress.name, style="bold"), made, Text(foot, style="dim"))


def answer(console: Console, result: Result, place: str) -> None:
    """The answer: one sentence, the arms, the alarms, the best configs. place: how a command names the experiment."""
    record, found = result.record, result.verdicts
    console.print(Text(result.answer, style="bold"))
    if found and found[0].difference is not None:
        console.print(Text(f"{found[0].why[0].upper()}{found[0].why[1:]}."))
    console.print()
    arms = arm_summaries(record)
    console.print(_arms(arms))
    console.print(Text(_legend(arms), style="dim"))
    if note := _widened(record.spec.get("widened", {})):
        console.print(f"\n{note}")
    for alarm in result.alarms:
        console.print(_alarm(alarm, place))
    if found:
        pair = found[0].a, found[0].b
        for more in filter(None, [crossover_sentence(record, *pair), credit_sentence(record, pair)]):
            console.print(f"\n{more}")
    shown = [found[0].a, found[0].b] if found else record.spec["arms"]
    winners = {arm: result.best(arm) for arm in shown if any(study.winner for study in record.of(arm))}
    if winners:
        title, each = ("Best configs", "each ") if len(winners) > 1 else ("Best config", "")
        of = f", {each}the best of its repeats" if record.spec["repeats"] > 1 else ""
        console.print(Text(f"\n{title}{of}", style="bold"))
    for config in winners.values():
        console.print(_config(config))
    console.print()
    # Not where the verdict is withheld: more repeats of the same searches would not help.
    if (
        found
        and found[0].repeats_to_decide
        and found[0].repeats_to_decide <= PRACTICAL
        and result.status is Status.DONE
    ):
        console.print(f"To decide it: cooldown resume {place} --repeats {found[0].repeats_to_decide}")
    if record.message:
        console.print(f"The last run failed: {record.message}")
    if result.status in (Status.INTERRUPTED, Status.FAILED):
        console.print(f"Not finished: go on with `cooldown resume {place}`.")
    console.print(f"Experiment {record.name} ({result.status.value}). More:", style="dim")
    for command in (f"show {place} [{'|'.join(SECTIONS)}]", f"trials {place}", f"export {place}", f"report {place}"):
        console.print(f"  cooldown {command}", style="dim")


def _widened(steps: Mapping[str, Sequence[Mapping[str, Sequence[float]]]]) -> str:
    """Which arms were searched again, and where; "" for none."""
    told = [
        f"{arm} ({', '.join(f'{key} {low:g} … {high:g}' for step in given for key, (low, high) in step.items())})"
        for arm, given in steps.items()
    ]
    return f"Searched again over wider ranges, the first searches kept: {', '.join(told)}." if told else ""


def _config(config: TrainConfig) -> str:
    """A config in one line."""
    parts = []
    for choice in (config.optimizer, config.schedule):
        values = ", ".join(f"{name} {_shown(value)}" for name, value in choice.hyperparameters.items())
        parts.append(f"{choice.name} ({values})")
    defaults = {name: strategy.declared.default for name, strategy in STRATEGIES.items()}
    used = {name: getattr(config, name) for name in STRATEGIES if getattr(config, name) != defaults[name]}
    parts += [f"{name} {_shown(value)}" for name, value in used.items()]
    return " + ".join(parts)


def _shown(value: Any) -> str:
    """A hyperparameter's value with five digits, or its word."""
    return _word(value) if isinstance(value, str | bool) else f"{value:.5g}"


def _arms(arms: Sequence[ArmSummary]) -> Table:
    made = table("Arm", ">Test loss", ">± repeats", ">Score", ">Val. loss", ">Diverged", ">Repeats")
    for arm in sorted(arms, key=lambda arm: float("inf") if arm.test_loss is None else arm.test_loss):
        made.add_row(
            short(arm.arm),
            digits(arm.test_loss),
            digits(arm.spread),
            digits(arm.test_score, ".3f"),
            digits(arm.validation_loss),
            f"{arm.diverged:.0%}",
            str(arm.evaluated),
        )
    return made


def _legend(arms: Sequence[ArmSummary]) -> str:
    """What the table's columns are, in few words."""
    pair = "The pair of the first sentence is chosen by validation loss. " if len(arms) > 2 else ""
    return f"{pair}±: standard deviation between repeats. Score: accuracy, or R².{_updates(arms)}"


def _updates(arms: Sequence[ArmSummary]) -> str:
    """How many updates a winner's run makes, where arms differ in that: a growing batch or an early stop saves some."""
    counts = {arm.arm: round(arm.updates) for arm in arms if arm.updates is not None}
    if len(set(counts.values())) < 2:
        return ""
    return " Updates of a run: " + ", ".join(f"{arm} {count:,}" for arm, count in counts.items()) + "."


def pairs(verdicts: Sequence[Verdict]) -> Table:
    """Every pair of arms with its verdict, the one that answers the question in bold."""
    made = table("Pair", ">Loss", ">95 % interval", ">Score", "First is")
    for verdict in verdicts:
        made.add_row(
            f"{short(verdict.a)} – {short(verdict.b)}",
            digits(verdict.difference, "+.4f"),
            interval(verdict.low, verdict.high),
            digits(verdict.score_difference, "+.3f"),
            f"{WORDS[verdict.verdict]}{'*' if verdict.corrected else ''}",
            style="bold" if verdict.primary else "",
        )
    return made


def _alarm(alarm: Alarm, place: str) -> Text:
    remedy = "" if alarm.resume is None else f": cooldown resume {place} {alarm.resume}".rstrip()
    return Text(f"\nAlarm · {alarm.arm or alarm.kind}: {alarm.message}{remedy}", style="yellow")


def estimate(found: "Estimate") -> RenderableType:
    """What `compare --dry-run` prints."""
    made = table("Arm", ">Search", ">Evaluation", ">Default config", ">All")
    for arm in found.arms:
        made.add_row(short(arm.arm), *(f"{cost:,}" for cost in (arm.search, arm.evaluation, arm.default, arm.total)))
    workers = f"{found.workers} worker{'s' if found.workers > 1 else ''}"
    return Group(
        Text(f"On {found.task}, about {spoken(found.seconds)} on {workers}.", style="bold"),
        Text(f"{found.gradient_evaluations:,} gradient evaluations, if no run ends before its last epoch:\n"),
        made,
        Text(f"\nEstimated in {found.calibration_seconds:.0f} s. Nothing was written.", style="dim"),
    )


def experiments(summaries: Sequence[Any]) -> Table:
    """The table of `cooldown list`."""
    made = table("Name", "Task", ">Arms", ">Repeats", ">Trials", "Status", "Started")
    for summary in summaries:
        spec = summary.spec
        total = len(spec["arms"]) * spec["repeats"] * spec["trials"]
        started = time.strftime("%Y-%m-%d %H:%M", time.localtime(summary.created_at))
        made.add_row(
            summary.name,
            spec["task"],
            str(len(spec["arms"])),
            str(spec["repeats"]),
            f"{summary.trials}/{total}",
            summary.status.value,
            started,
        )
    return made


def trials(rows: Sequence[dict[str, Any]]) -> Table:
    """The table of `cooldown trials`: one line per trial, its parameters in words."""
    made = table("Arm", ">Rep.", ">Trial", ">Val. loss", ">Finalist", "Parameters")
    for row in rows:
        parameters = ", ".join(
            f"{name.rpartition('.')[2]} {_shown(value)}" for name, value in row.items() if "." in name
        )
        if "," in row["arm"]:
            parameters = f"{row['optimizer']}+{row['schedule']}: {parameters}"
        made.add_row(
            short(row["arm"]),
            str(row["repeat"]),
            str(row["trial"]),
            digits(row["validation_loss"]),
            "pruned" if row["pruned"] else digits(row["finalist_loss"]),
            parameters,
        )
    return made


def retrained(found: "Retrained") -> RenderableType:
    """What `cooldown train` prints: the curve, and how it compares with the recorded one."""
    made = table(">Epoch", ">Learning rate", ">Training loss", ">Validation loss")
    rows = zip(found.rates, found.train_losses, found.validation_losses, strict=True)
    for epoch, (rate, train, validation) in enumerate(rows, 1):
        made.add_row(str(epoch), f"{rate:.3g}", f"{train:.4f}", f"{validation:.4f}")
    count = len(found.curves)
    of = "one seed" if count == 1 else f"mean of {count} seeds"
    parts: list[RenderableType] = [
        Text(f"{_config(found.config)}\non {found.task.name}, {of}:\n"),
        made,
    ]
    if (difference := found.difference) is not None:
        same = "the same" if difference == 0 else f"the same but for {difference:.1g} of each, as between two machines"
        told = same if difference < 1e-3 else f"not those of the record: up to {difference:.1%} from them"
        as_recorded = "" if difference >= 1e-3 else " as recorded"
        pruned = f" up to epoch {len(found.recorded)}, where it was pruned" if found.was_pruned else ""
        parts.append(Text(f"\nThe validation losses are {told}{as_recorded}{pruned}."))
    if found.test_loss is not None:
        score = "" if found.test_score is None else f", {found.task.score_name} {found.test_score:.4f}"
        recorded = "" if found.recorded_test is None else f"; recorded {found.recorded_test:.4f}"
        parts.append(Text(f"Test loss {found.test_loss:.4f}{score}, mean of {len(found.tests)} seeds{recorded}."))
    return Group(*parts)


def surface(document: dict[str, Any]) -> Group:
    """What `cooldown surface` prints: one line per path, the first to arrive on top.

    document: as `search.surface.document` gives it.
    """

    def place(row: dict[str, Any]) -> tuple[bool, int, str]:
        steps = row["steps_to_arrive"]
        return steps is None, steps or 0, row["optimizer"]

    # Where there is no minimum, no path has a distance to it.
    distance = [">Distance to minimum"] if document["minima"] else []
    made = table("Optimizer", ">Tuned rate", ">Value reached", *distance, ">Steps to arrive")
    rows = sorted(document["trajectories"], key=place)
    for row in rows:
        made.add_row(
            row["optimizer"],
            f"{row['learning_rate']:.3g}",
            digits(row["value"], ".3g"),
            *(digits(row["distance"], ".3g") for _ in distance),
            "–" if row["steps_to_arrive"] is None else str(row["steps_to_arrive"]),
        )
    x, y = document["start"]
    parts: list[RenderableType] = [
        Text(f"{document['surface']}: {document['formula']}", style="bold"),
        Text(f"{document['steps']} steps from ({x:g}, {y:g}). Arrived: from then on {document['goal']}.\n"),
        made,
    ]
    notes = [optimizers.get(row["optimizer"]).note for row in rows]
    parts += [Text(f"\n{note}") for note in notes if note]
    return Group(*parts)


def catalog(kind: str, entries: Sequence[dict[str, Any]]) -> Table:
    """One section of `cooldown catalog`: each entry, and below it what it can be tuned by."""
    made = table(kind.capitalize(), "What it is")
    for entry in entries:
        lines = [entry["about"], *map(_hyperparameter, entry.get("hyperparameters", ())), *_presets(entry)]
        made.add_row(entry["name"], "\n  ".join(lines))
    return made


def _hyperparameter(declared: dict[str, Any]) -> str:
    """A hyperparameter in one phrase: name, default, range."""
    default = declared["default"]
    if "choices" in declared:
        others = ", ".join(_word(choice) for choice in declared["choices"] if choice != default)
        return f"{declared['name']} = {_word(default)}, or {others}{'' if declared['searched'] else NOT_SEARCHED}"
    unit = f" {declared['unit']}" if declared["unit"] else ""
    low, high = declared["range"]
    share = " of the run" if declared["range_is_fraction_of_run"] else ""
    searched = f", searched in {low:g} … {high:g}{share}" if declared["searched"] else NOT_SEARCHED
    return f"{declared['name']} = {'off' if default is None else f'{default:g}{unit}'}{searched}"


def _word(value: str | bool) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _presets(arm: dict[str, Any]) -> list[str]:
    """What an arm of the catalog fixes or narrows, unless a spec gives other values."""
    return [
        f"{key} = {value:g}" if isinstance(value, float) else f"{key} searched in {value[0]:g} … {value[1]:g}"
        for key, value in arm.get("presets", {}).items()
    ]


def interval(low: float | None, high: float | None, form: str = "+.4f") -> str:
    """An interval in brackets; nothing where there is none."""
    return "" if low is None or high is None else f"[{low:{form}}, {high:{form}}]"


def digits(value: float | None, form: str = ".4f") -> str:
    """A number in the form given, or a dash where there is none."""
    return "–" if value is None else format(value, form)
