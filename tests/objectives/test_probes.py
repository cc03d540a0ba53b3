"""Probes of generalization against closed forms, finite differences and scipy's L-BFGS-B."""

import numpy as np
import pytest
from scipy.optimize import minimize
from strategy_runs import config, problem

from cooldown.objectives import tasks
from cooldown.objectives.errors import InputError
from cooldown.objectives.probes import (
    ablation_curve,
    area_under,
    gradient_variance,
    probed,
    rescaled,
    selectivity,
    sharpness,
)
from cooldown.objectives.random_streams import generator

CURVATURES = np.geomspace(0.1, 30, 12)


def quadratic(curvature, minimum, offset=0.3):
    """½(x − minimum)ᵀ H (x − minimum) + offset, with its gradient."""
    hessian = np.diag(curvature) if np.ndim(curvature) == 1 else curvature

    def loss_and_gradient(x):
        slope = hessian @ (x - minimum)
        return 0.5 * (x - minimum) @ slope + offset, slope

    return loss_and_gradient


@pytest.mark.parametrize("epsilon", [1e-3, 5e-4, 0.1])
def test_sharpness_of_a_quadratic_in_its_minimum(epsilon):
    x = np.linspace(-2, 3, 12)
    rise = 0.5 * CURVATURES @ np.square(epsilon * (np.abs(x) + 1))
    found = sharpness(quadratic(CURVATURES, x), x, epsilon)
    assert found == pytest.approx(100 * rise / (1 + 0.3), rel=1e-9)


def test_sharpness_of_a_quadratic_beside_its_minimum():
    """The highest corner is on the side away from the minimum."""
    x, minimum = np.linspace(-2, 3, 12), np.linspace(-1.5, 1, 12)
    loss = quadratic(CURVATURES, minimum)
    bounds = 0.05 * (np.abs(x) + 1)
    highest, _ = loss(x + np.sign(x - minimum) * bounds)
    at_x, _ = loss(x)
    assert sharpness(loss, x, 0.05) == pytest.approx(100 * (highest - at_x) / (1 + at_x), rel=1e-9)


def test_sharpness_in_a_plane_is_that_of_the_problem_in_the_plane():
    rng = np.random.default_rng(1)
    x, plane = rng.normal(size=12), np.linalg.qr(rng.normal(size=(12, 3)))[0]
    minimum = x - plane @ np.array([0.1, -0.2, 0.3])
    loss = quadratic(np.eye(12) * 2.0, minimum)
    inside = plane.T @ x
    bounds = 1e-2 * (np.abs(inside) + 1)
    highest, _ = loss(x + plane @ (np.sign([0.1, -0.2, 0.3]) * bounds))
    at_x, _ = loss(x)
    assert sharpness(loss, x, 1e-2, plane) == pytest.approx(100 * (highest - at_x) / (1 + at_x), rel=1e-9)
    assert sharpness(loss, x, 1e-2) > sharpness(loss, x, 1e-2, plane)


def network():
    task = problem()
    theta = task.model.init(generator(3, "initial weights"))

    def loss_and_gradient(parameters):
        losses, gradients = task.model.loss_and_gradient(parameters[None], task.train[None])
        return float(losses[0]), gradients[0].copy()

    return task, theta, loss_and_gradient


def test_the_gradient_that_sharpness_climbs_is_that_of_finite_differences():
    _, theta, loss_and_gradient = network()
    _, gradient = loss_and_gradient(theta)
    for place in range(0, len(theta), 7):
        step = np.zeros_like(theta)
        step[place] = 1e-6
        slope = (loss_and_gradient(theta + step)[0] - loss_and_gradient(theta - step)[0]) / 2e-6
        assert gradient[place] == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("epsilon", [1e-3, 1e-2])
def test_sharpness_of_a_network_is_what_scipy_finds_in_many_iterations(epsilon):
    _, theta, loss_and_gradient = network()
    bounds = epsilon * (np.abs(theta) + 1)
    found = minimize(
        lambda y: tuple(-np.asarray(each) for each in loss_and_gradient(theta + y)),
        0.1 * bounds * np.sign(loss_and_gradient(theta)[1]),
        jac=True,
        method="L-BFGS-B",
        bounds=np.stack([-bounds, bounds], axis=1),
        options={"maxiter": 500},
    )
    at_x = loss_and_gradient(theta)[0]
    expected = 100 * (-found.fun - at_x) / (1 + at_x)
    assert sharpness(loss_and_gradient, theta, epsilon, iterations=300) == pytest.approx(expected, rel=0.02)
    ours = sharpness(loss_and_gradient, theta, epsilon)
    assert 0.9 * expected <= ours <= 1.02 * expected
    assert ours == sharpness(loss_and_gradient, theta, epsilon), "nothing in it is random"


