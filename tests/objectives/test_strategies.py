"""Strategies: against torch where it has them, by hand where it has not, and the laws that all of them keep."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooldown.objectives import Outcome, Problem, TrainConfig, descend, tasks, train
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.problem import Network
from cooldown.objectives.random_streams import generator
from cooldown.objectives.strategies import STRATEGIES
from cooldown.objectives.training import engine
from cooldown.objectives.training.data_order import DataOrder, by_difficulty
from cooldown.objectives.training.gradients import clipped, with_noise

ROWS, HELD_OUT, FEATURES = 60, 40, 5


def problem(hidden=(8, 6), activation="relu"):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(ROWS + HELD_OUT, FEATURES))
    y = np.digitize(np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=len(X)), [-0.4, 0.5])
    return Problem(MLP(X, y, hidden, 3, "cross_entropy", activation), np.arange(ROWS), np.arange(ROWS, len(X)), 1.2)


def config(**fields):
    return TrainConfig.from_json(
        {"optimizer": {"name": "momentum", "learning_rate": 0.1}, "batch_size": 16, "epochs": 6, **fields}
    )


def same(one, other):
    """Bit for bit, timing aside."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name == "held_out_score")
        for name in vars(one)
        if name not in ("seconds", "outcome")
    ) and (one.outcome is other.outcome)


EACH = {
    "shuffle": {"shuffle": False},
    "easy_to_hard": {"curriculum": "easy_to_hard"},
    "mixed": {"curriculum": "mixed"},
    "early_stopping": {"early_stopping": 1},
    "gradient_noise": {"gradient_noise": 0.3},
    "gradient_noise_decay": {"gradient_noise": 0.3, "gradient_noise_decay": 0.9},
    "dropout": {"dropout": 0.4},
    "batch_norm": {"batch_norm": True},
    "clip_norm": {"clip_norm": 0.1},
    "l2": {"l2": 0.1},
    "weight_decay": {"weight_decay": 0.3},
    "he": {"initialization": "he"},
    "glorot": {"initialization": "glorot"},
    "poor": {"initialization": "poor"},
    "large": {"initialization": "large"},
    "plateau": {"schedule": {"name": "plateau", "patience": 1}},
    "batch_growth": {"schedule": {"name": "batch_growth", "every": 2, "gamma": 0.5}},
    "all": {
        "curriculum": "mixed",
        "shuffle": False,
        "early_stopping": 4,
        "gradient_noise": 0.1,
        "dropout": 0.2,
        "batch_norm": True,
        "clip_norm": 0.5,
        "weight_decay": 0.1,
        "initialization": "poor",
        "schedule": {"name": "plateau", "patience": 1},
    },
}
WILD = {"optimizer": {"name": "momentum", "learning_rate": 1e30}}


def test_every_strategy_is_among_the_cases():
    assert {name for fields in EACH.values() for name in fields} - {"schedule"} == set(STRATEGIES)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_together_or_alone_gives_the_same_bits(dtype):
    """Beside those that use other strategies, and one that diverges."""
    configs = [config(), *[config(**fields) for fields in EACH.values()], config(**WILD), config(**WILD, dropout=0.4)]
    seeds = [0, 7]
    together = train(problem(), configs, seeds, dtype=dtype)
    outcomes = [curve.outcome for row in together[-2:] for curve in row]
    assert Outcome.DIVERGED in outcomes
    for (i, one), (j, seed) in itertools.product(enumerate(configs), enumerate(seeds)):
        ((alone,),) = train(problem(), [one], [seed], dtype=dtype)
        assert same(together[i][j], alone), one


@pytest.mark.parametrize("name", EACH)
def test_each_changes_something_and_costs_what_it_says(name):
    ((plain,), (changed,)) = train(problem(), [config(), config(**EACH[name])], [0])
    assert not same(plain, changed)
    if changed.outcome is Outcome.COMPLETED and "curriculum" not in EACH[name]:
        assert changed.gradient_evaluations == 6 * ROWS
    if "curriculum" in EACH[name]:
        # The reference model: ten epochs, and one look at each row.
        assert changed.gradient_evaluations == (len(changed.train_loss) + 10 + 1) * ROWS


# Order of the data


@given(
    st.integers(1, 80),
    st.integers(1, 12),
    st.booleans(),
    st.sampled_from(["none", "easy_to_hard", "mixed"]),
    st.integers(0, 9),
)
def test_an_epoch_has_as_many_rows_as_there_are(n, epochs, shuffle, curriculum, seed):
    rows = 1000 + np.arange(n)
    order = DataOrder(rows, generator(seed, "data order"), epochs, shuffle, curriculum)
    for epoch in range(epochs):
        seen = order.epoch(epoch)
        assert len(seen) == n
        assert set(seen) <= set(rows)
        whole = curriculum == "none" or 2 * epoch >= epochs
        assert not whole or sorted(seen) == rows.tolist()


def test_a_curriculum_begins_with_the_easiest_fifth_and_has_all_rows_at_half_of_the_run():
    rows = np.arange(100)
    strict = DataOrder(rows, generator(0, "data order"), 10, True, "easy_to_hard")
    hardest = [strict.epoch(epoch).max() for epoch in range(10)]
    assert hardest == [19, 35, 51, 67, 83, 99, 99, 99, 99, 99]
    mixed = DataOrder(rows, generator(0, "data order"), 10, True, "mixed")
    first = mixed.epoch(0)
    assert 50 <= (first < 20).sum() < 75, "half from the easiest fifth, the rest from all"
    assert first.max() > 80


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_mixed_curriculum_has_hard_rows_from_the_start(shuffle):
    rows = np.arange(100)
    order = DataOrder(rows, generator(0, "data order"), 20, shuffle, "mixed")
    first, second = order.epoch(0), order.epoch(1)
    assert (first >= 50).sum() > 15
    assert len({*first, *second}) > 60, "half of each epoch is drawn from all rows, and not the same half"


def test_without_shuffling_rows_come_as_they_are():
    rows = np.array([5, 3, 9])
    order = DataOrder(rows, generator(0, "data order"), 2, False, "none")
    assert order.epoch(0).tolist() == order.epoch(1).tolist() == [5, 3, 9]
    assert by_difficulty(rows, np.array([2.0, 1.0, 2.0])).tolist() == [3, 5, 9]


def test_easy_rows_are_those_that_the_reference_model_is_right_about():
    """Rows with a wrong label are hard."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2))
    y = (X[:, 0] > 0).astype(np.int64)
    wrong = np.arange(0, 100, 10)
    y[wrong] = 1 - y[wrong]
    task = Problem(MLP(X, y, (8,), 2, "cross_entropy"), np.arange(100), np.arange(100, 120), 0.7)
    order, paid = engine._easiest_first(task)
    assert sorted(order) == list(range(100))
    assert paid == 11 * 100
    assert np.isin(wrong, order[-40:]).mean() >= 0.8
    assert engine._easiest_first(task)[0] is order, "found once for a problem"


# Gradients


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
