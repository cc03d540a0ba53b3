"""What an experiment will cost, from a short calibration: a small one of the same shape, timed on the real workers.

The small experiment goes all the way that the large one will: the sampler, the workers, finalists, evaluation, ledger.
It has one generation per study, and as many repeats as keep all workers busy. How long its jobs took says how long
those of the large one will; these are then laid out on the workers as the runner would. Where even a small experiment
takes long, it is run with fewer epochs: its time is linear in them.
"""

import heapq
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cooldown.objectives.cost import passes_before
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import Experiment, read_spec
from cooldown.search.spec.space import search_space
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.runner import run
from cooldown.search.tuning.splits import Splits
from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger, Purpose, StudyKey

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
        first = _timed(spec, splits, workers, executor, 1)
        # What is left of the budget decides how much of a run is timed.
        left = BUDGET - (time.perf_counter() - began)
        epochs = max(min(spec.epochs, int(left / max(first.seconds, 1e-3))), 1)
        last = first if epochs == 1 else _timed(spec, splits, workers, executor, epochs)
    finally:
        executor.end()
    small = _small(spec, workers, epochs)
    # What a job takes beside its training, and its worker's waiting for it, does not depend on its size.
    idle = (last.seconds - _makespan(small, last.replicates, workers)) * workers
    beside = max(idle, 0.0) / sum(len(_jobs(key, small, last.replicates)) for key in planned(small))
    whole = {kind: _at(spec.epochs, epochs, first.replicates[kind], last.replicates[kind]) for kind in last.replicates}
    return Estimate(
        task=splits.task.name,
        workers=workers,
        seconds=first.start + _makespan(spec, whole, workers, beside),
        start_seconds=first.start,
        calibration_seconds=time.perf_counter() - began,
        epochs=epochs,
        arms=tuple(_cost(arm, spec, splits) for arm in spec.parsed_arms),
    )


Kind = tuple[str, bool, Purpose]


@dataclass(frozen=True)
class _Timing:
    """A small experiment's times in seconds. start: until all was compiled. seconds: from then on. replicates: of one
    replicate of each kind.
    """

    start: float
    seconds: float
    replicates: Mapping[Kind, float]


def _at(epochs: int, timed: int, shortest: float, longest: float) -> float:
    """The time at `epochs`, on the line through 1 and `timed` epochs; a single point goes through 0."""
    slope = max(longest - shortest, 0.0) / (timed - 1) if timed > 1 else longest
    return longest + slope * (epochs - timed)


def _makespan(spec: Experiment, replicates: Mapping[Kind, float], workers: int, beside: float = 0.0) -> float:
    """The seconds until all studies are done, if a free worker takes the next job of who is first in line.

    beside: what each job takes beside its training.
    """
    waiting = [(key.repeat, 0, number, 0.0, _jobs(key, spec, replicates)) for number, key in enumerate(planned(spec))]
    free = [0.0] * workers
    end = 0.0
    while waiting:
        now = max(heapq.heappop(free), min(ready for *_, ready, _ in waiting))
        chosen = min(study for study in waiting if study[3] <= now)
        waiting.remove(chosen)
        repeat, done, number, _, jobs = chosen
        after = now + jobs[0] + beside
        end = max(end, after)
        heapq.heappush(free, after)
        if jobs[1:]:
            waiting.append((repeat, done + 1, number, after, jobs[1:]))
    return end


def _jobs(key: StudyKey, spec: Experiment, replicates: Mapping[Kind, float]) -> tuple[float, ...]:
    """The seconds of a study's jobs, in their order."""
    search, finalist, evaluation = (
        replicates.get((key.arm, key.is_default, purpose), 0.0)
        for purpose in (Purpose.SEARCH, Purpose.FINALIST, Purpose.EVALUATION)
    )
    if key.is_default:
        return spec.seeds * search, spec.confirm_seeds * evaluation
    sizes = [min(spec.generation, spec.trials - at) for at in range(0, spec.trials, spec.generation)]
    last = min(spec.finalists, spec.trials) * spec.finalist_seeds * finalist, spec.confirm_seeds * evaluation
    return (*(size * spec.seeds * search for size in sizes), *last)


def _small(spec: Experiment, workers: int, epochs: int) -> Experiment:
    """The same with one generation per study and its one finalist, and no more repeats than keep the workers busy."""
    changes = {
        "repeats": min(spec.repeats, -(-workers // len(spec.arms))),
        "trials": min(spec.generation, spec.trials),
        "finalists": 1,
        "epochs": epochs,
        "pruner": "none",
    }
    return read_spec(**{**spec.to_json(), **changes})


def _timed(spec: Experiment, splits: Splits, workers: int, executor: "_Kept", epochs: int) -> _Timing:
    """A small experiment, run to its end."""
    small = _small(spec, workers, epochs)
    began, compiled = time.monotonic(), 0.0

    def report(progress: Progress) -> None:
        nonlocal compiled
        if progress.compile_seconds is not None and not compiled:
            compiled = time.monotonic()

    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{Path(folder) / 'dry-run.db'}")
        ledger.create("dry run", small.to_json(), "", planned(small))
        run(ledger, "dry run", small, Splits(splits.task, small), lambda: executor, queue=2 * workers, report=report)
        ended, record = time.monotonic(), ledger.load("dry run")
    spent: dict[Kind, list[float]] = {}
    for study in (*record.studies, *record.default_configs):
        for purpose in Purpose:
            seconds = [curve.seconds for curve in study.curves(purpose)]
            spent.setdefault((study.arm, study.is_default, purpose), []).extend(seconds)
    means = {kind: sum(seconds) / len(seconds) for kind, seconds in spent.items() if seconds}
    return _Timing(compiled - began, ended - compiled, means)


def _cost(arm: Arm, spec: Experiment, splits: Splits) -> ArmCost:
    # Where a search may choose a curriculum, it might choose it always.
    before = max(passes_before(config) for config in search_space(spec, arm, splits.updates_per_epoch).programs())
    rows = {purpose: splits.rows(purpose) * (before + spec.epochs) * spec.repeats for purpose in Purpose}
    finalists = min(spec.finalists, spec.trials) * spec.finalist_seeds
    search = rows[Purpose.SEARCH] * spec.trials * spec.seeds + rows[Purpose.FINALIST] * finalists
    evaluation = rows[Purpose.EVALUATION] * spec.confirm_seeds
    default = rows[Purpose.SEARCH] * spec.seeds + evaluation if arm.is_single else 0
    return ArmCost(arm.name, search, evaluation, default)


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
        from cooldown.search.executors.local import stop

        stop(self._executor)
