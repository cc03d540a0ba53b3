"""The multilayer perceptron: its gradient against finite differences and torch autograd, its measures against
scikit-learn, and its compiled kernels against scipy.
"""

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest
import scipy.special
from numba import njit
from sklearn.metrics import accuracy_score, log_loss, r2_score

from cooldown.objectives.models import _kernels
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.problem import Model

ROWS, FEATURES, REPLICATES = 40, 5, 3
LAYERS = [(), (7,), (6, 9), (5, 4, 3)]
LOSSES = {
    "cross_entropy": ("cross_entropy", 4),
    "3 labels": ("binary_cross_entropy", 3),
    "1 target": ("squared_error", 1),
    "3 targets": ("squared_error", 3),
}


def mlp(hidden, loss, activation="relu"):
    rng = np.random.default_rng(1)
    name, outputs = LOSSES[loss]
    y = rng.integers(0, outputs, ROWS) if name == "cross_entropy" else rng.normal(size=(ROWS, outputs))
    y = y > 0.3 if name == "binary_cross_entropy" else y
    return MLP(rng.normal(size=(ROWS, FEATURES)), y, hidden, outputs, name, activation)


def point(model, dtype=np.float64):
    """Parameters (R, P) with biases that are not zero, and batches (R, B)."""
    rng = np.random.default_rng(2)
    theta = np.stack([model.init(rng) for _ in range(REPLICATES)])
    theta += 0.1 * rng.normal(size=theta.shape)
    return theta.astype(dtype), rng.integers(0, ROWS, (REPLICATES, 11))


def all_models(test):
    test = pytest.mark.parametrize("activation", ["relu", "tanh"])(test)
    test = pytest.mark.parametrize("loss", LOSSES)(test)
    return pytest.mark.parametrize("hidden", LAYERS, ids=str)(test)


@all_models
def test_gradient_is_the_slope_of_the_loss(hidden, loss, activation):
    model = mlp(hidden, loss, activation)
    theta, indices = point(model)
    gradient = model.loss_and_gradient(theta, indices)[1].copy()
    h = 1e-6
    for p in range(model.size):
        up, down = theta.copy(), theta.copy()
        up[:, p] += h
        down[:, p] -= h
        losses = [model.loss_and_gradient(moved, indices)[0].copy() for moved in (up, down)]
        np.testing.assert_allclose(gradient[:, p], (losses[0] - losses[1]) / (2 * h), rtol=1e-5, atol=2e-8)


@all_models
def test_agrees_with_torch_autograd(torch, hidden, loss, activation):
    model = mlp(hidden, loss, activation)
    theta, indices = point(model)
    losses, gradient = model.loss_and_gradient(theta, indices)
    for r in range(REPLICATES):
        weights = torch.tensor(theta[r], requires_grad=True)
        z, start = torch.from_numpy(model.X[indices[r]]), 0
        widths = [FEATURES, *hidden, model.n_outputs]
        for i, (inputs, outputs) in enumerate(pairwise(widths)):
            matrix = weights[start : start + inputs * outputs].reshape(inputs, outputs)
            start += inputs * outputs
            z = z @ matrix + weights[start : start + outputs]
            start += outputs
            if i < len(hidden):
                z = torch.relu(z) if activation == "relu" else torch.tanh(z)
        functional, y = torch.nn.functional, torch.from_numpy(model.y[indices[r]])
        if model.loss == "binary_cross_entropy":
            expected = functional.binary_cross_entropy_with_logits(z, y.double())
        else:
            expected = (functional.cross_entropy if model.loss == "cross_entropy" else functional.mse_loss)(z, y)
        expected.backward()
        assert start == model.size
        np.testing.assert_allclose(losses[r], expected.item(), rtol=1e-12)
        np.testing.assert_allclose(gradient[r], weights.grad.numpy(), rtol=1e-10, atol=1e-14)


@all_models
def test_float32_is_near_float64(hidden, loss, activation):
    model = mlp(hidden, loss, activation)
    theta, indices = point(model)
    losses, gradient = (result.copy() for result in model.loss_and_gradient(theta, indices))
    rough_losses, rough = model.loss_and_gradient(theta.astype(np.float32), indices)
    assert rough.dtype == np.float32
    np.testing.assert_allclose(rough_losses, losses, rtol=1e-5)
    np.testing.assert_allclose(rough, gradient, rtol=1e-4, atol=1e-5)


