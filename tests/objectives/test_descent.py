"""`descend`: one rule on any gradient function. The rules themselves are tested in test_optimizers.py."""

from functools import cache

import numpy as np
import pytest

from cooldown.objectives import descend, optimizers
from cooldown.objectives.errors import InputError


def test_by_hand():
    path = descend(lambda x: 2 * x, [1.0, -2.0], "sgd", {}, [0.25, 0.5, 0.0])
    assert path.tolist() == [[1.0, -2.0], [0.5, -1.0], [0.0, 0.0], [0.0, 0.0]]


def test_momentum_by_hand():
    path = descend(lambda x: np.ones(1), [0.0], "momentum", {"momentum": 0.5}, [1.0, 1.0, 2.0])
    assert path.ravel().tolist() == [0.0, -1.0, -2.5, -6.0]


@pytest.mark.parametrize("name", optimizers.names())
def test_shape_and_precision(name):
    path = descend(lambda x: x.astype(np.float32), np.array([1, 2, 3]), name, {}, [0.1] * 5)
    assert path.shape == (6, 3)
    assert path.dtype == np.float64
    assert path[0].tolist() == [1, 2, 3]
    assert descend(lambda x: x, [1.0], name, {}, []).tolist() == [[1.0]]


@pytest.mark.parametrize("name", optimizers.names())
def test_goes_down(name):
    rate = optimizers.get(name).hyperparameters[0].high / 10
    path = descend(lambda x: x, [1.0, -1.0], name, {}, np.full(500, rate))
    assert np.square(path[-1]).sum() < 0.5 * np.square(path[0]).sum()


SPECTRUM = np.geomspace(1, 10, 4)


@cache
def tuned_on_a_quadratic(name):
    """The rate of a log grid with which 400 updates end nearest to the minimum, and that path."""
    rates = np.geomspace(1e-3, 1e3, 19)
    with np.errstate(all="ignore"):
        paths = [descend(lambda x: SPECTRUM * x, np.ones(4), name, {}, np.full(400, rate)) for rate in rates]
    distances = [np.abs(path[-1]).max() if np.isfinite(path).all() else np.inf for path in paths]
    best = int(np.argmin(distances))
    return rates[best], paths[best]


@pytest.mark.parametrize("name", optimizers.names())
def test_reaches_the_minimum_of_a_quadratic_with_its_tuned_rate(name):
    rate, path = tuned_on_a_quadratic(name)
    assert np.abs(path[-1]).max() < 0.02
    start, rates = np.ones(4), np.full(400, rate)
    again = descend(lambda x: SPECTRUM * x, start, name, {}, rates)
    assert np.array_equal(again, path), "deterministic"
    assert (start == 1).all()
    assert (rates == rate).all()


def test_an_optimizer_may_be_given_itself():
    by_name = descend(lambda x: x, [1.0], "adam", {}, [0.1] * 3)
    assert np.array_equal(descend(lambda x: x, [1.0], optimizers.get("adam"), {}, [0.1] * 3), by_name)


def test_inputs_are_not_modified_and_a_gradient_may_do_what_it_wants_with_its_point():
    start, rates, hyperparameters = np.array([1.0, 2.0]), np.array([0.5, 0.5]), {"momentum": 0.5}

    def gradient(x):
        x *= 2
        return x

    path = descend(gradient, start, "momentum", hyperparameters, rates)
    assert path[1].tolist() == [0.0, 0.0]
    assert path[0].tolist() == start.tolist() == [1.0, 2.0]
    assert rates.tolist() == [0.5, 0.5]
    assert hyperparameters == {"momentum": 0.5}


def test_a_divergence_is_seen_in_the_path():
    path = descend(lambda x: np.full(1, np.nan), [1.0], "adam", {}, [0.1] * 2)
    assert np.isnan(path[1:]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], "adm", {}, [0.1]), "unknown optimizer 'adm'; did you mean 'adam'?"),
        (([1.0], "sgd", {"momentum": 0.9}, [0.1]), "unknown hyperparameter of sgd 'momentum'"),
        (([1.0], "adam", {"beta1": 1.5}, [0.1]), "adam(beta1=1.5): beta1 must be less than 1, got 1.5"),
        (([1.0], "adam", {"learning_rate": 1}, [0.1]), "leave learning_rate out; learning_rates gives one per step"),
        (([1.0], "sgd", {}, 0.1), "descend(learning_rates=...): must be one rate per step, (steps,), got shape ()"),
        (([1.0], "sgd", {}, ["a"]), "descend(learning_rates=...): must be numbers, got ['a']"),
        (("x", "sgd", {}, [0.1]), "descend(start=...): must be numbers, got 'x'"),
        ((1.0, "sgd", {}, [0.1]), "descend(start=...): must be one point (dim,), got shape ()"),
        (([[1.0]], "sgd", {}, [0.1]), "descend(start=...): must be one point (dim,), got shape (1, 1)"),
    ],
)
def test_a_mistake_is_named(arguments, message):
    with pytest.raises(InputError) as error:
        descend(lambda x: x, *arguments)
    assert message in str(error.value)
