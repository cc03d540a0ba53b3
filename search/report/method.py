"""How it was done, what came of every study, and how it is had again."""

import shlex
from collections.abc import Mapping
from typing import Any

from cooldown.objectives import tasks
from cooldown.search.evidence.numbers import setting
from cooldown.search.evidence.search_tables import winners_table
from cooldown.search.experiments.result import Result
from cooldown.search.report.answer import day, missing
from cooldown.search.report.blocks import Code, Part, Section, Steps, Table, Text, rendered, words
from cooldown.search.report.commands import reproduction
from cooldown.search.spec import samplers
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.ranges import flatten
from cooldown.storage import ExperimentRecord, Status

SETTINGS = {
    "task": "Task",
    "target": "Target column",
    "arms": "Arms",
    "trials": "Trials per study",
    "repeats": "Repeats per arm",
    "epochs": "Epochs",
    "seeds": "Seeds per trial",
    "finalists": "Finalists per study",
    "finalist_seeds": "Further seeds of a finalist",
    "confirm_seeds": "Fresh seeds of a winner",
    "generation": "Trials asked together",
    "seed": "Seed of the experiment",
    "sampler": "Sampler",
    "pruner": "Pruner",
    "batch_size": "Batch size",
    "hidden": "Hidden layers",
    "ranges": "Ranges given",
    "widened": "Ranges widened",
}
"""The fields of a spec, in words."""


def protocol(result: Result) -> Section:
    """What was done, in words and in numbers."""
    record = result.record
    spec = record.spec
    several = len(spec["arms"]) > 1
    steps = [
        (
            "Splits.",
            f"A fifth of the rows is the test split, drawn once from seed {spec['seed']}. The rest is divided into "
            "training rows (60 % of all) and validation rows (20 %) anew for each repeat, by class where there are "
            "classes. A search gets training and validation rows only: the test rows are not in what it is handed.",
        ),
        (
            "Search.",
            f"{'Each arm' if several else 'The arm'} was to be tuned {_times(spec['repeats'])}, by "
            f"{'independent studies' if spec['repeats'] > 1 else 'a study'} of {_count(spec['trials'], 'trial')} with "
            f"{samplers.get(spec['sampler']).about}, {spec['generation']} asked together. A trial is one config, "
            f"trained with "
            f"{_count(spec['seeds'], 'seed')} for {_count(spec['epochs'], 'epoch')} in batches of "
            f"{_count(spec['batch_size'], 'row')}. What was sought is the lowest mean validation loss after the last "
            "epoch. Every optimizer has ranges of its own; a momentum or β is searched as 1 − β on a log scale.",
        ),
        (
            "Finalists.",
            f"The {_count(spec['finalists'], 'best trial')} of a study {_verb(spec['finalists'])} trained again on the "
            f"same split with {_count(spec['finalist_seeds'], 'further seed')}; the lowest mean validation loss over "
            "these makes the winner. Beside its searches, each arm of one optimizer and one schedule has its default "
            "config, untuned, with the same seeds, splits and evaluation.",
        ),
        (
            "Confirmation.",
            f"Each winner is trained on training and validation rows together with "
            f"{_count(spec['confirm_seeds'], 'fresh seed')}, and measured once on the test rows. A run that reacts to "
            "its progress watches validation rows that are set aside for it, never the test rows.",
        ),
        (
            "Fairness.",
            "Repeat r of every arm has the same split and the same seeds, so the same initial weights and the same "
            "order of rows; all arms have the same number of trials, epochs and seeds.",
        ),
        (
            "Losses.",
            "The loss of a replicate is capped at that of a predictor that knows only class frequencies or the mean "
            "target; a run that diverged counts as that cap, and its cost counts too.",
        ),
        ("Pruning.", _pruner(spec["pruner"])),
    ]
    if several:
        steps.insert(
            -1,
            (
                "Verdict.",
                "A repeat gives one number per arm: the mean test loss of its winner over the fresh seeds. The "
                "interval is the 95 % t interval over the repeats' differences, as tuning again changes more than "
                "training again. The tie band is half the pooled standard deviation between seeds. The first pair is "
                "chosen by validation loss alone; all others are corrected for their number by Holm's method.",
            ),
        )
    if spec.get("widened"):
        steps.append(("Widened ranges.", _widened(spec["widened"])))
    if record.extended_from:
        steps.append(("Extensions.", _extensions(record)))
    if tasks.origin(spec["task"]) in ("object", "module"):
        steps[0] = (
            "Splits.",
            "The task brings its own data. Unless it says otherwise: " + steps[0][1][0].lower() + steps[0][1][1:],
        )
    return Section("Protocol", "protocol", (Steps(tuple(steps)), _settings(spec)))


