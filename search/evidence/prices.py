"""What a next step would take, from the training that the ledger has recorded.

Seconds by the clock, with a worker on each core of the machine that the experiment was created on: training, and the
start of the workers. What the sampler takes is not recorded, and left out.
"""

from collections.abc import Collection

from cooldown.search.evidence.summary import ArmSummary, arm_summaries
from cooldown.search.evidence.view import View

START_SECONDS = 2.0
"""From the command until the workers train."""


def price_of_repeats(view: View, repeats: int) -> float | None:
    """Of going on to so many repeats of every arm; None before a repeat is complete."""
    done = _complete_repeats(view)
    if not done:
        return None
    training = sum(_of_one_search(arm) for arm in arm_summaries(view)) / done + _references(view)
    return _by_the_clock(view, training * max(repeats - done, 0), len(view.arms) * max(repeats - done, 0))


def price_of_trials(view: View, trials: int) -> float | None:
    """Of going on to so many trials of every study, whose finalists and winner are trained again; None without any."""
    searched = sum(arm.search_seconds for arm in arm_summaries(view))
    again = sum(arm.evaluation_seconds for arm in arm_summaries(view))
    if not searched:
        return None
    training = searched * max(trials / view.spec.trials - 1, 0) + again
    return _by_the_clock(view, training, len(view.record.studies))


def price_of_arms(view: View, arms: Collection[str]) -> float | None:
    """Of searching these arms once more in every repeat; None where they have not been searched."""
    training = sum(arm.search_seconds + arm.evaluation_seconds for arm in arm_summaries(view) if arm.arm in arms)
    return _by_the_clock(view, training, len(arms) * view.spec.repeats) if training else None


def price_of_rest(view: View) -> float | None:
    """Of what an experiment that stopped before its end still lacks, by its trials; None without any."""
    total = len(view.arms) * view.spec.repeats * view.spec.trials
    trials = min(sum(len(study.trials) for study in view.record.studies), total)
    if not trials:
        return None
    training = sum(_of_one_search(arm) for arm in arm_summaries(view))
    return _by_the_clock(view, training * (total / trials - 1), len(view.record.studies))


def _of_one_search(arm: ArmSummary) -> float:
    """The training of an arm's searches, evaluations and default configs, without searches of other ranges."""
    return arm.search_seconds + arm.evaluation_seconds + arm.default_seconds


def _references(view: View) -> float:
    """The training of a repeat's references."""
    of_repeats = [sum(each.seconds for each in of_repeat) for of_repeat in view.record.references.values()]
    return sum(of_repeats) / len(of_repeats) if of_repeats else 0.0


def _complete_repeats(view: View) -> int:
    """The repeats that every arm has an evaluation of."""
    return min((arm.evaluated for arm in arm_summaries(view)), default=0)


def _by_the_clock(view: View, training: float, studies: int) -> float:
    """Core-seconds of training by the clock. studies: a study keeps one worker busy at a time."""
    cores = int(view.record.environment.get("cores") or 1)
    return round(START_SECONDS + training / max(min(cores, studies), 1), 1)
