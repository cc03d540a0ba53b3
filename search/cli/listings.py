"""Terminal output other than an experiment's answer: lists, the catalog, estimates, retrained configs, surfaces."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from cooldown.objectives import optimizers
from cooldown.search.cli.tables import Printed
from cooldown.search.evidence.numbers import Form, counted, duration, formatted, percent, setting
from cooldown.search.evidence.search_tables import parameters_in_words
from cooldown.search.evidence.standing import Line
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.evidence.wording import config_in_words
from cooldown.search.spec.arms import chooses
from cooldown.storage import UnreadableError

if TYPE_CHECKING:
    from cooldown.search.experiments.retrain import Retrained
    from cooldown.search.tuning.dry_run import Estimate

NOT_SEARCHED = "; not searched by default"


def experiments(lines: Sequence[Line], damaged: Sequence[UnreadableError]) -> Printed:
    """The table of `cooldown list`: who leads each experiment, by how much, in how many repeats, how surely; then those
    that cannot be read.
    """
    columns = (
        *(Column("Name"), Column("Task", wide=True)),
        *(Column("Leader", prose=True), Column("Ahead in"), Column("P(better)", Form.PROBABILITY)),
        *(Column("Alarms", Form.COUNT), Column("Status"), Column("Took", wide=True)),
        Column("Arms", Form.COUNT, wide=True),
        Column("Repeats", Form.COUNT, wide=True),
        # "3/24" is text, but is aligned like a number.
        Column("Trials", Form.COUNT, wide=True),
        Column("Started", wide=True),
    )
    rows: list[tuple[Any, ...]] = [
        (
            *(line.name, line.task, line.leader),
            None if line.wins is None else f"{line.wins} of {line.compared}",
            line.probability,
            line.alarms,
            line.status
            if line.trials >= line.total
            else f"{line.status} {percent(min(line.trials / line.total, 0.99))}",
            *(line.took, line.arms, line.repeats, f"{line.trials:,}/{line.total:,}"),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(line.created_at)),
        )
        for line in lines
    ]
    rows += [(error.experiment, None, error.reason, None, None, None, "damaged", *(None,) * 5) for error in damaged]
    return Printed(Table(columns, rows))


def documents(listed: Sequence[Mapping[str, Any]]) -> Printed:
    """The table of `cooldown list --server`, of what the service says of each experiment."""
    columns = (
        *(Column("Name"), Column("Task", wide=True), Column("Leader", prose=True)),
        *(Column("Ahead in"), Column("P(better)", Form.PROBABILITY), Column("Alarms", Form.COUNT)),
        *(Column("Status"), Column("Trials", Form.COUNT)),
    )
    rows = []
    for each in listed:
        ahead, probability = each.get("wins"), each.get("probability_better")
        rows.append(
            (
                *(each["name"], each.get("task"), each.get("leader")),
                None if ahead is None else f"{ahead} of {each.get('compared_repeats')}",
                *(probability, each.get("alarms"), each.get("status"), each.get("trials")),
            )
        )
    return Printed(Table(columns, rows))


def in_queue(listed: Sequence[Mapping[str, Any]]) -> Printed:
    """The table of `cooldown queue --server`, of what the service says of each experiment."""
    columns = (
        *(Column("Name"), Column("Task"), Column("Status")),
        *(Column("Place", Form.COUNT), Column("Priority", Form.COUNT), Column("Trials", Form.COUNT), Column("Owner")),
    )
    keys = ("name", "task", "status", "position", "priority", "trials", "owner")
    return Printed(Table(columns, [tuple(each.get(key) for key in keys) for each in listed]))


def trials(rows: Sequence[Mapping[str, Any]]) -> Printed:
    """The table of `cooldown trials`: one line per trial."""
    columns = (
        ARM,
        Column("Repeat", Form.COUNT),
        Column("Trial", Form.COUNT),
        Column("Val. loss", Form.LOSS),
        Column("Finalist", Form.LOSS),
        Column("Parameters", prose=True),
    )
    cells = []
    for row in rows:
        parameters = parameters_in_words(row["arm"], {name: value for name, value in row.items() if "." in name})
        if chooses(row["arm"]):
            parameters = f"{row['optimizer']}+{row['schedule']}: {parameters}"
        finalist = "pruned" if row["pruned"] else row["finalist_loss"]
        cells.append((row["arm"], row["repeat"], row["trial"], row["validation_loss"], finalist, parameters))
    return Printed(Table(columns, cells))


def estimate(estimated: "Estimate") -> RenderableType:
    """What `compare --dry-run` prints."""
    columns = [Column(title, Form.COUNT) for title in ("Search", "Evaluation", "Default config", "All")]
    table = Table(
        (ARM, *columns),
        [(arm.arm, arm.search, arm.evaluation, arm.default, arm.total) for arm in estimated.arms],
    )
    total = formatted(estimated.gradient_evaluations, Form.COUNT)
    workers = counted(estimated.workers, "worker")
    return Group(
        Text(
            f"{estimated.task}: about {duration(estimated.seconds)} with {workers}{_at_most(estimated)}.", style="bold"
        ),
        Text(f"{total} gradient evaluations{_first(estimated)}, if every run is trained to its last epoch:\n"),
        Printed(table),
        Text(f"\nEstimated in {estimated.calibration_seconds:.0f} s. Nothing was written.", style="dim"),
    )


def _at_most(estimated: "Estimate") -> str:
    """What an experiment that goes on until it answers may take."""
    if estimated.most_repeats == estimated.repeats:
        return ""
    most = f"{duration(estimated.most_seconds)} for {estimated.most_repeats}"
    return (
        f" for {estimated.repeats} repeats; at most {most}, if the question stays open and no range has to be widened"
    )


def _first(estimated: "Estimate") -> str:
    return "" if estimated.most_repeats == estimated.repeats else f" for {estimated.repeats} repeats"


def retrained(run: "Retrained") -> RenderableType:
    """What `cooldown train` prints: the curve, and how it compares with the recorded one."""
    columns = (
        Column("Epoch", Form.COUNT),
        Column("Learning rate", Form.READING),
        Column("Training loss", Form.LOSS),
        Column("Validation loss", Form.LOSS),
    )
    epochs = zip(run.rates, run.train_losses, run.validation_losses, strict=True)
    table = Table(columns, [(number, *epoch) for number, epoch in enumerate(epochs, 1)])
    count = len(run.curves)
    seeds = "one seed" if count == 1 else f"mean of {count} seeds"
    parts: list[RenderableType] = [
        Text(f"{config_in_words(run.config)}\non {run.task.name}, {seeds}:\n"),
        Printed(table),
    ]
    if (difference := run.difference) is not None:
        parts.append(Text(f"\n{_compared(difference, len(run.recorded) if run.was_pruned else None)}"))
    if run.test_loss is not None:
        score = "" if run.test_score is None else f", {run.task.score_name} {formatted(run.test_score, Form.SCORE)}"
        recorded = "" if run.recorded_test is None else f"; recorded {formatted(run.recorded_test, Form.LOSS)}"
        loss = formatted(run.test_loss, Form.LOSS)
        parts.append(Text(f"Test loss {loss}{score}, mean of {counted(len(run.tests), 'seed')}{recorded}."))
    return Group(*parts)


def _compared(difference: float, pruned_at: int | None) -> str:
    """A sentence on the relative difference to the recorded validation losses, which end where the trial was pruned."""
    until = "" if pruned_at is None else f" up to epoch {pruned_at}, where the trial was pruned"
    if difference == 0:
        return f"The validation losses are exactly as recorded{until}."
    if difference < 1e-3:
        return f"The validation losses are as recorded{until}, within {difference:.1g} (rounding on another machine)."
    return f"The validation losses differ from the recorded ones by up to {100 * difference:.1f} %{until}."


def surface(document: dict[str, Any]) -> Group:
    """What `cooldown surface` prints: one line per path, sorted by the steps to arrive.

    document: from `search.cli.surface.document`.
    """

    def rank(row: dict[str, Any]) -> tuple[bool, int, str]:
        steps = row["steps_to_arrive"]
        return steps is None, steps or 0, row["optimizer"]

    rows = sorted(document["trajectories"], key=rank)
    crossings = "common_rate" in document and any(row["crossings"] is not None for row in rows)
    table = Table(
        (
            Column("Optimizer"),
            Column("Rate" if "common_rate" in document else "Tuned rate", Form.READING),
            Column("Value reached", Form.READING),
            Column("Distance to minimum", Form.READING),
            Column("Steps to arrive", Form.COUNT),
            # At tuned rates they say little: each rule has a rate of its own.
            *([Column("Crossings", Form.COUNT)] if crossings else []),
        ),
        [
            (
                *(row["optimizer"], row["learning_rate"], row["value"], row["distance"], row["steps_to_arrive"]),
                *([row["crossings"]] if crossings else []),
            )
            for row in rows
        ],
    )
    x, y = document["start"]
    parts: list[RenderableType] = [
        Text(f"{document['surface']}: {document['formula']}", style="bold"),
        Text(f"{document['steps']} steps from ({x:g}, {y:g}). Arrived: stays {document['goal']} from then on.\n"),
        # Without a minimum there is no distance to it.
        Printed(table if document["minima"] else table.without_empty_columns()),
    ]
    notes = [optimizers.get(row["optimizer"]).note for row in rows]
    parts += [Text(f"\n{note}") for note in notes if note]
    return Group(*parts)


def catalog(kind: str, entries: Sequence[dict[str, Any]]) -> Printed:
    """One section of `cooldown catalog`: each entry with its hyperparameters."""
    rows = []
    for entry in entries:
        lines = [entry["about"], *map(_hyperparameter, entry.get("hyperparameters", ())), *_presets(entry)]
        rows.append((entry["name"], "\n  ".join(lines)))
    return Printed(Table((Column(kind.capitalize()), Column("Description", prose=True)), rows))


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
    """The values and ranges of an arm of the catalog, which a spec can override."""
    return [
        f"{key} = {setting(value)}" if isinstance(value, float) else f"{key} searched in {value[0]:g} … {value[1]:g}"
        for key, value in arm.get("presets", {}).items()
    ]
