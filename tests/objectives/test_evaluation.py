"""Held-out rows are measured by NumPy's formulas to the last bit, however many networks are measured at once."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from cooldown.objectives.models import mlp
from cooldown.objectives.models._evaluation_kernels import MOST, centred, sums
from cooldown.objectives.models.compiled_evaluation import CompiledEvaluation
from cooldown.objectives.models.measuring import Measuring
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.random_streams import generator

ROWS = 53


def network(outputs=4, hidden=(9, 5), activation="relu", n=ROWS, **fields):
    rng = np.random.default_rng(outputs)
    X, y = rng.normal(size=(n, 6)), rng.integers(0, outputs, n)
    return MLP(X, y, hidden, outputs, "cross_entropy", activation, **fields)


def parameters(model, dtype, count=5):
    return np.stack([model.init(generator(seed, "initial weights"), "large") for seed in range(count)]).astype(dtype)


def formula(model, theta, rows):
    """Losses and accuracies of one network after the other."""
    X, y = model.in_precision(theta.dtype)
    z = model.predict(theta, X[rows])
    z -= z.max(axis=2, keepdims=True)
    at_label = z[:, np.arange(len(rows)), y[rows]]
    hits = (z.argmax(axis=2) == y[rows]).sum(axis=1)
    losses = (np.log(np.exp(z).sum(axis=2)) - at_label).sum(axis=1, dtype=np.float64)
    return losses / len(rows), hits / len(rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("fields", [{}, {"hidden": ()}, {"activation": "tanh"}, {"batch_norm": True}], ids=str)
@pytest.mark.parametrize("outputs", [1, 2, 7, 8, 9, 16, 19, MOST, MOST + 1, 300])
def test_losses_and_scores_are_those_of_the_formula(outputs, fields, dtype):
    model = network(outputs, **fields)
    theta, rows = parameters(model, dtype), np.random.default_rng(1).permutation(ROWS)[:40]
    losses, scores = model.evaluate(theta, rows)
    expected = formula(model, theta, rows)
    assert np.array_equal(losses, expected[0])
    assert np.array_equal(scores, expected[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("hidden", [(), (9,), (9, 5)], ids=str)
@pytest.mark.parametrize("outputs", [1, 2, 7, 8, 16, 19, MOST])
def test_compiled_code_measures_to_the_same_bits(outputs, hidden, dtype):
    model, chosen = network(outputs, hidden), np.array([4, 0, 3])
    theta = parameters(model, dtype)
    assert CompiledEvaluation.possible(model, np.dtype(dtype))
    compiled = CompiledEvaluation(model, np.dtype(dtype))
    for rows in (np.random.default_rng(1).permutation(ROWS)[:40], np.array([7])):
        expected = model.evaluate(theta[chosen], rows)
        assert np.array_equal(compiled.measure(theta, chosen, rows), expected)
        assert np.array_equal(compiled.measure(np.asfortranarray(theta), chosen, rows), expected)


@pytest.mark.parametrize("count", [1500, 2048, 5000])
def test_compiled_code_measures_many_rows_in_chunks(count):
    model, rows = network(n=count), np.arange(count)
    theta, every = parameters(model, np.float32, 12), np.arange(12)
    measured = CompiledEvaluation(model, theta.dtype).measure(theta, every, rows)
    assert np.array_equal(measured, model.evaluate(theta, rows))


def test_what_is_not_a_plain_classifier_is_measured_by_numpy():
    plain, single = network(), np.dtype(np.float32)
    assert CompiledEvaluation.possible(plain, single)
    others = [network(activation="tanh"), network(batch_norm=True), network(MOST + 1)]
    others.append(replace(plain, X=csr_array(plain.X)))
    others.append(replace(plain, measuring=Measuring(None, None, plain.y, weights=np.ones(ROWS))))
    others.append(replace(plain, y=np.zeros((ROWS, 4)), loss="squared_error"))
    assert not any(CompiledEvaluation.possible(other, single) for other in others)


def test_neither_chunks_of_networks_nor_earlier_calls_change_a_bit(monkeypatch):
    model, rows = network(), np.arange(ROWS)
    theta = parameters(model, np.float32)
    together = model.evaluate(theta, rows)
    model.evaluate(theta[:2], rows[:9])
    monkeypatch.setattr(mlp, "EVALUATION_NUMBERS", 2 * ROWS * 9)
    assert np.array_equal(model.evaluate(theta, rows), together)
    for r in range(len(theta)):
        alone = np.array(model.evaluate(theta[r : r + 1], rows))[:, 0]
        assert np.array_equal(alone, np.array(together)[:, r])


def test_networks_in_any_memory_layout_are_measured():
    model, rows = network(), np.arange(ROWS)
    theta = parameters(model, np.float32)
    assert np.array_equal(model.evaluate(np.asfortranarray(theta), rows), model.evaluate(theta, rows))


@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy"])
def test_chunks_with_other_losses(loss, monkeypatch):
    y = np.random.default_rng(0).normal(size=(ROWS, 3))
    model = replace(network(3), y=y if loss == "squared_error" else y > 0, loss=loss)
    theta, rows = parameters(model, np.float32), np.arange(ROWS)
    together = model.evaluate(theta, rows)
    monkeypatch.setattr(mlp, "EVALUATION_NUMBERS", 1)
    assert np.array_equal(model.evaluate(theta, rows), together)


def test_a_tie_is_a_hit_where_the_label_comes_first():
    biases = [0.5, -1, 2, 0.25]
    z, theta = np.array([[[1.0, 3, 3, 2], [3, 1, 3, 3]]]) - biases, np.array([[9, *biases, 9]])
    at_label, hits = np.empty((1, 2)), np.empty(1)
    centred(z, theta, 1, np.array([1, 2]), at_label, hits)
    assert hits.tolist() == [1]
    assert at_label.tolist() == [[0, 0]]
    assert z.tolist() == [[[-2, 0, 0, -1], [0, -2, 0, 0]]]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_without_finite_outputs_has_no_finite_loss(value):
    model = network()
    theta = parameters(model, np.float32)
    theta[1] = value
    with np.errstate(all="ignore"):
        losses, _ = model.evaluate(theta, np.arange(ROWS))
    assert np.isfinite(losses).tolist() == [True, False, True, True, True]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", range(1, MOST + 1, 9))
def test_sums_are_those_of_numpy(count, dtype):
    z = np.random.default_rng(count).lognormal(0, 4, (2, 7, count)).astype(dtype)
    out = np.empty((2, 7), dtype)
    sums(z, out)
    assert np.array_equal(out, z.sum(axis=2))
