"""Run the studies of an experiment on an executor, and write the results to the ledger. Resuming is the same function.

What a study needs next follows from its record alone: trials, then finalists, then the winner's evaluation. Each of
these steps is one job for a worker and one transaction in the ledger; so are the references of a repeat. Jobs that were
in flight when a run ended are repeated by the next run, with the same results.
"""

import time
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import CooldownWarning, InputError
from cooldown.objectives.records import Curve, Reference
from cooldown.search.executors.jobs import TrainingError, compile_packed, train_packed
from cooldown.search.executors.local import stop
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.space import Space, search_space
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.pruning import limits
from cooldown.search.tuning.reference_jobs import ReferenceJob, missing_references, reference_job
from cooldown.search.tuning.sampling import Default, Generation, Proposals
from cooldown.search.tuning.splits import Splits
from cooldown.search.tuning.studies import finalists, in_short, needs
from cooldown.storage import (
    ExperimentRecord,
    LeaseLostError,
    Ledger,
    NewTrial,
    Purpose,
    StudyRecord,
    TrialRecord,
)
from cooldown.storage.environment import warn_of_changes
from cooldown.storage.writer import Writer

MAX_DEATHS = 3
"""How many times a worker may die of the same job, running alone, before the experiment fails."""

AT_START = "before its first job"


class RunError(RuntimeError):
    """An experiment that cannot continue: its model raised, its worker died repeatedly, or the disk is full."""


@dataclass(frozen=True)
class Job:
    """One step of a study: what a worker gets, and what is needed to store its result."""

    study: StudyRecord
    purpose: Purpose
    configs: Sequence[TrainConfig]
    seeds: Sequence[int]
    problem: bytes
    generation: Proposals | None = None
    limits: NDArray[np.float64] | None = None
    trials: Sequence[TrialRecord] = ()
    started: float = 0.0

    @property
    def name(self) -> str:
        """The job's name in messages."""
        part = f"generation {self.generation.index}" if self.generation else self.purpose.value
        default = "/default" if self.study.is_default else ""
        return f"{part} of study {self.study.arm}/{self.study.repeat}{default}"

    @property
    def call(self) -> tuple[Callable[..., Any], *tuple[Any, ...]]:
        """What a worker runs."""
        every_epoch = self.purpose is not Purpose.EVALUATION
        return train_packed, self.problem, self.configs, self.seeds, every_epoch, self.limits


