"""`View`: an experiment's record with its spec, arms and search spaces, each parsed once.

Every function of evidence, and everything above it, takes a view. What such a function works out is kept with the view
(`once`): losses, edges, verdicts and the like are computed at most once, whoever asks for them.
"""

import inspect
from collections.abc import Callable
from functools import cached_property, wraps
from threading import RLock
from typing import Any, Concatenate, ParamSpec, TypeVar

from cooldown.objectives.cost import rows_per_epoch
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.recorded import spec_of_record
from cooldown.search.spec.space import Space, search_space
from cooldown.storage import ExperimentRecord, Purpose, Status, StudyRecord
from cooldown.storage.fingerprint import arm_fingerprints, everything, whole_fingerprint

P = ParamSpec("P")
T = TypeVar("T")


class View:
    """What there is of an experiment, read from its record. spec: its spec.

    Raises UnreadableError if the spec cannot be read.
    """

    def __init__(self, record: ExperimentRecord) -> None:
        self.record = record
        # Read at once: an experiment whose spec cannot be read is reported before anything of it is shown.
        self.spec: Experiment = spec_of_record(record)
        self._kept: dict[Any, Any] = {}
        self._spaces: dict[str, Space] = {}
        # Two readers of the dashboard may share a view.
        self._lock = RLock()

    def __reduce__(self) -> tuple[type["View"], tuple[ExperimentRecord]]:
        """A pickle has the record, from which all else is worked out again."""
        return View, (self.record,)

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.record.name

    @property
    def status(self) -> Status:
        """Where it stands."""
        return self.record.status

    @property
    def protocol(self) -> int:
        """The protocol by which its numbers were made; that of the first ledgers, whose specs do not name one, is 1."""
        return int(self.record.spec.get("protocol", 1))

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms' names, in the spec's order."""
        return self.spec.arms

    @cached_property
    def parsed_arms(self) -> dict[str, Arm]:
        """The arms by name, in the spec's order."""
        return {arm.name: arm for arm in self.spec.parsed_arms}

    @cached_property
    def _searches(self) -> dict[str, list[StudyRecord]]:
        return {arm: sorted(self.record.of(arm), key=lambda study: study.repeat) for arm in self.arms}

    def searches(self, arm: str) -> list[StudyRecord]:
        """The searches of one arm, by repeat."""
        return self._searches[arm]

    def begun(self, arm: str) -> list[StudyRecord]:
        """Those of its searches that have trials."""
        return [study for study in self.searches(arm) if study.trials]

    def defaults(self, arm: str) -> list[StudyRecord]:
        """The studies of an arm's default config that have been evaluated."""
        return [study for study in self.record.default_configs if study.arm == arm and study.evaluations]

    @cached_property
    def training_rows(self) -> int | None:
        """The training rows of a search, on which ranges of warm-ups depend; None without trials."""
        for study in sorted(self.record.studies, key=lambda study: study.repeat):
            for trial in study.trials:
                return rows_per_epoch(trial.curves[Purpose.SEARCH][0], trial.config)
        return None

    def space(self, arm: str) -> Space:
        """The search space of an arm. Without trials the length of an epoch is not known, and taken for one update."""
        with self._lock:
            if arm not in self._spaces:
                parsed = self.parsed_arms[arm]
                updates = self.spec.updates_per_epoch(parsed, self.training_rows or 1)
                self._spaces[arm] = search_space(self.spec, parsed, updates)
            return self._spaces[arm]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over everything that happened, timings aside."""
        return whole_fingerprint(self.arm_fingerprints)

    @cached_property
    def arm_fingerprints(self) -> dict[str, str]:
        """The same of each arm's searches; of default configs and superseded searches under names of their own."""
        return arm_fingerprints(everything(self.record))

    def keep(self, key: Any, work_out: Callable[[], T]) -> T:
        """What is kept under `key`, worked out the first time."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = work_out()
            value: T = self._kept[key]
            return value


def once(function: Callable[Concatenate[View, P], T]) -> Callable[Concatenate[View, P], T]:
    """Keep what a function of a view, and of further hashable arguments, has worked out; nobody may change it."""
    signature = inspect.signature(function)

    @wraps(function)
    def kept(view: View, /, *args: P.args, **kwargs: P.kwargs) -> T:
        bound = signature.bind(view, *args, **kwargs)
        bound.apply_defaults()
        key = (function, *list(bound.arguments.values())[1:])
        return view.keep(key, lambda: function(view, *args, **kwargs))

    return kept
