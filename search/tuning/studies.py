"""The studies of an experiment: which are planned, what each needs next, and how much work it is."""

from dataclasses import replace

from cooldown.search.executors.parts import Size
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import Experiment
from cooldown.storage import Purpose, StudyKey, StudyRecord, TrialRecord

WEIGHTS = {Purpose.SEARCH: 3, Purpose.FINALIST: 3, Purpose.EVALUATION: 4}
"""Work per replicate: an evaluation trains on 80 % of the data, a search on 60 %."""


def planned(spec: Experiment) -> list[StudyKey]:
    """All studies of the spec: for each arm and repeat a search, and a study of the arm's default config.

    An arm with several optimizers or schedules has no default config.
    """
    repeats = range(spec.repeats)
    searches = [
        StudyKey(arm, repeat, attempt=len(spec.widened.get(arm, ()))) for arm in spec.arms for repeat in repeats
    ]
    default_configs = [
        StudyKey(arm.name, repeat, True) for arm in spec.parsed_arms if arm.is_single for repeat in repeats
    ]
    return searches + default_configs


def steps_of(key: StudyKey, spec: Experiment) -> list[tuple[Purpose, Size]]:
    """The jobs of a study of the spec, which are done one after another."""
    generation, pruned = spec.generation, spec.pruner != "none"
    counts = [1] if key.is_default else [min(generation, spec.trials - at) for at in range(0, spec.trials, generation)]
    steps = [(Purpose.SEARCH, Size(count, spec.seeds, pruned)) for count in counts]
    if not key.is_default:
        steps.append((Purpose.FINALIST, Size(min(spec.finalists, spec.trials), spec.finalist_seeds)))
    return [*steps, (Purpose.EVALUATION, Size(1, spec.confirm_seeds))]


def useful_workers(spec: Experiment) -> int:
    """How many workers a run can keep busy: those of each study's job that can be divided into the most parts."""
    return sum(max(size.most_parts for _, size in steps_of(key, spec)) for key in planned(spec))


def needs(study: StudyRecord, spec: Experiment) -> Purpose | None:
    """What a study needs next; None if it is complete."""
    if len(study.trials) < trials_of(study, spec):
        return Purpose.SEARCH
    if any(trial.finalist_loss is None for trial in finalists(study, spec)):
        return Purpose.FINALIST
    return None if study.evaluations else Purpose.EVALUATION


def trials_of(study: StudyRecord, spec: Experiment) -> int:
    """How many trials a study has when it is complete."""
    return spec.trials if not study.is_default else 1


def finalists(study: StudyRecord, spec: Experiment) -> tuple[TrialRecord, ...]:
    """The best trials of a complete search, one of which becomes the winner; none for a default config."""
    return study.best(spec.finalists) if not study.is_default else ()


def in_short(study: StudyRecord, spec: Experiment) -> StudyRecord:
    """A study with what a run still needs of it: its trials without the curves of its search, unless a pruner compares
    them. A run's memory would otherwise grow with every curve.
    """
    if spec.pruner != "none":
        return study
    return replace(study, trials=tuple(_without_search(trial) for trial in study.trials))


def _without_search(trial: TrialRecord) -> TrialRecord:
    if Purpose.SEARCH not in trial.curves:
        return trial
    return replace(trial, curves={of: curves for of, curves in trial.curves.items() if of is not Purpose.SEARCH})


def total_work(study: StudyRecord, spec: Experiment) -> int:
    """The total work of a study, in weighted replicates."""
    trials = trials_of(study, spec)
    replicates = {Purpose.SEARCH: trials * spec.seeds, Purpose.EVALUATION: spec.confirm_seeds}
    if not study.is_default:
        replicates[Purpose.FINALIST] = min(spec.finalists, trials) * spec.finalist_seeds
    return _length(study, spec) * sum(WEIGHTS[purpose] * count for purpose, count in replicates.items())


def work_done(study: StudyRecord, spec: Experiment) -> int:
    """The finished part of `total_work`. Finalists and winners count only once all trials are done, because they may
    change when a study is extended.
    """
    if needs(study, spec) is None:
        return total_work(study, spec)
    length = _length(study, spec)
    work = length * WEIGHTS[Purpose.SEARCH] * spec.seeds * len(study.trials)
    if len(study.trials) < trials_of(study, spec):
        return work
    trained = sum(trial.finalist_loss is not None for trial in finalists(study, spec))
    return work + length * WEIGHTS[Purpose.FINALIST] * spec.finalist_seeds * trained


def _length(study: StudyRecord, spec: Experiment) -> int:
    """What a replicate of the study weighs more where arms have epochs of their own: its epochs; else 1."""
    own = any(arm.epochs is not None for arm in spec.parsed_arms)
    return spec.epochs_of(Arm.parse(study.arm)) if own else 1
