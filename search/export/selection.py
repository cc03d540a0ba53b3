"""Which trial is exported, in which format: what `cooldown export` and the dashboard's Export page call."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task
from cooldown.search.evidence.losses import best_study, winners_loss
from cooldown.search.evidence.view import View
from cooldown.search.export.format import Chosen, Exported, TableFormat
from cooldown.search.export.formats import get, names
from cooldown.search.spec.arms import Arm
from cooldown.storage import Status, StudyRecord, TrialRecord


def export(
    view: View,
    format: str,
    *,
    arm: str | None = None,
    repeat: int | None = None,
    trial: int | None = None,
    curves: bool = False,
    task: Task | None = None,
) -> Exported:
    """An experiment's configuration or trials in the format called `format`.

    arm, repeat, trial: which configuration; by default the best arm's, and of an arm or repeat its winner's; of a table
    the rows of these. task: what was tuned, where it was an object in Python. curves: of a table, one row per epoch of
    every replicate instead of one per trial. Raises InputError for a format, an arm, a repeat or a trial that there is
    not, and where the format cannot express the configuration.
    """
    written = get(format)
    if isinstance(written, TableFormat):
        from cooldown.search.evidence.trials import curves_frame, trials_frame

        name = None if arm is None else _arm(view, arm)
        _check_rows(view, name, repeat, trial)
        table = (curves_frame if curves else trials_frame)(view.record, name, repeat, trial)
        made = Exported(written.write(table))
    elif curves:
        raise InputError(f"curves are for the tables, {' and '.join(tables())}, not for {format}")
    else:
        made = written.write(replace(choose(view, arm, repeat, trial), given_task=task))
    if view.status is Status.DONE:
        return made
    so_far = f"the experiment {view.name!r} is {view.status.value}: this is what is there so far"
    return Exported(made.content, (so_far, *made.remarks))


def choose(view: View, arm: str | None = None, repeat: int | None = None, trial: int | None = None) -> Chosen:
    """The trial that these name: see `export`."""
    if arm is None:
        losses = {each: winners_loss(view, each) for each in view.arms}
        known = {each: loss for each, loss in losses.items() if loss is not None}
        if not known:
            raise InputError(f"the experiment {view.name!r} has no finished trial yet")
        name = min(known, key=lambda each: known[each])
    else:
        name = _arm(view, arm)
    study = _study(view, name, repeat)
    if trial is None:
        if study.winner is None:
            raise InputError(f"the arm {name!r} has no finished trial yet in repeat {study.repeat}")
        return Chosen(view, study, study.winner)
    if repeat is None and len(view.searches(name)) > 1:
        _check_rows(view, name, None, trial)
        raise InputError(f"trial {trial} is one of every repeat: name the repeat too, as in --repeat {study.repeat}")
    return Chosen(view, study, _trial(study, trial))


def _arm(view: View, arm: str) -> str:
    arms = view.arms
    try:
        name = arm if arm in arms else Arm.parse(str(arm)).name
    except InputError:
        name = arm
    if name not in arms:
        raise unknown_name("arm of this experiment", str(arm), arms)
    return name


def _study(view: View, arm: str, repeat: int | None) -> StudyRecord:
    if repeat is None:
        study = best_study(view, arm)
        if study is None:
            raise InputError(f"the arm {arm!r} has no finished trial yet")
        return study
    studies = {study.repeat: study for study in view.searches(arm)}
    if repeat not in studies:
        raise _no_repeat(repeat, f"the arm {arm!r}", list(studies))
    return studies[repeat]


def _trial(study: StudyRecord, number: int) -> TrialRecord:
    trials = {trial.number: trial for trial in study.trials}
    if number not in trials:
        raise _no_trial(number, f"repeat {study.repeat} of {study.arm!r}", list(trials))
    return trials[number]


def _check_rows(view: View, arm: str | None, repeat: int | None, trial: int | None) -> None:
    """Raise InputError where a table of these would be empty for a repeat or a trial that there is not."""
    where = "the experiment" if arm is None else f"the arm {arm!r}"
    studies = [study for study in view.record.studies if arm in (None, study.arm)]
    if repeat is not None:
        repeats = {study.repeat for study in studies}
        if repeat not in repeats:
            raise _no_repeat(repeat, where, list(repeats))
        studies, where = [study for study in studies if study.repeat == repeat], f"repeat {repeat} of {where}"
    if trial is not None:
        trials = {each.number for study in studies for each in study.trials}
        if trial not in trials:
            raise _no_trial(trial, where, list(trials))


def _no_repeat(repeat: int, where: str, repeats: Sequence[int]) -> InputError:
    known = f"has the repeats {', '.join(map(str, sorted(repeats)))}" if repeats else "has no repeats yet"
    return InputError(f"repeat {repeat}: {where} {known}")


def _no_trial(trial: int, where: str, trials: Sequence[int]) -> InputError:
    return InputError(f"trial {trial}: {where} has {f'trials 0 to {max(trials)}' if trials else 'no trials yet'}")


def named_after(path: Path | None, format: str | None = None) -> str:
    """The format that a file's suffix tells, "json" without a file, or `format` where the file may have it.

    Raises InputError where a suffix tells none or many, and where it is another format's.
    """
    found = [] if path is None else [name for name in names() if get(name).suffix == path.suffix.lower()]
    if format is not None:
        suffix = get(format).suffix
        if path is not None and found and format not in found:
            raise InputError(f"{path.name!r} would be read as {' or '.join(found)}: a {format} file ends in {suffix}")
        return format
    if path is None:
        return "json"
    if len(found) != 1:
        told = f"is one of {', '.join(found)}" if found else "tells no format"
        raise InputError(f"{path.name!r} {told}: say which with --format")
    return found[0]


def tables() -> list[str]:
    """The names of the formats of trials."""
    return [name for name in names() if isinstance(get(name), TableFormat)]
