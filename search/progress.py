"""How far an experiment is: what the live display shows."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from search.spec import Experiment
from storage import Purpose, StudyRecord

WEIGHTS = {Purpose.SEARCH: 3, Purpose.FINALIST: 3, Purpose.EVALUATION: 4}
"""A replicate's share of the work: an evaluation trains on 80 % of the data instead of 60 %."""


@dataclass(frozen=True)
class ArmProgress:
    """One arm's line: trials and studies done, and the best validation loss so far (None before the first trial)."""

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
            studies=self.studies + _complete(after, experiment) - _complete(before, experiment),
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
        replicates = {
            Purpose.SEARCH: e.trials * e.seeds,
            Purpose.FINALIST: min(e.finalists, e.trials) * e.finalist_seeds,
            Purpose.EVALUATION: e.confirm_seeds,
        }
        total = len(studies) * sum(WEIGHTS[purpose] * count for purpose, count in replicates.items())
        work = sum(_work(study, e) for study in studies)
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
        arms = tuple(arm.advanced(before, after, e) if arm.arm == after.arm else arm for arm in self.arms)
        return replace(self, arms=arms, work=self.work + _work(after, e) - _work(before, e))

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the speed so far; None before there is one."""
        done = self.work - self.work_before
        if done <= 0:
            return None
        return (time.monotonic() - self.started) / done * (self.total - self.work)


def _work(study: StudyRecord, e: Experiment) -> int:
    """What of a study's work is done. Finalists and winners count once all trials are in: those of a study that is
    given more trials may be others than before.
    """
    work = WEIGHTS[Purpose.SEARCH] * e.seeds * len(study.trials)
    if len(study.trials) < e.trials:
        return work
    finalists = sum(trial.finalist_loss is not None for trial in study.best(e.finalists))
    work += WEIGHTS[Purpose.FINALIST] * e.finalist_seeds * finalists
    return work + WEIGHTS[Purpose.EVALUATION] * e.confirm_seeds * _complete(study, e)


def _complete(study: StudyRecord, e: Experiment) -> bool:
    """Whether a study has all its trials, finalists, and the evaluation of its winner."""
    return (
        len(study.trials) >= e.trials
        and all(trial.finalist_loss is not None for trial in study.best(e.finalists))
        and bool(study.evaluations)
    )


def _arm(name: str, studies: Sequence[StudyRecord], experiment: Experiment) -> ArmProgress:
    own = [study for study in studies if study.arm == name]
    losses = [trial.validation_loss for study in own for trial in study.trials]
    return ArmProgress(
        name,
        len(losses),
        experiment.trials * len(own),
        sum(_complete(study, experiment) for study in own),
        len(own),
        min(losses, default=None),
    )
