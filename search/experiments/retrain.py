"""`cooldown train`: train an exported configuration again, on its own task or another one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.records import Curve
from cooldown.objectives.tasks import Task
from cooldown.objectives.trust import reading
from cooldown.search.evidence.measures import loss_name
from cooldown.search.export.reading import Document, read_exported
from cooldown.search.spec.experiment import Experiment, read_spec
from cooldown.search.spec.task_fields import BY_TASK
from cooldown.search.tuning.splits import Splits, task_of
from cooldown.storage import Purpose

SEEDS = 3
"""How many seeds, if the file has none."""

TINY = 1e-12
"""Smallest recorded loss that a relative difference is divided by."""


@dataclass(frozen=True, eq=False)
class Retrained:
    """A configuration's runs, and the recorded losses of the original runs.

    curves: one per seed, on the training and validation rows of one repeat. recorded: (epochs,) the mean validation
    losses of the search that found the configuration, fewer if it was pruned; empty if these runs cannot be compared.
    tests: one curve per seed of its evaluation, trained on training and validation rows and measured on the test rows;
    empty if the file has no evaluation on this task. recorded_test: the recorded mean of their losses. remarks: what
    the reader should know about these runs, in sentences.
    """

    config: TrainConfig
    task: Task
    curves: Sequence[Curve]
    tests: Sequence[Curve]
    recorded: Sequence[float | None]
    recorded_test: float | None
    remarks: tuple[str, ...] = ()

    @property
    def validation_losses(self) -> list[float]:
        """(epochs,) mean over the seeds of the capped validation loss after each epoch, as in a search."""
        return _mean([curve.capped_losses(self.config.epochs) for curve in self.curves])

    @property
    def train_losses(self) -> list[float]:
        """(epochs,) mean training loss over the seeds that reached the epoch; NaN if none did."""
        return _known_mean([curve.train_loss for curve in self.curves], self.config.epochs)

    @property
    def rates(self) -> list[float]:
        """(epochs,) learning rate of each epoch's last update, the mean over the seeds that reached the epoch."""
        return _known_mean([curve.learning_rate for curve in self.curves], self.config.epochs)

    @property
    def test_loss(self) -> float | None:
        """Mean test loss over the evaluation's seeds; None without an evaluation."""
        return float(np.mean([curve.final_loss for curve in self.tests])) if self.tests else None

    @property
    def test_score(self) -> float | None:
        """Mean test score over the evaluation's seeds that have one; None if none has."""
        known = [curve.final_score for curve in self.tests if np.isfinite(curve.final_score)]
        return float(np.mean(known)) if known else None

    @property
    def difference(self) -> float | None:
        """The largest relative difference between the validation losses and the recorded ones; None without these."""
        pairs = zip(self.validation_losses, self.recorded, strict=False)
        return max(
            (abs(loss - recorded) / max(abs(recorded), TINY) for loss, recorded in pairs if recorded is not None),
            default=None,
        )

    @property
    def was_pruned(self) -> bool:
        """Whether fewer epochs are recorded than were trained."""
        return 0 < len(self.recorded) < self.config.epochs

    def to_json(self) -> dict[str, Any]:
        """The document of `cooldown train --json`."""
        return {
            "task": self.task.name,
            "config": self.config.to_json(),
            "seeds": [curve.seed for curve in self.curves],
            "epochs": [
                {"epoch": epoch, "learning_rate": _number(rate), "train_loss": _number(train), "validation_loss": loss}
                for epoch, (rate, train, loss) in enumerate(
                    zip(self.rates, self.train_losses, self.validation_losses, strict=True), 1
                )
            ],
            "difference_from_recorded": self.difference,
            "test_loss": self.test_loss,
            "test_score": self.test_score,
            "recorded_test_loss": self.recorded_test,
            "remarks": list(self.remarks),
        }


