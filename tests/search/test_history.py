"""Optuna's study that goes on from generation to generation is the one that is rebuilt from the ledger."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from search_runs import spec

from cooldown.objectives.records import Curve, Outcome, mean_final_loss
from cooldown.search.spec import samplers
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.space import Space, search_space
from cooldown.search.tuning.history import History
from cooldown.search.tuning.sampling import Generation
from cooldown.storage import Purpose, StudyRecord, TrialRecord

EPOCHS, SIZE = 4, 4
# A joint arm has parameters that depend on a choice; momentum's is turned round for the sampler, which rounds.
ARMS = ("momentum,adam+cosine,sgdr", "momentum")
SLOW = ("gp", ARMS[0])


def space_of(arm: str) -> Space:
    return search_space(spec(arms=(arm,), epochs=EPOCHS), Arm.parse(arm), 10)


def curves_of(number: int) -> list[Curve]:
    """Made-up curves of two seeds; every fifth trial is pruned."""
    rng = np.random.default_rng(number)
    outcome, ran = (Outcome.PRUNED, 2) if number % 5 == 2 else (Outcome.COMPLETED, EPOCHS)
    return [Curve(seed, outcome, *rng.random((4, ran)), ran, 2.3, 100, 10, 0.1) for seed in range(2)]  # type: ignore[call-arg]


def stored(study: StudyRecord, generation: Generation, told: tuple[list[dict[str, Any]], dict[str, Any]]) -> Any:
    """The study as the ledger has it after a generation."""
    notes, state = told
    new = [
        TrialRecord(
            proposal.number,
            proposal.number,
            generation.index,
            proposal.parameters,
            note,
            proposal.config,
            mean_final_loss(curves_of(proposal.number)),
            {Purpose.SEARCH: tuple(curves_of(proposal.number))},
        )
        for proposal, note in zip(generation.proposals, notes, strict=True)
    ]
    return replace(study, sampler_state=state, trials=(*study.trials, *new))


# A Gaussian process takes its time.
@pytest.mark.parametrize(
    ("sampler", "arm"), [(sampler, arm) for sampler in samplers.names() for arm in ARMS if (sampler, arm) != SLOW]
)
def test_a_kept_history_asks_for_what_a_rebuilt_one_asks_for(
    sampler: str, arm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The cmaes package keeps an array that it never fills: what is in it differs from one object to the next.
    monkeypatch.setattr(np, "empty", np.zeros)
    history, space, study = History(), space_of(arm), StudyRecord(1, arm, 0, {}, ())
    for _ in range(4):
        kept = Generation(study, space, sampler, 7, SIZE, history)
        rebuilt = Generation(study, space, sampler, 7, SIZE)
        assert kept.proposals == rebuilt.proposals
        told = [curves_of(proposal.number) for proposal in kept.proposals]
        after = kept.tell(told)
        assert after == rebuilt.tell(told)
        study = stored(study, kept, after)
    numbers = [trial.number for trial in history.study.get_trials(deepcopy=False)]
    assert numbers == list(range(4 * SIZE))


def test_a_generation_that_was_never_stored_leaves_no_trace() -> None:
    history, space, study = History(), space_of("momentum"), StudyRecord(1, "momentum", 0, {}, ())
    for told in (False, True):
        lost = Generation(study, space, "tpe", 7, SIZE, history)
        if told:
            lost.tell([curves_of(proposal.number) for proposal in lost.proposals])
    again = Generation(study, space, "tpe", 7, SIZE, history)
    assert again.proposals == Generation(study, space, "tpe", 7, SIZE).proposals


def test_a_history_reads_a_trial_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a generation costs does not grow with the study."""
    seen: list[Any] = []
    sampled = Space.sampled

    def counted(space: Space, chosen: Mapping[str, Any]) -> dict[str, Any]:
        seen.append(chosen)
        return sampled(space, chosen)

    monkeypatch.setattr(Space, "sampled", counted)
    history, space, study = History(), space_of("momentum"), StudyRecord(1, "momentum", 0, {}, ())
    read = []
    for _ in range(4):
        generation = Generation(study, space, "random", 7, SIZE, history)
        read.append(len(seen))
        study = stored(study, generation, generation.tell([curves_of(p.number) for p in generation.proposals]))
    assert read == [0, SIZE, 2 * SIZE, 3 * SIZE]
