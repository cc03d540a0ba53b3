"""How far an experiment is: what the live display shows."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cooldown.search.spec.experiment import Experiment
from cooldown.search.tuning.studies import needs, total_work, work_done
from cooldown.storage import StudyRecord


@dataclass(frozen=True)
class ArmProgress:
    """One arm's line: trials and searches done, and the best validation loss so far (None before the first trial)."""

    arm: str
    trials: int
    trials_total: int
    studies: int
    studies_total: int
    best: float | None

    def advanced(self, before: StudyRecord, after: StudyRecord, experiment: Experiment) -> "ArmProgress":
        """The same once its study `before` stands as `after`."""
        new = after.trials[len(before.trials) :]
        known = [] if self.best is None else [self.best]
        return replace(
            self,
            trials=self.trials + len(new),
            studies=self.studies + (needs(after, experiment) is None) - (needs(before, experiment) is None),
            best=min([*known, *(trial.validation_loss for trial in new)], default=None),
        )


@dataclass(frozen=True)
class Progress:
    """A snapshot of a run of the experiment `name`.

    work, total: replicates trained and to train, weighed by their rows; work_before: those of earlier runs.
    compile_seconds: None until all is compiled. started: since when this run trains, by the monotonic clock.
    """

    name: str
    arms: tuple[ArmProgress, ...]
    work: int
    total: int
    work_before: int
    experiment: Experiment
    compile_seconds: float | None = None
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, name: str, experiment: Experiment, studies: Sequence[StudyRecord]) -> "Progress":
        """The progress of the experiment `name`, whose studies are these."""
        e = experiment
        total = sum(total_work(study, e) for study in studies)
        work = sum(work_done(study, e) for study in studies)
        return cls(name, tuple(_arm(arm, studies, e) for arm in e.arms), work, total, work, e)

    @property
    def done(self) -> bool:
        """Whether everything has been trained."""
        return self.work == self.total

    def compiled(self, seconds: float) -> "Progress":
        """The same after compiling for `seconds`; the clock of the work starts here."""
        return replace(self, compile_seconds=seconds, started=time.monotonic())

    def advanced(self, before: StudyRecord, after: StudyRecord) -> "Progress":
        """The same once the study `before` stands as `after`."""
        e = self.experiment
        searched = not after.is_default
        arms = tuple(arm.advanced(before, after, e) if searched and arm.arm == after.arm else arm for arm in self.arms)
        return replace(self, arms=arms, work=self.work + work_done(after, e) - work_done(before, e))

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the speed so far; None before there is one."""
        done = self.work - self.work_before
        if done <= 0:
            return None
        return (time.monotonic() - self.started) / done * (self.total - self.work)


def _arm(name: str, studies: Sequence[StudyRecord], experiment: Experiment) -> ArmProgress:
    own = [study for study in studies if study.arm == name and not study.is_default]
    losses = [trial.validation_loss for study in own for trial in study.trials]
    return ArmProgress(
        name,
        len(losses),
        experiment.trials * len(own),
        sum(needs(study, experiment) is None for study in own),
        len(own),
        min(losses, default=None),
    )
