"""Estimate the cost of an experiment from a short calibration: a small experiment of the same kind, run and timed.

The small experiment runs every step of the large one: sampler, workers, finalists, evaluation, ledger. It has one
generation per study, and as many repeats as keep all workers busy. The times of its jobs give those of the large one,
which are then scheduled on the workers as the runner would. If even the small experiment takes long, it is run with
fewer epochs, because the time is linear in them. A large table is timed on few of its rows, and its references with few
trees too. Where time is left, a few repeats show how much losses vary between them.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cooldown.objectives.records import mean_final_loss
from cooldown.search.executors.contract import Executor
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import Experiment, recorded_spec
from cooldown.search.tuning.costs import ArmCost, arm_cost
from cooldown.search.tuning.few_rows import FewRows, share_of
from cooldown.search.tuning.held import held
from cooldown.search.tuning.makespan import Kind, makespan
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.reference_times import TimedReferences, timed_references
from cooldown.search.tuning.runner import run
from cooldown.search.tuning.splits import Splits
from cooldown.search.tuning.studies import planned, steps_of, useful_workers
from cooldown.storage import Ledger, Purpose

BUDGET = 20.0
"""Approximate seconds that the calibration may take, if it can be that short."""

EPOCHS = 3
"""Epochs that are timed where they have few rows."""

LEAST = 5
"""Epochs that each repeat has at least, or all of them, where several are timed for the sake of their losses."""


@dataclass(frozen=True)
class Estimate:
    """The estimated time and cost of an experiment.

    seconds: from the command to the first look at the answer, after so many `repeats`, with this number of workers.
    most_repeats, most_seconds: of an experiment that goes on until it answers, if it takes all of its looks and widens
    no range; else the same. start_seconds: the part of it in which workers start and kernels are compiled.
    calibration_seconds: duration of the estimate itself. epochs: of the timed runs, at most. losses: of each arm the
    test loss of its winner in each repeat of the timed runs; none of a large table, which is timed on few rows.
    """

    task: str
    workers: int
    repeats: int
    seconds: float
    most_repeats: int
    most_seconds: float
    start_seconds: float
    calibration_seconds: float
    epochs: int
    arms: tuple[ArmCost, ...]
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def gradient_evaluations(self) -> int:
        """Gradient evaluations of all arms until the first look."""
        return sum(arm.total for arm in self.arms)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        arms = [{**asdict(arm), "total": arm.total} for arm in self.arms]
        return {**asdict(self), "gradient_evaluations": self.gradient_evaluations, "arms": arms}


def estimate(spec: Experiment, splits: Splits, executor: Executor) -> Estimate:
    """The time and cost of the experiment `spec`. splits: of its task. The runs of the calibration are not stored."""
    return estimates([(spec, splits)], executor)[0]


def estimates(plans: Sequence[tuple[Experiment, Splits]], executor: Executor, most: int = 1) -> list[Estimate]:
    """The times and costs of experiments that differ in their trials and repeats alone, from one calibration. plans: at
    least one spec with its splits. most: repeats of the calibration for the sake of its losses, if there is time.
    """
    began = time.perf_counter()
    spec, splits = plans[0]
    workers = min(executor.workers, useful_workers(spec))
    references = timed_references(splits) if spec.protocol > 1 else None
    share = share_of(splits, spec)
    first = _timed(spec, splits, workers, executor, 1, references)
    left = BUDGET - (time.perf_counter() - began)
    longest = max(spec.epochs_of(arm) for arm in spec.parsed_arms)
    if share == 1:
        # The rest of the budget decides how many epochs of a run are timed, and of how many repeats.
        fitting = int(left / max(first.seconds, 1e-3))
        repeats = max(min(most, fitting // min(longest, LEAST)), 1)
        epochs = max(min(longest, fitting // repeats), 1)
    else:
        # Enough to tell apart what a run takes beside its epochs. Losses on few rows vary more than those on all.
        epochs, repeats = min(longest, EPOCHS), 1
    again = epochs > 1 or repeats > 1
    last = _timed(spec, splits, workers, executor, epochs, references, repeats) if again else first
    small = _small(spec, workers, epochs, repeats)
    # The overhead of a job (transfer, ledger, waiting) does not depend on its size.
    in_small = 0.0 if references else last.references
    idle = (last.seconds - makespan(small, last.replicates, workers, references=in_small)) * workers
    overhead = max(idle, 0.0) / sum(len(steps_of(key, small)) for key in planned(small))
    full = {
        kind: _full(spec, kind, epochs, first.replicates[kind], last.replicates[kind], share)
        for kind in last.replicates
    }
    took = time.perf_counter() - began

    def seconds(of: Experiment) -> float:
        return first.start + makespan(of, full, workers, overhead, last.references)

    found = []
    for each, its in plans:
        longest_plan = recorded_spec({**each.to_json(), "repeats": max(each.looks, default=each.repeats)})
        found.append(
            Estimate(
                task=its.task.name,
                workers=workers,
                repeats=each.repeats,
                seconds=seconds(each),
                most_repeats=longest_plan.repeats,
                most_seconds=seconds(longest_plan),
                start_seconds=first.start,
                calibration_seconds=took,
                epochs=epochs,
                arms=tuple(arm_cost(arm, each, its) for arm in each.parsed_arms),
                losses=last.losses if share == 1 else {},
            )
        )
    return found


@dataclass(frozen=True)
class _Timing:
    """The times of a small experiment in seconds. start: until everything was compiled. seconds: from then to the end.
    replicates: the mean time of one replicate of each kind, on few rows if the table is large. references: that of a
    repeat's references. losses: as of its `Estimate`.
    """

    start: float
    seconds: float
    replicates: Mapping[Kind, float]
    references: float = 0.0
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)


def _full(spec: Experiment, kind: Kind, timed: int, shortest: float, longest: float, share: float) -> float:
    """The time of a replicate that is trained to its last epoch. timed: the most epochs of a timed run. share: of the
    rows in one of its epochs.
    """
    epochs = spec.epochs_of(Arm.parse(kind[0]))
    return _at(epochs / share, min(timed, epochs), shortest, longest)


def _at(epochs: float, timed: int, shortest: float, longest: float) -> float:
    """The time for `epochs`, on the line through the times for 1 and `timed` epochs; with timed = 1, through 0."""
    slope = max(longest - shortest, 0.0) / (timed - 1) if timed > 1 else longest
    return longest + slope * (epochs - timed)


def _small(spec: Experiment, workers: int, epochs: int, repeats: int = 1) -> Experiment:
    """The spec with one generation and one finalist per study, and no more repeats than keep the workers busy, or than
    these.
    """
    changes = {
        "repeats": max(min(spec.repeats, -(-workers // len(spec.arms))), repeats),
        "looks": (),
        "primary": None,
        "trials": min(spec.generation, spec.trials),
        "finalists": 1,
        "epochs": min(epochs, spec.epochs),
        "pruner": "none",
    }
    return recorded_spec({**spec.to_json(), **changes})


def _shortened(spec: Experiment, epochs: int) -> Experiment:
    """The spec with at most `epochs` epochs in the arms that have a number of their own; these get other names."""
    arms = []
    for place, arm in enumerate(spec.parsed_arms):
        if arm.epochs is not None:
            settings = {**dict(arm.settings), "epochs": min(arm.epochs, epochs)}
            # Arms that differ in their epochs alone stay different.
            arm = replace(arm, label=f"arm-{place}-of-dry-run", settings=tuple(settings.items()))
        arms.append(arm.name)
    return recorded_spec({**spec.to_json(), "arms": arms})


def _timed(
    spec: Experiment,
    splits: Splits,
    workers: int,
    executor: Executor,
    epochs: int,
    known: TimedReferences | None = None,
    repeats: int = 1,
) -> _Timing:
    """Run the small experiment to its end, and measure it. known: its references, where they are not to be trained.
    repeats: how many it has at least.
    """
    small = _shortened(_small(spec, workers, epochs, repeats), epochs)
    names = dict(zip(small.arms, spec.arms, strict=True))
    began, compiled = time.monotonic(), 0.0

    def report(progress: Progress) -> None:
        nonlocal compiled
        if progress.compile_seconds is not None and not compiled:
            compiled = time.monotonic()

    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{Path(folder) / 'dry-run.db'}")
        ledger.create("dry run", small.to_json(), "", planned(small))
        with held(ledger.hold("dry run")) as writer:
            if known is not None:
                for repeat in range(small.repeats):
                    writer.append_references(repeat, known.found)
            few = FewRows(splits.task, small, share_of(splits, small))
            run(writer, ledger.load("dry run"), small, few, executor, report=report)
        ended, record = time.monotonic(), ledger.load("dry run")
    spent: dict[Kind, list[float]] = {}
    for study in (*record.studies, *record.default_configs):
        for purpose in Purpose:
            seconds = [curve.seconds for curve in study.curves(purpose)]
            spent.setdefault((names[study.arm], study.is_default, purpose), []).extend(seconds)
    means = {kind: sum(seconds) / len(seconds) for kind, seconds in spent.items() if seconds}
    losses: dict[str, list[float]] = {}
    for study in sorted(record.studies, key=lambda study: study.repeat):
        losses.setdefault(names[study.arm], []).append(mean_final_loss(study.evaluations))
    of_references = [sum(each.seconds for each in of_repeat) for of_repeat in record.references.values()]
    references = sum(of_references) / max(len(of_references), 1) if known is None else known.seconds
    return _Timing(compiled - began, ended - compiled, means, references, losses)
