"""The training loop against scikit-learn and `descend`; its laws: a replicate does not know its neighbours, every row
is seen once an epoch, costs are counted, and a divergence is a value and never a number that was made up.
"""

import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier, MLPRegressor

from cooldown.objectives import Outcome, Problem, TrainConfig, descend, optimizers, schedules, tasks, train
from cooldown.objectives.errors import InputError
from cooldown.objectives.fusion import fused
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.random_streams import generator
from cooldown.objectives.training import engine

ROWS, HELD_OUT = 57, 901


def data(kind):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(ROWS + HELD_OUT, 6))
    target = np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=len(X))
    return X, (np.digitize(target, [-0.4, 0.5]) if kind == "classification" else target[:, None])


def problem(kind="classification", hidden=(9,), activation="relu"):
    X, y = data(kind)
    loss, outputs = ("cross_entropy", 3) if kind == "classification" else ("squared_error", 1)
    model = MLP(X, y, hidden, outputs, loss, activation)
    return Problem(model, np.arange(ROWS), np.arange(ROWS, len(X)), 1.2)


def config(optimizer="momentum", schedule="constant", **fields):
    return TrainConfig.from_json({"optimizer": optimizer, "schedule": schedule, "epochs": 3, **fields})


def same(one, other):
    """Bit for bit, timing aside."""
    return (
        one.seed == other.seed
        and one.outcome is other.outcome
        and np.array_equal(one.train_loss, other.train_loss)
        and np.array_equal(one.held_out_loss, other.held_out_loss)
        and np.array_equal(one.held_out_score, other.held_out_score)
        and one.uninformed_loss == other.uninformed_loss
        and one.gradient_evaluations == other.gradient_evaluations
        and one.updates == other.updates
    )


class Recorder:
    """A user's model with the three members asked for: θ is pulled to the rows' points. It keeps what it sees."""

    size = 4

    def __init__(self, points=None):
        self.points = np.random.default_rng(7).normal(size=(30, self.size)) if points is None else points
        self.seen = []

    def __copy__(self):
        return self

    def init(self, rng):
        return rng.normal(size=self.size)

    def loss_and_gradient(self, theta, indices):
        self.seen.append((theta.copy(), indices.copy()))
        away = theta[:, None] - self.points[indices]
        return 0.5 * np.square(away).sum(axis=2).mean(axis=1), away.mean(axis=1)

    def problem(self, train=20):
        return Problem(self, np.arange(train), np.arange(train, 30), 1e9)

    def batches(self):
        """What was seen of the training rows: held-out rows come as one batch of their own."""
        return [(theta, rows) for theta, rows in self.seen if rows.max() < 20]


# Against scikit-learn

SKLEARN = {
    "momentum": (
        {"name": "momentum", "learning_rate": 0.05, "momentum": 0.8},
        {"solver": "sgd", "learning_rate_init": 0.05, "momentum": 0.8, "nesterovs_momentum": False},
    ),
    "nag": (
        {"name": "nag", "learning_rate": 0.05, "momentum": 0.7},
        {"solver": "sgd", "learning_rate_init": 0.05, "momentum": 0.7, "nesterovs_momentum": True},
    ),
    # scikit-learn adds ε before the bias correction of the second moment, so it is made too small to matter.
    "adam": (
        {"name": "adam", "learning_rate": 0.01, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-30},
        {"solver": "adam", "learning_rate_init": 0.01, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-30},
    ),
}


def initial_layers(model, theta):
    """The weights and biases of one replicate's parameters (P,), layer by layer."""
    return [(layer.weights(theta[None])[0], theta[layer.bias : layer.end]) for layer in model.layers]


@pytest.mark.parametrize("rule", SKLEARN)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("hidden", [(9,), (8, 5)], ids=str)
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_agrees_with_scikit_learn(kind, hidden, activation, rule):
    ours, theirs = SKLEARN[rule]
    theirs = dict(theirs)
    task, seed, epochs, batch_size = problem(kind, hidden, activation), 3, 4, 16
    model = task.model
    start = iter(initial_layers(model, model.init(generator(seed, "initial weights"))))
    if kind == "regression" and theirs["solver"] == "sgd":
        theirs["learning_rate_init"] *= 2  # its loss is ½ of the mean squared error

    class Given(MLPClassifier if kind == "classification" else MLPRegressor):
        def _init_coef(self, fan_in, fan_out, dtype):
            weights, biases = next(start)
            return weights.copy(), biases.copy()

    reference = Given(hidden_layer_sizes=hidden, activation=activation, alpha=0, shuffle=False, **theirs)
    order, half = generator(seed, "data order"), (1 if kind == "classification" else 2)
    y, classes = model.y.ravel(), ({"classes": range(3)} if kind == "classification" else {})
    held_out, train_loss, held_out_loss = task.held_out, [], []
    for _ in range(epochs):
        rows, losses = order.permutation(task.train), []
        for begin in range(0, ROWS, batch_size):
            batch = rows[begin : begin + batch_size]
            reference.partial_fit(model.X[batch], y[batch], **classes)
            losses.append(half * reference.loss_ * len(batch))
        train_loss.append(sum(losses) / ROWS)
        if kind == "classification":
            chosen = reference.predict_proba(model.X[held_out])[np.arange(HELD_OUT), y[held_out]]
            held_out_loss.append(-np.log(chosen).mean())
        else:
            held_out_loss.append(np.square(reference.predict(model.X[held_out]) - y[held_out]).mean())

    trained = config(ours, epochs=epochs, batch_size=batch_size)
    ((curve,),) = train(task, [trained], [seed], dtype=np.float64)
    assert abs(curve.held_out_loss[-1] - curve.held_out_loss[0]) > 1e-3, "nothing was learned"
    np.testing.assert_allclose(curve.train_loss, train_loss, rtol=1e-9)
    np.testing.assert_allclose(curve.held_out_loss, held_out_loss, rtol=1e-9)
    assert curve.final_score == pytest.approx(reference.score(model.X[held_out], y[held_out]), rel=1e-9)


# Against `descend`: full batches of a user's model


@pytest.mark.parametrize("schedule", [name for name in schedules.names() if not schedules.get(name).reaction])
@pytest.mark.parametrize("rule", optimizers.names())
def test_full_batch_descent_is_descend(rule, schedule):
    model, l2 = Recorder(), 0.1
    chosen = config(
        {"name": rule, "learning_rate": 0.3}, {"name": schedule, "warmup_steps": 2}, epochs=12, l2=l2, batch_size=20
    )
    ((curve,),) = train(model.problem(), [chosen], [4], dtype=np.float64)
    rates = 0.3 * schedules.get(schedule).rates(12, 1, chosen.schedule.hyperparameters)
    settings = {name: value for name, value in chosen.optimizer.hyperparameters.items() if name != "learning_rate"}
    target = model.points[:20].mean(axis=0)
    start = model.init(generator(4, "initial weights"))
    path = descend(lambda x: x - target + l2 * x, start, rule, settings, rates)
    np.testing.assert_allclose([theta[0] for theta, _ in model.batches()], path[:-1], rtol=1e-11, atol=1e-13)
    held_out = [0.5 * np.square(x - model.points[20:]).sum(axis=1).mean() for x in path[1:]]
    np.testing.assert_allclose(curve.held_out_loss, held_out, rtol=1e-11)
    assert np.isnan(curve.held_out_score).all()
    assert np.isnan(curve.final_score)


@pytest.mark.parametrize("rule", optimizers.names())
@pytest.mark.parametrize("schedule", schedules.names())
def test_every_optimizer_trains_iris_under_every_schedule(schedule, rule):
    ((curve,),) = train(tasks.get("iris"), [config(rule, schedule, epochs=1)], [0])
    assert curve.outcome is Outcome.COMPLETED
    assert curve.gradient_evaluations == 90
    assert np.isfinite(curve.final_loss)
    assert curve.learning_rate.shape == curve.train_loss.shape == (1,)


# A replicate does not know its neighbours

MIXED = [
    config("momentum", "cosine", batch_size=16),
    config({"name": "momentum", "learning_rate": 0.1, "momentum": 0.5}, "sgdr", batch_size=16, l2=0.01),
    config({"name": "momentum", "learning_rate": 1e18}, batch_size=16),  # diverges
    config({"name": "adam", "learning_rate": 0.1, "beta1": 0.5}, {"name": "step", "every": 0.4}, batch_size=16),
    config("adam", "linear", batch_size=16, epochs=2),
    config("adam", {"name": "cosine", "warmup_steps": 5}, batch_size=7),
    config({"name": "nag", "learning_rate": 0.002}, "exponential", batch_size=1, epochs=1),
    config("rmsprop", batch_size=1000),
    config("sgd", batch_size=16),
    config("adamw", batch_size=57),
]
SEEDS = [0, 11, 2]
SETTINGS = [(kind, dtype) for kind in ("classification", "regression") for dtype in (np.dtype("f4"), np.dtype("f8"))]
all_settings = pytest.mark.parametrize(("kind", "dtype"), SETTINGS, ids=[f"{k} {d.name}" for k, d in SETTINGS])


@all_settings
def test_together_or_alone_gives_the_same_bits(kind, dtype):
    task = problem(kind)
    together = train(task, MIXED, SEEDS, dtype=dtype)
    outcomes = [[curve.outcome for curve in row] for row in together]
    assert outcomes == [[Outcome.DIVERGED if i == 2 else Outcome.COMPLETED] * 3 for i in range(len(MIXED))]
    for (i, one), (j, seed) in itertools.product(enumerate(MIXED), enumerate(SEEDS)):
        ((alone,),) = train(task, [one], [seed], dtype=dtype)
        assert same(together[i][j], alone), (one, seed)


@all_settings
def test_order_of_configs_and_seeds_does_not_matter(kind, dtype):
    task = problem(kind)
    together = train(task, MIXED, SEEDS, dtype=dtype)
    backwards = train(task, MIXED[::-1], SEEDS[::-1], dtype=dtype)
    for i, j in itertools.product(range(len(MIXED)), range(len(SEEDS))):
        assert same(together[i][j], backwards[-1 - i][-1 - j])


@pytest.mark.parametrize("population", [1, 2, 5, 100])
def test_size_of_a_population_does_not_matter(monkeypatch, population):
    task = problem()
    expected = train(task, MIXED, SEEDS)
    monkeypatch.setattr(engine, "POPULATION", population)
    for row, expected_row in zip(train(task, MIXED, SEEDS), expected, strict=True):
        assert all(same(one, other) for one, other in zip(row, expected_row, strict=True))


@pytest.mark.parametrize("hidden", [(), (5,), (17, 3)], ids=str)
@all_settings
def test_together_or_alone_with_any_depth(kind, dtype, hidden):
    task, chosen = problem(kind, hidden, "tanh"), config("adam", batch_size=13)
    (together,) = train(task, [chosen], range(7), dtype=dtype)
    for seed in range(7):
        assert same(together[seed], train(task, [chosen], [seed], dtype=dtype)[0][0])


@pytest.mark.parametrize("batch_size", [32, 128])
def test_together_or_alone_at_the_size_of_digits(batch_size):
    X, y = load_digits(return_X_y=True)
    task = Problem(MLP(X / 16, y, (32,), 10, "cross_entropy"), np.arange(1400), np.arange(1400, len(X)), 2.3)
    chosen = config("adam", batch_size=batch_size, epochs=1)
    (together,) = train(task, [chosen], range(12))
    for seed in (0, 5, 11):
        assert same(together[seed], train(task, [chosen], [seed])[0][0])


def test_a_run_leaves_nothing_behind():
    task = problem()
    first = train(task, MIXED[:3], SEEDS)
    train(task, MIXED[3:], [5])
    again = train(task, MIXED[:3], SEEDS)
    for one, other in zip(itertools.chain(*first), itertools.chain(*again), strict=True):
        assert same(one, other)


# Data order and initial weights


@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [(1, [1] * 20), (6, [6, 6, 6, 2]), (10, [10, 10]), (20, [20]), (64, [20])],
)
def test_every_row_once_an_epoch_and_the_last_batch_is_kept(batch_size, sizes):
    model = Recorder()
    ((curve,),) = train(model.problem(), [config(batch_size=batch_size)], [1])
    batches = [rows[0] for _, rows in model.batches()]
    assert [len(rows) for rows in batches] == sizes * 3
    order = generator(1, "data order")
    for epoch in range(3):
        rows = np.concatenate(batches[epoch * len(sizes) : (epoch + 1) * len(sizes)])
        assert np.array_equal(rows, order.permutation(20))
    assert curve.updates == 3 * len(sizes)
    assert curve.gradient_evaluations == 3 * 20


def test_train_loss_is_the_mean_over_rows_not_over_batches():
    model = Recorder()
    ((curve,),) = train(model.problem(), [config(batch_size=6)], [1], dtype=np.float64)
    away = [0.5 * np.square(theta - model.points[rows[0]]).sum(axis=1) for theta, rows in model.batches()]
    np.testing.assert_allclose(curve.train_loss, np.concatenate(away).reshape(3, 20).mean(axis=1), rtol=1e-13)


def test_weights_and_order_depend_on_the_seed_alone():
    model = Recorder()
    seen = {}
    for chosen, seed in itertools.product(MIXED[:6], [3, 4]):
        model.seen = []
        train(model.problem(), [chosen], [seed])
        start = model.batches()[0][0][0]
        order = np.concatenate([rows[0] for _, rows in model.batches()])[:20]
        weights, rows = seen.setdefault(seed, (start, order))
        assert np.array_equal(start, weights)
        assert np.array_equal(order, rows)
    assert not np.array_equal(seen[3][0], seen[4][0])
    assert not np.array_equal(seen[3][1], seen[4][1])


def test_a_seed_may_be_any_whole_number_and_twice_there():
    task, seeds = problem(), [2**63, 5, 2**64 + 1, 5, np.int64(5)]
    (curves,) = train(task, [config()], seeds)
    assert [curve.seed for curve in curves] == seeds
    assert same(curves[1], curves[3])
    assert same(curves[1], curves[4])
    assert same(curves[0], train(task, [config()], [2**63])[0][0])
    assert len({curve.final_loss for curve in curves}) == 3


# Divergence


@all_settings
def test_a_divergence_is_an_outcome(kind, dtype):
    chosen = config({"name": "sgd", "learning_rate": 1e4 if kind == "regression" else 1e18}, epochs=40)
    (curves,) = train(problem(kind), [chosen], [0, 1], dtype=dtype)
    for curve in curves:
        assert curve.outcome is Outcome.DIVERGED
        finished = len(curve.held_out_loss)
        assert len(curve.train_loss) == len(curve.held_out_score) == finished < 40
        assert np.isfinite(curve.train_loss).all()
        assert np.isfinite(curve.held_out_loss).all()
        assert curve.gradient_evaluations == (finished + 1) * ROWS, "the epoch that diverged was paid for"
        assert curve.updates == (finished + 1) * -(-ROWS // chosen.batch_size)
        assert curve.final_loss == curve.uninformed_loss == 1.2
        assert curve.capped
        assert np.isnan(curve.final_score)


def test_a_divergence_later_on_keeps_the_epochs_before_it():
    class Bomb(Recorder):
        def loss_and_gradient(self, theta, indices):
            losses, gradients = super().loss_and_gradient(theta, indices)
            if len(self.batches()) > 5 * 2:
                gradients[0] = np.nan
            return losses, gradients

    # both replicates train five epochs of two batches; then the first one's gradient breaks
    model = Bomb()
    (broken,), (whole,) = train(model.problem(), [config(batch_size=10, epochs=8)] * 2, [0])
    assert broken.outcome is Outcome.DIVERGED
    assert len(broken.train_loss) == len(broken.held_out_loss) == 5
    assert broken.gradient_evaluations == 6 * 20
    assert broken.updates == 12
    assert {theta.shape[0] for theta, _ in model.seen[:18]} == {2}
    assert {theta.shape[0] for theta, _ in model.seen[18:]} == {1}, "a diverged replicate costs no more"
    assert whole.outcome is Outcome.DIVERGED
    assert len(whole.train_loss) == 6


def test_losses_are_capped_and_never_nan():
    task = problem()
    curves = list(itertools.chain(*train(task, MIXED, SEEDS)))
    cap = float(np.median([curve.held_out_loss[-1] for curve in curves if curve.held_out_loss.size]))
    capped = Problem(task.model, task.train, task.held_out, cap)
    for curve, raw in zip(itertools.chain(*train(capped, MIXED, SEEDS)), curves, strict=True):
        finished = raw.outcome is Outcome.COMPLETED
        assert curve.final_loss == (min(raw.held_out_loss[-1], cap) if finished else cap)
        assert curve.capped == (not finished or raw.held_out_loss[-1] > cap)
        assert curve.capped_losses(3).max() <= cap
        assert np.array_equal(curve.held_out_loss, raw.held_out_loss), "the curve itself is not capped"


# Measuring


@all_settings
def test_every_epoch_or_the_last_one_only(kind, dtype):
    task = problem(kind)
    for often, once in zip(
        itertools.chain(*train(task, MIXED, SEEDS, dtype=dtype)),
        itertools.chain(*train(task, MIXED, SEEDS, dtype=dtype, every_epoch=False)),
        strict=True,
    ):
        assert often.outcome is once.outcome
        last = slice(-1, None) if once.outcome is Outcome.COMPLETED else slice(0)
        assert np.array_equal(once.held_out_loss, often.held_out_loss[last])
        assert np.array_equal(once.held_out_score, often.held_out_score[last])
        assert np.array_equal(once.train_loss, often.train_loss)
        assert once.final_loss == often.final_loss


def test_float32_is_near_float64():
    task = problem()
    chosen = [mixed for mixed in MIXED if mixed != MIXED[2]]
    rough, exact = (train(task, chosen, SEEDS, dtype=dtype) for dtype in (np.float32, np.float64))
    for one, other in zip(itertools.chain(*rough), itertools.chain(*exact), strict=True):
        np.testing.assert_allclose(one.train_loss, other.train_loss, rtol=1e-3)
        np.testing.assert_allclose(one.held_out_loss, other.held_out_loss, rtol=1e-3)
    assert rough[0][0].held_out_loss.dtype == np.float64


def test_a_search_task_gives_its_own_problem():
    task = problem()

    class Task:
        def search_problem(self, seed=0, repeat=0):
            assert (seed, repeat) == (0, 0)
            return task

    assert same(train(Task(), [MIXED[0]], [1])[0][0], train(task, [MIXED[0]], [1])[0][0])


def test_an_attribute_of_a_users_model_means_what_the_user_means():
    model = Recorder()
    model.trainable = True
    ((curve,),) = train(model.problem(), [config()], [1])
    ((other,),) = train(Recorder().problem(), [config()], [1])
    assert np.array_equal(curve.train_loss, other.train_loss)
    assert np.array_equal(curve.held_out_loss, other.held_out_loss)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("iris", [config()], [0]), "train(task=...): must be a Task, like tasks.get('digits'), or a Problem, got"),
        ((problem(), config(), [0]), "train(configs=...): must be a list of TrainConfig, got TrainConfig("),
        ((problem(), [{}], [0]), "train(configs=...): must be a list of TrainConfig, got [{}]"),
        ((problem(), [config()], 0), "train(seeds=...): must be a list of whole numbers, got 0"),
    ],
)
def test_arguments_of_another_kind_are_named(arguments, message):
    with pytest.raises(InputError) as error:
        train(*arguments)
    assert str(error.value).startswith(message)


def test_nothing_to_train_is_nothing():
    assert train(problem(), [], [1]) == []
    assert train(problem(), [config(), config()], []) == [[], []]


@pytest.mark.parametrize("seed", [-1, 1.0, True, "3", None])
def test_a_bad_seed_is_named(seed):
    with pytest.raises(InputError) as error:
        train(problem(), [config()], [0, seed])
    assert str(error.value) == f"train(seeds=...): a seed must be a whole number of at least 0, got {seed!r}"


@pytest.mark.parametrize("dtype", [np.float16, int, "complex128"])
def test_a_bad_dtype_is_named(dtype):
    with pytest.raises(InputError, match="dtype must be float32 or float64"):
        train(problem(), [config()], [0], dtype=dtype)


# Compiled code is kept

SECOND_PROCESS = """
import json
import numpy as np
from cooldown.objectives import Problem, TrainConfig, optimizers, train
from cooldown.objectives.fusion import fused
from cooldown.objectives.models import _kernels
from cooldown.objectives.models.mlp import MLP

model = MLP(np.eye(6), np.arange(6) % 2, (3,), 2, "cross_entropy")
train(Problem(model, np.arange(6), np.arange(6), 1.0), [TrainConfig(epochs=1)], [0])
kernels = [fused(optimizers.get("adam"), "float32"), _kernels.bias_relu, _kernels.relu_backward]
kernels.append(_kernels.softmax_cross_entropy)
print(json.dumps([[sum(k.stats.cache_hits.values()), sum(k.stats.cache_misses.values())] for k in kernels]))
"""


@pytest.mark.processes
def test_a_second_process_compiles_nothing(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}

    def hits_and_misses():
        command = [sys.executable, "-c", SECOND_PROCESS]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    assert hits_and_misses() == [[0, 1]] * 4
    assert hits_and_misses() == [[1, 0]] * 4


def test_a_divergence_compiles_nothing_anew():
    """What is left of a population is laid out as before, also for a rule with two slots."""
    rule = optimizers.get("adam")
    task = problem("classification")
    calm, wild = (
        config("adam", batch_size=16),
        config({"name": "adam", "learning_rate": 1e38}, batch_size=16, epochs=30),
    )
    train(task, [calm], [0])
    before = set(fused(rule, "float32").signatures)
    (_, (curve,)) = train(task, [config("adam", batch_size=16, epochs=30), wild], [0])
    assert curve.outcome is Outcome.DIVERGED
    assert set(fused(rule, "float32").signatures) == before
