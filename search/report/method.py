"""The protocol, the winners of all studies, and how to reproduce the experiment."""

from collections.abc import Mapping
from typing import Any

from cooldown.objectives import tasks
from cooldown.search.evidence.lengths import lengths_sentence
from cooldown.search.evidence.measures import loss_sentences
from cooldown.search.evidence.numbers import counted, setting
from cooldown.search.evidence.search_tables import winners_table
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.report.answer import day, missing, resumed
from cooldown.search.report.blocks import Code, Part, Section, Steps, Table, Text, rendered, words
from cooldown.search.report.commands import reproduction
from cooldown.search.spec import samplers
from cooldown.search.spec.arms import short
from cooldown.search.spec.experiment import AIMS, LEFT_OUT, Experiment
from cooldown.search.spec.task_fields import OWN_TEST, READING
from cooldown.search.spec.values import flatten
from cooldown.search.statistics.verdict import MARGIN
from cooldown.storage import ExperimentRecord, Status

CAPPED = (
    "The loss of a replicate is capped at the baseline loss, that of predicting class frequencies or the mean target. "
    "A diverged run counts as this loss, and its cost is included."
)

WITHOUT_DEFAULT = ("task", "target", "test", "kind", *READING, "primary", *AIMS)


def protocol(result: Result) -> Section:
    """The protocol in words, and all settings."""
    record = result.record
    spec = record.spec
    several = len(spec["arms"]) > 1
    steps = [
        ("Splits.", " ".join(filter(None, [_splits(result.view.spec), result.scope]))),
        (
            "Search.",
            f"{'Each arm' if several else 'The arm'} is tuned {_times(spec['repeats'])}, by "
            f"{'independent studies' if spec['repeats'] > 1 else 'a study'} of {counted(spec['trials'], 'trial')} with "
            f"{samplers.get(spec['sampler']).about}, in generations of {spec['generation']}. A trial is one config, "
            f"trained with {counted(spec['seeds'], 'seed')} for {counted(spec['epochs'], 'epoch')} in batches of "
            f"{counted(spec['batch_size'], 'row')}{_own(result.view.spec)}. The objective is the mean validation "
            "loss after the last epoch. "
            "Every optimizer has its own ranges; a momentum or β is searched as 1 − β on a log scale.",
        ),
        (
            "Finalists.",
            f"The {counted(spec['finalists'], 'best trial')} of a study {_verb(spec['finalists'])} trained again on "
            f"the same repeat with {counted(spec['finalist_seeds'], 'further seed')}; the winner has the lowest mean "
            "validation loss over these. Each arm of one optimizer and one schedule is also trained with its default "
            "config, with the same seeds, splits and evaluation.",
        ),
        (
            "Confirmation.",
            f"Each winner is trained with {counted(spec['confirm_seeds'], 'fresh seed')} on "
            f"{_evaluated_on(result.view.spec)}, and evaluated once on the test rows.",
        ),
        (
            "Fairness.",
            "Repeat r of every arm has the same rows and seeds, and so the same initial weights and data order; all "
            f"arms have the same number of trials{_equals(result.view)}",
        ),
        (
            "Losses.",
            f"{loss_sentences(result.view.spec)} {CAPPED}".lstrip(),
        ),
        ("Pruning.", _pruner(spec["pruner"])),
    ]
    if record.references:
        steps.insert(
            -1,
            (
                "References.",
                "Beside the arms, untuned predictors are trained once per repeat on the rows of the "
                "evaluation, with the same features, and measured on the same test rows. They do not affect verdicts.",
            ),
        )
    if several:
        steps.insert(
            -1,
            (
                "Verdict.",
                "A repeat gives one number per arm: the mean test loss of its winner over the fresh seeds. Two arms "
                "are compared by the logarithm of the ratio of their losses within a repeat (by the difference, where "
                "a loss is 0 or below). An arm is better if the 95 % t interval of its mean over repeats excludes "
                f"equal losses; the two are practically equal if the 90 % interval lies within {_margin(spec)}. "
                f"{_question(spec)} The intervals of all other pairs hold simultaneously, by Tukey's studentized range "
                "over arms and repeats; where arms lack repeats, pairs are tested by Holm's procedure.",
            ),
        )
    if spec.get("widened"):
        steps.append(("Widened ranges.", _widened(spec["widened"])))
    if record.extended_from:
        steps.append(("Extensions.", _extensions(record)))
    if tasks.origin(spec["task"]) in ("object", "module"):
        steps[0] = (
            "Splits.",
            "The task has its own data. Unless it defines its splits: " + steps[0][1][0].lower() + steps[0][1][1:],
        )
    return Section("Protocol", "protocol", (Steps(tuple(steps)), _settings(spec)))


