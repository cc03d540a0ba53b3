"""Strategies in the network: dropout, batch normalization and initial weights, against torch and by hand."""

from dataclasses import replace

import numpy as np
import pytest
from strategy_runs import HELD_OUT, ROWS, config, problem

from cooldown.objectives import TrainConfig, tasks, train
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.problem import Network
from cooldown.objectives.random_streams import generator

# Dropout


def test_a_dropped_unit_gets_no_gradient_and_the_others_more(torch):
    model = problem().model
    assert isinstance(model, Network)
    theta = np.stack([model.init(generator(seed, "initial weights")) for seed in range(2)])
    indices = np.arange(20).reshape(2, 10)
    mask = (np.random.default_rng(0).random((2, 10, 14)) > 0.4) / 0.6
    losses, gradient = (result.copy() for result in model.loss_and_gradient(theta, indices, mask))
    for r in range(2):
        weights = torch.tensor(theta[r], requires_grad=True)
        z = torch.from_numpy(model.X[indices[r]])
        for i, layer in enumerate(model.layers):
            z = z @ weights[layer.start : layer.bias].reshape(layer.inputs, layer.outputs)
            z = z + weights[layer.bias : layer.end]
            if i < 2:
                z = torch.relu(z) * torch.from_numpy(mask[r][:, [slice(8), slice(8, 14)][i]])
        expected = torch.nn.functional.cross_entropy(z, torch.from_numpy(model.y[indices[r]]))
        expected.backward()
        np.testing.assert_allclose(losses[r], expected.item(), rtol=1e-12)
        np.testing.assert_allclose(gradient[r], weights.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_what_is_dropped_is_drawn_by_seed_and_thresholded_by_rate(monkeypatch):
    masks = []

    class Seen(MLP):
        def loss_and_gradient(self, theta, indices, dropout=None):
            masks.append(dropout)
            return super().loss_and_gradient(theta, indices, dropout)

    task = problem()
    seen = replace(task, model=Seen(task.model.X, task.model.y, (8, 6), 3, "cross_entropy"))
    train(seen, [config(dropout=0.25), config(dropout=0.5)], [0, 1])
    first = masks[0]
    assert first.shape == (4, 16, 14)
    assert set(np.unique(first[:2])) == {0, np.float32(1 / 0.75)}
    assert set(np.unique(first[2:])) == {0, 2}
    assert not first[2:][first[:2] == 0].any(), "what a small rate drops, a larger one drops too"
    assert not np.array_equal(first[0], first[1])
    whole = np.concatenate([mask[:2].ravel() for mask in masks])
    assert (whole == 0).mean() == pytest.approx(0.25, abs=0.02)


# Batch normalization


def torch_network(torch, model, theta):
    """The same network in torch, its parameters in the order of `theta`'s."""
    layers = torch.nn.ModuleList()
    norms = [*model.architecture.norms, None]
    for layer, norm in zip(model.layers, norms, strict=True):
        linear = torch.nn.Linear(layer.inputs, layer.outputs, bias=norm is None, dtype=torch.float64)
        linear.weight.data = torch.from_numpy(layer.weights(theta[None])[0].T.copy())
        if norm is None:
            linear.bias.data = torch.from_numpy(theta[layer.bias : layer.end].copy())
        layers.append(linear)
        if norm is not None:
            normalize = torch.nn.BatchNorm1d(norm.width, dtype=torch.float64)
            normalize.weight.data = torch.from_numpy(theta[norm.scale : norm.scale + norm.width].copy())
            normalize.bias.data = torch.from_numpy(theta[layer.bias : layer.end].copy())
            layers.append(normalize)
            layers.append(torch.nn.ReLU() if model.activation == "relu" else torch.nn.Tanh())
    return torch.nn.Sequential(*layers)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_batch_normalization_is_torchs(torch, activation):
    model = problem(activation=activation).model.with_batch_norm()
    rng = np.random.default_rng(2)
    theta = np.stack([model.init(rng) for _ in range(3)])
    theta[:, : model.trainable] += 0.1 * rng.normal(size=(3, model.trainable))
    assert model.size - model.trainable == 2 * 14
    networks = [torch_network(torch, model, row) for row in theta]
    for batch in range(4):
        indices = rng.integers(0, ROWS, (3, 11 if batch < 3 else 2))
        losses, gradient = model.loss_and_gradient(theta, indices)
        for r, network in enumerate(networks):
            network.zero_grad()
            X, y = torch.from_numpy(model.X[indices[r]]), torch.from_numpy(model.y[indices[r]])
            expected = torch.nn.functional.cross_entropy(network.train()(X), y)
            expected.backward()
            assert losses[r] == pytest.approx(expected.item(), rel=1e-10)
            modules = [module for module in network if not isinstance(module, torch.nn.ReLU | torch.nn.Tanh)]
            for layer, norm in zip(model.layers, [*model.architecture.norms, None], strict=True):
                linear = modules.pop(0)
                weights = layer.weights(gradient)[r].T
                np.testing.assert_allclose(weights, linear.weight.grad.numpy(), rtol=1e-8, atol=1e-12)
                last = modules.pop(0) if norm is not None else linear
                bias = gradient[r, layer.bias : layer.end]
                np.testing.assert_allclose(bias, last.bias.grad.numpy(), rtol=1e-8, atol=1e-12)
                if norm is None:
                    continue
                scale = gradient[r, norm.scale : norm.scale + norm.width]
                np.testing.assert_allclose(scale, last.weight.grad.numpy(), rtol=1e-8, atol=1e-12)
                means = theta[r, norm.statistics : norm.statistics + norm.width]
                np.testing.assert_allclose(means, last.running_mean.numpy(), rtol=1e-10)
                np.testing.assert_allclose(norm.variances(theta)[r], last.running_var.numpy(), rtol=1e-10)
    rows = np.arange(ROWS, ROWS + HELD_OUT)
    losses, scores = model.evaluate(theta, rows)
    for r, network in enumerate(networks):
        z = network.eval()(torch.from_numpy(model.X[rows]))
        assert losses[r] == pytest.approx(
            torch.nn.functional.cross_entropy(z, torch.from_numpy(model.y[rows])).item(), rel=1e-10
        )
        assert scores[r] == pytest.approx((z.argmax(1).numpy() == model.y[rows]).mean())


def test_a_batch_of_one_row_moves_no_running_statistics():
    model = problem().model.with_batch_norm()
    theta = model.init(generator(0, "initial weights"))[None]
    before = theta.copy()
    losses, gradient = model.loss_and_gradient(theta, np.array([[3]]))
    assert np.array_equal(theta, before)
    assert np.isfinite(losses).all()
    assert np.isfinite(gradient).all()


def test_rules_leave_the_running_statistics_alone():
    """With decay, noise and clipping too: they move towards the batches' only."""
    strategies = {"weight_decay": 0.9, "l2": 0.5, "gradient_noise": 1.0, "clip_norm": 0.1}
    task = problem((8,))
    still = config(
        optimizer={"name": "sgd", "learning_rate": 1e-30}, batch_norm=True, batch_size=ROWS, epochs=3, **strategies
    )
    ((curve,),) = train(task, [still], [0], dtype=np.float64)
    model = task.model.with_batch_norm()
    theta = model.init(generator(0, "initial weights"))[None]
    for _ in range(3):
        model.loss_and_gradient(theta, np.arange(ROWS)[None])
    assert curve.held_out_loss[-1] == pytest.approx(model.evaluate(theta, task.held_out)[0][0], rel=1e-10)


def test_float32_batch_normalization_is_near_float64():
    rough, exact = (train(problem(), [config(batch_norm=True)], [0, 1], dtype=d) for d in (np.float32, np.float64))
    for one, other in zip(rough[0], exact[0], strict=True):
        np.testing.assert_allclose(one.held_out_loss, other.held_out_loss, rtol=2e-3)


# Initialization


@pytest.mark.parametrize(
    ("scheme", "deviations"),
    [
        ("he", (np.sqrt(2 / 200), np.sqrt(2 / 300))),
        ("glorot", (np.sqrt(2 / 500), np.sqrt(2 / 400))),
        ("poor", (0.01, 0.01)),
        ("large", (1.0, 1.0)),
        ("zero", (0.0, 0.0)),
        ("normal_0.1", (0.1, 0.1)),
    ],
)
def test_initial_weights_have_the_deviation_of_their_scheme(scheme, deviations):
    model = MLP(np.zeros((1, 200)), np.zeros(1, int), (300,), 100, "cross_entropy")
    theta = model.init(np.random.default_rng(0), scheme)[None]
    for layer, deviation in zip(model.layers, deviations, strict=True):
        assert layer.weights(theta).std() == pytest.approx(deviation, rel=0.02)
        assert not theta[0, layer.bias : layer.end].any()


def test_a_poor_start_is_poor():
    """The deep network stays at chance from weights that are far too small, and learns from He's (C12, C16)."""
    task = tasks.get("digits").with_hidden((16,) * 6)
    shared = {"optimizer": {"name": "momentum", "learning_rate": 0.03}, "epochs": 12, "batch_size": 32}
    configs = [TrainConfig.from_json({**shared, "initialization": name}) for name in ("he", "poor")]
    (he,), (poor,) = train(task, configs, [0])
    assert he.final_score > 0.7 > 0.3 > poor.final_score
