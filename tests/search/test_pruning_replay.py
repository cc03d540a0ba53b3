"""Replays of a study with a pruner: against the engine itself, and what they say was saved and lost."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pruning_studies import EPOCHS, curve, in_generations, study, trial

from cooldown.objectives import Outcome, TrainConfig, tasks, train
from cooldown.objectives.errors import InputError
from cooldown.search.tuning.pruning import Pruner, limits, replay
from cooldown.storage import Purpose, StudyRecord, TrialRecord
from cooldown.storage.records import mean_final_loss


@pytest.mark.parametrize("pruner", ["none", "median", "hyperband"])
def test_a_replay_against_the_engine(pruner: Pruner) -> None:
    """The same configs trained with limits, generation after generation, end where the replay says."""
    problem, epochs, rng = tasks.get("iris").search_problem(0), 7, np.random.default_rng(0)
    more: list[dict[str, Any]] = [{}, {"curriculum": "easy_to_hard"}, {"early_stopping": 2}]
    configs = [
        TrainConfig.from_json(
            {
                "optimizer": {"name": "momentum", "learning_rate": 1e20 if i == 9 else 10 ** rng.uniform(-4, 0)},
                "epochs": epochs,
                **more[i % 3],
            }
        )
        for i in range(24)
    ]

    def generation(numbers: Sequence[int], above: NDArray[np.float64] | None) -> tuple[TrialRecord, ...]:
        curves = train(problem, [configs[number] for number in numbers], [0, 1], limits=above)
        return tuple(
            TrialRecord(n, n, n // 4, {}, {}, configs[n], mean_final_loss(row), {Purpose.SEARCH: tuple(row)})
            for n, row in zip(numbers, curves, strict=True)
        )

    free = limited = study([])
    for numbers in in_generations(range(24), 4):
        above = limits(pruner, limited, numbers, [configs[number] for number in numbers], epochs, 1)
        free = replace(free, trials=free.trials + generation(numbers, None))
        limited = replace(limited, trials=limited.trials + generation(numbers, above))
    found = replay(pruner, free, 1)
    ended = {
        each.number: len(row.train_loss)
        for each in limited.trials
        for row in each.curves[Purpose.SEARCH]
        if row.outcome is Outcome.PRUNED
    }
    assert found.pruned == ended
    assert bool(ended) is (pruner != "none")
    costs = [sum(row.gradient_evaluations for row in each.curves(Purpose.SEARCH)) for each in (free, limited)]
    assert found.gradient_evaluations == costs[0]
    assert found.saved == costs[0] - costs[1]
    if pruner != "none":
        assert any(configs[number].curriculum != "none" for number in ended), "a curriculum's price is not saved"


def late_bloomers(finalists: dict[int, float]) -> StudyRecord:
    """Five trials in the first generation, then one that is best at last but worst until then, then one in between."""
    rows = [[5.0 - 0.01 * i] * EPOCHS for i in range(5)] + [[9.0] * 8 + [1.0], [2.0] * EPOCHS]
    return study([trial(i, [curve(row), curve(row)], i // 5, finalist=finalists.get(i)) for i, row in enumerate(rows)])


def test_a_replay_tells_what_was_saved_and_lost() -> None:
    found = replay("median", late_bloomers({}), 0)
    assert found.pruned == {5: 4}
    assert (found.gradient_evaluations, found.saved) == (7 * 2 * 90, 2 * 50)
    assert (found.winner, found.winner_pruned, found.winner_instead) == (5, True, 6)
    assert found.loss_difference == 1.0


@pytest.mark.parametrize(
    ("finalists", "winner", "instead", "difference"),
    [
        ({5: 1.5, 6: 2.25, 4: 2.0}, 5, 4, 0.5),
        ({5: 1.5, 6: 1.25}, 6, 6, 0.0),
        ({5: 1.5}, 5, None, None),
    ],
)
def test_winners_are_compared_on_the_finalists_further_seeds(
    finalists: dict[int, float], winner: int, instead: int | None, difference: float | None
) -> None:
    found = replay("median", late_bloomers(finalists), 0)
    assert found.pruned == {5: 4}
    assert (found.winner, found.winner_instead, found.loss_difference) == (winner, instead, difference)
    assert found.winner_pruned is (winner == 5)


def test_a_replay_without_a_pruner_or_without_trials_changes_nothing() -> None:
    found = replay("none", late_bloomers({}), 0)
    assert (found.pruned, found.saved, found.winner_pruned, found.winner_instead) == ({}, 0, False, 5)
    assert found.loss_difference == 0.0
    for pruner in ("none", "median", "hyperband"):
        empty = replay(pruner, study([]), 0)
        assert (empty.pruned, empty.gradient_evaluations, empty.saved) == ({}, 0, 0)
        assert (empty.winner, empty.winner_pruned, empty.winner_instead) == (None, False, None)


def test_a_pruned_study_cannot_be_replayed() -> None:
    with pytest.raises(InputError, match="momentum/0 was run with a pruner"):
        replay("median", study([trial(0, [curve([1.0], Outcome.PRUNED)], 0)]), 0)