@all_models
def test_parameters_and_indices_stay_as_they_are(hidden, loss, activation):
    model = mlp(hidden, loss, activation)
    theta, indices = point(model)
    before = theta.copy(), indices.copy(), model.X.copy(), model.y.copy()
    model.loss_and_gradient(theta, indices)
    model.evaluate(theta, np.arange(ROWS))
    for now, then in zip((theta, indices, model.X, model.y), before, strict=True):
        assert np.array_equal(now, then)


@all_models
def test_evaluate_measures_the_loss_that_is_trained(hidden, loss, activation):
    model = mlp(hidden, loss, activation)
    theta, _ = point(model)
    rows = np.arange(3, ROWS)
    trained = model.loss_and_gradient(theta, np.tile(rows, (REPLICATES, 1)))[0]
    losses, scores = model.evaluate(theta, rows)
    np.testing.assert_allclose(losses, trained, rtol=1e-12)
    outputs = model.predict(theta, model.X[rows])
    for r in range(REPLICATES):
        if model.loss == "cross_entropy":
            probabilities = scipy.special.softmax(outputs[r], axis=1)
            assert losses[r] == pytest.approx(log_loss(model.y[rows], probabilities, labels=range(4)), rel=1e-12)
            assert scores[r] == accuracy_score(model.y[rows], outputs[r].argmax(axis=1))
        elif model.loss == "binary_cross_entropy":
            of_each = [log_loss(*pair) for pair in zip(model.y[rows].T, scipy.special.expit(outputs[r]).T, strict=True)]
            assert losses[r] == pytest.approx(np.mean(of_each), rel=1e-12)
            assert scores[r] == accuracy_score(model.y[rows], outputs[r] > 0)
        elif model.n_outputs == 1:
            assert scores[r] == pytest.approx(r2_score(model.y[rows], outputs[r]), rel=1e-12)


def test_evaluate_in_chunks_is_evaluate(monkeypatch):
    model = mlp((7,), "cross_entropy")
    theta, _ = point(model)
    whole = model.evaluate(theta, np.arange(ROWS))
    monkeypatch.setattr("cooldown.objectives.models.mlp.EVALUATION_ROWS", 7)
    for in_chunks, expected in zip(model.evaluate(theta, np.arange(ROWS)), whole, strict=True):
        np.testing.assert_allclose(in_chunks, expected, rtol=1e-14)


def test_r2_of_several_targets_weighs_them_by_their_variance():
    model = mlp((), "3 targets")
    theta, _ = point(model)
    rows = np.arange(ROWS)
    expected = [
        r2_score(model.y, outputs, multioutput="variance_weighted") for outputs in model.predict(theta, model.X)
    ]
    np.testing.assert_allclose(model.evaluate(theta, rows)[1], expected, rtol=1e-12)


def test_initial_weights_have_the_variances_of_he_and_glorot():
    rng = np.random.default_rng(0)
    for activation in ("relu", "tanh"):
        model = MLP(np.zeros((1, 200)), np.zeros(1, int), (300,), 100, "cross_entropy", activation)
        theta = model.init(rng)[None]
        first, last = (layer.weights(theta)[0] for layer in model.layers)
        he, glorot = 2 / 200, 2 / (200 + 300)
        assert first.var() == pytest.approx(he if activation == "relu" else glorot, rel=0.02)
        assert last.var() == pytest.approx(2 / (300 + 100), rel=0.02)
        assert abs(last).max() <= np.sqrt(6 / 400)
        for layer in model.layers:
            assert (theta[0, layer.bias : layer.end] == 0).all()


def test_is_a_model_that_can_be_copied_and_sent_to_another_process():
    model = mlp((7,), "cross_entropy")
    assert isinstance(model, Model)
    theta, indices = point(model)
    losses, gradient = (result.copy() for result in model.loss_and_gradient(theta, indices))
    for other in (copy.copy(model), pickle.loads(pickle.dumps(model))):
        other.loss_and_gradient(theta[::-1].copy(), indices)  # must not touch the first one's buffers
        again = other.loss_and_gradient(theta, indices)
        assert np.array_equal(again[0], losses)
        assert np.array_equal(again[1], gradient)
        assert not np.shares_memory(again[1], model.loss_and_gradient(theta, indices)[1])


# Kernels


@njit
def _exponentials(values):
    result = np.empty_like(values)
    for i in range(values.size):
        result[i] = _kernels._exp(values[i])
    return result


