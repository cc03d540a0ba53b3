"""An experiment in the terminal: its answer, and sections of its evidence."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.text import Text

from cooldown.search.cli.tables import Printed
from cooldown.search.evidence import SECTIONS
from cooldown.search.evidence.alarm import Alarm
from cooldown.search.evidence.answer import NextStep
from cooldown.search.evidence.budgets import crossover_sentence
from cooldown.search.evidence.commands import command_about
from cooldown.search.evidence.credit import credit_sentence
from cooldown.search.evidence.numbers import counted, duration
from cooldown.search.evidence.references import references_table
from cooldown.search.evidence.sections import Block, Missing
from cooldown.search.evidence.status import last_run
from cooldown.search.evidence.tables import arms_table
from cooldown.search.evidence.target_units import errors_table
from cooldown.search.evidence.verdict import compared_pair
from cooldown.search.evidence.view import View
from cooldown.search.evidence.wording import config_in_words
from cooldown.search.experiments.result import Result
from cooldown.search.spec.arms import spoken
from cooldown.storage import ExperimentRecord


def blocks(section: Sequence[Block]) -> RenderableType:
    """A section of evidence: sentences, and tables below their captions."""
    parts: list[RenderableType] = []
    for block in section:
        if parts:
            parts.append(Text())
        if isinstance(block, Missing):
            parts.append(Text(block.text))
        elif isinstance(block, str):
            parts.append(Text(block))
        else:
            parts.append(Printed(block, "above"))
            parts += [Text(f"\n{block.note}")] if block.note else []
    return Group(*parts)


def answer(console: Console, result: Result) -> None:
    """Print the answer with the arms, the best configs and the next step; then alarms, and some of the evidence."""
    view, found = result.view, result.answer
    console.print(Text(found.question, style="dim"))
    console.print(Text(found.sentence, style="bold"))
    if found.why:
        console.print(Text(found.why))
    if result.scope:
        console.print(Text(result.scope))
    for table in (arms_table(view), references_table(view), errors_table(view)):
        if len(table):
            console.print()
            console.print(Printed(table, "below"))
    pair = compared_pair(view)
    for line in _best_configs(result, pair or view.arms):
        console.print(line)
    if result.record.message:
        console.print(f"\n{last_run(result.status, result.record.message)}")
    for line in _next_step(found.next):
        console.print(line, soft_wrap=True)
    if note := _widened(view.spec.widened):
        console.print(f"\n{note}")
    for alarm in result.alarms:
        console.print(_alarm(alarm, result.record))
    if pair:
        for more in filter(None, [crossover_sentence(view, *pair), credit_sentence(view, pair)]):
            console.print(f"\n{more}")
    console.print(f"\n{_setup(view)}")
    sections = [name for name in SECTIONS if pair or name != "pairs"]
    more = f"More (sections: {', '.join(sections)}):"
    console.print(f"\nExperiment {result.name} ({result.status.value}). {more}", style="dim")
    for verb, options in (("show", sections[:1]), ("trials", []), ("export", []), ("report", [])):
        # Not wrapped: a command is copied as one line.
        console.print(f"  {command_about(result.record, verb, *options)}", style="dim", soft_wrap=True)


def _setup(view: View) -> str:
    """What a repeat is."""
    spec = view.spec
    epochs = "" if any(arm.epochs for arm in view.parsed_arms.values()) else f", {counted(spec.epochs, 'epoch')} each"
    trials = f"{counted(spec.trials, 'trial')} of {counted(spec.seeds, 'seed')}"
    return f"Every repeat tunes {'each arm' if len(view.arms) > 1 else 'the arm'} anew, in {trials}{epochs}."


def _best_configs(result: Result, arms: Sequence[str]) -> Iterator[RenderableType]:
    winners = [result.best(arm) for arm in arms if any(study.winner for study in result.view.searches(arm))]
    if winners:
        title = "Best configs" if len(winners) > 1 else "Best config"
        of_repeats = " (the best of each arm's repeats)" if result.view.spec.repeats > 1 else ""
        yield Text(f"\n{title}{of_repeats}", style="bold")
        yield from map(config_in_words, winners)


def _next_step(step: NextStep | None) -> Iterator[RenderableType]:
    """What to do next with its price, and the command."""
    if step is not None:
        price = f" (about {duration(step.seconds)})" if step.seconds else ""
        yield Text(f"\n{step.purpose}{price}{':' if step.command else '.'}", style="bold")
        if step.command:
            yield Text(f"  {step.command}")


def _widened(steps: Mapping[str, Sequence[Mapping[str, Sequence[float]]]]) -> str:
    """A sentence on the arms that were searched again over wider ranges; "" for none."""
    changes = []
    for arm, of_arm in steps.items():
        ranges = [f"{key} {low:g} … {high:g}" for step in of_arm for key, (low, high) in step.items()]
        changes.append(f"{spoken(arm)} ({', '.join(ranges)})")
    return f"Searched again over wider ranges (the first searches are kept): {', '.join(changes)}." if changes else ""


def _alarm(alarm: Alarm, record: ExperimentRecord) -> Text:
    remedy = "" if alarm.resume is None else f": {command_about(record, 'resume', *alarm.resume.split())}"
    return Text(f"\nAlarm · {spoken(alarm.arm) or alarm.kind}: {alarm.message}{remedy}", style="yellow")