def _own(spec: Experiment) -> str:
    """The arms with epochs or a batch size of their own, in brackets."""
    told = []
    for arm in spec.parsed_arms:
        parts = [counted(arm.epochs, "epoch")] if arm.epochs else []
        parts += [f"batches of {counted(arm.batch_size, 'row')}"] if arm.batch_size else []
        told += [f"{short(arm.name)}: {' in '.join(parts)}"] if parts else []
    return f" ({'; '.join(told)})" if told else ""


def _equals(view: View) -> str:
    """What else than trials all arms have in common, and that their epochs differ where they do."""
    lengths = lengths_sentence(view)
    return f" and seeds, but not of epochs: {lengths}." if lengths else ", epochs and seeds."


def _settings(spec: Mapping[str, Any]) -> Table:
    """Every field of the spec beside its default."""
    defaults = {name: field.get_default(call_default_factory=True) for name, field in Experiment.model_fields.items()}
    rows = []
    for key, field in Experiment.model_fields.items():
        if key in spec and (spec[key] or key not in ("target", "ranges", *LEFT_OUT)):
            value, default = (
                _text(spec[key]),
                "" if key in WITHOUT_DEFAULT else _text(defaults[key]),
            )
            rows.append((str(field.title), value, "" if value == default else default))
    return words(("Setting", "Value", "Default"), rows, "All settings, with the defaults of those that differ.")


def _margin(spec: Mapping[str, Any]) -> str:
    return f"±{100 * spec.get('margin', MARGIN):g} %"


def _question(spec: Mapping[str, Any]) -> str:
    """How the pair of the answer was chosen."""
    if spec.get("primary"):
        return "The pair of the answer was named before the experiment was run."
    return "The pair of the answer is chosen by validation loss alone."


def _text(value: Any) -> str:
    """A setting as text."""
    if value is None:
        return "from the task"
    if isinstance(value, Mapping):
        several = [f"{key}: {_range(item)}" for key, item in flatten(value).items()]
        return "; ".join(several) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    return str(value)


def _range(value: Any) -> str:
    if isinstance(value, list | tuple) and all(isinstance(item, Mapping) for item in value):
        return ", then ".join(map(_text, value))
    if isinstance(value, list | tuple):
        numbers = all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
        return (" to " if numbers else " or ").join(map(setting, value))
    return setting(value)


def _splits(spec: Experiment) -> str:
    by = _named(spec.time or spec.groups)
    whole = "" if spec.groups is None else f", by whole groups{by}"
    rows = "the task's own" if spec.test == OWN_TEST else f"those of {spec.test}"
    if spec.time is not None:
        tested = f"the latest fifth of the rows{by}" if spec.test is None else rows
        return (
            f"The test rows of all repeats are {tested}. The latest quarter of the others are the validation rows, the "
            "same for every repeat, seed and arm; rows with the same time stay together. Repeats differ in initial "
            "weights, data order and search. A search has no access to the test rows."
        )
    if spec.test is not None:
        anew = "repeat" if spec.protocol == 1 else "seed"
        return (
            f"The test rows of all repeats are {rows}. Of the others, a quarter are validation rows and the rest "
            f"training rows, drawn anew for each {anew}{whole}, stratified by class, and the same for every arm. A "
            "search has no access to the test rows."
        )
    if spec.protocol == 1:
        return (
            f"By protocol 1, of older versions: a fifth of the rows is the test split, drawn once from seed "
            f"{spec.seed}. The rest is split into training rows (60 % of all) and validation rows (20 %), anew for "
            "each repeat, stratified by class. A search has no access to the test rows."
        )
    return (
        "A fifth of the rows are test rows, drawn anew for each repeat. Of the others, a quarter are validation rows "
        f"and the rest (60 % of all) training rows, drawn anew for each seed{whole}. Both draws are stratified by "
        "class, and the same for every arm. A search has no access to its repeat's test rows."
    )


def _named(column: str | None) -> str:
    """How a sentence names the column by which rows are split, if a table has it."""
    return "" if column in (None, OWN_TEST) else f" by the column {column}"


