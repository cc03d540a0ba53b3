"""Choose a trial and a format, and export it: what `cooldown export` and the dashboard's Export page call."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cooldown.objectives import tasks
from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task
from cooldown.search.evidence.losses import best_study, winners_loss
from cooldown.search.evidence.view import View
from cooldown.search.export.format import Chosen, Exported, Format, ModelFormat, TableFormat, Unopened
from cooldown.search.export.formats import get, names
from cooldown.storage import Status, StudyRecord, TrialRecord


def export(
    view: View,
    format: str,
    *,
    arm: str | None = None,
    repeat: int | None = None,
    trial: int | None = None,
    curves: bool = False,
    seeds: int | None = None,
    task: Task | None = None,
    opens: bool = True,
) -> Exported:
    """An experiment's configuration or trials in the format called `format`.

    arm, repeat, trial: which configuration, by default the winner of the best arm and repeat; for a table, which rows.
    task: the Task object that was tuned, if it was one. curves: for a table, one row per epoch of every replicate
    instead of one per trial. seeds: for a model, the number of networks whose predictions are averaged, 1 by default.
    opens: whether a task that is not built in may be opened, where the format needs it: not on behalf of others.

    Raises InputError for an unknown format, arm, repeat or trial, for a setting that the format does not have, and if
    the format cannot express the configuration.
    """
    entry = get(format)
    _check_setting("curves", curves, format, TableFormat)
    _check_setting("seeds", seeds is not None, format, ModelFormat)
    if isinstance(entry, TableFormat):
        from cooldown.search.evidence.trials import curves_frame, trials_frame

        name = None if arm is None else view.spec.arm_called(arm)
        _check_rows(view, name, repeat, trial)
        table = (curves_frame if curves else trials_frame)(view.record, name, repeat, trial)
        exported = Exported(entry.write(table))
    else:
        chosen = replace(choose(view, arm, repeat, trial), given_task=task)
        if not opens and view.spec.task not in tasks.names():
            chosen = Unopened(view, chosen.study, chosen.trial)
        if isinstance(entry, ModelFormat):
            exported = entry.write(chosen, 1 if seeds is None else seeds)
        else:
            exported = entry.write(chosen)
    if view.status is Status.DONE:
        return exported
    so_far = f"experiment {view.name!r} is {view.status.value}; the export contains its results so far"
    return Exported(exported.content, (so_far, *exported.remarks))


def choose(view: View, arm: str | None = None, repeat: int | None = None, trial: int | None = None) -> Chosen:
    """The trial to export; arguments and errors as for `export`."""
    if arm is None:
        losses = {name: winners_loss(view, name) for name in view.arms}
        known = {name: loss for name, loss in losses.items() if loss is not None}
        if not known:
            raise InputError(f"experiment {view.name!r} has no finished trial yet")
        name = min(known, key=lambda name: known[name])
    else:
        name = view.spec.arm_called(arm)
    study = _study(view, name, repeat)
    if trial is None:
        if study.winner is None:
            raise InputError(f"arm {name!r} has no finished trial yet in repeat {study.repeat}")
        return Chosen(view, study, study.winner)
    if repeat is None and len(view.searches(name)) > 1:
        _check_rows(view, name, None, trial)
        raise InputError(f"trial {trial} exists in every repeat; choose one, for example --repeat {study.repeat}")
    return Chosen(view, study, _trial(study, trial))


def _study(view: View, arm: str, repeat: int | None) -> StudyRecord:
    if repeat is None:
        study = best_study(view, arm)
        if study is None:
            raise InputError(f"arm {arm!r} has no finished trial yet")
        return study
    studies = {study.repeat: study for study in view.searches(arm)}
    if repeat not in studies:
        raise _no_repeat(repeat, f"arm {arm!r}", list(studies))
    return studies[repeat]


def _trial(study: StudyRecord, number: int) -> TrialRecord:
    trials = {trial.number: trial for trial in study.trials}
    if number not in trials:
        raise _no_trial(number, f"repeat {study.repeat} of {study.arm!r}", list(trials))
    return trials[number]


def _check_rows(view: View, arm: str | None, repeat: int | None, trial: int | None) -> None:
    """Raise InputError for a repeat or a trial that does not exist, instead of an empty table."""
    where = "the experiment" if arm is None else f"arm {arm!r}"
    studies = [study for study in view.record.studies if arm in (None, study.arm)]
    if repeat is not None:
        repeats = {study.repeat for study in studies}
        if repeat not in repeats:
            raise _no_repeat(repeat, where, list(repeats))
        studies, where = [study for study in studies if study.repeat == repeat], f"repeat {repeat} of {where}"
    if trial is not None:
        numbers = {candidate.number for study in studies for candidate in study.trials}
        if trial not in numbers:
            raise _no_trial(trial, where, list(numbers))


def _no_repeat(repeat: int, where: str, repeats: Sequence[int]) -> InputError:
    known = f"has repeats {', '.join(map(str, sorted(repeats)))}" if repeats else "has no repeats yet"
    return InputError(f"there is no repeat {repeat}: {where} {known}")


def _no_trial(trial: int, where: str, trials: Sequence[int]) -> InputError:
    known = f"trials 0 to {max(trials)}" if trials else "no trials yet"
    return InputError(f"there is no trial {trial}: {where} has {known}")


def named_after(path: Path | None, format: str | None = None) -> str:
    """`format` if given, else the format of the file's suffix, else "json".

    Raises InputError if the suffix belongs to another format, and without `format` if it belongs to none or to several.
    """
    matching = [] if path is None else [name for name in names() if get(name).suffix == path.suffix.lower()]
    if format is not None:
        suffix = get(format).suffix
        if path is not None and matching and format not in matching:
            raise InputError(
                f"{path.name!r} has the suffix of {' or '.join(matching)}; a {format} file ends in {suffix}"
            )
        return format
    if path is None:
        return "json"
    if len(matching) != 1:
        reason = f"could be {', '.join(matching)}" if matching else "has no known suffix"
        raise InputError(f"{path.name!r} {reason}; choose the format with --format")
    return matching[0]


def of_kind(kind: type[Format]) -> list[str]:
    """The names of the formats of one kind."""
    return [name for name in names() if isinstance(get(name), kind)]


def _check_setting(setting: str, given: bool, format: str, kind: type[Format]) -> None:
    """Raise InputError for a setting of another kind of format."""
    if given and not isinstance(get(format), kind):
        *others, last = of_kind(kind)
        listed = f"{', '.join(others)} and {last}" if others else last
        raise InputError(f"{setting}: available for {listed}, not for {format}")
