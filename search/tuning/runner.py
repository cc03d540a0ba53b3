"""Run the studies of an experiment on an executor, and write the results to the ledger. Resuming is the same function.

What a study needs next follows from its record alone: trials, then finalists, then the winner's evaluation. Each of
these steps is one job for a worker and one transaction in the ledger; so are the references of a repeat. Jobs that were
in flight when a run ended are repeated by the next run, with the same results.
"""

import time
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from functools import cached_property
from typing import Any

from cooldown.objectives.errors import CooldownWarning
from cooldown.objectives.records import Reference
from cooldown.search.executors.contract import Executor, JobError, UnfitError, WorkerLostError
from cooldown.search.executors.jobs import Curves, Trained, arithmetic, compile_programs
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.space import Space, search_space
from cooldown.search.tuning.held import RunError, UnfitMachineError, run_errors
from cooldown.search.tuning.history import History
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.pruning import limits
from cooldown.search.tuning.reference_jobs import ReferenceJob, missing_references, reference_job
from cooldown.search.tuning.sampling import Default, Generation, Proposals
from cooldown.search.tuning.splits import Splits
from cooldown.search.tuning.studies import finalists, in_short, needs
from cooldown.search.tuning.study_jobs import Job
from cooldown.storage import (
    ExperimentRecord,
    NewTrial,
    Purpose,
    StudyRecord,
)
from cooldown.storage.environment import warn_of_changes
from cooldown.storage.writer import Ending, Writer

MAX_DEATHS = 3
"""How many times a worker may die of the same job, and of no other, before the experiment fails."""


LOOK = 1.0
"""Seconds between two looks at what the run is asked for, while no job ends."""


