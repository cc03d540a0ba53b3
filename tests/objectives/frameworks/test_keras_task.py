"""`tasks.from_keras`: a Keras model trained by the engine is what Keras makes of it, on each of its back ends."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import pytest

pytest.importorskip("torch")
keras = pytest.importorskip("keras")

import keras_runs  # noqa: E402

from cooldown import TrainConfig, compare, tasks, train  # noqa: E402
from cooldown.objectives.errors import InputError  # noqa: E402
from cooldown.testing import task_checks  # noqa: E402

# What NumPy says of Keras's own tensors.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROWS = 40
X, LABELS = np.random.default_rng(0).normal(size=(ROWS, 4)), np.arange(ROWS) % 3
CONFIG = TrainConfig.from_json({"optimizer": {"name": "adam", "learning_rate": 0.05}, "batch_size": 8, "epochs": 2})


def perceptron(outputs: int = 3, activation: str | None = None) -> Any:
    layers = keras.layers
    return keras.Sequential([layers.Dense(5, activation="tanh"), layers.Dense(outputs, activation=activation)])


def with_layer(*layers: Any) -> Any:
    return lambda: keras.Sequential([make() for make in layers] + [keras.layers.Dense(3)])


ONE = perceptron()


class Unseeded(keras.layers.Layer):
    """Noise that does not come from a generator of the layer's own."""

    def call(self, x: Any, training: bool = False) -> Any:
        return x + keras.random.normal(keras.ops.shape(x)) if training else x


def test_a_model_is_trained_as_by_keras() -> None:
    keras_runs.main()


@pytest.mark.processes
def test_a_model_is_trained_as_by_keras_on_jax() -> None:
    """In a process of its own, as each has one back end."""
    pytest.importorskip("jax")
    command, environment = [sys.executable, keras_runs.__file__], os.environ | {"KERAS_BACKEND": "jax"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["jax"]


def test_a_task_keeps_the_laws_of_tasks_and_models() -> None:
    make = with_layer(keras.layers.BatchNormalization, lambda: keras.layers.Dropout(0.2))
    for check in task_checks(tasks.from_keras(make, X, LABELS)):
        if "learns" not in check.name:
            check.run()


def test_logits_and_probabilities_are_told_apart() -> None:
    by_frequency = -np.log(13 / 40)
    scores = []
    for activation in (None, "softmax"):
        task = tasks.from_keras(
            lambda activation=activation: perceptron(3, activation), X, LABELS, metrics="roc_auc_ovr"
        )
        assert task.search_problem().uninformed_loss == pytest.approx(by_frequency, rel=0.05)
        [[curve]] = train(task, [CONFIG], [0])
        scores.append((curve.train_loss, curve.final_score))
    # The same function of the same weights.
    np.testing.assert_allclose(*[losses for losses, _ in scores], rtol=1e-4)
    assert scores[0][1] == pytest.approx(scores[1][1])


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_one_output_is_that_of_the_second_of_two_classes(activation: str | None) -> None:
    y = np.where(X[:, 0] > 0.3, "yes", "no")
    task = tasks.from_keras(lambda: perceptron(1, activation), X, y)
    problem, p = task.search_problem(), (y == "yes").mean()
    assert problem.uninformed_loss == pytest.approx(-(p * np.log(p) + (1 - p) * np.log(1 - p)), rel=0.05)
    assert problem.uninformed_score == pytest.approx(1 - p, abs=0.1)
    longer = TrainConfig.from_json(CONFIG.to_json() | {"epochs": 40})
    [[curve]] = train(task, [longer], [0])
    assert curve.final_score > 0.8


def test_a_regression_with_a_loss_and_a_metric_of_keras_form() -> None:
    def negative_bias(y_true: Any, y_pred: Any) -> Any:
        return -abs(keras.ops.mean(y_pred[:, 0] - y_true))

    y = 2 * X[:, 0] + 1
    task = tasks.from_keras(lambda: perceptron(1), X, y, loss="mean_absolute_error", metrics=negative_bias)
    problem = task.search_problem()
    mean = y[problem.train].mean()
    assert problem.uninformed_loss == pytest.approx(np.abs(y[problem.held_out] - mean).mean(), rel=1e-5)
    assert problem.uninformed_score == pytest.approx(-abs(mean - y[problem.held_out].mean()), rel=1e-4)
    assert (task.kind, task.score_name) == ("regression", "negative_bias")


def test_a_model_is_compared_and_comes_back(tmp_path: Path) -> None:
    task = tasks.from_keras(perceptron, X, LABELS, name="own")
    settings = {"trials": 2, "seeds": 1, "repeats": 2, "epochs": 2, "finalists": 1, "db": tmp_path / "l.db"}
    result = compare(task, arms=["sgd", "adam"], finalist_seeds=1, confirm_seeds=1, workers=1, **settings)
    best = result.fit_best()
    assert isinstance(best, keras.Sequential)
    assert best.predict(X, verbose=0).shape == (ROWS, 3)
    with pytest.raises(InputError, match=r"task 'own' has a model of its own.*model\.save"):
        result.export("joblib")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"make_model": 3}, "must be a function without arguments that makes a keras.Model, got int"),
        ({"make_model": perceptron()}, "must be a function without arguments.*got Sequential"),
        ({"make_model": lambda: 3}, "must make a keras.Model, but it made int"),
        ({"make_model": lambda: ONE}, "must make a new model every time"),
        ({"make_model": lambda: keras.Sequential([keras.layers.ReLU()])}, "has no variables to train"),
        (
            {"make_model": with_layer(lambda: keras.layers.Dense(2, kernel_regularizer="l2"))},
            "adds losses of its own.*strategy l2",
        ),
        ({"make_model": with_layer(Unseeded)}, "changes variables that are not its own"),
        ({"make_model": with_layer(lambda: keras.layers.Conv1D(2, 3))}, "the model or its loss raised ValueError"),
        ({"make_model": lambda: perceptron(2)}, "classes up to 2 need 3 outputs of the model, got 2"),
        ({"loss": "crossentropi"}, "loss='crossentropi'.*must be the name of a loss of Keras"),
        ({"X": X[:-1]}, "from_keras.*same number of rows"),
        ({"test": 3}, r"from_keras\(test=...\): must be a pair"),
        ({"name": ""}, "name"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tasks.from_keras(**{"make_model": perceptron, "X": X, "y": LABELS} | arguments)


def test_a_process_with_another_back_end_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    task = tasks.from_keras(perceptron, X, LABELS)
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(InputError, match="the back end jax, but the task was made with torch: set"):
        task.model.make.maker.new()
    monkeypatch.setattr(keras.config, "backend", lambda: "numpy")
    with pytest.raises(InputError, match="back end is numpy, and models are trained on jax or torch"):
        tasks.from_keras(perceptron, X, LABELS)


@pytest.mark.processes
def test_what_is_missing_is_told() -> None:
    code = """
import sys
sys.modules[sys.argv[1]] = None
import numpy as np
from cooldown import tasks
try:
    tasks.from_keras(print, np.zeros((20, 2)), np.zeros(20))
except ValueError as error:
    print(error)
"""
    for missing, backend, message in (
        ("keras", "torch", "tasks.from_keras needs keras, and keras is not installed: pip install keras"),
        ("tensorflow", "tensorflow", "back end TensorFlow is not installed; models are trained on jax or torch: set"),
    ):
        environment = os.environ | {"KERAS_BACKEND": backend}
        command = [sys.executable, "-c", code, missing]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        assert message in done.stdout, done.stderr
