"""What an experiment will cost, from a short calibration: a small one of the same shape, timed on the real workers.

The small experiment goes all the way that the large one will: the sampler, the workers, finalists, evaluation, ledger.
It has one repeat with one generation; the rest is scaled by the work. Where even that takes long, it is run with fewer
epochs: its time is linear in them.
"""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from search.progress import Progress
from search.runner import run
from search.spec import Experiment, experiment
from search.splits import Splits
from search.studies import planned, total_work
from storage import Ledger, Purpose, StudyKey, StudyRecord, Variant

BUDGET = 20.0
"""Seconds that the calibration may take, about, if it can be made as short as that."""


@dataclass(frozen=True)
class ArmCost:
    """Gradient evaluations of one arm, if no run ends before its last epoch; default: those of its default config."""

    arm: str
    search: int
    evaluation: int
    default: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.search + self.evaluation + self.default


@dataclass(frozen=True)
class Estimate:
    """What an experiment will take.

    seconds: from the command to the answer on so many workers. start_seconds: of these, until the workers have started
    and all is compiled. calibration_seconds: what the estimate itself took. epochs: of the runs that were timed.
    """

    task: str
    workers: int
    seconds: float
    start_seconds: float
    calibration_seconds: float
    epochs: int
    arms: tuple[ArmCost, ...]

    @property
    def gradient_evaluations(self) -> int:
        """Of all arms."""
        return sum(arm.total for arm in self.arms)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        arms = [{**asdict(arm), "total": arm.total} for arm in self.arms]
        return {**asdict(self), "gradient_evaluations": self.gradient_evaluations, "arms": arms}


def estimate(spec: Experiment, splits: Splits, workers: int, open_executor: Callable[[], Executor]) -> Estimate:
    """The time and cost of the experiment `spec`. splits: of its task. Nothing is kept of what is trained for it."""
    began = time.perf_counter()
    executor = _Kept(open_executor())
    try:
        start, shortest = _timed(spec, splits, workers, executor, 1)
        # What is left of the budget decides how much of a run is timed.
        epochs = max(min(spec.epochs, int((BUDGET - (time.perf_counter() - began)) / max(shortest, 1e-3))), 1)
        longest = shortest if epochs == 1 else _timed(spec, splits, workers, executor, epochs)[1]
    finally:
        executor.end()
    slope = max(longest - shortest, 0.0) / (epochs - 1) if epochs > 1 else longest
    whole = longest + slope * (spec.epochs - epochs)
    scale = _work(spec) / _work(_small(spec, 1))
    return Estimate(
        task=splits.task.name,
        workers=workers,
        seconds=start + whole * scale,
        start_seconds=start,
        calibration_seconds=time.perf_counter() - began,
        epochs=epochs,
        arms=tuple(_cost(arm, spec, splits) for arm in spec.arms),
    )


def _small(spec: Experiment, epochs: int) -> Experiment:
    """The same with one repeat of one generation and its one finalist."""
    trials = min(spec.generation, spec.trials)
    changes = {"repeats": 1, "trials": trials, "finalists": 1, "epochs": epochs, "pruner": "none"}
    return experiment(**{**spec.to_json(), **changes})


def _timed(spec: Experiment, splits: Splits, workers: int, executor: "_Kept", epochs: int) -> tuple[float, float]:
    """The seconds until a small experiment is compiled, and those that it then takes."""
    small = _small(spec, epochs)
    began, compiled = time.monotonic(), 0.0

    def report(progress: Progress) -> None:
        nonlocal compiled
        if progress.compile_seconds is not None and not compiled:
            compiled = time.monotonic()

    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{Path(folder) / 'dry-run.db'}")
        ledger.create("dry run", small.to_json(), "", planned(small))
        run(ledger, "dry run", small, Splits(splits.task, small), lambda: executor, queue=2 * workers, report=report)
    return compiled - began, time.monotonic() - compiled


def _work(spec: Experiment) -> int:
    return sum(total_work(_empty(key), spec) for key in planned(spec))


def _empty(key: StudyKey) -> StudyRecord:
    return StudyRecord(0, key.arm, key.repeat, {}, (), key.variant, key.attempt)


def _cost(arm: str, spec: Experiment, splits: Splits) -> ArmCost:
    rows = {purpose: splits.rows(purpose) * spec.epochs * spec.repeats for purpose in Purpose}
    finalists = min(spec.finalists, spec.trials) * spec.finalist_seeds
    search = rows[Purpose.SEARCH] * spec.trials * spec.seeds + rows[Purpose.FINALIST] * finalists
    evaluation = rows[Purpose.EVALUATION] * spec.confirm_seeds
    one_shot = any(key.arm == arm and key.variant is Variant.DEFAULT for key in planned(spec))
    default = rows[Purpose.SEARCH] * spec.seeds + evaluation if one_shot else 0
    return ArmCost(arm, search, evaluation, default)


class _Kept(Executor):
    """An executor that outlives the runs it is lent to."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, call: Callable[..., Any], /, *args: Any, **more: Any) -> "Future[Any]":
        """As of the executor itself."""
        return self._executor.submit(call, *args, **more)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Not yet."""

    def end(self) -> None:
        """Shut it down."""
        from search.executors import stop

        stop(self._executor)