def run(
    writer: Writer,
    record: ExperimentRecord,
    spec: Experiment,
    splits: Splits,
    executor: Executor,
    *,
    report: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Do the remaining work of a held experiment, and report after every step.

    `Writer.outcome` says afterwards how it ended: done, or as `Writer.ending` said, with nothing in flight. After an
    error, or where it was cancelled, jobs may be left in the executor, which its owner closes. Raises RunError if it
    cannot continue. Work that was finished before an error or KeyboardInterrupt is in the ledger.
    """
    for running in steps(writer, record, spec, splits, executor, report=report):
        wait(running, LOOK, return_when=FIRST_COMPLETED)


def steps(
    writer: Writer,
    record: ExperimentRecord,
    spec: Experiment,
    splits: Splits,
    executor: Executor,
    *,
    report: Callable[[Progress], None] = lambda _: None,
) -> Iterator[Collection[Future[Any]]]:
    """`run` for a caller that waits itself: yields the jobs in flight, and goes on when one of them is done, or when
    the caller has waited long enough.
    """
    with run_errors():
        yield from _Runner(writer, record, spec, splits, executor, report).steps()


class _Runner:
    def __init__(
        self,
        writer: Writer,
        record: ExperimentRecord,
        spec: Experiment,
        splits: Splits,
        executor: Executor,
        report: Callable[[Progress], None],
    ) -> None:
        self.writer, self.spec, self.splits = writer, spec, splits
        self.executor, self.report = executor, report
        self.environment = record.environment
        studies = [*record.studies, *record.default_configs]
        self.unfinished = {study.id: in_short(study, spec) for study in studies if needs(study, spec)}
        self.histories: dict[int, History] = {}
        self.references = missing_references(record, spec, splits)
        self.running: dict[Future[Any], Job | ReferenceJob] = {}
        self.workers_of: dict[Future[Any], int] = {}
        self.again: list[Job | ReferenceJob] = []
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
        """Work until all studies and references are complete, or the run is to end; yields the jobs in flight whenever
        one must end first.
        """
        self.report(self.progress)
        if self.unfinished or self.references:
            try:
                yield from self._work()
            except WorkerLostError as error:
                raise RunError(f"no worker is left: {error}. Finished work is kept") from error
        if not self.unfinished and not self.references:
            self.writer.finish(self.spec.repeats)

    def _work(self) -> Iterator[Collection[Future[Any]]]:
        if self.progress.work:
            warn_of_changes(self.progress.name, self.environment)
        if self._ends() is None:
            self._compile()
        while True:
            ending = self._ends()
            if ending is None:
                self._submit()
            if not self.running or (ending is not None and ending.at_once):
                return
            yield self.running.keys()
            ending = self._ends()
            if ending is None or not ending.at_once:
                self._collect()

    def _ends(self) -> Ending | None:
        """Why no further job is begun; None to go on. Those in flight are still collected, or dropped."""
        self.writer.outcome = self.writer.ending()
        return self.writer.outcome

    def _compile(self) -> None:
        """Compile before the first job: else two workers would both do it, and the remaining time would be unknown."""
        configs = list(dict.fromkeys(config for space in self.spaces.values() for config in space.programs()))
        digest = self._arithmetic()
        done = self.executor.prepare(compile_programs, self.splits.packed, configs, digest)
        error = done.exception()
        if isinstance(error, WorkerLostError):
            # What killed the worker here will do so again in a job, whose name the message then contains.
            return
        if isinstance(error, UnfitError):
            raise UnfitMachineError(f"{self.progress.name} cannot be continued on this machine: {error}") from error
        if error is not None:
            raise RunError(f"training failed: {error}") from error
        compiled = done.result()
        for remark in compiled.remarks:
            warnings.warn(remark, CooldownWarning, stacklevel=2)
        self.progress = self.progress.compiled(compiled.seconds)
        self.report(self.progress)

    def _arithmetic(self) -> str:
        """The arithmetic digest of the machines that train this experiment: that of its first worker's."""
        if "arithmetic" in self.environment:
            return str(self.environment["arithmetic"])
        for _attempt in range(MAX_DEATHS):
            done = self.executor.submit(arithmetic, self.splits.packed)
            if not isinstance(done.exception(), WorkerLostError):
                break
        try:
            digest = str(done.result())
        except JobError as error:
            raise RunError(f"training failed: {error}") from error
        self.writer.record_arithmetic(digest, begins=not self.progress.work)
        return digest

    def _submit(self) -> None:
        """Submit as many jobs as the executor takes; after a worker's death, one suspect at a time."""
        if self.suspects:
            if not self.running:
                self._start(self.suspects.pop(0))
            return
        jobs = [*self.running.values(), *self.again]
        busy = {job.study.id for job in jobs if isinstance(job, Job)}
        waiting = [study for study in self.unfinished.values() if study.id not in busy]
        # Repeat by repeat, so that there is a first comparison before all repeats are done; references fill what a
        # repeat leaves free.
        waiting.sort(key=lambda study: (study.repeat, len(study.trials), study.id))
        started = {job.repeat for job in jobs if isinstance(job, ReferenceJob)}
        repeats = [repeat for repeat in self.references if repeat not in started]
        for _ in range(self.executor.capacity - len(self.running)):
            # Where there are fewer jobs to do than workers, those that are left over train the parts of others' jobs.
            free = self.executor.workers - sum(self.workers_of.values()) - len(repeats)
            if self.again:
                self._start(self.again.pop(0))
            elif waiting and not (repeats and repeats[0] < waiting[0].repeat):
                parts = max(-(-free // len(waiting)), 1)
                self._start(self._job(waiting.pop(0)), parts)
            elif repeats:
                self._start(reference_job(self.splits, repeats.pop(0)))

    def _start(self, job: Job | ReferenceJob, parts: int = 1) -> None:
        submitted = job.submitted(self.executor, self.splits, parts)
        self.running[submitted], self.workers_of[submitted] = job, job.size.parts(parts)

    def _job(self, study: StudyRecord) -> Job:
        spec, purpose = self.spec, needs(study, self.spec)
        assert purpose is not None
        seeds, now = self.splits.seeds(purpose, study.repeat), time.time()
        if purpose is Purpose.SEARCH:
            generation: Proposals
            if study.is_default:
                generation = Default(self.spaces[study.arm])
            else:
                size = min(spec.generation, spec.trials - len(study.trials))
                history = self.histories.setdefault(study.id, History())
                generation = Generation(study, self.spaces[study.arm], spec.sampler, spec.seed, size, history)
            configs = [proposal.config for proposal in generation.proposals]
            numbers = [proposal.number for proposal in generation.proposals]
            allowed = limits(spec.pruner, study, numbers, configs, self.spaces[study.arm].epochs, spec.seed)
            return Job(study, purpose, configs, seeds, generation=generation, limits=allowed, started=now)
        if purpose is Purpose.FINALIST:
            trials = [trial for trial in finalists(study, spec) if trial.finalist_loss is None]
        else:
            assert study.winner is not None
            trials = [study.winner]
        configs = [trial.config for trial in trials]
        return Job(study, purpose, configs, seeds, trials=trials, started=now)

    def _collect(self) -> None:
        """Append all finished jobs to the ledger."""
        done = {future: self.running.pop(future) for future in list(self.running) if future.done()}
        for future, job in done.items():
            del self.workers_of[future]
            if future.exception() is None:
                if isinstance(job, ReferenceJob):
                    self._append_references(job, future.result())
                else:
                    self._append(job, future.result())
                self.deaths.pop(job.name, None)
                self.report(self.progress)
        for future, job in done.items():
            error = future.exception()
            if isinstance(error, WorkerLostError):
                self._lost(job, error)
            elif error is not None:
                raise RunError(f"training failed in {job.name}: {error}") from error

    def _append(self, job: Job, trained: Trained[Curves]) -> None:
        curves, work = trained
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
            study = self.writer.append_generation(job.study, job.generation.index, trials, state, work)
        else:
            by_trial = {trial.id: of_trial for trial, of_trial in zip(job.trials, curves, strict=True)}
            study = self.writer.append_curves(job.study, job.purpose, by_trial, work)
        if needs(study, self.spec) is not Purpose.SEARCH:
            self.histories.pop(study.id, None)
        if needs(study, self.spec):
            self.unfinished[study.id] = in_short(study, self.spec)
        else:
            del self.unfinished[study.id]
        self.progress = self.progress.advanced(job.study, study)

    def _append_references(self, job: ReferenceJob, trained: Trained[list[Reference]]) -> None:
        self.writer.append_references(job.repeat, *trained)
        self.references.remove(job.repeat)
        self.progress = self.progress.with_references()

    def _lost(self, job: Job | ReferenceJob, loss: WorkerLostError) -> None:
        """After a worker's death: do the job again, and alone if it may have caused the death that took others along.

        Raises RunError if workers keep dying of it.
        """
        if loss.jobs > 1:
            self.suspects.append(job)
            return
        self.deaths[job.name] += 1
        if self.deaths[job.name] >= MAX_DEATHS:
            raise RunError(
                f"a worker process died {MAX_DEATHS} times on {job.name}; is there enough memory, or was it killed? "
                "Finished work is kept"
            )
        # It ran alone, or others beside it have gone on.
        (self.again if self.running else self.suspects).insert(0, job)
