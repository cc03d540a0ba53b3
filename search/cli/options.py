"""The options of the command line, each defined once: flag, help, metavar.

Defaults come from the spec and are not repeated here.
"""

from collections.abc import Sequence
from typing import Annotated, Any, get_args

import typer

from cooldown.objectives import trust
from cooldown.search.evidence import SECTIONS
from cooldown.search.spec import limits, samplers
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.experiment import Pruner as PrunerName


def _default(field: str) -> str:
    """The spec's default of a field, for a help text."""
    value = Experiment.model_fields[field].default
    return f"[default: {', '.join(value) if isinstance(value, tuple) else value}]"


def _either(choices: Sequence[str]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def _described(field: str, more: str = "") -> str:
    """What the spec says of a field, and its default."""
    return f"{Experiment.model_fields[field].description}{more} {_default(field)}"


def _option(field: str, choices: Sequence[str]) -> Any:
    text = _described(field, f": {_either(choices)}")
    return typer.Option(f"--{field}", help=text, metavar=field.upper(), show_default=False, **NAMING)


def whole(least: int | None = None, most: int | None = None) -> dict[str, Any]:
    """The settings of an option that takes a whole number in these bounds; None where the spec or the ledger has them.

    Its errors contain the value, as Typer's own do not.
    """

    def parser(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise typer.BadParameter(f"{text!r:.80} is not a whole number") from None
        if least is not None and number < least:
            raise typer.BadParameter(f"{text:.80} is less than {least:,}")
        if most is not None and number > most:
            raise typer.BadParameter(f"{text:.80} is more than the limit of {most:,}")
        return number

    return {"parser": parser, "metavar": "INTEGER", "show_default": False}


WHOLE = whole()


def _count(field: str) -> Any:
    return typer.Option(f"--{field.replace('_', '-')}", help=_described(field), **WHOLE)


def _naming_modules(value: Any) -> Any:
    """The value of an option as it is; modules in it, as in `mymodule:Lion`, are named by the user, and trusted."""
    texts = [value] if isinstance(value, str) else value or ()
    for text in texts:
        trust.trust(*trust.modules_in(text))
    return value


def _trusting(value: bool) -> bool:
    if value:
        trust.trust(*trust.EVERY)
    return value


NAMING: dict[str, Any] = {"callback": _naming_modules}
Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="import modules that the ledger or a file names, as in mymodule:Lion",
        callback=_trusting,
        is_eager=True,
    ),
]
Section = Annotated[
    str | None,
    typer.Argument(help=_either(SECTIONS), metavar="SECTION", show_default=False),
]
_TASK: dict[str, Any] = {
    "help": "a built-in task, a CSV, Parquet or svmlight file, openml:NAME, module:attribute, or a spec.toml",
    "metavar": "TASK",
    **NAMING,
}
Task = Annotated[str, typer.Argument(**_TASK)]
OptionalTask = Annotated[str | None, typer.Argument(**_TASK, show_default=False)]
From = Annotated[
    str | None,
    typer.Option("--from", help="re-run the experiment that produced this exported config", metavar="FILE"),
]
Name = Annotated[str, typer.Argument(help="the experiment's name", metavar="NAME")]
Db = Annotated[
    str | None,
    typer.Option(
        "--db", help="ledger: a file, or a database URL [default: $COOLDOWN_DB, then cooldown.db]", metavar="FILE"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON document")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="do not show progress")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="estimate time and cost only")]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", help="file to write, - for standard output", metavar="FILE", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="overwrite an existing file")]
Workers = Annotated[
    int | None, typer.Option("--workers", help="worker processes [default: one per core]", **whole(1, limits.WORKERS))
]
ExecutorName = Annotated[
    str | None,
    typer.Option(
        "--executor",
        help="where training runs: inline, local, dask, or the address of a Dask scheduler, as tcp://HOST:PORT "
        "[default: local; inline for one worker]",
        metavar="EXECUTOR",
        show_default=False,
    ),
]
Arms = Annotated[
    list[str] | None,
    typer.Option(
        "--arm",
        help=_described("arms", "; can be repeated"),
        metavar="ARM",
        **NAMING,
    ),
]
Primary = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--primary",
        help=f"{Experiment.model_fields['primary'].description} [default: annealed SGD and an adaptive method]",
        metavar="ARM ARM",
        **NAMING,
        show_default=False,
    ),
]
Margin = Annotated[
    float | None,
    typer.Option("--margin", help=_described("margin"), metavar="FRACTION", show_default=False),
]
Trials = Annotated[int | None, _count("trials")]
Repeats = Annotated[
    int | None,
    typer.Option("--repeats", help="independent studies per arm [default: until answered, 5 to 40]", **WHOLE),
]
UntilDecided = Annotated[
    bool,
    typer.Option("--until-decided", help="add repeats until the question is answered, with a look at each doubling"),
]
MaxRepeats = Annotated[
    int | None,
    typer.Option(
        "--max-repeats",
        help="maximum repeats with --until-decided [default: 20, or twice what there is]",
        **whole(2, limits.REPEATS),
    ),
]
Epochs = Annotated[int | None, _count("epochs")]
Seeds = Annotated[int | None, _count("seeds")]
Finalists = Annotated[int | None, _count("finalists")]
ConfirmSeeds = Annotated[int | None, _count("confirm_seeds")]
Seed = Annotated[int | None, _count("seed")]
TimeLimit = Annotated[
    str | None,
    typer.Option(
        "--time-limit",
        help="stop after this much running time, all runs together: 90s, 15m, 2h, 1d, or none [default: none]",
        metavar="TIME",
        show_default=False,
    ),
]


def _evaluations(text: str) -> int | str:
    count: int | str = "none" if text == "none" else WHOLE["parser"](text)
    return count


MaxGradientEvaluations = Annotated[
    Any,
    typer.Option(
        "--max-gradient-evaluations",
        help="stop after this many, all runs together, or none [default: none]",
        parser=_evaluations,
        metavar="INTEGER",
        show_default=False,
    ),
]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="a word to find it by; can be repeated", metavar="TAG")]
Notes = Annotated[str | None, typer.Option("--notes", help="what it is for", metavar="TEXT")]
Priority = Annotated[
    int | None,
    typer.Option("--priority", help="in the queue: higher first, from -1000 to 1000 [default: 0]", **WHOLE),
]
Sampler = Annotated[str | None, _option("sampler", [*samplers.built_in(), "module:attribute"])]
Pruner = Annotated[str | None, _option("pruner", get_args(PrunerName))]
BatchSize = Annotated[int | None, _count("batch_size")]
Hidden = Annotated[
    str | None,
    typer.Option(
        "--hidden",
        help=f"{Experiment.model_fields['hidden'].description}, such as 64,32; 0 for none "
        "[default: the task's, mostly 32]",
        metavar="WIDTHS",
    ),
]
Target = Annotated[
    str | None, typer.Option("--target", help=Experiment.model_fields["target"].description, metavar="COLUMN")
]
Test = Annotated[str | None, typer.Option("--test", help=Experiment.model_fields["test"].description, metavar="FILE")]
Kind = Annotated[str | None, typer.Option("--kind", help=Experiment.model_fields["kind"].description, metavar="KIND")]
Decimal = Annotated[
    str | None, typer.Option("--decimal", help=Experiment.model_fields["decimal"].description, metavar="MARK")
]


def _each(field: str, metavar: str) -> Any:
    text = f"{Experiment.model_fields[field].description}; can be repeated"
    return typer.Option(f"--{field}", help=text, metavar=metavar, show_default=False)


Missing = Annotated[list[str] | None, _each("missing", "TEXT")]
Categories = Annotated[list[str] | None, _each("categories", "COLUMN")]
Dates = Annotated[list[str] | None, _each("dates", "COLUMN")]
Drop = Annotated[list[str] | None, _each("drop", "COLUMN")]
Groups = Annotated[
    str | None, typer.Option("--groups", help=Experiment.model_fields["groups"].description, metavar="COLUMN")
]
Time = Annotated[str | None, typer.Option("--time", help=Experiment.model_fields["time"].description, metavar="COLUMN")]
Metric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        help="score to show: one of scikit-learn's scorers, such as roc_auc, f1_macro or mae "
        "[default: the objective, else accuracy or R²]",
        metavar="NAME",
    ),
]
Objective = Annotated[
    str | None,
    typer.Option(
        "--objective",
        help=f"{Experiment.model_fields['objective'].description} [default: the loss]",
        metavar="NAME",
    ),
]
ClassWeight = Annotated[
    str | None,
    typer.Option(
        "--class-weight",
        help=f"{Experiment.model_fields['class_weight'].description}: balanced, or a table in a spec file",
        metavar="balanced",
    ),
]
SampleWeight = Annotated[
    str | None,
    typer.Option("--sample-weight", help=Experiment.model_fields["sample_weight"].description, metavar="COLUMN"),
]
TargetTransform = Annotated[
    str | None,
    typer.Option(
        "--target-transform",
        help=f"log: {Experiment.model_fields['target_transform'].description}",
        metavar="log",
    ),
]
NewName = Annotated[
    str | None, typer.Option("--name", help="the experiment's name [default: that of the task]", metavar="NAME")
]


Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="fix a hyperparameter or strategy, or search it: adam.beta2=0.99, strategy.dropout=0:0.5, "
        "strategy.initialization=he,poor; can be repeated",
        metavar="NAME=VALUE",
        **NAMING,
    ),
]
