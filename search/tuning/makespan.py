"""How long the jobs of an experiment take on some workers, handed out and divided as the runner does it."""

import heapq
from collections.abc import Mapping
from typing import NamedTuple

from cooldown.search.executors.parts import WHOLE, Size
from cooldown.search.spec.experiment import Experiment
from cooldown.search.tuning.studies import planned, steps_of
from cooldown.storage import Purpose, StudyKey

Kind = tuple[str, bool, Purpose]
"""Replicates that take the same time: arm, whether it is the default config, purpose."""

_Job = tuple[float, Size]
"""The seconds of each of its replicates, and how many these are."""


class _Series(NamedTuple):
    """The jobs of a study that are still to be done, in the runner's order. number: among all. ready: since when."""

    repeat: int
    done: int
    number: int
    ready: float
    jobs: tuple[_Job, ...]


def makespan(
    spec: Experiment, replicates: Mapping[Kind, float], workers: int, overhead: float = 0.0, references: float = 0.0
) -> float:
    """The seconds until all studies are done, if a free worker always takes the next job in the runner's order, and
    workers that are left over take parts of jobs.

    replicates: the seconds of a replicate of each kind. overhead: seconds that each job takes in addition to its
    training. references: seconds of a repeat's references.
    """

    def jobs(key: StudyKey) -> tuple[_Job, ...]:
        of_kind = {purpose: replicates.get((key.arm, key.is_default, purpose), 0.0) for purpose in Purpose}
        return tuple((of_kind[purpose], size) for purpose, size in steps_of(key, spec))

    series = [(key.repeat, jobs(key)) for key in planned(spec)]
    if references:
        series += [(repeat, ((references, WHOLE),)) for repeat in range(spec.repeats)]
    waiting = [_Series(repeat, 0, number, 0.0, of_one) for number, (repeat, of_one) in enumerate(series)]
    free = [0.0] * workers
    end = 0.0
    while waiting:
        now = max(free[0], min(each.ready for each in waiting))
        able = [each for each in waiting if each.ready <= now]
        chosen = min(able)
        waiting.remove(chosen)
        seconds, size = chosen.jobs[0]
        # Workers that are left over are shared out to the jobs that can be divided.
        divisible = sum(each.jobs[0][1] != WHOLE for each in able)
        idle = sum(since <= now for since in free) - (len(able) - divisible)
        grid = size.divided(-(-idle // max(divisible, 1)))
        after = now + seconds * size.largest(grid) + overhead
        end = max(end, after)
        for _ in range(grid[0] * grid[1]):
            heapq.heapreplace(free, after)
        if chosen.jobs[1:]:
            waiting.append(_Series(chosen.repeat, chosen.done + 1, chosen.number, after, chosen.jobs[1:]))
    return end
