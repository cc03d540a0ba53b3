"""Random labels: a network learns them by heart, and guesses on other rows."""

import numpy as np
import pytest

from cooldown.objectives import TrainConfig, tasks
from cooldown.objectives.data.random_labels import with_random_labels
from cooldown.objectives.errors import InputError
from cooldown.objectives.training.engine import fit


def test_the_share_of_labels_is_drawn_and_a_larger_share_keeps_a_smaller_one():
    y = np.repeat(np.arange(4), 250)
    half, more, every = (with_random_labels(y, share) for share in (0.5, 0.7, 1.0))
    # A quarter of the draws hit the class that a row had.
    assert (half != y).mean() == pytest.approx(0.5 * 0.75, abs=0.03)
    assert (every != y).mean() == pytest.approx(0.75, abs=0.03)
    assert ((half != y) <= (more == half)).all()
    assert np.bincount(every).min() > 200, "uniformly"
    assert np.array_equal(with_random_labels(y, 0.0), y)
    assert np.array_equal(np.repeat(np.arange(4), 250), y), "the labels themselves stay"


def test_a_network_fits_random_labels_and_guesses_on_other_rows():
    task = tasks.get("wine").with_random_labels(1.0).with_hidden((200,))
    problem = task.search_problem(0, 0)
    config = TrainConfig.from_json({"optimizer": {"name": "adam", "learning_rate": 0.01}, "epochs": 150})
    theta = fit(problem, config, [0]).theta
    _, (trained,) = problem.model.evaluate(theta, problem.train)
    _, (guessed,) = problem.model.evaluate(theta, problem.held_out)
    assert trained == 1.0
    assert guessed < 0.6


def test_it_is_another_task_and_only_for_classes():
    wine = tasks.get("wine")
    shares = [wine.with_random_labels(share).fingerprint() for share in (0.0, 0.3, 0.3, 1.0)]
    assert shares[0] == wine.fingerprint()
    assert shares[1] == shares[2]
    assert len(set(shares)) == 3
    with pytest.raises(InputError, match="has no classes"):
        tasks.get("diabetes").with_random_labels(0.5)
    with pytest.raises(InputError, match="has a model of its own"):
        tasks.get("quadratic").with_random_labels(0.5)
