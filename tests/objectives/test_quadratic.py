"""The noisy quadratic: its loss, gradient and noise against their definitions, its minimum in closed form, its bits."""

import copy
import pickle
import subprocess
import sys

import cloudpickle
import numpy as np
import pytest

from cooldown.objectives import TrainConfig, tasks, train
from cooldown.objectives.models.quadratic import Quadratic
from cooldown.objectives.problem import Model

ROWS, D = 40, 5


def bowl(d=D):
    """A model of points that lie anywhere, not in pairs on an ellipsoid as the catalog's do."""
    rng = np.random.default_rng(1)
    root = rng.normal(size=(d, d))
    points, hessian = 3 + rng.normal(size=(ROWS, d)) * np.arange(1, d + 1), root @ root.T + np.eye(d)
    return Quadratic(lambda: (points, hessian))


def point(model, dtype=np.float64, replicates=3, batch=11):
    """Parameters (R, P) and batches (R, B)."""
    rng = np.random.default_rng(2)
    theta = np.stack([model.init(rng) for _ in range(replicates)]).astype(dtype)
    return theta, rng.integers(0, len(model.data[0]), (replicates, batch))


def defined(model, theta, rows):
    """The mean over `rows` of ½(θ − x)ᵀH(θ − x), before the least value is taken off."""
    points, hessian = model.data
    return np.mean([0.5 * (theta - x) @ hessian @ (theta - x) for x in points[rows]])


@pytest.fixture(scope="module")
def task():
    return tasks.get("quadratic")


# Any points


def test_loss_is_the_mean_over_the_rows_less_the_least_over_all_rows():
    model = bowl()
    theta, indices = point(model)
    least = defined(model, model.minimum, np.arange(ROWS))
    losses, _ = model.loss_and_gradient(theta, indices)
    expected = [defined(model, theta[r], indices[r]) - least for r in range(len(theta))]
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


def test_gradient_is_the_slope_of_the_loss():
    model = bowl()
    theta, indices = point(model)
    _, gradient = model.loss_and_gradient(theta, indices)
    for p in range(model.size):
        up, down = theta.copy(), theta.copy()
        up[:, p] += 0.5
        down[:, p] -= 0.5
        # Of a quadratic, a central difference of any width is the slope itself.
        slope = model.loss_and_gradient(up, indices)[0] - model.loss_and_gradient(down, indices)[0]
        np.testing.assert_allclose(gradient[:, p], slope, rtol=1e-10, atol=1e-10)


