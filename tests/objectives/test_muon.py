"""Muon against torch.optim.Muon for the weight matrices and torch.optim.AdamW for the others, over whole runs."""

import numpy as np
import pytest

from cooldown.objectives import Outcome, Problem, TrainConfig, descend, optimizers, tasks
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.optimizers.muon import orthogonalized, orthogonalized_in_loops
from cooldown.objectives.problem import Matrix, matrices
from cooldown.objectives.random_streams import generator
from cooldown.objectives.training.engine import fit, train

ROWS, EPOCHS = 40, 12
SETTINGS = {"learning_rate": 0.03, "momentum": 0.9, "other_rate": 0.2, "weight_decay": 0.05, "beta1": 0.8}


def problem(hidden=(12, 5)):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(ROWS + 10, 7))
    y = np.digitize(X[:, 0] * X[:, 1], [-0.4, 0.4])
    return Problem(MLP(X, y, hidden, 3, "cross_entropy"), np.arange(ROWS), np.arange(ROWS, len(X)), 1.2)


def config(**fields):
    optimizer = {"name": "muon", **SETTINGS}
    return TrainConfig.from_json(
        {"optimizer": optimizer, "schedule": "cosine", "batch_size": ROWS, "epochs": EPOCHS, "shuffle": False, **fields}
    )


def newton_schulz(matrix):
    """Jordan's own loop."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / np.linalg.norm(wide)
    for _ in range(5):
        gram = wide @ wide.T
        wide = 3.4445 * wide + (-4.7750 * gram + 2.0315 * gram @ gram) @ wide
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.T


@pytest.mark.parametrize("shape", [(7, 12), (12, 5), (6, 6), (1, 4), (9, 1)])
def test_newton_schulz_on_the_gram_matrix_is_that_on_the_matrix(shape):
    matrix = np.random.default_rng(0).normal(size=shape)
    factor = max(1, shape[1] / shape[0]) ** 0.5
    np.testing.assert_allclose(orthogonalized(matrix), factor * newton_schulz(matrix), rtol=1e-10, atol=1e-12)
    assert not orthogonalized(np.zeros(shape)).any(), "no direction without a gradient"


@pytest.mark.parametrize("shape", [(7, 12), (12, 5), (6, 6), (1, 4), (9, 1)])
def test_the_engine_computes_the_same_in_loops(shape):
    for matrix in (np.random.default_rng(0).normal(size=shape), np.zeros(shape), np.full(shape, 1e-9)):
        np.testing.assert_allclose(orthogonalized_in_loops(matrix), orthogonalized(matrix), rtol=1e-10, atol=1e-12)


def test_a_run_is_that_of_torch(torch, monkeypatch):
    """In float64, in which torch's Newton–Schulz steps are not computed otherwise."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda tensor: tensor.clone())
    task, chosen = problem(), config()
    model, theta = task.model, task.model.init(generator(3, "initial weights"))
    weights, biases = [], []
    for layer in model.layers:
        # torch stores outputs × inputs.
        weights.append(torch.nn.Parameter(torch.tensor(layer.weights(theta[None])[0].T.copy())))
        biases.append(torch.nn.Parameter(torch.tensor(theta[layer.bias : layer.end])))
    rate, decay = SETTINGS["learning_rate"], SETTINGS["weight_decay"]
    of_matrices = torch.optim.Muon(weights, lr=rate, weight_decay=decay, momentum=SETTINGS["momentum"])
    of_others = torch.optim.AdamW(biases, lr=rate, betas=(SETTINGS["beta1"], 0.999), weight_decay=decay)
    X, y = torch.tensor(model.X[:ROWS]), torch.tensor(model.y[:ROWS])
    for multiplier in chosen.plan(ROWS).multipliers:
        of_matrices.param_groups[0]["lr"] = rate * multiplier
        of_others.param_groups[0]["lr"] = rate * multiplier * SETTINGS["other_rate"]
        z = X
        for place, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            z = torch.nn.functional.linear(z if place == 0 else torch.relu(z), weight, bias)
        for rule in (of_matrices, of_others):
            rule.zero_grad()
        torch.nn.functional.cross_entropy(z, y).backward()
        of_matrices.step()
        of_others.step()
    final = fit(task, chosen, [3], dtype=np.float64).theta[0]
    for layer, weight, bias in zip(model.layers, weights, biases, strict=True):
        ours = layer.weights(final[None])[0]
        np.testing.assert_allclose(ours, weight.detach().numpy().T, rtol=1e-10, atol=1e-11)
        np.testing.assert_allclose(final[layer.bias : layer.end], bias.detach().numpy(), rtol=1e-10, atol=1e-11)
    assert np.abs(final - theta).max() > 0.05
    np.testing.assert_allclose(fit(task, chosen, [3], dtype=np.float32).theta[0], final, atol=1e-4)


def test_a_divergence_is_seen():
    wild = config(optimizer={"name": "muon", "learning_rate": 1e30})
    ((curve,),) = train(problem(), [wild], [0])
    assert curve.outcome is Outcome.DIVERGED


def test_without_matrices_it_is_adamw():
    settings = {"other_rate": 1.0, "weight_decay": 0.1}
    start, rates = np.array([1.0, -2.0, 3.0]), np.full(20, 0.1)
    path = descend(lambda x: x, start, "muon", settings, rates)
    np.testing.assert_allclose(path, descend(lambda x: x, start, "adamw", {"weight_decay": 0.1}, rates), rtol=1e-12)


@pytest.mark.parametrize("fields", [{}, {"batch_norm": True}, {"l2": 0.1}, {"batch_size": 16, "sam": 0.05}])
def test_a_replicate_gives_the_same_bits_alone_and_among_others(fields):
    configs = [config(**fields), config(**fields, optimizer={"name": "muon", "learning_rate": 0.1})]
    together = fit(problem(), configs[0], [0, 1, 2]).theta
    for place in range(3):
        assert np.array_equal(fit(problem(), configs[0], [place]).theta[0], together[place])
    both = train(problem(), configs, [0, 1])
    assert np.array_equal(both[1][1].held_out_loss, train(problem(), configs[1:], [1])[0][0].held_out_loss)


@pytest.mark.parametrize("method", ["hogwild", "downpour", "easgd"])
def test_it_is_trained_by_simulated_workers(method):
    ((curve,),) = train(problem(), [config(asynchronous={"name": method, "workers": 2}, batch_size=8)], [0])
    assert curve.train_loss[-1] < curve.train_loss[0]


def test_matrices_of_a_network_are_its_weights():
    model = problem().model
    theta = np.arange(model.size, dtype=float)
    for layer, matrix in zip(model.layers, matrices(model), strict=True):
        assert np.array_equal(matrix.of(theta), layer.weights(theta[None])[0])
    assert Matrix(1, 2, 3, transposed=True).of(np.arange(8)).tolist() == [[1, 3, 5], [2, 4, 6]]
    assert matrices(tasks.get("quadratic").search_problem().model) == ()


def test_modules_of_torch_have_matrices_too(torch):
    def make():
        return torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))

    X, y = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32), np.arange(60) % 3
    model = tasks.from_torch(make, X, y).search_problem().model
    assert matrices(model) == (Matrix(0, 4, 6, transposed=True), Matrix(30, 6, 3, transposed=True))
    assert optimizers.get("muon").optional == ("direction", "in_matrix")
