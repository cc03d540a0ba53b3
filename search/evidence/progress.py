"""How far a run is: each arm's trials, what was found so far, what diverged, and what is left to train."""

from cooldown.search.evidence.numbers import Form, duration, formatted
from cooldown.search.evidence.summary import arm_summaries
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.evidence.view import View, once
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.studies import total_work, work_done

DONE = "Done"
"""The title of the column with the shares that are done, 0 to 1."""


@once
def progress(view: View) -> Progress:
    """How far the experiment is."""
    return Progress.of(view.name, view.spec, (*view.record.studies, *view.record.default_configs))


def seconds_left(view: View) -> float | None:
    """The seconds until all that is planned so far is done, at the speed of the experiment's runs; None before the
    first result.
    """
    now = progress(view)
    if not now.work or not view.record.queue.seconds:
        return None
    return view.record.queue.seconds / now.work * (now.total - now.work)


def progress_table(view: View) -> Table:
    """Each arm: its work that is done, its trials, the best so far, what diverged, and what is left."""
    columns = (
        ARM,
        Column(DONE, Form.SHARE),
        Column("Trials"),
        Column("Best val. loss", Form.LOSS),
        Column("Diverged", Form.SHARE),
        Column("Training left"),
    )
    summaries = {summary.arm: summary for summary in arm_summaries(view)}
    rows = []
    for arm in progress(view).arms:
        studies = [study for study in (*view.record.studies, *view.record.default_configs) if study.arm == arm.arm]
        work, total = (sum(of(study, view.spec) for study in studies) for of in (work_done, total_work))
        of_arm = summaries[arm.arm]
        seconds = of_arm.search_seconds + of_arm.evaluation_seconds + of_arm.default_seconds
        left = formatted(None) if not work else duration(seconds / work * (total - work)) if work < total else "none"
        trials = f"{arm.trials:,} of {arm.trials_total:,}"
        rows.append((arm.arm, round(work / total, 2), trials, arm.best, of_arm.diverged if arm.trials else None, left))
    return Table(
        columns,
        rows,
        "Each arm so far: searches, finalists, evaluations and the default config. Diverged: share of the replicates "
        "of its searches. Training left is for one core.",
    )
