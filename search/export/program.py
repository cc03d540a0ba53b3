"""A configuration as a program of its own: what the templates of all frameworks are filled with.

The programs hold nothing of Cooldown: schedules, and rules that a framework lacks, are the very lines of the catalog
(_source.py). All that comes from a user goes through `literal`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from textwrap import fill
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from cooldown.objectives import optimizers, schedules
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Hyperparameter, Unit
from cooldown.objectives.optimizers import Optimizer
from cooldown.objectives.random_streams import seeds
from cooldown.objectives.schedules import Schedule
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.export.data import Data, data_of
from cooldown.search.export.document import document
from cooldown.search.export.format import Chosen
from cooldown.search.export.literals import call, literal
from cooldown.search.export.native import Call, native_call
from cooldown.search.export.source import Source, collect

Own = Mapping[str, Any]
"""Hyperparameters by name."""

T = TypeVar("T")


@dataclass(frozen=True)
class Scheduler:
    """A framework's own schedule that is exactly one of ours, as an expression.

    It may use `total`, the updates after the warm-up, and `updates_per_epoch`.
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
    """A chosen configuration, and what a program for it has to say."""

    def __init__(self, chosen: Chosen, format: str) -> None:
        self.config, self._chosen, self._format = chosen.config, chosen, format
        if not isinstance(chosen.task, ArrayTask):
            raise InputError(
                f"{format}: the model of this task, {type(chosen.task).__name__}, is code of its own that cannot be "
                "written; --format json has the configuration"
            )
        if self.config.curriculum != "none":
            raise InputError(
                f"{format}: curriculum={self.config.curriculum!r} orders the rows by a model of its own, which the "
                "program would lack; --format json has the configuration, and objectives.estimators trains it"
            )
        self.task = chosen.task
        self.optimizer: Optimizer = optimizers.get(self.config.optimizer.name)
        self.schedule: Schedule = schedules.get(self.config.schedule.name)
        self.own = dict(self.config.optimizer.hyperparameters)
        self.lengths = dict(self.config.schedule.hyperparameters)
        self.source = Source()
        self.data: Data = data_of(self.task, chosen, self.source)
        if self.schedule.batch is not None:
            collect(self.source, self.schedule.batch, f"{self.schedule.identifier}_rows")

    @property
    def warmup(self) -> int:
        """The length of the linear ramp before the schedule, in updates."""
        return int(self.lengths["warmup_steps"]) if self.schedule.ramped else 0

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader of the program must know."""
        if self.data.loads:
            return ()
        return ("the program cannot load the task's data itself: give it arrays, python FILE.py data.npz",)

    def rule(self, *, steady: bool) -> Call | None:
        """The framework's own optimizer where it has exactly this one; steady: at a constant rate."""
        return native_call(self.optimizer.native, self._format, self.own, self.config.epochs, steady=steady)

    def scheduler(self, prefix: str = "") -> Scheduler | None:
        """The framework's own schedule where it has exactly this one; prefix: what stands before its name."""
        if self.schedule.batch is not None or (self.warmup and (not self.schedule.starts_at_peak or self.warmup < 2)):
            return None
        found = native_call(self.schedule.native, self._format, self.lengths, self.config.epochs, steady=False)
        return None if found is None else Scheduler(call(f"{prefix}{found[0]}", found[1], 4, "return "))

    @property
    def class_name(self) -> str:
        """What a class for the rule is called."""
        return "".join(part.capitalize() for part in self.optimizer.identifier.split("_"))

    def initial(self, drawn: Mapping[str, T]) -> dict[str, T]:
        """How the weights of the hidden layers and of the output layer are drawn.

        drawn: by scheme of initialization what draws it in a framework.
        """
        scheme = self.config.initialization
        if scheme != "auto":
            return {"hidden": drawn[scheme], "output": drawn[scheme]}
        return {"hidden": drawn["he" if self.task.activation == "relu" else "glorot"], "output": drawn["glorot"]}

    def add_rates(self) -> None:
        """Take the schedule's own lines into the program."""
        collect(self.source, self.schedule.multiplier, f"{self.schedule.identifier}_factor")

    @cached_property
    def common(self) -> dict[str, Any]:
        """What all templates use."""
        spec = self._chosen.spec
        schedule, lengths = self.schedule, self.lengths
        arguments = [f"{each.name}={self._length(each.name)}" for each in schedule.own]
        if not schedule.ramped:
            arguments.append("warmup_steps=WARMUP_STEPS")
        counted = ["after", "max(updates - WARMUP_STEPS, 1)"] if self.warmup else ["index", "updates"]
        batch = [f"{each.name}={literal(lengths[each.name])}" for each in schedule.own]
        return {
            "title": f"{self.optimizer.name} with the schedule {schedule.name}",
            "config": self.config,
            "own": self.own,
            "hidden": self.task.hidden,
            "activation": self.task.activation,
            "classifies": self.task.kind == "classification",
            "standardize": self.task.standardize,
            "score_name": self.task.score_name,
            "loss_name": "cross_entropy" if self.task.kind == "classification" else "squared_error",
            "data": self.data,
            "provenance": literal(_provenance(self._chosen), 0),
            "seed": 0,
            "test_state": seeds(spec.seed, "test split", count=1)[0],
            "watched_state": seeds(spec.seed, "validation split", 0, count=1)[0],
            "reacts": self.config.reacts,
            "reaction": schedule.reaction(**{each.name: lengths[each.name] for each in schedule.own})
            if schedule.reaction
            else None,
            "grows": schedule.batch is not None,
            "batch_call": call(
                f"{schedule.identifier}_rows", ["passed", "size", "n_rows", *batch], 16, "wanted, factor = "
            ),
            "ramped": schedule.ramped,
            "warmup": self.warmup,
            "warmup_steps": literal(lengths["warmup_steps"]) if lengths["warmup_steps"] else "",
            "schedule_call": call(f"{schedule.identifier}_factor", [*counted, *arguments], 4, "factor = "),
            "schedule": schedule,
            "optimizer": self.optimizer,
            "source": self.source,
        }

    def _length(self, name: str) -> str:
        """A hyperparameter of the schedule as the formula takes it: a length in epochs becomes one in updates."""
        declared = next(each for each in self.schedule.own if each.name == name)
        value = literal(self.lengths[name])
        in_epochs = isinstance(declared, Hyperparameter) and declared.unit is Unit.EPOCHS
        return f"{value} * updates_per_epoch" if in_epochs and self.schedule.reaction is None else value

    def formula(self, numpy: str) -> dict[str, Any]:
        """The rule's own lines, in the functions of the library called `numpy`, and how they are called."""
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
        return {
            "class_name": self.class_name,
            "function": function,
            "slots": len(rule.slots),
            "names": [each.name for each in others],
            "settings": [literal(self.own[each.name]) for each in others],
            "arguments": "".join(f", {each.name}" for each in others),
            "number_names": rule.number_names,
            "memory": rule.memory_size,
            "work_out": work_out.__name__ if work_out else "",
            "pure": pure is not None,
            "terms": terms,
        }

    def render(self, template: str, **own: Any) -> str:
        """The program's text."""
        text = _environment().get_template(template).render(**self.common, **own)
        # Where a part is left out, more blank lines remain than are read.
        return re.sub(r"\n{4,}", "\n\n\n", text).strip() + "\n"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("cooldown.search.export"), trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    made.filters["literal"] = literal
    made.filters["wrapped"] = lambda text, indent: fill(text, 120 - indent).replace("\n", "\n" + " " * indent)
    return made


def _provenance(chosen: Chosen) -> dict[str, Any]:
    whole = document(chosen)
    scores = {name: score["mean"] for name, score in whole["scores"].items() if score is not None}
    return {
        "experiment": chosen.record.name,
        "task": chosen.spec.task,
        "arm": chosen.study.arm,
        "repeat": chosen.study.repeat,
        "trial": chosen.trial.number,
        **scores,
        "fingerprint": whole["experiment"]["fingerprint"],
        "cooldown": chosen.record.environment.get("packages", {}).get("cooldown"),
    }
