"""`Result`: an experiment as the ledger has it, and what can be asked of it."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task
from cooldown.search.evidence.view import View
from cooldown.search.statistics.verdict import Verdict
from cooldown.storage import ExperimentRecord

if TYPE_CHECKING:
    import pandas

    from cooldown.search.evidence.alarms import Alarm


class Result:
    """An experiment as the ledger has it."""

    def __init__(self, record: ExperimentRecord) -> None:
        self.record = record
        self.name, self.status = record.name, record.status

    @cached_property
    def view(self) -> View:
        """The record, parsed once for all that is asked of it."""
        return View(self.record)

    @property
    def verdicts(self) -> list[Verdict]:
        """One verdict per pair of arms, the one that answers the question first."""
        from cooldown.search.evidence.verdict import pair_verdicts

        return list(pair_verdicts(self.view))

    @cached_property
    def alarms(self) -> "list[Alarm]":
        """Reasons to distrust the verdicts, each with what to do about it."""
        from cooldown.search.evidence.alarms import alarms

        return alarms(self.view, self.verdicts)

    @property
    def answer(self) -> str:
        """The answer in one sentence."""
        from cooldown.search.evidence.verdict import sentence

        return sentence(self.view)

    def best(self, arm: str) -> TrainConfig:
        """The arm's best config: of its studies' winners the one with the lowest validation loss, as compared with
        those of all arms in its repeat: a split may be an easy one.

        Raises InputError for an unknown arm or one without a finished trial.
        """
        from cooldown.search.evidence.losses import best_study

        arm = arm.removesuffix("+constant")
        if arm not in self.view.arms:
            raise unknown_name("arm", arm, self.view.arms)
        study = best_study(self.view, arm)
        if study is None or study.winner is None:
            raise InputError(f"the arm {arm!r} has no finished trial yet")
        return study.winner.config

    def frame(self) -> "pandas.DataFrame":
        """All trials as a table: a row per trial, a column per parameter."""
        from cooldown.search.evidence.trials import trials_frame

        return trials_frame(self.record)

    def trials(self) -> list[dict[str, Any]]:
        """All trials as rows: arm, repeat, trial, losses, scores, cost and parameters."""
        from cooldown.search.evidence.trials import trial_rows

        return trial_rows(self.record)

    def export(
        self,
        format: str,
        *,
        arm: str | None = None,
        repeat: int | None = None,
        trial: int | None = None,
        curves: bool = False,
        task: Task | None = None,
    ) -> str | bytes:
        """The best configuration, or the trials, in one of the formats of `cooldown export`.

        arm, repeat, trial: which one; by default the best arm's winner. curves: of a table, a row per epoch. task: what
        was tuned, where it was an object in Python: code is written for it. Raises InputError for what there is not and
        for a format that cannot express the configuration exactly. What has to be known of an export is warned of.
        """
        import warnings

        from cooldown.search.export import export

        made = export(self.view, format, arm=arm, repeat=repeat, trial=trial, curves=curves, task=task)
        for remark in made.remarks:
            warnings.warn(remark, stacklevel=2)
        return made.content

    def to_json(self) -> dict[str, Any]:
        """The document of `cooldown show --json`."""
        from cooldown.search.evidence.document import document

        return document(self.view)

    def __repr__(self) -> str:
        return f"<Result {self.name!r} ({self.status.value}): {self.answer}>"
