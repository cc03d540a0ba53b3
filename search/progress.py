"""How far an experiment is: what the live display shows."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from search.spec import Experiment
from storage import Purpose, StudyRecord

EVALUATION_WEIGHT = 4 / 3
"""An evaluation trains on train + validation rows: 80 % of the data instead of 60 %."""


@dataclass(frozen=True)
class ArmProgress:
    """One arm's line: trials and studies done, and the best validation loss so far (None before the first trial)."""

    arm: str
    trials: int
    trials_total: int
    studies: int
    studies_total: int
    best: float | None


@dataclass(frozen=True)
class Progress:
    """A snapshot of a run of the experiment `name`.

    work, total: replicates trained and to train, weighed by their rows. compile_seconds: None until all is compiled.
    """

    name: str
    arms: tuple[ArmProgress, ...]
    work: float
    total: float
    compile_seconds: float | None = None
    started: float = field(default_factory=time.monotonic)
    work_before: float = 0.0
    _studies: tuple[StudyRecord, ...] = ()

    @classmethod
    def of(cls, name: str, experiment: Experiment, studies: Sequence[StudyRecord]) -> "Progress":
        """The progress of the experiment `name`, whose studies are these."""
        e = experiment
        per_study = e.trials * e.seeds + min(e.finalists, e.trials) * e.finalist_seeds
        total = len(studies) * (per_study + e.confirm_seeds * EVALUATION_WEIGHT)
        work = sum(map(_work, studies))
        arms = tuple(_arm(arm, studies, e) for arm in e.arms)
        return cls(name, arms, work, total, work_before=work, _studies=tuple(studies))

    def compiled(self, seconds: float) -> "Progress":
        """The same after compiling for `seconds`; the clock of the work starts here."""
        return replace(self, compile_seconds=seconds, started=time.monotonic())

    def advanced(self, study: StudyRecord, experiment: Experiment) -> "Progress":
        """The same with `study` as it now stands."""
        studies = tuple(study if each.id == study.id else each for each in self._studies)
        arms = tuple(_arm(arm.arm, studies, experiment) if arm.arm == study.arm else arm for arm in self.arms)
        return replace(self, arms=arms, work=sum(map(_work, studies)), _studies=studies)

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the speed so far; None before there is one."""
        done = self.work - self.work_before
        if done <= 0:
            return None
        return (time.monotonic() - self.started) / done * (self.total - self.work)


def _work(study: StudyRecord) -> float:
    return sum(
        len(curves) * (EVALUATION_WEIGHT if purpose is Purpose.EVALUATION else 1.0)
        for trial in study.trials
        for purpose, curves in trial.curves.items()
    )


def _arm(name: str, studies: Sequence[StudyRecord], experiment: Experiment) -> ArmProgress:
    own = [study for study in studies if study.arm == name]
    losses = [trial.validation_loss for study in own for trial in study.trials]
    return ArmProgress(
        name,
        len(losses),
        experiment.trials * len(own),
        sum(bool(study.evaluations) for study in own),
        len(own),
        min(losses, default=None),
    )