def test_the_minimum_over_all_rows_is_0_at_their_mean():
    model = bowl()
    points, hessian = model.data
    theta, rows = point(model)[0], np.tile(np.arange(ROWS), (3, 1))
    assert np.array_equal(model.minimum, points.mean(axis=0))
    loss, gradient = model.loss_and_gradient(model.minimum[None], rows[:1])
    assert loss == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(gradient, 0, atol=1e-12)
    away = theta - model.minimum
    losses, gradients = model.loss_and_gradient(theta, rows)
    np.testing.assert_allclose(losses, 0.5 * np.einsum("ri,ij,rj->r", away, hessian, away), rtol=1e-12)
    np.testing.assert_allclose(gradients, away @ hessian, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_evaluate_measures_the_loss_that_is_trained(dtype):
    model = bowl()
    theta, rows = point(model, dtype)[0], np.arange(3, ROWS)
    trained, _ = model.loss_and_gradient(theta, np.tile(rows, (3, 1)))
    losses, scores = model.evaluate(theta, rows)
    assert losses.dtype == dtype
    np.testing.assert_allclose(losses, trained, rtol=1e-5 if dtype is np.float32 else 1e-12)
    assert np.isnan(scores).all()


def test_float32_is_near_float64():
    model = bowl()
    theta, indices = point(model)
    exact, rough = model.loss_and_gradient(theta, indices), model.loss_and_gradient(theta.astype(np.float32), indices)
    assert [array.dtype for array in rough] == [np.float32] * 2
    for one, other in zip(rough, exact, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-4)


def test_parameters_and_indices_stay_as_they_are():
    model = bowl()
    theta, indices = point(model)
    before = theta.copy(), indices.copy()
    model.loss_and_gradient(theta, indices)
    model.evaluate(theta, np.arange(ROWS))
    assert np.array_equal(theta, before[0])
    assert np.array_equal(indices, before[1])


# A replicate does not know its neighbours


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch", [1, 2, 7, 32, 100, 300])
@pytest.mark.parametrize("d", [1, 2, 5, 20])
def test_together_or_alone_gives_the_same_bits(d, batch, dtype):
    model = bowl(d)
    theta, indices = point(model, dtype, 13, batch)
    losses, gradients = model.loss_and_gradient(theta, indices)
    measured, _ = model.evaluate(theta, np.arange(ROWS))
    for some in (*(slice(r, r + 1) for r in range(13)), slice(0, 2), slice(3, 8), slice(1, 13)):
        few, few_gradients = model.loss_and_gradient(theta[some].copy(), indices[some].copy())
        assert np.array_equal(few, losses[some])
        assert np.array_equal(few_gradients, gradients[some])
        assert np.array_equal(model.evaluate(theta[some].copy(), np.arange(ROWS))[0], measured[some])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_trained_together_or_alone_gives_the_same_bits(task, dtype):
    config = TrainConfig.from_json({"optimizer": {"name": "momentum", "learning_rate": 0.1}, "epochs": 2})
    (together,) = train(task, [config], range(7), dtype=dtype)
    for seed, curve in enumerate(together):
        ((alone,),) = train(task, [config], [seed], dtype=dtype)
        assert np.array_equal(alone.train_loss, curve.train_loss)
        assert np.array_equal(alone.held_out_loss, curve.held_out_loss)


# Copies, other processes


def test_is_a_model_whose_copies_carry_its_points():
    calls = []

    def load():
        calls.append(1)
        return np.arange(40.0).reshape(20, 2), np.eye(2)

    model = Quadratic(load)
    assert not calls, "made before they are needed"
    assert isinstance(model, Model)
    expected = model.loss_and_gradient(*point(model))
    back = cloudpickle.loads(cloudpickle.dumps(model))
    assert "data" in vars(back)
    for other in (back, copy.copy(model)):
        for one, same in zip(other.loss_and_gradient(*point(other)), expected, strict=True):
            assert np.array_equal(one, same)
    assert calls == [1]


def test_the_catalogs_model_travels_by_pickle(task):
    problem = task.search_problem()
    back = pickle.loads(pickle.dumps(problem))
    for one, other in zip(back.model.data, problem.model.data, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.processes
def test_looking_at_the_task_makes_no_points():
    code = "from cooldown.objectives import tasks; print('data' in vars(tasks.get('quadratic').model))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# The catalog's task


def test_the_catalogs_curvature_is_what_its_docstring_says(task):
    points, hessian = task.model.data
    document = sys.modules["cooldown.objectives.tasks.quadratic"].__doc__
    assert f"{task.n_samples:,} rows, {task.model.size} parameters" in document
    assert points.shape == (2000, 20)
    eigenvalues, axes = np.linalg.eigh(hessian)
    np.testing.assert_allclose(eigenvalues, 100 ** np.linspace(-1, 0, 20), rtol=1e-10)
    assert abs(axes).max() < 0.9, "no axis of the bowl is one of the parameters'"
    standard = (points - task.model.minimum) @ axes * np.sqrt(eigenvalues)
    np.testing.assert_allclose(np.cov(standard.T, ddof=0), np.eye(20), atol=0.15)
    assert np.linalg.norm(task.model.minimum) > 2, "decay of the weights does not lead there"


def test_every_row_scores_0_at_the_minimum(task):
    model, rows = task.model, np.arange(2000)[:, None]
    losses, _ = model.loss_and_gradient(np.tile(model.minimum, (2000, 1)), rows)
    np.testing.assert_allclose(losses, 0, atol=1e-12)
    assert defined(model, model.minimum, np.array([0, 1999])) == pytest.approx(10)


@pytest.mark.parametrize("batch", [1, 8, 32])
def test_noise_of_the_gradient_has_the_covariance_of_the_curvature_over_the_batch_size(task, batch):
    model, replicates = task.model, 20_000
    theta = np.tile(model.init(np.random.default_rng(0)), (replicates, 1))
    indices = np.random.default_rng(1).integers(0, 2000, (replicates, batch))
    _, gradients = model.loss_and_gradient(theta, indices)
    points, hessian = model.data
    np.testing.assert_allclose(gradients.mean(axis=0), (theta[0] - model.minimum) @ hessian, atol=0.03)
    noise = batch * np.cov(gradients.T)
    # Along the axes of the bowl, exactly as the points scatter, which is about as H⁻¹.
    _, axes = np.linalg.eigh(hessian)
    exact, ideal = axes.T @ hessian @ np.cov(points.T, ddof=0) @ hessian @ axes, axes.T @ hessian @ axes
    np.testing.assert_allclose(np.diag(axes.T @ noise @ axes), np.diag(exact), rtol=0.05)
    np.testing.assert_allclose(np.diag(exact), np.diag(ideal), rtol=0.1)


def test_full_batches_reach_the_mean_of_the_training_points(task):
    problem, rule = task.search_problem(0, 1), {"name": "sgd", "learning_rate": 1.0}
    config = TrainConfig.from_json({"optimizer": rule, "batch_size": 10_000, "epochs": 2000})
    ((curve,),) = train(problem, [config], [3], dtype=np.float64, every_epoch=False)
    points, _ = problem.model.data
    reached = points[problem.train].mean(axis=0)[None]
    assert curve.final_loss == pytest.approx(problem.model.evaluate(reached, problem.held_out)[0][0], rel=1e-6)
    assert curve.train_loss[-1] == pytest.approx(problem.model.evaluate(reached, problem.train)[0][0], rel=1e-6)
    assert curve.uninformed_loss > 100 * curve.final_loss > 0


def test_mini_batches_end_above_that_and_annealing_below(task):
    constant, annealed = (
        TrainConfig.from_json({"optimizer": {"name": "sgd", "learning_rate": 1.0}, "schedule": schedule})
        for schedule in ("constant", "cosine")
    )
    noisy, calm = (np.mean([curve.final_loss for curve in row]) for row in train(task, [constant, annealed], range(5)))
    assert 0 < 3 * calm < noisy


def test_problems_and_fingerprint(task):
    search, evaluation = task.search_problem(2, 1), task.evaluation_problem(2)
    assert sorted([*search.train, *search.held_out]) == evaluation.train.tolist()
    assert sorted([*evaluation.train, *evaluation.held_out]) == list(range(2000))
    assert search.uninformed_loss == pytest.approx(4.5, abs=0.5)
    assert task.fingerprint() == cloudpickle.loads(cloudpickle.dumps(task)).fingerprint()
    for seed in range(20):
        problem = task.evaluation_problem(seed)
        best = task.model.data[0][problem.train].mean(axis=0)[None]
        assert 0 < task.model.evaluate(best, problem.held_out)[0][0] < 0.05
