"""The training loop against scikit-learn and `descend`, what it may be given, and what a divergence compiles."""

import numpy as np
import pytest
from covering import covering, in_short
from sklearn.neural_network import MLPClassifier, MLPRegressor
from training_runs import HELD_OUT, MIXED, ROWS, Recorder, config, problem, same

from cooldown.objectives import Outcome, descend, optimizers, schedules, tasks, train
from cooldown.objectives.errors import InputError
from cooldown.objectives.fusion import fused
from cooldown.objectives.random_streams import generator

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


DESCENTS = [
    (rule, name) for name in schedules.names() if not schedules.get(name).reaction for rule in optimizers.names()
]


@pytest.mark.parametrize(("rule", "schedule"), in_short(DESCENTS, covering(DESCENTS, parts=lambda row: row)))
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
    trained = []

    def gradient(x):
        trained.append(x)
        return x - target + l2 * x

    path = descend(gradient, start, rule, settings, rates)
    np.testing.assert_allclose([theta[0] for theta, _ in model.batches()], trained, rtol=1e-11, atol=1e-13)
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
        (
            ("iris", [config()], [0]),
            "train(task=...): must be a Task, like tasks.get('digits'), a Problem",
        ),
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


# Compiled code


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
