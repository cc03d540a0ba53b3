"""Running an experiment to its end, extending it, and going on until it answers."""

from collections.abc import Callable
from dataclasses import dataclass

from cooldown.search.executors.contract import Executor
from cooldown.search.experiments.result import Result
from cooldown.search.spec.experiment import Experiment
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.splits import Splits
from cooldown.search.tuning.studies import planned
from cooldown.storage import ExperimentRecord, Ledger

Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Runs:
    """The runs of one experiment. executor: where it is trained. report: called after every step."""

    ledger: Ledger
    splits: Splits
    executor: Executor
    report: Report

    def run(self, name: str, spec: Experiment) -> Result:
        """Run the experiment `name` to the end of its spec."""
        from cooldown.search.tuning.runner import run

        run(self.ledger, name, spec, self.splits, self.executor, report=self.report)
        return Result(self.ledger.load(name))

    def extend(
        self, record: ExperimentRecord, before: Experiment, spec: Experiment, planned_step: bool = False
    ) -> None:
        """Extend an experiment that is done under the spec `before` to the larger `spec`.

        planned_step: whether its own plan asks for this, rather than a user.
        """
        old, new = before.to_json(), spec.to_json()
        changed = {key: old.get(key) for key in new if old.get(key) != new[key]}
        # With more repeats alone, the experiment is the same as one that had them from the start: no history is needed.
        history = list(record.extended_from)
        if history or not set(changed) <= {"repeats", "until"}:
            history.append({**changed, "planned": True} if planned_step else changed)
        self.ledger.extend(record.name, new, planned(spec), history)

    def extended(
        self, record: ExperimentRecord, before: Experiment, spec: Experiment, planned_step: bool = False
    ) -> Result:
        """The experiment extended as by `extend`, and run."""
        self.extend(record, before, spec, planned_step)
        return self.run(record.name, spec)

    def until_answered(self, result: Result, spec: Experiment) -> Result:
        """Go on with the plan of an experiment that is done under `spec`, until it answers or the plan ends."""
        from cooldown.search.experiments.plan import next_step

        while (larger := next_step(result.view, spec)) is not None:
            result, spec = self.extended(result.record, spec, larger, planned_step=True), larger
        return result


def worker_count(spec: Experiment, workers: int | None) -> int:
    """How many workers to start: at most one per study, because a study's jobs run one after another."""
    from cooldown.search.executors.opening import default_workers

    return min(workers or default_workers(), len(planned(spec)))
