"""`Result`: the recorded state of an experiment, with its answer, verdicts, trials and exports."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task
from cooldown.objectives.trust import reading
from cooldown.search.evidence.view import View
from cooldown.search.statistics.verdict import Verdict
from cooldown.storage import ExperimentRecord, Status

if TYPE_CHECKING:
    import pandas

    from cooldown.search.evidence.alarm import Alarm
    from cooldown.search.evidence.answer import Answer
    from cooldown.search.experiments.plots import Plots


class Result:
    """The recorded state of an experiment. view: what is read from its record, once. task: the Task object that was
    tuned, if it was one, as after `compare`; the record has only its name. trust: whether a module that the record
    names may be imported for an export of its task.

    Raises UnreadableError for a record whose spec cannot be read.
    """

    def __init__(self, record: ExperimentRecord, task: Task | None = None, *, trust: bool = False) -> None:
        self.record, self.task = record, task
        self.name, self.status = record.name, record.status
        self.view, self._trust = View(record), trust

    @property
    def was_ended(self) -> bool:
        """Whether `pause`, `stop` or `cancel` has ended its run early. A limit of its own has a message."""
        return self.status in (Status.PAUSED, Status.STOPPED, Status.CANCELLED) and not self.record.message

    @property
    def plot(self) -> "Plots":
        """The figures: `result.plot.verdict()`, `.curves()`, `.budget()`, …"""
        from cooldown.search.experiments.plots import Plots

        return Plots(self.view)

    @property
    def verdicts(self) -> list[Verdict]:
        """One verdict per pair of arms; the first answers the question."""
        from cooldown.search.evidence.verdict import pair_verdicts

        return list(pair_verdicts(self.view))

    @cached_property
    def alarms(self) -> "list[Alarm]":
        """Reasons to doubt the verdicts, each with what to do about it."""
        from cooldown.search.evidence.alarms import alarms

        return alarms(self.view, self.verdicts)

    @property
    def answer(self) -> "Answer":
        """The answer: its question, word, sentence and next step; as text, the sentence."""
        from cooldown.search.evidence.answer import answer

        return answer(self.view)

    @property
    def scope(self) -> str | None:
        """A sentence if the answer speaks of certain test rows only, as of a test set of the user's own; else None."""
        from cooldown.search.evidence.scope import scope

        return scope(self.view)

    def best(self, arm: str) -> TrainConfig:
        """The arm's best config: the winner whose validation loss is furthest below that of the other arms in the same
        repeat, because one split can be easier than another.

        Raises InputError for an unknown arm, or an arm without a finished trial.
        """
        from cooldown.search.evidence.losses import best_study

        arm = self.view.spec.arm_called(arm)
        study = best_study(self.view, arm)
        if study is None or study.winner is None:
            raise InputError(f"arm {arm!r} has no finished trial yet")
        return study.winner.config

    def fit_best(self, arm: str | None = None, n_seeds: int = 1, *, task: Task | None = None) -> Any:
        """A model for new rows: the best config, trained on all rows of the task.

        For tables and arrays it is a fitted scikit-learn `Pipeline`, preprocessing included. For a table it takes
        tables in memory, with columns by name in any order, read as the training table was; for arrays, X as it was
        given. It gives labels in their own type and probabilities, or numbers in the target's own units. For a model of
        your own it is what was trained: the `nn.Module`, the Keras model, the parameters for JAX, or those (size,) of a
        `from_model`.

        arm: whose winner, as in `export`; None for the best arm. n_seeds: the number of networks, whose predictions are
        averaged; those of a model of your own are a list, without any that diverged. task: the Task object that was
        tuned, if the experiment was loaded. A run that depends on its held-out loss watches a fifth of the rows, or
        your own validation rows, and is not trained on these. Raises InputError for an unknown arm, data that have
        changed, and a training loop of your own, which keeps its model.
        """
        from dataclasses import replace

        from cooldown.search.export import choose

        with reading(self._trust):
            return replace(choose(self.view, arm), given_task=task or self.task).fitted(n_seeds)

    def frame(self) -> "pandas.DataFrame":
        """All trials as a DataFrame: a row per trial, a column per parameter."""
        from cooldown.search.evidence.trials import trials_frame

        return trials_frame(self.record)

    def trials(self) -> list[dict[str, Any]]:
        """All trials as dicts: arm, repeat, trial, losses, scores, cost and parameters."""
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
        seeds: int | None = None,
        task: Task | None = None,
    ) -> str | bytes:
        """The best configuration, its model, or the trials, in one of the formats of `cooldown export`.

        arm, repeat, trial: which configuration; by default the best arm's winner. curves: for csv and parquet, a row
        per epoch. seeds: for joblib and onnx, the number of networks whose predictions are averaged. task: the Task
        object that was tuned, if the experiment was loaded. Raises InputError for an unknown arm, repeat or trial,
        and for a format that cannot express the configuration exactly. Remarks are issued as warnings.
        """
        import warnings

        from cooldown.search.export import export

        with reading(self._trust):
            exported = export(
                self.view,
                format,
                arm=arm,
                repeat=repeat,
                trial=trial,
                curves=curves,
                seeds=seeds,
                task=task or self.task,
            )
        for remark in exported.remarks:
            warnings.warn(remark, stacklevel=2)
        return exported.content

    def to_json(self) -> dict[str, Any]:
        """The document of `cooldown show --json`."""
        from cooldown.search.evidence.document import document

        return document(self.view)

    def __repr__(self) -> str:
        return f"<Result {self.name!r} ({self.status.value}): {self.answer}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the answer, the arms, and every pair."""
        from cooldown.search.experiments.html import as_html

        return as_html(self.view)