def _settings(spec: Mapping[str, Any]) -> Table:
    """Every field of the spec beside its default."""
    defaults = {name: field.get_default(call_default_factory=True) for name, field in Experiment.model_fields.items()}
    found = []
    for key, title in SETTINGS.items():
        if key in spec and (spec[key] or key not in ("target", "ranges", "widened")):
            value, default = _told(spec[key]), "" if key in ("task", "target") else _told(defaults[key])
            found.append((title, value, "" if value == default else default))
    told = "All settings, with the default of those that have another value."
    return words(("Setting", "Value", "Default"), found, told)


def _told(value: Any) -> str:
    """A setting in words."""
    if value is None:
        return "the task's"
    if isinstance(value, Mapping):
        several = [f"{key}: {_range(each)}" for key, each in flatten(value).items()]
        return "; ".join(several) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_told, value)) or "none"
    return str(value)


def _range(value: Any) -> str:
    if isinstance(value, list | tuple) and all(isinstance(each, Mapping) for each in value):
        return ", then ".join(map(_told, value))
    if isinstance(value, list | tuple):
        numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in value)
        return (" to " if numbers else " or ").join(map(setting, value))
    return setting(value)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _verb(count: int) -> str:
    return "are" if count != 1 else "is"


def _pruner(name: str) -> str:
    if name == "none":
        return "No trial was stopped because it fell behind; a diverged run was."
    return (
        f"The {name} pruner stopped trials that fell behind earlier ones of their own study with the same schedule, at "
        "the same epoch."
    )


def _widened(widened: Mapping[str, Any]) -> str:
    told = "; ".join(f"{arm}: {_range(steps)}" for arm, steps in widened.items())
    return f"Searched again over wider ranges, the first searches kept and counted as cost: {told}."


def _extensions(record: ExperimentRecord) -> str:
    """How the experiment grew."""
    told = []
    for step in record.extended_from:
        parts = [f"{key} ({step[key]} before)" for key in ("trials", "repeats") if key in step]
        told.append(" and ".join([*parts, *(["wider ranges"] if "widened" in step else [])]))
    return (
        f"The experiment was finished and then given more, in this order: {', then '.join(told)}. Each study went on "
        "where it stopped; finalists from before stay candidates."
    )


def winners(result: Result) -> Section:
    """The winner of every study."""
    table = winners_table(result.view)
    if not len(table):
        return Section("All winners", "winners", tuple(missing(result, "There are no trials yet.")))
    return Section("All winners", "winners", (rendered(table),))


def reproduction_blocks(result: Result) -> list[Any]:
    """What to type, as blocks."""
    record = result.record
    found = reproduction(record)
    blocks: list[Any] = []
    if found.python:
        blocks += [
            Text(
                "The task was given as an object of Python, which no command can name: it has to be given again. Its "
                f"fingerprint was {record.task_fingerprint[:16]}… With it in `task`:"
            ),
            Code(found.python, "Python code"),
        ]
    if found.spec_file:
        blocks += [
            Text("Some settings have no option. With this in a file spec.toml:"),
            Code(found.spec_file, "The spec file"),
        ]
    if found.commands:
        blocks.append(Text("Then:" if blocks else "This runs the same experiment:"))
        blocks.append(Code("\n".join(found.commands)))
    kind = tasks.origin(record.spec["task"])
    if kind == "table":
        blocks.append(Text("The table has to be where the command says, unchanged.", "note"))
    if kind == "module":
        blocks.append(Text("The module has to be in the working folder, or installed.", "note"))
    told = (
        "In the ledger where it is already, this shows its answer. To run it anew, name another one with --db, as in "
        "--db sqlite:///again.db. On the same machine with the same versions the fingerprint is the same."
    )
    blocks.append(Text(told, "note"))
    if result.status in (Status.INTERRUPTED, Status.FAILED):
        blocks += [Text("To finish the one there is:"), Code(f"cooldown resume {shlex.quote(result.name)}")]
    return blocks


def reproduction_section(result: Result) -> Section:
    """Commands, fingerprints, versions."""
    record, environment = result.record, result.record.environment
    prints = result.view.arm_fingerprints
    fingerprints = words(
        ("Of", "SHA-256"),
        (
            ("All trials", result.view.fingerprint),
            *((arm, prints[arm]) for arm in record.spec["arms"] if arm in prints),
            ("The task's data", record.task_fingerprint),
        ),
        "Over all trials, parameters, losses and curves, timings aside: the same for the same experiment.",
    )
    packages = environment.get("packages", {})
    machine = {"python": "Python", "system": "System", "processor": "Processor", "cores": "Cores"}
    versions = words(
        ("What", "Version"),
        (
            *((str(name), str(version or "not installed")) for name, version in packages.items()),
            *((title, str(environment[key])) for key, title in machine.items() if key in environment),
            ("Started", day(record.created_at)),
            *([("Finished", day(record.finished_at))] if record.finished_at is not None else []),
        ),
        "With what, and where, the experiment was started.",
    )
    return Section(
        "Reproduction",
        "reproduction",
        (
            Part("Command", "command", tuple(reproduction_blocks(result))),
            Part("Fingerprints", "fingerprints", (fingerprints,)),
            Part("Versions and environment", "versions", (versions,)),
        ),
    )
