"""What the tests of exported code share: configurations of everything, and our own training of them."""

import io
import subprocess
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import pytest
from covering import covering
from numpy.typing import NDArray

from cooldown.objectives import TrainConfig, optimizers, schedules, tasks
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.problem import Problem
from cooldown.objectives.random_streams import generator
from cooldown.objectives.training.data_order import DataOrder
from cooldown.objectives.training.engine import fit
from cooldown.search.evidence.view import View
from cooldown.search.export import Chosen, Exported, get
from cooldown.storage import ExperimentRecord, StudyRecord

SEED = 3
BATCH_SIZE, EPOCHS = 8, 9
"""Of the 90 training rows of iris these are 108 updates, every twelfth of them of two rows only."""

LONG = 17
"""Epochs of runs that react to the held-out loss, which falls for longer than `EPOCHS`."""

RATES = {
    "sgd": 0.1,
    "schedule_free_sgd": 0.5,
    "prodigy": 1.0,
    "momentum": 0.05,
    "nag": 0.05,
    "adagrad": 0.05,
    "adadelta": 1.0,
    "yellowfin": 1.0,
}
"""Learning rates at which iris is learned; 0.01 for all others."""

LENGTHS: dict[str, list[dict[str, Any]]] = {
    "constant": [{}, {"warmup_steps": 30}],
    "cosine": [{"floor": 0.05}, {"warmup_steps": 25}],
    "sgdr": [{"period": 3, "period_mult": 2}, {"period": 2.5, "period_mult": 1.5, "warmup_steps": 12, "floor": 0.01}],
    "step": [{"every": 5, "gamma": 0.3}, {"every": 2.3, "gamma": 0.5, "warmup_steps": 7}],
    "linear": [{"floor": 0.1, "warmup_steps": 1}, {"warmup_steps": 20}],
    "polynomial": [{"power": 2.0}, {"power": 1.3, "floor": 0.05, "warmup_steps": 15}],
    "exponential": [{"gamma": 0.05}, {"gamma": 0.05, "warmup_steps": 2}],
    "cyclical": [{"period": 4, "mode": mode} for mode in ("triangular", "triangular2", "exp_range")],
    "plateau": [{"patience": 1, "gamma": 0.5}, {"patience": 2, "gamma": 0.3, "warmup_steps": 10}],
    "noam": [{"warmup_steps": 40}],
    "wsd": [{"decay": 0.3}, {"decay": 0.5, "shape": "square", "floor": 0.1, "warmup_steps": 11}],
    "batch_growth": [{"every": 4, "gamma": 0.4}, {"every": 3, "gamma": 0.3, "limit": 0.3, "warmup_steps": 5}],
}
"""Hyperparameters of the schedules to try; one that is not named here is tried as it is."""


STRATEGIES: list[dict[str, Any]] = [
    {"clip_norm": 0.5},
    {"l2": 0.01},
    {"weight_decay": 0.1},
    {"clip_norm": 0.1, "l2": 0.01, "weight_decay": 0.1},
    {"batch_norm": True},
    {"batch_norm": True, "l2": 0.01, "weight_decay": 0.1, "early_stopping": 2},
    # The last batch of an epoch is a single row.
    {"batch_norm": True, "batch_size": 89},
    {"early_stopping": 1},
    {"shuffle": False},
    {"initialization": "large"},
    {"initialization": "zero"},
    {"averaging": "ema", "averaging_decay": 0.9},
    {"averaging": "ema", "batch_norm": True, "early_stopping": 2},
    {"averaging": "swa", "averaging_share": 0.4, "batch_norm": True},
    {"averaging": "swa", "averaging_share": 1.0, "early_stopping": 4},
    {"sam": 0.1},
    {"sam": 0.05, "batch_norm": True, "clip_norm": 0.5},
]
"""Strategies to try; those with random numbers of their own are tried framework by framework."""


def with_native(format: str) -> list[str]:
    """The optimizers of which a framework has its own."""
    return [name for name in optimizers.names() if format in optimizers.get(name).native]


