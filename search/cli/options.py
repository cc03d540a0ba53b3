"""The options of the command line, each written once: its flag, its help, its metavar.

A default is never said here: the spec is the one place that knows it.
"""

from collections.abc import Sequence
from typing import Annotated, Any, get_args

import typer

from cooldown.search.evidence import SECTIONS
from cooldown.search.spec import samplers
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.experiment import Pruner as PrunerName


def _default(field: str) -> str:
    """For a help text: the spec is the one place that knows a default."""
    value = Experiment.model_fields[field].default
    return f"[default: {', '.join(value) if isinstance(value, tuple) else value}]"


def _either(choices: Sequence[str]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def _option(field: str, text: str) -> Any:
    return typer.Option(f"--{field}", help=f"{text} {_default(field)}", metavar=field.upper(), show_default=False)


def _whole(text: str) -> int:
    """A whole number, or an error that names the value: Typer's own does not."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r:.80} is not a whole number") from None


WHOLE: dict[str, Any] = {"parser": _whole, "metavar": "INTEGER", "show_default": False}


def _count(field: str, text: str) -> Any:
    return typer.Option(f"--{field.replace('_', '-')}", help=f"{text} {_default(field)}", **WHOLE)


Section = Annotated[
    str | None,
    typer.Argument(help=_either(SECTIONS), metavar="SECTION", show_default=False),
]
_TASK: dict[str, Any] = {
    "help": "a built-in task, a CSV or Parquet file, openml:NAME, module:attribute, or a spec.toml",
    "metavar": "TASK",
}
Task = Annotated[str, typer.Argument(**_TASK)]
OptionalTask = Annotated[str | None, typer.Argument(**_TASK, show_default=False)]
From = Annotated[
    str | None,
    typer.Option("--from", help="an exported configuration, whose experiment is run again", metavar="FILE"),
]
Name = Annotated[str, typer.Argument(help="the experiment's name", metavar="NAME")]
Db = Annotated[
    str | None,
    typer.Option("--db", help="database URL [default: $COOLDOWN_DB, then sqlite:///cooldown.db]", metavar="URL"),
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON document")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="show no progress")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="say what it would take, and do nothing")]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", help="file to write, - for standard output", metavar="FILE", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="write over a file that exists")]
Workers = Annotated[int | None, typer.Option("--workers", help="processes [default: one per core]", **WHOLE)]
Arms = Annotated[
    list[str] | None,
    typer.Option(
        "--arm",
        help=f"optimizers, or optimizers+schedules; repeatable {_default('arms')}",
        metavar="ARM",
    ),
]
Trials = Annotated[int | None, _count("trials", "configs tried per study")]
Repeats = Annotated[int | None, _count("repeats", "independent studies per arm")]
Epochs = Annotated[int | None, _count("epochs", "passes over the training rows")]
Seeds = Annotated[int | None, _count("seeds", "seeds per trial")]
Finalists = Annotated[int | None, _count("finalists", "best trials of a study that are trained again")]
ConfirmSeeds = Annotated[int | None, _count("confirm_seeds", "fresh seeds of a winner's evaluation")]
Seed = Annotated[int | None, _count("seed", "fixes everything random")]
Sampler = Annotated[str | None, _option("sampler", _either(samplers.built_in()))]
Pruner = Annotated[str | None, _option("pruner", f"{_either(get_args(PrunerName))}: stop trials that fall behind")]
BatchSize = Annotated[int | None, _count("batch_size", "rows per update")]
Hidden = Annotated[
    str | None,
    typer.Option(
        "--hidden",
        help="widths of hidden layers, as in 64,32; 0 for none [default: the task's, mostly 32]",
        metavar="WIDTHS",
    ),
]
Target = Annotated[str | None, typer.Option("--target", help="a table's target column", metavar="COLUMN")]
NewName = Annotated[
    str | None, typer.Option("--name", help="what to call the experiment [default: after the task]", metavar="NAME")
]


Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="fix a hyperparameter or strategy, or search it: adam.beta2=0.99, strategy.dropout=0:0.5, "
        "strategy.initialization=he,poor; repeatable",
        metavar="NAME=VALUE",
    ),
]