def run(
    ledger: Ledger,
    name: str,
    spec: Experiment,
    splits: Splits,
    open_executor: Callable[[], Executor],
    *,
    queue: int,
    report: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Do the remaining work of the experiment `name`, and report after every step.

    open_executor: called at the start, and again whenever an executor breaks. queue: how many jobs are submitted at a
    time, enough that no worker waits. Raises LedgerError if another process runs the experiment, and RunError if it
    cannot continue. Work that was finished before an error or KeyboardInterrupt is in the ledger.
    """
    with closing(steps(ledger, name, spec, splits, open_executor, queue=queue, report=report)) as waiting:
        for running in waiting:
            wait(running, return_when=FIRST_COMPLETED)


def steps(
    ledger: Ledger,
    name: str,
    spec: Experiment,
    splits: Splits,
    open_executor: Callable[[], Executor],
    *,
    queue: int,
    report: Callable[[Progress], None] = lambda _: None,
) -> Generator[Collection[Future[Any]], None, None]:
    """`run` for a caller that waits itself: yields the jobs in flight, and goes on when at least one of them is done.

    Closing it interrupts the experiment.
    """
    with ExitStack() as stack:
        writer = stack.enter_context(ledger.hold(name))
        try:
            yield from _Runner(writer, ledger.load(name), spec, splits, open_executor, queue, report).steps()
            writer.finish(spec.repeats)
            stack.close()
        except (InputError, LeaseLostError) as error:
            raise RunError(str(error)) from error


class _Runner:
    def __init__(
        self,
        writer: Writer,
        record: ExperimentRecord,
        spec: Experiment,
        splits: Splits,
        open_executor: Callable[[], Executor],
        queue: int,
        report: Callable[[Progress], None],
    ) -> None:
        self.writer, self.spec, self.splits = writer, spec, splits
        self.open_executor, self.queue, self.report = open_executor, queue, report
        self.environment = record.environment
        studies = [*record.studies, *record.default_configs]
        self.unfinished = {study.id: in_short(study, spec) for study in studies if needs(study, spec)}
        self.references = missing_references(record, spec, splits)
        self.running: dict[Future[Any], Job | ReferenceJob] = {}
        self.suspects: list[Job | ReferenceJob] = []
        self.deaths: Counter[str] = Counter()
        self.progress = Progress.of(record.name, spec, studies, references=len(self.references))
        writer.on_wait = lambda: report(replace(self.progress, waiting=True))

    @cached_property
    def spaces(self) -> dict[str, Space]:
        return {
            arm.name: search_space(self.spec, arm, self.splits.updates_per_epoch(arm)) for arm in self.spec.parsed_arms
        }

    def steps(self) -> Iterator[Collection[Future[Any]]]:
        """Work until all studies and references are complete; yields the jobs in flight whenever one must end first."""
        self.report(self.progress)
        if not self.unfinished and not self.references:
            return
        if self.progress.work:
            warn_of_changes(self.progress.name, self.environment)
        executor = self.open_executor()
        try:
            self._compile(executor)
            while True:
                try:
                    self._submit(executor)
                    if not self.running:
                        break
                    yield self.running.keys()
                    self._collect()
                except BrokenExecutor:
                    self._suspect()
                    stop(executor)
                    executor = self.open_executor()
        finally:
            stop(executor)

    def _compile(self, executor: Executor) -> None:
        """Compile before the first job: else two workers would both do it, and the remaining time would be unknown."""
        configs = list(dict.fromkeys(config for space in self.spaces.values() for config in space.programs()))
        try:
            compiled = executor.submit(compile_packed, self.splits.packed(Purpose.SEARCH, 0), configs).result()
        except BrokenExecutor:
            # What killed the worker here will do so again in a job, whose name the message then contains.
            return
        except TrainingError as error:
            raise RunError(f"training failed: {error}") from error
        for remark in compiled.remarks:
            warnings.warn(remark, CooldownWarning, stacklevel=2)
        self.progress = self.progress.compiled(compiled.seconds)
        self.report(self.progress)

    def _submit(self, executor: Executor) -> None:
        """Submit jobs up to the queue's length; after a worker's death, one suspect at a time."""
        if self.suspects:
            if not self.running:
                self._start(executor, self.suspects.pop(0))
            return
        jobs = self.running.values()
        busy = {job.study.id for job in jobs if isinstance(job, Job)}
        waiting = [study for study in self.unfinished.values() if study.id not in busy]
        # Repeat by repeat, so that there is a first comparison before all repeats are done; references fill what a
        # repeat leaves free.
        waiting.sort(key=lambda study: (study.repeat, len(study.trials), study.id))
        started = {job.repeat for job in jobs if isinstance(job, ReferenceJob)}
        repeats = [repeat for repeat in self.references if repeat not in started]
        for _ in range(self.queue - len(self.running)):
            if waiting and not (repeats and repeats[0] < waiting[0].repeat):
                self._start(executor, self._job(waiting.pop(0)))
            elif repeats:
                self._start(executor, reference_job(self.splits, repeats.pop(0)))

    def _start(self, executor: Executor, job: Job | ReferenceJob) -> None:
        try:
            function, *arguments = job.call
            future = executor.submit(function, *arguments)
        except BrokenExecutor:
            self.suspects.append(job)
            raise
        self.running[future] = job

    def _job(self, study: StudyRecord) -> Job:
        spec, purpose = self.spec, needs(study, self.spec)
        assert purpose is not None
        seeds, now = self.splits.seeds(purpose, study.repeat), time.time()
        problem = self.splits.packed(purpose, study.repeat)
        if purpose is Purpose.SEARCH:
            generation: Proposals
            if study.is_default:
                generation = Default(self.spaces[study.arm])
            else:
                size = min(spec.generation, spec.trials - len(study.trials))
                generation = Generation(study, self.spaces[study.arm], spec.sampler, spec.seed, size)
            configs = [proposal.config for proposal in generation.proposals]
            numbers = [proposal.number for proposal in generation.proposals]
            allowed = limits(spec.pruner, study, numbers, configs, self.spaces[study.arm].epochs, spec.seed)
            return Job(study, purpose, configs, seeds, problem, generation=generation, limits=allowed, started=now)
        if purpose is Purpose.FINALIST:
            trials = [trial for trial in finalists(study, spec) if trial.finalist_loss is None]
        else:
            assert study.winner is not None
            trials = [study.winner]
        configs = [trial.config for trial in trials]
        return Job(study, purpose, configs, seeds, problem, trials=trials, started=now)

    def _collect(self) -> None:
        """Append all finished jobs to the ledger."""
        errors = {future: future.exception() for future in self.running if future.done()}
        for future, error in errors.items():
            if error is None:
                job, result = self.running.pop(future), future.result()
                if isinstance(job, ReferenceJob):
                    self._append_references(job, result)
                else:
                    self._append(job, result)
                self.deaths.pop(f"on {job.name}", None)
                self.deaths.pop(AT_START, None)
                self.report(self.progress)
        for future, error in errors.items():
            if isinstance(error, BrokenExecutor):
                raise error
            if error is not None:
                raise RunError(f"training failed in {self.running.pop(future).name}: {error}") from error

    def _append(self, job: Job, curves: list[list[Curve]]) -> None:
        if job.generation is not None:
            notes, state = job.generation.tell(curves)
            trials = [
                NewTrial(
                    proposal.number,
                    proposal.parameters,
                    proposal.distributions,
                    note,
                    proposal.config,
                    of_trial,
                    job.started,
                )
                for proposal, note, of_trial in zip(job.generation.proposals, notes, curves, strict=True)
            ]
            study = self.writer.append_generation(job.study, job.generation.index, trials, state)
        else:
            by_trial = {trial.id: of_trial for trial, of_trial in zip(job.trials, curves, strict=True)}
            study = self.writer.append_curves(job.study, job.purpose, by_trial)
        if needs(study, self.spec):
            self.unfinished[study.id] = in_short(study, self.spec)
        else:
            del self.unfinished[study.id]
        self.progress = self.progress.advanced(job.study, study)

    def _append_references(self, job: ReferenceJob, references: list[Reference]) -> None:
        self.writer.append_references(job.repeat, references)
        self.references.remove(job.repeat)
        self.progress = self.progress.with_references()

    def _suspect(self) -> None:
        """After a worker's death: repeat each job that was in flight alone, to find the one that causes it."""
        lost = list(self.running.values())
        self.running.clear()
        if len(lost) < 2:
            where = f"on {lost[0].name}" if lost else AT_START
            self.deaths[where] += 1
            if self.deaths[where] >= MAX_DEATHS:
                raise RunError(
                    f"a worker process died {MAX_DEATHS} times {where}; is there enough memory, or was it killed? "
                    "Finished work is kept"
                )
        self.suspects = lost + self.suspects
