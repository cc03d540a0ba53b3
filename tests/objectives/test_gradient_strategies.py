"""Strategies that change the gradient: clipping, noise, decay and L2, against torch and `descend`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategy_runs import config, problem

from cooldown.objectives import Problem, descend, train
from cooldown.objectives.random_streams import generator
from cooldown.objectives.training.gradients import clipped, with_noise


@given(st.lists(st.integers(-1000, 1000), min_size=3, max_size=3), st.floats(1e-3, 1e3))
def test_clipping_is_torchs(values, bound):
    gradient = np.array([values, values, [0, 0, 0]], float)
    with np.errstate(divide="ignore"):
        ours = clipped(gradient, np.array([bound, np.inf, bound]))
    assert np.array_equal(ours[1], gradient[1])
    assert not ours[2].any()
    norm = np.linalg.norm(values)
    np.testing.assert_allclose(ours[0], gradient[0] * min(1, bound / norm) if norm else 0, rtol=1e-12)
    assert np.linalg.norm(ours[0]) <= bound * (1 + 1e-12)


def test_clipping_in_training_is_torchs(torch):
    model = problem().model
    theta = np.stack([model.init(generator(seed, "initial weights")) for seed in range(2)])
    gradient = model.loss_and_gradient(theta, np.arange(20).reshape(2, 10))[1].copy()
    for r, bound in enumerate((0.2, 1e6)):
        parameter = torch.nn.Parameter(torch.zeros(model.size, dtype=torch.float64))
        parameter.grad = torch.from_numpy(gradient[r].copy())
        torch.nn.utils.clip_grad_norm_([parameter], bound)
        np.testing.assert_allclose(clipped(gradient, np.array([bound] * 2))[r], parameter.grad.numpy(), rtol=2e-5)


@pytest.mark.parametrize(("step", "variance"), [(0, 0.3), (99, 0.3 / 100**0.55)])
def test_noise_has_the_variance_of_its_formula(step, variance):
    normals = np.random.default_rng(0).standard_normal((2, 100_000))
    noisy = with_noise(np.ones((2, 100_000)), step, np.array([0.3, 0.0]), np.array([0.55, 0.55]), normals)
    assert noisy[0].mean() == pytest.approx(1, abs=0.01)
    assert noisy[0].var() == pytest.approx(variance, rel=0.02)
    assert (noisy[1] == 1).all()


def test_a_norm_that_overflows_clips_nobody_else():
    huge = np.full((2, 3), 1e20, np.float32)
    ours = clipped(huge, np.array([np.inf, 1.0], np.float32))
    assert np.array_equal(ours[0], huge[0])
    assert np.linalg.norm(ours[1]) == pytest.approx(1, rel=1e-6)


class Bowl:
    """½‖θ − x‖² for rows x: the gradient that training uses can be read off θ."""

    size = 4

    def __init__(self):
        self.points = np.random.default_rng(7).normal(size=(30, self.size))
        self.seen = []

    def __copy__(self):
        return self

    def init(self, rng):
        return rng.normal(size=self.size)

    def loss_and_gradient(self, theta, indices):
        if indices.max() < 20:
            self.seen.append(theta[0].copy())
        away = theta[:, None] - self.points[indices]
        return 0.5 * np.square(away).sum(axis=2).mean(axis=1), away.mean(axis=1)

    def problem(self):
        return Problem(self, np.arange(20), np.arange(20, 30), 1e9)


def full_batch(**fields):
    """The path of θ over full batches, and the model."""
    bowl = Bowl()
    chosen = config(batch_size=20, epochs=12, **fields)
    train(bowl.problem(), [chosen], [4], dtype=np.float64)
    return np.array(bowl.seen), bowl


def test_gradient_noise_is_added_to_each_update():
    sgd = {"optimizer": {"name": "sgd", "learning_rate": 0.1}}
    noisy, bowl = full_batch(**sgd, gradient_noise=0.2)
    rng, theta = generator(4, "gradient noise"), noisy[0]
    for step in range(11):
        noise = rng.standard_normal(4, np.float32) * np.sqrt(0.2 / (1 + step) ** 0.55)
        theta = theta - 0.1 * (theta - bowl.points[:20].mean(axis=0) + noise)
        np.testing.assert_allclose(noisy[step + 1], theta, rtol=1e-12)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_decoupled_decay_is_adamws(schedule):
    """The strategy makes AdamW of Adam."""
    rate = {"learning_rate": 0.1}
    ours, _ = full_batch(optimizer={"name": "adam", **rate}, weight_decay=0.3, schedule=schedule)
    reference, _ = full_batch(optimizer={"name": "adamw", **rate, "weight_decay": 0.3}, schedule=schedule)
    np.testing.assert_allclose(ours, reference, rtol=1e-12)


def test_l2_is_a_part_of_the_gradient():
    ours, bowl = full_batch(l2=0.2)
    mean = bowl.points[:20].mean(axis=0)
    path = descend(lambda x: x - mean + 0.2 * x, ours[0], "momentum", {}, np.full(11, 0.1))
    np.testing.assert_allclose(ours, path, rtol=1e-12)