def without_natives(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if no framework had a rule or a schedule of its own."""
    monkeypatch.setattr("cooldown.search.export.program.native_call", lambda *_, **__: None)


FORMATS = ("sklearn", "torch", "optax", "keras")

REFUSED = {("keras", "yellowfin"), ("keras", "prodigy")}
"""The rules that a format cannot express, under any schedule."""

REFUSED_STRATEGIES = {("keras", "sam")}
"""The strategies that a format cannot express."""

RULES = (("momentum", "sgdr"), ("adamw", "plateau"), ("yellowfin", "cosine"), ("nadam", "constant"))
"""A rule of each family, for what strategies do around it: with a buffer, with a weight decay of its own, with numbers
of the whole run, with a product of its own over the run; and schedules that restart, react, anneal and do nothing.
"""


def ways(schedule: str) -> list[dict[str, Any]]:
    """The hyperparameters with which a schedule is tried."""
    return LENGTHS.get(schedule, [{}])


def _parts(row: tuple[str, str, str, int]) -> list[object]:
    """What could break, of format, rule, schedule and its way.

    Without a framework a program is quick: there every rule meets every schedule. In a framework every rule is trained,
    and its own ones at a constant and at a changing rate; so is every schedule; and a rule that is the framework's or
    written out meets a schedule that is either, and one that reacts.
    """
    format, rule, schedule, way = row
    if format == "sklearn":
        return [(format, rule, schedule), (format, schedule, way)]
    own, changes = format in optimizers.get(rule).native, schedules.get(schedule)
    return [
        (format, rule, own and schedule == "constant"),
        (format, schedule, way),
        (format, own, format in changes.native, changes.reaction is not None),
    ]


@cache
def _covered() -> frozenset[tuple[str, str, str, int]]:
    """Format, rule, schedule and its way: a few in which all `_parts` are."""
    rows = [
        (format, rule, schedule, way)
        for i, rule in enumerate(optimizers.names())
        for j, schedule in enumerate(schedules.names())
        for way in range(len(ways(schedule)))
        for format in (*FORMATS[(i + j) % 4 :], *FORMATS[: (i + j) % 4])
        if (format, rule) not in REFUSED
    ]
    return frozenset(covering(rows, _parts))


def every_config(format: str) -> list[Any]:
    """Every rule with every schedule, in each of the ways to try it; those that are not covered, in full only."""
    return [
        pytest.param(
            config(rule, schedule, **lengths),
            marks=() if (format, rule, schedule, way) in _covered() else pytest.mark.full,
        )
        for rule in optimizers.names()
        for schedule in schedules.names()
        for way, lengths in enumerate(ways(schedule))
        if (format, rule) not in REFUSED
    ]


def configs_of(rule: str) -> list[TrainConfig]:
    """A rule with every schedule, in each of the ways to try it."""
    return [config(rule, schedule, **lengths) for schedule in schedules.names() for lengths in ways(schedule)]


def expressed(format: str, strategies: dict[str, Any]) -> bool:
    """Whether a format can express these strategies."""
    return not any((format, name) in REFUSED_STRATEGIES for name in strategies)


@cache
def _covered_strategies() -> frozenset[tuple[str, str, int]]:
    """Format, rule and strategy: every two of them together."""
    rows = [
        (format, rule, strategy)
        for strategy in range(len(STRATEGIES))
        for format in FORMATS
        for rule, _ in RULES
        if (format, rule) not in REFUSED and expressed(format, STRATEGIES[strategy])
    ]
    return frozenset(covering(rows))


def every_strategy(format: str) -> list[Any]:
    """Every strategy with a rule of every family, as (rule, schedule, strategies)."""
    return [
        pytest.param(
            rule,
            schedule,
            strategies,
            id=f"{rule}+{schedule} {strategies}",
            marks=() if (format, rule, number) in _covered_strategies() else pytest.mark.full,
        )
        for number, strategies in enumerate(STRATEGIES)
        for rule, schedule in RULES
        if (format, rule) not in REFUSED and expressed(format, strategies)
    ]


def strategies_with(format: str, rule: str) -> list[dict[str, Any]]:
    """The strategies to try that a format can express and that go with a rule: one that averages has no average."""
    averages = optimizers.get(rule).reported is not None
    return [each for each in STRATEGIES if expressed(format, each) and not (averages and "averaging" in each)]


def config(
    optimizer: str = "momentum", schedule: str = "constant", /, *, strategies: Any = None, **lengths: Any
) -> Any:
    """A config of 108 updates on iris, or of 204 where it reacts."""
    reacts = schedules.get(schedule).reaction is not None or "early_stopping" in (strategies or {})
    rate = RATES.get(optimizer, 0.01)
    if schedule == "noam":
        rate *= 300
    return TrainConfig.from_json(
        {
            "optimizer": {"name": optimizer, "learning_rate": rate},
            "schedule": {"name": schedule, **lengths},
            "batch_size": BATCH_SIZE,
            "epochs": LONG if reacts else EPOCHS,
            **(strategies or {}),
        }
    )


def name_of(config: TrainConfig) -> str:
    """For a test's name."""
    lengths = ",".join(f"{key}={value}" for key, value in config.schedule.hyperparameters.items())
    return f"{config.optimizer.name}+{config.schedule.name}({lengths})"


_views: dict[int, View] = {}
"""The views of records by the records' ids, made once: a view hashes all of its record, and keeps it."""


def written(record: ExperimentRecord, config: TrainConfig, format: str, task: tasks.Task | None = None) -> Exported:
    """The program for a config, as if a trial of the experiment had had it."""
    if task is not None:
        spec = {**record.spec, "task": task.name}
        record = replace(record, spec=spec, task_fingerprint=task.fingerprint())
    view, study = _views.setdefault(id(record), View(record)), record.studies[0]
    made: Any = get(format)
    return made.write(Chosen(view, study, replace(study.trials[0], config=config), task))


def module(text: str) -> ModuleType:
    """An exported program, imported."""
    made = ModuleType("exported")
    exec(compile(text, "exported.py", "exec"), vars(made))
    return made


def evaluation_rows(task: tasks.Task, reacts: bool, study: StudyRecord) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """X (n, d) and y of the training rows of our own evaluation in a study's repeat, of those that a run which `reacts`
    watches with the study's first fresh seed, and of the test rows.
    """
    (problem,) = task.evaluation_problems(0, study.repeat, [study.evaluations[0].seed], watching=reacts)
    model = problem.model
    assert isinstance(model, MLP)
    parts = [problem.train, *([problem.watched] if reacts else []), problem.held_out]
    return [(model.X[rows], model.y[rows]) for rows in parts]


@dataclass(frozen=True)
class Reference:
    """Our own training of a config in float64, and all that a program needs to do the same."""

    config: TrainConfig
    task: tasks.Task

    @cached_property
    def problem(self) -> Problem:
        return self.task.search_problem(0, 0)

    @cached_property
    def model(self) -> MLP:
        found = self.problem.model
        assert isinstance(found, MLP)
        return found.with_batch_norm() if self.config.batch_norm else found

    @property
    def rows(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """X (n, d) and y of the training rows."""
        return self.model.X[self.problem.train], self.model.y[self.problem.train]

    @property
    def watched(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """X and y of the rows that a run which reacts looks at."""
        return self.model.X[self.problem.watched], self.model.y[self.problem.watched]

    @property
    def orders(self) -> list[NDArray[np.int64]]:
        """The order of the rows in each epoch."""
        order = DataOrder(
            self.problem.train, generator(SEED, "data order"), self.config.epochs, self.config.shuffle, "none"
        )
        return [order.epoch(epoch) for epoch in range(self.config.epochs)]

    @property
    def initial(self) -> NDArray[np.float64]:
        """(size,) where we begin."""
        return self.model.init(generator(SEED, "initial weights"), self.config.initialization)

    @cached_property
    def _fitted(self) -> Any:
        return fit(self.problem, self.config, [SEED], dtype=np.float64)

    @property
    def final(self) -> NDArray[np.float64]:
        """(size,) where we end."""
        return np.asarray(self._fitted.theta[0])

    @property
    def losses(self) -> NDArray[np.float64]:
        """(epochs,) the mean loss of each epoch as it was trained."""
        return np.asarray(self._fitted.curves[0].train_loss)

    def layers(self, theta: NDArray[np.float64]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Of parameters (size,) each layer's weights (in, out) and biases (out,)."""
        return [
            (layer.weights(theta[None])[0], theta[layer.bias : layer.end]) for layer in self.model.architecture.layers
        ]

    def scales(self, theta: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Of parameters (size,) each hidden layer's scales of the batch normalization."""
        return [theta[norm.scale : norm.scale + norm.width] for norm in self.model.architecture.norms if norm]

    def assert_followed(self, theta: NDArray[np.float64], losses: Any, told: float = 1e-8) -> None:
        """Compare where a program ends, as our parameters (size,), and its losses, with ours.

        told: how far off a loss may be told, relative, by a framework that rounds what it tells.
        """
        np.testing.assert_allclose(losses, self.losses, rtol=told)
        trained = slice(self.model.trainable)
        ours, theirs = self.final[trained], theta[trained]
        # Relative to the size of the parameters: one of them may pass zero.
        assert np.abs(theirs - ours).max() <= 1e-8 * np.abs(ours).max()
        # And we have moved: a comparison of two runs that do nothing would prove nothing.
        assert np.abs(ours - self.initial[trained]).max() > 1e-3


def assert_clean(texts: str | Iterable[str], folder: Path) -> None:
    """A text, or each of several, is as ruff, without settings of ours but the width, would have it."""
    paths = []
    for number, text in enumerate([texts] if isinstance(texts, str) else texts):
        paths.append(folder / f"exported_{number}.py")
        paths[-1].write_text(text, encoding="utf-8")
    assert paths
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    rules = "E,F,W,I,B,UP,C4,SIM,RET,PERF,NPY"
    for command in (["check", "--select", rules], ["format", "--diff"]):
        done = subprocess.run(
            [*ruff, *command, "--isolated", "--line-length", "120", "--no-cache", *map(str, paths)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def run_here(text: str, *arguments: str) -> str:
    """What the text prints, run in this process."""
    printed = io.StringIO()
    with mock.patch.object(sys, "argv", ["script.py", *arguments]), redirect_stdout(printed):
        module(text).main()
    return printed.getvalue()


def assert_learned(printed: str) -> None:
    assert float(printed.split("test loss ")[1].split(",")[0]) < 1.0
    assert float(printed.split("accuracy ")[1]) > 0.6


def run_script(text: str, folder: Path, *arguments: str) -> str:
    """What the text prints, run as a script in `folder` by an interpreter that knows nothing of this project."""
    path = folder / "script.py"
    path.write_text(text, encoding="utf-8")
    assert "cooldown" not in "".join(line for line in text.splitlines() if "import" in line)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path), *arguments], capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout
