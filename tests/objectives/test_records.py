"""What a curve says of itself, by hand."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest

from cooldown.objectives import Curve, Outcome
from cooldown.objectives.random_streams import generator, seed_sequence, seeds


def curve(losses, outcome=Outcome.COMPLETED, uninformed_loss=2.0, scores=None, kept_epoch=None):
    losses = np.array(losses, dtype=np.float64)
    return Curve(
        seed=1,
        outcome=outcome,
        train_loss=losses / 2,
        held_out_loss=losses,
        held_out_score=1 - losses if scores is None else np.array(scores),
        learning_rate=np.full(len(losses), 0.1),
        kept_epoch=len(losses) if kept_epoch is None else kept_epoch,
        uninformed_loss=uninformed_loss,
        gradient_evaluations=100,
        updates=10,
        seconds=0.5,
    )


def test_a_run_that_completed():
    done = curve([1.5, 0.5, 0.75])
    assert done.final_loss == 0.75
    assert done.final_score == 0.25
    assert done.best_epoch == 2
    assert not done.capped
    assert done.capped_losses(3).tolist() == [1.5, 0.5, 0.75]


def test_a_run_that_is_worse_than_knowing_nothing():
    bad = curve([3.0, 1.0, 5.0])
    assert bad.final_loss == 2.0
    assert bad.capped
    assert bad.final_score == -4.0
    assert bad.best_epoch == 2
    assert bad.capped_losses(3).tolist() == [2.0, 1.0, 2.0]
    assert not curve([2.0]).capped


def test_a_run_that_stopped_early_is_its_best_epoch():
    stopped = curve([1.5, 0.5, 0.75, 0.8], Outcome.STOPPED, kept_epoch=2)
    assert stopped.final_loss == 0.5
    assert stopped.final_score == 0.5
    assert not stopped.capped
    assert stopped.capped_losses(6).tolist() == [1.5, 0.5, 0.75, 0.8, 0.5, 0.5]


def test_a_run_that_was_measured_once():
    once = replace(curve([1.5, 0.5, 0.75], Outcome.STOPPED, kept_epoch=2), held_out_loss=np.array([0.6]))
    assert once.final_loss == 0.6


def test_a_run_that_diverged():
    diverged = curve([1.5, 0.5], Outcome.DIVERGED)
    assert diverged.final_loss == 2.0
    assert diverged.capped
    assert math.isnan(diverged.final_score)
    assert diverged.best_epoch == 2
    assert diverged.capped_losses(4).tolist() == [1.5, 0.5, 2.0, 2.0]


def test_a_run_that_diverged_at_once():
    diverged = curve([], Outcome.DIVERGED)
    assert diverged.final_loss == 2.0
    assert diverged.best_epoch == 0
    assert diverged.capped_losses(2).tolist() == [2.0, 2.0]


def test_an_outcome_carries_its_message():
    assert Outcome("diverged") is Outcome.DIVERGED
    assert Outcome("diverged").message == "diverged: its parameters or its loss were no longer finite"
    assert Outcome("completed").message == "trained for all its epochs"
    assert [outcome.value for outcome in Outcome] == ["completed", "stopped", "diverged", "pruned"]
    assert pickle.loads(pickle.dumps(Outcome.DIVERGED)) is Outcome.DIVERGED
    with pytest.raises(ValueError, match="exploded"):
        Outcome("exploded")


def test_a_curve_can_be_sent_to_another_process():
    sent = pickle.loads(pickle.dumps(curve([1.0, 0.5], Outcome.DIVERGED)))
    assert sent.outcome is Outcome.DIVERGED
    assert sent.held_out_loss.tolist() == [1.0, 0.5]


# Named random streams


def test_a_stream_is_a_function_of_its_seed_and_key():
    draws = [
        generator(seed, *key).random(4).tolist()
        for seed in (0, 1, 2**70)
        for key in ((), ("a",), ("b",), ("a", 1), ("a1",), ("1", "a"), ("a", "1"), (1, "a"))
    ]
    assert len({tuple(draw) for draw in draws}) == len(draws)
    assert generator(1, "a", 1).random(4).tolist() == draws[11]
    assert seed_sequence(3, "a").generate_state(2).tolist() == seed_sequence(3, "a").generate_state(2).tolist()


def test_streams_never_change_between_versions():
    """Numbers of a published experiment can be had again only as long as these stay what they are."""
    assert generator(0, "initial weights").integers(0, 10**6, 3).tolist() == [230164, 170768, 547821]
    assert seeds(0, "search", count=3) == [481286920, 2117709516, 1155280622]


def test_seeds_are_distinct_and_the_first_do_not_depend_on_their_number():
    many = seeds(7, "search", count=1000)
    assert len(set(many)) == 1000
    assert all(0 <= seed < 2**31 for seed in many)
    assert seeds(7, "search", count=10) == many[:10]
    assert seeds(8, "search", count=10) != many[:10]
