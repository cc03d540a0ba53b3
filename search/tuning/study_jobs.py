"""The steps of studies as jobs: what workers get, in one piece or in parts, and what is needed to store the result."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.search.executors.contract import Executor
from cooldown.search.executors.jobs import Curves, Trained, train_replicates
from cooldown.search.executors.parts import Replicates, Size, gathered, joined, parted
from cooldown.search.tuning.sampling import Proposals
from cooldown.search.tuning.splits import Splits
from cooldown.storage import Purpose, StudyRecord, TrialRecord


@dataclass(frozen=True)
class Job:
    """One step of a study: what a worker gets, and what is needed to store its result."""

    study: StudyRecord
    purpose: Purpose
    configs: Sequence[TrainConfig]
    seeds: Sequence[int]
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
    def size(self) -> Size:
        """How many replicates it trains."""
        return self._replicates.size

    @property
    def _replicates(self) -> Replicates:
        return Replicates(self.configs, self.seeds, self.limits)

    def submitted(self, executor: Executor, splits: Splits, parts: int) -> Future[Trained[Curves]]:
        """Hand it to the executor, in so many parts if it has as many."""
        grid = parted(self._replicates, parts)
        what = train_replicates, splits.packed, self.purpose, self.study.repeat
        futures = [executor.submit(*what, *part) for row in grid for part in row]
        if len(futures) == 1:
            return futures[0]
        columns = len(grid[0])
        return gathered(futures, lambda found: joined([found[i : i + columns] for i in range(0, len(found), columns)]))
