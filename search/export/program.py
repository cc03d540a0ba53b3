"""A configuration as a stand-alone program: the values for the templates of all frameworks.

The programs do not import Cooldown: schedules, and rules that a framework lacks, are copies of the catalog's source
(source.py). All text that comes from a user is escaped by `literal`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from textwrap import fill
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from cooldown.objectives import optimizers, schedules
from cooldown.objectives.data.splits import test_state, validation_state
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Hyperparameter, Unit
from cooldown.objectives.optimizers import Optimizer
from cooldown.objectives.schedules import Schedule
from cooldown.objectives.strategies import first_averaged
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.export.data import Data, data_of
from cooldown.search.export.document import document
from cooldown.search.export.format import Chosen
from cooldown.search.export.literals import call, literal
from cooldown.search.export.native import Call, native_call
from cooldown.search.export.source import Source, collect
from cooldown.search.spec.ranges import RANDOM_LABELS_KEY

T = TypeVar("T")

COMMAND_LINE = ("import argparse", "import csv", "import io", "import sys", "from pathlib import Path")
"""The imports of the standard library that all programs need."""


@dataclass(frozen=True)
class Scheduler:
    """A framework's own schedule that equals the configuration's exactly, as an expression.

    The expression may use `total`, the number of updates after the warm-up, and `updates_per_epoch`.
    """

    expression: str

    @property
    def uses_total(self) -> bool:
        """Whether it needs the length of the run."""
        return re.search(r"\btotal\b", self.expression) is not None

    @property
    def uses_updates(self) -> bool:
        """Whether it needs the length of an epoch."""
        return "updates_per_epoch" in self.expression


class Program:
    """A chosen configuration, and the parts of a program for it.

    Raises InputError if the task's model or a curriculum cannot be exported as code.
    """

    def __init__(self, chosen: Chosen, format: str) -> None:
        self.config, self._chosen, self._format = chosen.config, chosen, format
        if not isinstance(chosen.task, ArrayTask):
            raise InputError(
                f"{format}: the task's model is defined in Python ({type(chosen.task).__name__}) and cannot be "
                "exported as code; use --format json"
            )
        if self.config.curriculum != "none":
            raise InputError(
                f"{format}: curriculum={self.config.curriculum!r} sorts the rows with a reference model, which cannot "
                "be exported as code; use --format json, and cooldown.estimators to train it"
            )
        self.task = chosen.task
        self._refuse_aims()
        self.optimizer: Optimizer = optimizers.get(self.config.optimizer.name)
        self.schedule: Schedule = schedules.get(self.config.schedule.name)
        self.rule_values = dict(self.config.optimizer.hyperparameters)
        self.schedule_values = dict(self.config.schedule.hyperparameters)
        self.source = Source()
        self.data: Data = data_of(self.task, chosen, self.source)
        if self.schedule.batch is not None:
            collect(self.source, self.schedule.batch, f"{self.schedule.identifier}_rows")

    def _refuse_aims(self) -> None:
        """Raise InputError for what a program would split, train or watch in another way than the search did."""
        aim = self.task.aim
        found = {
            "asynchronous workers": self.config.asynchronous is not None,
            "class_weight": aim.class_weight is not None,
            "random_labels": bool(self._chosen.spec.ranges.get(RANDOM_LABELS_KEY)),
            "sample_weight": self.task.sample_weight is not None,
            "target_transform": aim.target_transform is not None,
            "groups": self.task.apart.groups is not None,
            "time": self.task.apart.times is not None,
            "sparse rows": self.task.is_sparse,
            "an objective that runs react to": aim.objective is not None and self.config.reacts,
        }
        if refused := [name for name, present in found.items() if present]:
            raise InputError(
                f"{self._format}: a program cannot express {', '.join(refused)}; use --format json, and "
                "`cooldown train` to train it"
            )

    @property
    def warmup(self) -> int:
        """The length of the linear ramp before the schedule, in updates."""
        return int(self.schedule_values["warmup_steps"]) if self.schedule.ramped else 0

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user of the program should know."""
        told = []
        if self.task.aim.score is not None:
            told.append(f"the program prints its loss and {self._score_name}, not {self.task.score_name}")
        if not self.data.loads:
            n_test = self.task.n_test
            which = f", whose last {n_test} rows are the test rows" if n_test else ""
            run = f"run it with arrays: python FILE.py data.npz{which}"
            told.append(f"the program cannot load the task's data; {run}")
        return tuple(told)

    @property
    def splits(self) -> bool:
        """Whether the program draws rows, for the test or for a run that reacts to watch."""
        return not self.task.n_test or self.config.reacts

    @property
    def scales_each(self) -> bool:
        """Whether there are several targets, each with a scale of its own."""
        return self.task.scales_each

    def imports(self, *lines: str) -> list[str]:
        """The imports of the standard library, sorted. lines: those of one framework's programs."""
        every = {*COMMAND_LINE, *lines, *self.source.standard_imports}
        return sorted(every, key=lambda line: (line.startswith("from"), line))

    @property
    def _score_name(self) -> str:
        """The score that a program measures."""
        return "accuracy" if self.task.kind == "classification" else "R²"

    def rule(self, *, steady: bool) -> Call | None:
        """The framework's own optimizer if it equals this one exactly. steady: whether the rate is constant."""
        return native_call(self.optimizer.native, self._format, self.rule_values, self.config.epochs, steady=steady)

    def scheduler(self, prefix: str = "") -> Scheduler | None:
        """The framework's own schedule if it equals this one exactly. prefix: of its name, such as "optax."."""
        if self.schedule.batch is not None or (self.warmup and (not self.schedule.starts_at_peak or self.warmup < 2)):
            return None
        native = native_call(self.schedule.native, self._format, self.schedule_values, self.config.epochs, steady=False)
        return None if native is None else Scheduler(call(f"{prefix}{native.function}", native.arguments, 4, "return "))

    @property
    def class_name(self) -> str:
        """The name of a class for the rule."""
        return "".join(part.capitalize() for part in self.optimizer.identifier.split("_"))

    def initial(self, drawn: Mapping[str, T]) -> dict[str, T]:
        """The framework's code that draws the weights of the "hidden" layers and of the "output" layer.

        drawn: the framework's code for each initialization scheme.
        """
        scheme = self.config.initialization
        if scheme != "auto":
            return {"hidden": drawn[scheme], "output": drawn[scheme]}
        return {"hidden": drawn["he" if self.task.activation == "relu" else "glorot"], "output": drawn["glorot"]}

    def add_rates(self) -> None:
        """Add the schedule's source to the program."""
        collect(self.source, self.schedule.multiplier, f"{self.schedule.identifier}_factor")

    @cached_property
    def common(self) -> dict[str, Any]:
        """The values that all templates use."""
        schedule = self.schedule
        return {
            "title": f"{self.optimizer.name} with the schedule {schedule.name}",
            "config": self.config,
            "rule_values": self.rule_values,
            "hidden": self.task.hidden,
            "activation": self.task.activation,
            "classifies": self.task.kind == "classification",
            "standardize": self.task.standardize,
            "scales_each": self.scales_each,
            "score_name": self._score_name,
            "loss_name": "cross_entropy" if self.task.kind == "classification" else "squared_error",
            "data": self.data,
            "provenance": literal(_provenance(self._chosen), 0),
            "seed": 0,
            "n_test": self.task.n_test,
            "splits": self.splits,
            **self._preprocessing_parts,
            **self._split_states,
            "schedule": schedule,
            "optimizer": self.optimizer,
            "source": self.source,
            "reacts": self.config.reacts,
            "ema": self.config.averaging == "ema",
            "swa": self.config.averaging == "swa",
            "first_averaged": first_averaged(self.config.epochs, self.config.averaging_share),
            **self._schedule_parts(),
        }

    @property
    def _preprocessing_parts(self) -> dict[str, Any]:
        """What the programs with plain preprocessing import of scikit-learn for it."""
        scales = self.scales_each or (self.task.standardize and self.data.numbers)
        return {
            "numbers_are_imputed": self.data.columns and self.data.numbers,
            "scalers": ["OneHotEncoder"] * self.data.categories + ["StandardScaler"] * scales,
        }

    @property
    def _split_states(self) -> dict[str, int]:
        """The `random_state` of the draw of the test rows, and of the rows that a run that reacts watches."""
        spec, repeat, fresh = self._chosen.spec, self._chosen.study.repeat, self._chosen.study.evaluations
        if spec.protocol == 1:
            return {"test_state": test_state(spec.seed, None), "watched_state": validation_state(spec.seed, 0, None)}
        replicate = fresh[0].seed if fresh else 0
        return {
            "test_state": test_state(spec.seed, repeat),
            "watched_state": validation_state(spec.seed, repeat, replicate),
        }

    def _schedule_parts(self) -> dict[str, Any]:
        """The values for templates that follow from the schedule."""
        schedule, values = self.schedule, self.schedule_values
        names = [declared.name for declared in schedule.own]
        rows = [f"{name}={literal(values[name])}" for name in names]
        arguments = [f"{name}={self._length(name)}" for name in names]
        if not schedule.ramped:
            arguments.append("warmup_steps=WARMUP_STEPS")
        position = ["after", "max(updates - WARMUP_STEPS, 1)"] if self.warmup else ["index", "updates"]
        return {
            "reaction": schedule.reaction(**{name: values[name] for name in names}) if schedule.reaction else None,
            "grows": schedule.batch is not None,
            "batch_call": call(
                f"{schedule.identifier}_rows", ["passed", "size", "n_rows", *rows], 16, "wanted, factor = "
            ),
            "ramped": schedule.ramped,
            "warmup": self.warmup,
            "warmup_steps": literal(values["warmup_steps"]) if values["warmup_steps"] else "",
            "schedule_call": call(f"{schedule.identifier}_factor", [*position, *arguments], 4, "factor = "),
        }

    def _length(self, name: str) -> str:
        """The source of a schedule's hyperparameter in the formula's unit: epochs are converted to updates."""
        declared = next(declared for declared in self.schedule.own if declared.name == name)
        value = literal(self.schedule_values[name])
        in_epochs = isinstance(declared, Hyperparameter) and declared.unit is Unit.EPOCHS
        return f"{value} * updates_per_epoch" if in_epochs and self.schedule.reaction is None else value

    def formula(self, numpy: str) -> dict[str, Any]:
        """Add the rule's source to the program, and return the names and arguments to call it.

        numpy: the name of the array library in the program, whose functions have numpy's names.
        """
        rule, others = self.optimizer, self.optimizer.hyperparameters[1:]
        function = f"{rule.identifier}_update"
        collect(self.source, rule.update, function, numpy)
        terms: list[str] = []
        work_out: Callable[..., Any] | None = None
        pure: Callable[..., Any] | None = None
        if rule.numbers is not None:
            pure = rule.numbers.pure if numpy == "jnp" else None
            work_out = pure or rule.numbers.work_out
            collect(self.source, work_out, work_out.__name__, numpy if pure else "np")
            for term in rule.numbers.terms:
                terms.append(term.__name__)
                collect(self.source, term, term.__name__, numpy)
        reported = ""
        if rule.reported is not None:
            reported = f"{rule.identifier}_reported"
            collect(self.source, rule.reported, reported, numpy)
        of_matrix = {"source": "", "matrix": ""}
        if rule.matrices is not None:
            for name, part in (("source", rule.matrices.source), ("matrix", rule.matrices.work_out)):
                of_matrix[name] = part.__name__
                collect(self.source, part, part.__name__, numpy)
        return {
            **of_matrix,
            "class_name": self.class_name,
            "function": function,
            "reported": reported,
            "slots": len(rule.slots),
            "names": [declared.name for declared in others],
            "settings": [literal(self.rule_values[declared.name]) for declared in others],
            "arguments": "".join(f", {declared.name}" for declared in others),
            "number_names": rule.number_names,
            "memory": rule.memory_size,
            "work_out": work_out.__name__ if work_out else "",
            "pure": pure is not None,
            "terms": terms,
        }

    def render(self, template: str, **values: Any) -> str:
        """The program's text. values: for this template only."""
        text = _environment().get_template(template).render(**self.common, **values)
        # A part that is left out leaves too many blank lines.
        return re.sub(r"\n{4,}", "\n\n\n", text).strip() + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cooldown.search.export"), trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.filters["literal"] = literal
    environment.filters["wrapped"] = lambda text, indent: fill(text, 120 - indent).replace("\n", "\n" + " " * indent)
    return environment


def _provenance(chosen: Chosen) -> dict[str, Any]:
    full = document(chosen)
    scores = {name: score["mean"] for name, score in full["scores"].items() if score is not None}
    return {
        "experiment": chosen.record.name,
        "task": chosen.spec.task,
        "arm": chosen.study.arm,
        "repeat": chosen.study.repeat,
        "trial": chosen.trial.number,
        **scores,
        "fingerprint": full["experiment"]["fingerprint"],
        "cooldown": chosen.record.environment.get("packages", {}).get("cooldown"),
    }
