"""`History`: Optuna's study of one search, which grows with the ledger's trials.

A sampler must see the same trials in a run that was never interrupted as in one that was resumed: those of the ledger.
What a generation was told is therefore replaced by what the ledger has of it, which may differ in the last digit.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from cooldown.objectives.quiet import quiet
from cooldown.objectives.records import Curve
from cooldown.search.spec.space import Space
from cooldown.storage import Purpose, StudyRecord, TrialRecord


class History:
    """The trials that a sampler has seen, so that asking it does not read them all again.

    study: Optuna's, in memory. Its trials are those of the record that `bring_up_to_date` got last, and after them
    those of the generation in flight.
    """

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._storage, self._recorded = _Storage(), 0
        with quiet_optuna():
            self.study = optuna.create_study(storage=self._storage)

    def bring_up_to_date(self, record: StudyRecord, space: Space) -> None:
        """Hold the trials and the sampler's state of `record`, and nothing else."""
        if self._n_trials > len(record.trials):
            # A generation was asked for, and never stored.
            self._clear()
        for key, value in record.sampler_state.items():
            self._storage.set_study_system_attr(self._id, key, value)
        for trial in record.trials[self._recorded :]:
            frozen = _frozen(trial, space)
            if trial.number < self._n_trials:
                self._storage.replace(self._id, frozen)
            else:
                self.study.add_trial(frozen)
        self._recorded = len(record.trials)

    @property
    def sampler_state(self) -> dict[str, Any]:
        """What the sampler keeps with the study."""
        return dict(self._storage.get_study_system_attrs(self._id))

    def attributes(self, trials: int) -> list[dict[str, Any]]:
        """What the sampler keeps with each of the last so many `trials`."""
        return [dict(trial.system_attrs) for trial in self._storage.get_all_trials(self._id, deepcopy=False)[-trials:]]

    @property
    def _id(self) -> int:
        return self.study._study_id

    @property
    def _n_trials(self) -> int:
        return self._storage.get_n_trials(self._id)


class _Storage(InMemoryStorage):
    """Optuna's storage, in which finished trials can be replaced."""

    def replace(self, study_id: int, trial: FrozenTrial) -> None:
        """Replace the trial of the same number."""
        trial._trial_id = self.get_trial_id_from_study_id_trial_number(study_id, trial.number)
        self._set_trial(trial._trial_id, trial)


def _frozen(trial: TrialRecord, space: Space) -> FrozenTrial:
    """A trial as Optuna has it, in the sampler's units."""
    # A sampler ranks pruned trials by their number of epochs, and by their loss there.
    steps = {epochs_trained(trial.curves[Purpose.SEARCH]): trial.validation_loss} if trial.pruned else {}
    frozen = optuna.create_trial(
        state=TrialState.PRUNED if trial.pruned else TrialState.COMPLETE,
        params=space.sampled(trial.parameters),
        distributions=space.distributions(trial.parameters, natural=False),
        value=trial.validation_loss,
        intermediate_values=steps,
        system_attrs=dict(trial.attributes),
    )
    frozen.number = trial.number
    return frozen


def epochs_trained(curves: Sequence[Curve]) -> int:
    """How many epochs a pruned trial was trained."""
    return max(curve.train_loss.size for curve in curves)


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Without Optuna's log lines for each in-memory study, and without its warnings about experimental samplers and
    joint arms.
    """
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with quiet(optuna.exceptions.ExperimentalWarning):
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)