def retrain(
    path: Path,
    task: Any = None,
    *,
    target: str | None = None,
    test: Any = None,
    groups: Any = None,
    time: Any = None,
    kind: str | None = None,
    seeds: int | None = None,
    trust: bool = False,
    **table: Any,
) -> Retrained:
    """Train the configuration in the JSON or TOML file `path` again.

    task: another task than the file's, by its name, or a Task, the path of a table or a DataFrame, for which `target`,
    `test`, `groups`, `time`, `kind` and the fields of `Reading` are as for `compare`; required if the file holds a
    configuration only. seeds: how many, by default those of the search that found it, else 3. trust: import modules
    that the file names, as in `mymodule:Lion`; else UntrustedModuleError says which. Raises InputError for a file
    without a configuration, or an unknown task.
    """
    with reading(trust):
        document = read_exported(path)
    spec = document.spec
    if task is None and spec is None:
        raise InputError(f"{path} has no task; name one, for example `cooldown train {path} digits`")
    about = {"target": target, "test": test, "groups": groups, "time": time, "kind": kind, **table}
    about = {name: value for name, value in about.items() if value is not None}
    for name in BY_TASK:
        if task is None and name in about:
            raise InputError(f"{name} {about[name]!r} is for another task than that of {path}; name the task too")
    if task is None:
        # The file names it.
        with reading(trust):
            trained = _task(task, about, spec)
    else:
        trained = _task(task, about, spec)
    if spec is not None and document.task.fingerprint == trained.fingerprint():
        return _repeated(document, spec, trained, seeds)
    retrained = _on_another_task(document.config, trained, spec.seed if spec else 0, seeds)
    asked_for_another = bool(about) or not _is_of(spec, task)
    if spec is not None and document.task.fingerprint and not asked_for_another:
        changed = f"the data or the network of {spec.task} changed since the experiment: recorded losses do not apply"
        return replace(retrained, remarks=(changed, *retrained.remarks))
    return retrained


def _on_another_task(config: TrainConfig, task: Task, seed: int, seeds: int | None) -> Retrained:
    """The configuration trained where nothing recorded can be compared. seed: of the split."""
    from cooldown.objectives.training.engine import train

    problem = task.search_problem(seed, 0)
    curves = train(problem, [config], list(range(seeds or SEEDS)))[0]
    return Retrained(config, task, curves, [], [], None, _remarks(config, len(problem.train)))


def _repeated(document: Document, spec: Experiment, task: Task, seeds: int | None) -> Retrained:
    """The configuration trained on the task, the split and the seeds that it was found with."""
    from cooldown.objectives.training.engine import train

    config, recorded_seeds = document.config, document.seeds.search
    further = [seed for seed in range(seeds or SEEDS) if seed not in recorded_seeds]
    chosen = [*recorded_seeds, *further][: seeds or len(recorded_seeds) or SEEDS]
    splits, repeat, fresh = Splits(task, spec), document.repeat, document.seeds.evaluation
    curves = train(splits.problems_of(Purpose.SEARCH, repeat, chosen), [config], chosen)[0]
    tests: list[Curve] = []
    if fresh:
        tests = train(splits.problems_of(Purpose.EVALUATION, repeat, fresh), [config], fresh, every_epoch=False)[0]
    recorded = document.curve.validation_loss if recorded_seeds and seeds is None else []
    remarks = _remarks(config, splits.rows(Purpose.SEARCH))
    if loss_name(spec) != "loss":
        remarks = (f"validation and test losses are {loss_name(spec).removeprefix('loss ')}", *remarks)
    if len(recorded) > config.epochs or (0 < len(recorded) < config.epochs and not document.pruned):
        changed = f"the configuration has {config.epochs} epochs, but {len(recorded)} are recorded: it was changed"
        remarks, recorded = (changed, *remarks), []
    recorded_test = document.test_loss if tests else None
    return Retrained(config, task, curves, tests, recorded, recorded_test, remarks)


def _remarks(config: TrainConfig, n_rows: int) -> tuple[str, ...]:
    remark = config.cut_short(n_rows)
    return () if remark is None else (remark,)


def _task(task: Any, about: Mapping[str, Any], spec: Experiment | None) -> Task:
    """The task to train on. about: what is said of a table, by the names of a spec's fields."""
    from cooldown.objectives import tasks

    if spec is not None and _is_of(spec, task):
        return task_of(read_spec(**{**spec.to_json(), **about}))
    if isinstance(task, str | PathLike):
        return task_of(read_spec(task=fspath(task), **about))
    return tasks.given(task, **about)


def _is_of(spec: Experiment | None, task: Any) -> bool:
    """Whether `task` is not given, or is that of the spec by its name or path."""
    return task is None or (isinstance(task, str | PathLike) and spec is not None and fspath(task) == spec.task)


def _mean(rows: Sequence[Any]) -> list[float]:
    return [float(value) for value in np.mean(rows, axis=0)]


def _known_mean(rows: Sequence[Any], epochs: int) -> list[float]:
    means = []
    for epoch in range(epochs):
        known = [float(row[epoch]) for row in rows if epoch < len(row)]
        means.append(float(np.mean(known)) if known else float("nan"))
    return means


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
