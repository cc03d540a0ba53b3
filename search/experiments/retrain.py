"""`cooldown train`: an exported configuration trained again, on its own task or another."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Problem
from cooldown.objectives.records import Curve
from cooldown.objectives.tasks import Task
from cooldown.search.export.reading import read_exported
from cooldown.search.spec.experiment import Experiment
from cooldown.search.tuning.splits import task_of

SEEDS = 3

TINY = 1e-12
"""Losses below it are compared as if they were it."""


@dataclass(frozen=True, eq=False)
class Retrained:
    """A configuration's runs, and what was recorded of them.

    curves: one per seed, on the training and validation rows of one repeat. recorded: (epochs,) the mean validation
    losses of the search that found the configuration, fewer where it was pruned; none where these runs are others.
    tests: one curve per seed of its evaluation, trained on training and validation rows and measured on the test rows;
    none where the file has no evaluation of this task. recorded_test: their mean loss as recorded. remarks: what the
    reader must know of these runs, in sentences.
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
        """(epochs,) mean over the seeds of the capped validation loss after each epoch, as a search counts it."""
        return _mean([curve.capped_losses(self.config.epochs) for curve in self.curves])

    @property
    def train_losses(self) -> list[float]:
        """(epochs,) mean over the seeds that trained so far; NaN where none did."""
        return _known_mean([curve.train_loss for curve in self.curves], self.config.epochs)

    @property
    def rates(self) -> list[float]:
        """(epochs,) the rate of each epoch's last update, the mean over the seeds that trained so far."""
        return _known_mean([curve.learning_rate for curve in self.curves], self.config.epochs)

    @property
    def test_loss(self) -> float | None:
        """Mean test loss over the evaluation's seeds."""
        return float(np.mean([curve.final_loss for curve in self.tests])) if self.tests else None

    @property
    def test_score(self) -> float | None:
        """Mean test score over the evaluation's seeds that have one."""
        known = [curve.final_score for curve in self.tests if np.isfinite(curve.final_score)]
        return float(np.mean(known)) if known else None

    @property
    def difference(self) -> float | None:
        """How far the validation losses are from the recorded ones, relative, at most; None where none are known."""
        pairs = zip(self.validation_losses, self.recorded, strict=False)
        return max(
            (abs(ours - theirs) / max(abs(theirs), TINY) for ours, theirs in pairs if theirs is not None), default=None
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
    path: Path, task: str | Task | None = None, *, target: str | None = None, seeds: int | None = None
) -> Retrained:
    """Train the configuration in the file `path`, JSON or TOML, again.

    task: another task than the file's, with `target` for a table; needed where the file has a configuration only.
    seeds: how many, by default those of the search that found it, else 3. Raises InputError for what is no
    configuration or no task.
    """
    from cooldown.objectives.training.engine import train

    document = read_exported(path)
    config, spec = document.config, document.spec
    if task is None and spec is None:
        raise InputError(f"{path} says of no task: name one, as in `cooldown train {path} digits`")
    found = _task(task, target, spec)
    if spec is None or document.task.fingerprint != found.fingerprint():
        problem = found.search_problem(spec.seed if spec else 0, 0)
        curves = train(problem, [config], list(range(seeds or SEEDS)))[0]
        remarks = _remarks(config, problem)
        if spec is not None and document.task.fingerprint and target is None and task in (None, spec.task):
            changed = f"the data of {spec.task} or its network have changed since the experiment"
            remarks = (f"{changed}: nothing recorded can be compared with", *remarks)
        return Retrained(config, found, curves, [], [], None, remarks)
    own = document.seeds.search
    chosen = [*own, *(each for each in range(seeds or SEEDS) if each not in own)][: seeds or len(own) or SEEDS]
    problem = found.search_problem(spec.seed, document.repeat)
    curves = train(problem, [config], chosen)[0]
    tests: list[Curve] = []
    if document.seeds.evaluation:
        tests = train(found.evaluation_problem(spec.seed), [config], document.seeds.evaluation, every_epoch=False)[0]
    recorded = document.curve.validation_loss if own and seeds is None else []
    remarks = _remarks(config, problem)
    if len(recorded) > config.epochs or (0 < len(recorded) < config.epochs and not document.pruned):
        remarks = (f"of {config.epochs} epochs {len(recorded)} are recorded: the configuration was changed", *remarks)
        recorded = []
    recorded_test = document.test_loss if tests else None
    return Retrained(config, found, curves, tests, recorded, recorded_test, remarks)


def _remarks(config: TrainConfig, problem: Problem) -> tuple[str, ...]:
    told = config.cut_short(len(problem.train))
    return () if told is None else (told,)


def _task(task: str | Task | None, target: str | None, spec: Experiment | None) -> Task:
    from cooldown.objectives import tasks

    if isinstance(task, Task):
        return task
    if spec is not None and task in (None, spec.task):
        return task_of(spec if target is None else spec.model_copy(update={"target": target}))
    return tasks.resolve(task or "", target=target)


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
