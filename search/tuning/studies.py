"""The studies of an experiment: which there are, what one needs next, and how much work that is."""

from cooldown.search.spec.experiment import Experiment
from cooldown.storage import Purpose, StudyKey, StudyRecord, TrialRecord

WEIGHTS = {Purpose.SEARCH: 3, Purpose.FINALIST: 3, Purpose.EVALUATION: 4}
"""A replicate's share of the work: an evaluation trains on 80 % of the data instead of 60 %."""


def planned(spec: Experiment) -> list[StudyKey]:
    """All studies that the spec asks for: of each arm and repeat a search, and the arm's default config without one.

    An arm with several optimizers or schedules has no default: there, choosing is the search.
    """
    repeats = range(spec.repeats)
    searches = [
        StudyKey(arm, repeat, attempt=len(spec.widened.get(arm, ()))) for arm in spec.arms for repeat in repeats
    ]
    default_configs = [
        StudyKey(arm.name, repeat, True) for arm in spec.parsed_arms if arm.is_single for repeat in repeats
    ]
    return searches + default_configs


def needs(study: StudyRecord, spec: Experiment) -> Purpose | None:
    """What a study needs next; None where it is complete."""
    if len(study.trials) < trials_of(study, spec):
        return Purpose.SEARCH
    if any(trial.finalist_loss is None for trial in finalists(study, spec)):
        return Purpose.FINALIST
    return None if study.evaluations else Purpose.EVALUATION


def trials_of(study: StudyRecord, spec: Experiment) -> int:
    """How many trials a study is to have."""
    return spec.trials if not study.is_default else 1


def finalists(study: StudyRecord, spec: Experiment) -> tuple[TrialRecord, ...]:
    """The trials of a study, once it has them all, of which one becomes the winner; a default config has no rivals."""
    return study.best(spec.finalists) if not study.is_default else ()


def total_work(study: StudyRecord, spec: Experiment) -> int:
    """The work that a study takes from its beginning to its end, in weighed replicates."""
    trials = trials_of(study, spec)
    replicates = {Purpose.SEARCH: trials * spec.seeds, Purpose.EVALUATION: spec.confirm_seeds}
    if not study.is_default:
        replicates[Purpose.FINALIST] = min(spec.finalists, trials) * spec.finalist_seeds
    return sum(WEIGHTS[purpose] * count for purpose, count in replicates.items())


def work_done(study: StudyRecord, spec: Experiment) -> int:
    """What of that is done. Finalists and winners count once all trials are in: those of a study that is given more
    trials may be others than before.
    """
    if needs(study, spec) is None:
        return total_work(study, spec)
    work = WEIGHTS[Purpose.SEARCH] * spec.seeds * len(study.trials)
    if len(study.trials) < trials_of(study, spec):
        return work
    trained = sum(trial.finalist_loss is not None for trial in finalists(study, spec))
    return work + WEIGHTS[Purpose.FINALIST] * spec.finalist_seeds * trained