def _evaluated_on(spec: Experiment) -> str:
    if spec.protocol == 1:
        return "the training and validation rows, one that depends on its validation loss on the training rows alone"
    if spec.reacts:
        return (
            "the training rows alone, in every arm, because runs of at least one arm depend on the loss of the "
            "validation rows"
        )
    return "all rows but the test rows"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _verb(count: int) -> str:
    return "are" if count != 1 else "is"


def _pruner(name: str) -> str:
    if name == "none":
        return "No trial was pruned; diverged runs were stopped."
    return (
        f"The {name} pruner stopped trials that were worse at an epoch than earlier trials of their study with the "
        "same schedule."
    )


def _widened(widened: Mapping[str, Any]) -> str:
    ranges = "; ".join(f"{arm}: {_range(steps)}" for arm, steps in widened.items())
    return f"Searched again over wider ranges; the first searches are kept, and their cost is included: {ranges}."


def _extensions(record: ExperimentRecord) -> str:
    """The extensions of the experiment, in order."""
    extensions = []
    for step in record.extended_from:
        parts = [f"{key} ({step[key]} before)" for key in ("trials", "repeats") if key in step]
        parts += ["wider ranges"] if "widened" in step else []
        extensions.append(" and ".join(parts) + (", by its plan" if step.get("planned") else ""))
    return (
        f"The finished experiment was extended: {', then '.join(extensions)}. Each study continued where it had "
        "stopped; earlier finalists remain candidates."
    )


def winners(result: Result) -> Section:
    """The winner of every study."""
    table = winners_table(result.view)
    if not len(table):
        return Section("All winners", "winners", tuple(missing(result, "There are no trials yet.")))
    return Section("All winners", "winners", (rendered(table),))


def reproduction_blocks(result: Result) -> list[Any]:
    """How to reproduce the experiment, as blocks."""
    record = result.record
    steps = reproduction(record)
    blocks: list[Any] = []
    if steps.python:
        blocks += [
            Text(
                "The task is a Python object, which no command can name. With this object in `task` (its fingerprint "
                f"was {record.task_fingerprint[:16]}…):"
            ),
            Code(steps.python, "Python code"),
        ]
    if steps.spec_file:
        blocks += [
            Text("Some settings have no command-line option. Save this as spec.toml:"),
            Code(steps.spec_file, "The spec file"),
        ]
    if steps.commands:
        blocks.append(Text("Then:" if blocks else "This runs the same experiment:"))
        blocks.append(Code("\n".join(steps.commands)))
    kind = tasks.origin(record.spec["task"])
    if kind == "table":
        where = "file must be at this path" if record.spec.get("test") is None else "files must be at these paths"
        blocks.append(Text(f"The {where}, unchanged.", "note"))
    if kind == "module":
        blocks.append(Text("The module must be in the working folder or installed.", "note"))
    text = (
        "In a ledger that already has this experiment, the command shows its answer. To run it again, choose another "
        "ledger, for example with --db sqlite:///again.db. With the same versions on the same machine, the "
        "fingerprint is the same."
    )
    blocks.append(Text(text, "note"))
    if not (result.status.under_way or result.status is Status.DONE):
        blocks += [Text("To finish this experiment:"), resumed(record)]
    return blocks


def reproduction_section(result: Result) -> Section:
    """Commands, fingerprints, versions."""
    record, environment = result.record, result.record.environment
    of_arms = result.view.arm_fingerprints
    fingerprints = words(
        ("Content", "SHA-256"),
        (
            ("All trials", result.view.fingerprint),
            *((arm, of_arms[arm]) for arm in record.spec["arms"] if arm in of_arms),
            ("Data of the task", record.task_fingerprint),
        ),
        "Hashes of all trials with parameters, losses and curves, but without timings: the same experiment has the "
        "same fingerprint.",
    )
    packages = environment.get("packages", {})
    machine = {"python": "Python", "system": "System", "processor": "Processor", "cores": "Cores", "blas": "BLAS"}
    versions = words(
        ("Component", "Version"),
        (
            *((str(name), str(version or "not installed")) for name, version in packages.items()),
            *((title, str(environment[key])) for key, title in machine.items() if key in environment),
            ("Started", day(record.created_at)),
            *([("Finished", day(record.finished_at))] if record.finished_at is not None else []),
        ),
        "The environment in which the experiment was started.",
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
