"""Who trained what, and when: the work of an experiment's workers, job by job."""

from dataclasses import dataclass

from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.evidence.view import View, once
from cooldown.storage import Purpose, StudyRecord, WorkRecord
from cooldown.storage.fingerprint import everything

REFERENCES = "references"
"""What stands for an arm where the predictors beside the arms are trained."""

LONG = 0.5
"""A pause is cut out of the timeline from this share of the time of training on."""

CAPTION = (
    "A bar is a job: some trials of one study, its finalists, the evaluation of its winner, or a repeat's references. "
    "Between two bars a worker did nothing for this experiment: it waited, or worked on another one. Long pauses, in "
    "which no worker did anything for it, are cut out: a dotted line with their length stands for them."
)


@dataclass(frozen=True)
class DoneJob:
    """A job, or a part of one. worker: its machine and process. arm: or `REFERENCES`. what: it was, in words.
    trials: it trained, by repeat and number. begin, end: seconds since the first job began.
    """

    worker: str
    arm: str
    repeat: int
    what: str
    trials: frozenset[tuple[int, int]]
    begin: float
    end: float


@once
def done_jobs(view: View) -> tuple[DoneJob, ...]:
    """The jobs in order of their beginnings; none of an experiment of an older version, whose workers are not known."""
    work = sorted(view.record.work, key=lambda each: each.work.started)
    studies = {study.id: study for study in everything(view.record)}
    return tuple(_job(each, studies.get(each.study_id or 0), work[0].work.started) for each in work)


def _job(record: WorkRecord, study: StudyRecord | None, first: float) -> DoneJob:
    worker, started, ended = record.work
    times = started - first, ended - first
    if study is None:
        return DoneJob(worker, REFERENCES, record.repeat, REFERENCES, frozenset(), *times)
    numbers, what = _trained(record, study)
    trials = frozenset((record.repeat, number) for number in numbers)
    # A default config is no trial of a search, whose numbers it shares.
    of_default = frozenset[tuple[int, int]](), f"default config, {what}"
    trials, what = of_default if study.is_default else (trials, what)
    return DoneJob(worker, study.arm, record.repeat, what, trials, *times)


def _trained(record: WorkRecord, study: StudyRecord) -> tuple[list[int], str]:
    """The numbers of the trials that a job trained, and what it was."""
    if record.purpose is Purpose.SEARCH:
        numbers = [trial.number for trial in study.trials if trial.generation == record.generation]
        if len(numbers) > 1:
            return numbers, f"trials {min(numbers)} to {max(numbers)}"
        return numbers, "search" if study.is_default else f"trial {numbers[0]}" if numbers else "trials"
    numbers = [trial.number for trial in study.trials if record.purpose in trial.curves]
    return numbers, "finalists" if record.purpose is Purpose.FINALIST else "evaluation"


@dataclass(frozen=True)
class Pause:
    """A long time in which no worker did anything for an experiment, in seconds since the first job began."""

    begin: float
    end: float

    @property
    def length(self) -> float:
        """In seconds."""
        return self.end - self.begin


def pauses(jobs: tuple[DoneJob, ...]) -> tuple[Pause, ...]:
    """The pauses of the jobs, which are in order of their beginnings: each longer than `LONG` times the time in which
    some worker trained.
    """
    idle, until = [], 0.0
    for job in jobs:
        if job.begin > until:
            idle.append(Pause(until, job.begin))
        until = max(until, job.end)
    worked = until - sum(pause.length for pause in idle)
    return tuple(pause for pause in idle if pause.length > LONG * worked)


def without(seconds: float, cut: tuple[Pause, ...]) -> float:
    """A time since the first job began, without the pauses before it."""
    return seconds - sum(pause.length for pause in cut if pause.end <= seconds)


def busy(jobs: tuple[DoneJob, ...]) -> dict[str, float]:
    """By worker, in order of their first jobs, the share of the time from the first beginning to the last end, without
    the pauses, in which it trained.
    """
    whole = without(max(job.end for job in jobs), pauses(jobs)) or 1.0
    shares: dict[str, float] = {}
    for job in jobs:
        shares[job.worker] = shares.get(job.worker, 0.0) + (job.end - job.begin) / whole
    return shares


def work_table(view: View) -> Table:
    """A row for each job."""
    return Table(
        (
            Column("Worker"),
            ARM,
            Column("Repeat", Form.COUNT),
            Column("Job"),
            Column("Begins", Form.SECONDS, "s"),
            Column("Takes", Form.SECONDS, "s"),
        ),
        [(job.worker, job.arm, job.repeat, job.what, job.begin, job.end - job.begin) for job in done_jobs(view)],
        CAPTION,
    )
