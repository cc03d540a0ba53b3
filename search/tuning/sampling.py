"""One study: ask Optuna for a generation of trials, and tell it the results.

Every generation is asked from an in-memory study of the ledger's trials (history.py), whether or not the run was
interrupted, by a sampler with random numbers of its own. So a resumed run has the trials of an uninterrupted one.
"""

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import optuna
from optuna.distributions import distribution_to_json
from optuna.trial import TrialState

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.random_streams import seed_sequence
from cooldown.objectives.records import Curve, mean_final_loss, was_pruned
from cooldown.search.spec import samplers
from cooldown.search.spec.space import Space
from cooldown.search.tuning.history import History, epochs_trained, quiet_optuna
from cooldown.storage import StudyRecord


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
    """The next trials that the sampler proposes.

    history: that of the study's earlier generations in this process; None to read all of its trials.
    """

    def __init__(
        self, study: StudyRecord, space: Space, sampler: str, seed: int, size: int, history: History | None = None
    ) -> None:
        self.index = 1 + max((trial.generation for trial in study.trials), default=-1)
        self._history = history or History()
        with quiet_optuna():
            self._history.bring_up_to_date(study, space)
            asked = self._history.study
            asked.sampler = _sampler(sampler, seed, study, self.index)
            self._trials = [asked.ask() for _ in range(size)]
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
        asked = self._history.study
        with quiet_optuna():
            for trial, of_trial in zip(self._trials, curves, strict=True):
                loss = mean_final_loss(of_trial)
                if was_pruned(of_trial):
                    trial.report(loss, epochs_trained(of_trial))
                    asked.tell(trial, state=TrialState.PRUNED)
                else:
                    asked.tell(trial, loss)
        notes, state = self._history.attributes(len(curves)), self._history.sampler_state
        # As the ledger will return it: a resumed run must see the same types as an uninterrupted one.
        stored: tuple[list[dict[str, Any]], dict[str, Any]] = tuple(json.loads(json.dumps([notes, state])))
        return stored


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
