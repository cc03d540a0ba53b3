"""The progress of an experiment, as the live display shows it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cooldown.search.spec.experiment import Experiment
from cooldown.search.tuning.reference_jobs import WORK
from cooldown.search.tuning.studies import needs, total_work, work_done
from cooldown.storage import StudyRecord


@dataclass(frozen=True)
class ArmProgress:
    """One arm's progress: trials and searches done, and the best validation loss so far (None without trials)."""

    arm: str
    trials: int
    trials_total: int
    studies: int
    studies_total: int
    best: float | None

    def advanced(self, before: StudyRecord, after: StudyRecord, spec: Experiment) -> "ArmProgress":
        """The arm's progress after its study changed from `before` to `after`."""
        new = after.trials[len(before.trials) :]
        known = [] if self.best is None else [self.best]
        return replace(
            self,
            trials=self.trials + len(new),
            studies=self.studies + (needs(after, spec) is None) - (needs(before, spec) is None),
            best=min([*known, *(trial.validation_loss for trial in new)], default=None),
        )


@dataclass(frozen=True)
class Progress:
    """A snapshot of a run of the experiment `name`.

    work, total: replicates trained and planned, weighted by their rows; work_before: those trained by earlier runs.
    compile_seconds: None until everything is compiled. started: when training started, on the monotonic clock.
    waiting: whether results wait because another program has locked the ledger, or its server does not answer.
    """

    name: str
    arms: tuple[ArmProgress, ...]
    work: int
    total: int
    work_before: int
    spec: Experiment
    compile_seconds: float | None = None
    started: float = field(default_factory=time.monotonic)
    waiting: bool = False

    @classmethod
    def of(cls, name: str, spec: Experiment, studies: Sequence[StudyRecord], references: int = 0) -> "Progress":
        """The progress of the experiment `name` with these studies. references: the repeats whose references are not
        trained yet.
        """
        total = sum(total_work(study, spec) for study in studies) + WORK * references
        work = sum(work_done(study, spec) for study in studies)
        return cls(name, tuple(_arm(arm, studies, spec) for arm in spec.arms), work, total, work, spec)

    @property
    def done(self) -> bool:
        """Whether everything has been trained."""
        return self.work == self.total

    def compiled(self, seconds: float) -> "Progress":
        """The progress after compiling for `seconds`; the time of training starts here."""
        return replace(self, compile_seconds=seconds, started=time.monotonic())

    def advanced(self, before: StudyRecord, after: StudyRecord) -> "Progress":
        """The progress after a study changed from `before` to `after`."""
        spec, searched = self.spec, not after.is_default
        arms = tuple(
            arm.advanced(before, after, spec) if searched and arm.arm == after.arm else arm for arm in self.arms
        )
        return replace(self, arms=arms, work=self.work + work_done(after, spec) - work_done(before, spec))

    def with_references(self) -> "Progress":
        """The progress after the references of a repeat were trained."""
        return replace(self, work=self.work + WORK)

    @property
    def seconds_left(self) -> float | None:
        """The estimated remaining seconds, from the speed of this run; None before its first result."""
        done = self.work - self.work_before
        if done <= 0:
            return None
        return (time.monotonic() - self.started) / done * (self.total - self.work)


def _arm(name: str, studies: Sequence[StudyRecord], spec: Experiment) -> ArmProgress:
    searches = [study for study in studies if study.arm == name and not study.is_default]
    losses = [trial.validation_loss for study in searches for trial in study.trials]
    return ArmProgress(
        name,
        len(losses),
        spec.trials * len(searches),
        sum(needs(study, spec) is None for study in searches),
        len(searches),
        min(losses, default=None),
    )
