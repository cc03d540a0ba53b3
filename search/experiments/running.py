"""Running an experiment to its end, extending it, and going on until it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cooldown.search.executors.contract import Executor
from cooldown.search.experiments.result import Result
from cooldown.search.spec.experiment import Experiment
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.splits import Splits
from cooldown.search.tuning.studies import planned, useful_workers
from cooldown.storage import ExperimentRecord, Ledger, Status
from cooldown.storage.writer import Writer

Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Runs:
    """The runs of one experiment, which `writer` holds. executor: where it is trained. report: called after every step.

    Where a run ends before its time, as after `cooldown pause`, there are no further ones: the result is not done.
    """

    ledger: Ledger
    writer: Writer
    splits: Splits
    executor: Executor
    report: Report

    def run(self, spec: Experiment) -> Result:
        """Run the experiment to the end of its spec."""
        from cooldown.search.tuning.runner import run

        run(self.writer, self.ledger.load(self._name), spec, self.splits, self.executor, report=self.report)
        return self.result()

    def to_end(self, record: ExperimentRecord, spec: Experiment, *, plan: bool = True) -> Result:
        """Run the experiment to the end of its spec, if it is not done; and then, with `plan`, of its plan."""
        result = Result(record) if record.status is Status.DONE else self.run(spec)
        return self.until_answered(result, spec) if plan else result

    def result(self) -> Result:
        """What there is now. An experiment that has all that its spec asks for is done, whatever follows; its ledger
        gets the alarms of the answer, for lists.
        """
        record = self.ledger.load(self._name)
        if not self.writer.finished:
            return Result(record)
        done = Result(replace(record, status=Status.DONE))
        self.writer.record_alarms([(alarm.kind, alarm.arm) for alarm in done.alarms])
        return done

    def extend(
        self, record: ExperimentRecord, before: Experiment, spec: Experiment, planned_step: bool = False
    ) -> None:
        """Extend an experiment that is done under the spec `before` to the larger `spec`.

        planned_step: whether its own plan asks for this, rather than a user.
        """
        self.writer.extend(spec.to_json(), planned(spec), history(record, before, spec, planned_step))

    def extended(
        self, record: ExperimentRecord, before: Experiment, spec: Experiment, planned_step: bool = False
    ) -> Result:
        """The experiment extended as by `extend`, and run."""
        self.extend(record, before, spec, planned_step)
        return self.run(spec)

    def until_answered(self, result: Result, spec: Experiment) -> Result:
        """Go on with the plan of an experiment under `spec`, until it answers or the plan ends."""
        from cooldown.search.experiments.plan import next_step

        while result.status is Status.DONE and (larger := next_step(result.view, spec)) is not None:
            result, spec = self.extended(result.record, spec, larger, planned_step=True), larger
        return result

    @property
    def _name(self) -> str:
        return self.writer.lease.name


def history(
    record: ExperimentRecord, before: Experiment, spec: Experiment, planned_step: bool = False
) -> list[Mapping[str, Any]]:
    """`ExperimentRecord.extended_from` after an extension of the spec `before` to the larger `spec`."""
    old, new = before.to_json(), spec.to_json()
    changed = {key: old.get(key) for key in new if old.get(key) != new[key]}
    steps = list(record.extended_from)
    # With more repeats alone, the experiment is the same as one that had them from the start: no history is needed.
    if changed and (steps or not set(changed) <= {"repeats", "until"}):
        steps.append({**changed, "planned": True} if planned_step else changed)
    return steps


def goes_on(record: ExperimentRecord, spec: Experiment) -> bool:
    """Whether there is something left to do under `spec`, or by the plan of what is done."""
    from cooldown.search.experiments.plan import next_step

    return record.status is not Status.DONE or next_step(Result(record).view, spec) is not None


def worker_count(spec: Experiment, workers: int | None) -> int:
    """How many workers to start: no more than there is work for."""
    from cooldown.search.executors.opening import default_workers

    return min(workers or default_workers(), useful_workers(spec))