def test_float32_exponential_is_within_2_units_in_the_last_place():
    x = np.linspace(-87, 0, 2_000_001, dtype=np.float32)
    exact = np.exp(x.astype(np.float64))
    errors = np.abs(_exponentials(x) - exact) / np.spacing(exact.astype(np.float32))
    assert errors.max() <= 2


def test_float32_exponential_at_the_ends():
    ends = _exponentials(np.array([0, -0.0, -1e-30, -88, -1e30, -np.inf, np.nan], np.float32))
    assert (ends[:3] == 1).all()
    assert (ends[3:6] > 0).all()
    assert (ends[3:6] < 2e-38).all()
    assert np.isnan(ends[6])


def softmax_kernel(logits, labels, dtype, bias=None):
    """Losses (R,), gradients by the logits (R, K, B) and by the biases (R, K) for `logits` (R, B, K)."""
    replicates, rows, outputs = logits.shape
    z = np.array(logits.transpose(0, 2, 1), dtype, order="C")
    theta = np.zeros((replicates, outputs + 3), dtype)
    theta[:, 3:] = 0 if bias is None else bias
    gradient, losses = np.full_like(theta, 7), np.empty(replicates)
    indices = np.arange(replicates * rows).reshape(replicates, rows)
    _kernels.softmax_cross_entropy(z, theta, gradient, 3, labels.ravel(), indices, losses)
    assert (gradient[:, :3] == 7).all(), "wrote outside its place"
    return losses, z, gradient[:, 3:]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
@pytest.mark.parametrize("scale", [1e-3, 1, 30, 1000])
@pytest.mark.parametrize("shape", [(1, 1, 2), (3, 32, 10), (2, 7, 3), (2, 5, 100)], ids=str)
def test_softmax_cross_entropy_agrees_with_scipy(shape, scale, dtype, tolerance):
    rng = np.random.default_rng(3)
    logits = (scale * rng.normal(size=shape)).astype(dtype)
    bias = rng.normal(size=(shape[0], shape[2])).astype(dtype)
    labels = rng.integers(0, shape[2], shape[:2])
    losses, z, bias_gradient = softmax_kernel(logits, labels, dtype, bias)
    total = (logits + bias[:, None]).astype(np.float64)
    chosen = np.take_along_axis(scipy.special.log_softmax(total, axis=2), labels[:, :, None], axis=2)
    expected = (scipy.special.softmax(total, axis=2) - np.eye(shape[2])[labels]) / shape[1]
    np.testing.assert_allclose(losses, -chosen[:, :, 0].mean(axis=1), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(z.transpose(0, 2, 1), expected, rtol=0, atol=tolerance)
    np.testing.assert_allclose(bias_gradient, expected.sum(axis=1), rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_very_large_logits_give_a_finite_loss(dtype):
    logits = np.array([[[1e30, 0, -1e30], [0, 0, 2e30]]])
    losses, z, _ = softmax_kernel(logits, np.array([[0, 0]]), dtype)
    assert losses[0] == pytest.approx(1e30)
    np.testing.assert_allclose(z[0].T, [[0, 0, 0], [-0.5, 0, 0.5]], atol=1e-30)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("place", range(3))
def test_a_logit_that_is_not_finite_gives_a_nan_loss(place, dtype, value):
    logits = np.zeros((2, 9, 3))
    logits[0, 4, place] = value
    losses, _, _ = softmax_kernel(logits, np.zeros((2, 9), int), dtype)
    assert np.isnan(losses[0])
    assert losses[1] == pytest.approx(np.log(3))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_nan_weight_shows_in_the_loss_of_its_replicate_alone(dtype, activation, loss):
    model = mlp((6, 9), loss, activation)
    theta, indices = point(model, dtype)
    healthy = model.loss_and_gradient(theta, indices)[0].copy()
    for layer in model.layers:
        for p in (layer.start, layer.bias):
            broken = theta.copy()
            broken[1, p] = np.nan
            losses, _ = model.loss_and_gradient(broken, indices)
            assert np.isnan(losses[1])
            assert np.array_equal(losses[[0, 2]], healthy[[0, 2]])


def test_rows_whose_target_does_not_vary_have_no_r2():
    model = MLP(np.random.default_rng(0).normal(size=(6, 2)), np.ones((6, 1)), (), 1, "squared_error")
    losses, scores = model.evaluate(np.zeros((2, model.size)), np.arange(6))
    assert losses == pytest.approx([1, 1])
    assert np.isnan(scores).all()