def test_rescaled_layers_have_the_same_function_and_another_sharpness():
    task, theta, loss_and_gradient = network()
    moved = rescaled(task.model, theta, 10.0)
    outputs, same = (task.model.predict(each[None], task.model.X) for each in (theta, moved))
    np.testing.assert_allclose(same, outputs, rtol=1e-10)
    assert sharpness(loss_and_gradient, moved) != pytest.approx(sharpness(loss_and_gradient, theta), rel=0.05)
    for factor in (0.0, -1.0):
        with pytest.raises(InputError, match="must be greater than 0"):
            rescaled(task.model, theta, factor)
    with pytest.raises(InputError, match="needs a ReLU network"):
        rescaled(problem(activation="tanh").model, theta, 2.0)


def test_gradient_variance_is_that_of_drawn_batches():
    task, theta, _ = network()
    n, size = len(task.train), 8
    whole = task.model.loss_and_gradient(theta[None], task.train[None])[1][0].copy()
    rng = np.random.default_rng(0)
    batches = np.stack([rng.permutation(task.train)[:size] for _ in range(4000)])
    gradients = task.model.loss_and_gradient(np.repeat(theta[None], 4000, axis=0), batches)[1]
    drawn = np.square(gradients - whole).sum(axis=1).mean()
    exact = gradient_variance(task.model, theta, task.train, [1, size, n])
    assert exact[1] == pytest.approx(drawn, rel=0.05)
    assert exact[0] / exact[1] == pytest.approx(size * (n - 1) / (n - size)), "1/B, but for the rows that are left"
    assert exact[2] == 0
    with pytest.raises(InputError, match=f"from 1 to the {n} rows"):
        gradient_variance(task.model, theta, task.train, [n + 1])


def test_an_ablation_begins_with_the_networks_accuracy_and_ends_with_one_class():
    task, theta, _ = network()
    curve = ablation_curve(task.model, theta, task.train, np.random.default_rng(0), orders=3)
    assert len(curve) == task.model.hidden_units + 1
    _, (accuracy,) = task.model.evaluate(theta[None], task.train)
    assert curve[0] == pytest.approx(accuracy)
    # Without hidden units, the biases alone choose: all are 0, and the first class is.
    assert curve[-1] == pytest.approx((task.model.y[task.train] == 0).mean())
    assert area_under(np.ones(5)) == 1.0
    assert area_under(np.array([1.0, 0.0])) == 0.5


def test_selectivity_by_hand():
    """Two units that copy the two features, over three classes."""
    task = problem(hidden=(2,))
    model, rows = task.model, np.arange(6)
    model.X[:6, :2] = [[2, 1], [4, 1], [1, 1], [1, 1], [0, 1], [2, 1]]
    model.y[:6] = [0, 0, 1, 1, 2, 2]
    theta = np.zeros(model.size)
    model.layers[0].weights(theta[None])[0][:2, :2] = np.eye(2)
    # Of the first unit the means are 3, 1 and 1; the second is alike in all classes.
    np.testing.assert_allclose(selectivity(model, theta, rows), [(3 - 1) / (3 + 1), 0])
    assert selectivity(model, np.zeros(model.size), rows).tolist() == [0, 0]


@pytest.mark.parametrize("fields", [{}, {"batch_norm": True}, {"averaging": "ema"}, {"early_stopping": 1}])
def test_all_probes_of_a_trained_network(fields):
    found = probed(problem(), config(**fields), 3)
    assert found.gap == found.test_loss - found.train_loss
    assert found.sharpness > 0
    assert np.isnan(found.rescaled_sharpness) == bool(fields.get("batch_norm"))
    assert 0 < found.area_under_ablation < 1
    assert 0 < found.selectivity < 1
    assert found.to_json()["gap"] == found.gap
    assert probed(problem(), config(**fields), 3).to_json() == found.to_json()


def test_what_does_not_apply_is_told_apart():
    found = probed(tasks.get("diabetes").search_problem(), config(optimizer="adam", epochs=2), 0)
    assert found.to_json()["selectivity"] is None
    assert found.to_json()["sharpness"] > 0
    assert probed(problem(), config(optimizer={"name": "sgd", "learning_rate": 1e30}), 0) is None
    with pytest.raises(InputError, match="Cooldown's own networks"):
        probed(tasks.get("quadratic").search_problem(), config(), 0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"epsilon": 0.0}, "epsilon=0.0"),
        ({"iterations": 0}, "iterations=0"),
        ({"directions": np.ones((3, 2))}, "must be finite numbers \\(12, p\\)"),
        ({"theta": np.ones((2, 2))}, "must be finite parameters"),
        ({"theta": [np.nan] * 12}, "must be finite parameters"),
    ],
)
def test_sharpness_refuses_what_is_no_such_number(given, said):
    with pytest.raises(InputError, match=said):
        sharpness(**{"loss_and_gradient": quadratic(CURVATURES, np.zeros(12)), "theta": np.ones(12), **given})
