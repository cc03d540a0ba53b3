"""The studies of an experiment: which there are, what one needs next, and how much work that is."""

from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import Experiment
from cooldown.storage import Purpose, StudyKey, StudyRecord, TrialRecord

WEIGHTS = {Purpose.SEARCH: 3, Purpose.FINALIST: 3, Purpose.EVALUATION: 4}
"""A replicate's share of the work: an evaluation trains on 80 % of the data instead of 60 %."""


def planned(experiment: Experiment) -> list[StudyKey]:
    """All studies that the spec asks for: of each arm and repeat a search, and the arm's default config without one.

    An arm with several optimizers or schedules has no default: there, choosing is the search.
    """
    repeats = range(experiment.repeats)
    searches = [
        StudyKey(arm, repeat, attempt=len(experiment.widened.get(arm, ())))
        for arm in experiment.arms
        for repeat in repeats
    ]
    one_shots = [
        StudyKey(arm.name, repeat, True) for arm in experiment.parsed_arms if single(arm) for repeat in repeats
    ]
    return searches + one_shots


def single(arm: Arm) -> bool:
    """Whether the arm is one optimizer with one schedule."""
    return len(arm.optimizers) == len(arm.schedules) == 1


def needs(study: StudyRecord, experiment: Experiment) -> Purpose | None:
    """What a study needs next; None where it is complete."""
    if len(study.trials) < trials_of(study, experiment):
        return Purpose.SEARCH
    if any(trial.finalist_loss is None for trial in finalists(study, experiment)):
        return Purpose.FINALIST
    return None if study.evaluations else Purpose.EVALUATION


def trials_of(study: StudyRecord, experiment: Experiment) -> int:
    """How many trials a study is to have."""
    return experiment.trials if not study.is_default else 1


def finalists(study: StudyRecord, experiment: Experiment) -> tuple[TrialRecord, ...]:
    """The trials of a study, once it has them all, of which one becomes the winner; a default config has no rivals."""
    return study.best(experiment.finalists) if not study.is_default else ()


def total_work(study: StudyRecord, experiment: Experiment) -> int:
    """The work that a study takes from its beginning to its end, in weighed replicates."""
    e, trials = experiment, trials_of(study, experiment)
    replicates = {Purpose.SEARCH: trials * e.seeds, Purpose.EVALUATION: e.confirm_seeds}
    if not study.is_default:
        replicates[Purpose.FINALIST] = min(e.finalists, trials) * e.finalist_seeds
    return sum(WEIGHTS[purpose] * count for purpose, count in replicates.items())


def work_done(study: StudyRecord, experiment: Experiment) -> int:
    """What of that is done. Finalists and winners count once all trials are in: those of a study that is given more
    trials may be others than before.
    """
    e = experiment
    if needs(study, e) is None:
        return total_work(study, e)
    work = WEIGHTS[Purpose.SEARCH] * e.seeds * len(study.trials)
    if len(study.trials) < trials_of(study, e):
        return work
    trained = sum(trial.finalist_loss is not None for trial in finalists(study, e))
    return work + WEIGHTS[Purpose.FINALIST] * e.finalist_seeds * trained
