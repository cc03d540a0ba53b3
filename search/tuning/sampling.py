"""One study: ask Optuna for a generation of trials, and tell it the results.

Every generation is asked from an in-memory study that is rebuilt from the ledger's records, whether or not the run was
interrupted. So an uninterrupted run and a resumed one give the same trials.
"""

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import optuna
from optuna.distributions import distribution_to_json
from optuna.trial import TrialState

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.quiet import quiet
from cooldown.objectives.random_streams import seed_sequence
from cooldown.objectives.records import Curve, mean_final_loss, was_pruned
from cooldown.search.spec import samplers
from cooldown.search.spec.space import Space
from cooldown.storage import Purpose, StudyRecord


@dataclass(frozen=True)
class Proposal:
    """A proposed trial that is not trained yet."""

    number: int
    parameters: Mapping[str, Any]
    distributions: Mapping[str, str]
    config: TrainConfig


class Proposals(Protocol):
    """The next trials of a study."""

    index: int
    proposals: list[Proposal]

    def tell(self, curves: Sequence[Sequence[Curve]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Give the sampler the generation's curves; returns its attributes per trial, and those for the study."""


class Default:
    """The only trial of a study without a search: the arm's default config."""

    def __init__(self, space: Space) -> None:
        self.index, self.proposals = 0, [Proposal(0, {}, {}, space.default)]

    def tell(self, _curves: Sequence[Sequence[Curve]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """No attributes: there is no sampler."""
        return [{}], {}


class Generation:
    """The next trials that the sampler proposes."""

    def __init__(self, study: StudyRecord, space: Space, sampler: str, seed: int, size: int) -> None:
        self.index = 1 + max((trial.generation for trial in study.trials), default=-1)
        with quiet_optuna():
            self._study = optuna.create_study(
                storage=optuna.storages.InMemoryStorage(), sampler=_sampler(sampler, seed, study, self.index)
            )
            storage, study_id = self._study._storage, self._study._study_id
            for key, value in study.sampler_state.items():
                storage.set_study_system_attr(study_id, key, value)
            for trial in study.trials:
                # A sampler ranks pruned trials by their number of epochs, and by their loss there.
                steps = {_steps(trial.curves[Purpose.SEARCH]): trial.validation_loss} if trial.pruned else {}
                self._study.add_trial(
                    optuna.create_trial(
                        state=TrialState.PRUNED if trial.pruned else TrialState.COMPLETE,
                        params=space.sampled(trial.parameters),
                        distributions=space.distributions(trial.parameters, natural=False),
                        value=trial.validation_loss,
                        intermediate_values=steps,
                        system_attrs=dict(trial.attributes),
                    )
                )
            self._trials = [self._study.ask() for _ in range(size)]
            chosen = [space.suggest(trial) for trial in self._trials]
        self.proposals = [
            Proposal(
                trial.number,
                parameters,
                {
                    name: distribution_to_json(distribution)
                    for name, distribution in space.distributions(parameters, natural=True).items()
                },
                space.config(parameters),
            )
            for trial, parameters in zip(self._trials, chosen, strict=True)
        ]

    def tell(self, curves: Sequence[Sequence[Curve]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Give the sampler the generation's curves; returns its attributes per trial, and those for the study."""
        with quiet_optuna():
            for trial, of_trial in zip(self._trials, curves, strict=True):
                loss = mean_final_loss(of_trial)
                if was_pruned(of_trial):
                    trial.report(loss, _steps(of_trial))
                    self._study.tell(trial, state=TrialState.PRUNED)
                else:
                    self._study.tell(trial, loss)
            notes = [dict(trial.system_attrs) for trial in self._study.get_trials(deepcopy=False)[-len(curves) :]]
            state = self._study._storage.get_study_system_attrs(self._study._study_id)
        # As the ledger will return it: a resumed run must see the same types as an uninterrupted one.
        stored: tuple[list[dict[str, Any]], dict[str, Any]] = tuple(json.loads(json.dumps([notes, dict(state)])))
        return stored


def _steps(curves: Sequence[Curve]) -> int:
    """How many epochs a pruned trial was trained."""
    return max(curve.train_loss.size for curve in curves)


def _sampler(name: str, seed: int, study: StudyRecord, generation: int) -> optuna.samplers.BaseSampler:
    # A search over widened ranges has its own random numbers; the key of the first search has no attempt, as in ledgers
    # from before ranges could be widened.
    attempt = ("attempt", study.attempt) if study.attempt else ()

    def number_for(*part: int) -> int:
        key = (study.arm, study.repeat, *attempt, *part)
        return int(seed_sequence(seed, "sampler", *key).generate_state(1, "uint32")[0])

    make = samplers.get(name).make
    try:
        inspect.signature(make).bind(0, 0)
    except TypeError as error:
        raise InputError(
            f"sampler {name!r}: make must accept two seeds, make(number, study_number): {error}"
        ) from error
    sampler = make(number_for(generation), number_for())
    if not isinstance(sampler, optuna.samplers.BaseSampler):
        raise InputError(f"sampler {name!r}: make must return an optuna.samplers.BaseSampler, got {sampler!r:.80}")
    return sampler


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
