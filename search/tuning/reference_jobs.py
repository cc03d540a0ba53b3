"""The references of an experiment as jobs: one for each repeat, on the rows of its evaluations.

If any arm reacts, each seed of an evaluation has rows of its own to train on: the references get those of the first.
"""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import ClassVar

from cooldown.objectives.records import Reference
from cooldown.search.executors.contract import Executor
from cooldown.search.executors.jobs import Trained, train_references
from cooldown.search.executors.parts import WHOLE, Size
from cooldown.search.spec.experiment import Experiment
from cooldown.search.tuning.splits import Splits
from cooldown.storage import ExperimentRecord

WORK = 4
"""The work of a repeat's references, as that of one replicate of an evaluation (studies.WEIGHTS)."""


@dataclass(frozen=True)
class ReferenceJob:
    """The references of one repeat: what a worker gets."""

    repeat: int
    names: tuple[str, ...]
    size: ClassVar[Size] = WHOLE

    @property
    def name(self) -> str:
        """The job's name in messages."""
        return f"the references of repeat {self.repeat}"

    def submitted(self, executor: Executor, splits: Splits, parts: int) -> Future[Trained[list[Reference]]]:  # noqa: ARG002
        """Hand it to the executor, as a whole."""
        return executor.submit(train_references, splits.packed, self.repeat, self.names)


def reference_job(splits: Splits, repeat: int) -> ReferenceJob:
    """The job of a repeat's references."""
    return ReferenceJob(repeat, splits.task.references)


def missing_references(record: ExperimentRecord, spec: Experiment, splits: Splits) -> list[int]:
    """The repeats that have no references yet. Experiments of protocol 1 have none, nor have tasks that name none."""
    if spec.protocol == 1 or not splits.task.references:
        return []
    return [repeat for repeat in range(spec.repeats) if repeat not in record.references]
