"""A Keras model trained by Cooldown and by Keras itself, on the back end of this process: `python keras_runs.py`."""

import random
from typing import Any

import keras  # type: ignore[import-untyped]
import numpy as np

from cooldown import TrainConfig, tasks, train
from cooldown.objectives.random_streams import generator, seeds
from cooldown.objectives.training.data_order import DataOrder
from cooldown.objectives.training.engine import fit

ROWS, SEED = 40, 3
X = np.random.default_rng(0).normal(size=(ROWS, 6, 1)).astype(np.float32)
LABELS = np.arange(ROWS) % 3
CONFIG = TrainConfig.from_json(
    {"optimizer": {"name": "momentum", "learning_rate": 0.05, "momentum": 0.9}, "batch_size": 8, "epochs": 2}
)


def make_model() -> Any:
    """Convolution, running statistics, noise and dropout, with a layer that is not trained and one that is constant."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 1)),
            layers.Conv1D(4, 3),
            layers.BatchNormalization(momentum=0.7),
            layers.ReLU(),
            layers.GaussianNoise(0.1),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(5, trainable=False),
            layers.Dense(4, kernel_initializer="ones", trainable=False),
            layers.Dense(3),
        ]
    )


def trained_by_keras(rows: Any, stream: int, bits: int) -> tuple[Any, list[float]]:
    """The model after `train_on_batch` in our order of rows, and the mean loss of each epoch.

    stream: the replicate's seed. bits: below this the back end's model draws the seed of its initial values.
    """
    random.seed(int(generator(stream, "initial weights").integers(bits)))
    model = make_model()
    sgd = keras.optimizers.SGD(0.05, momentum=0.9)
    # Not compiled, each of JAX's operations is called by itself, which takes longer.
    jit = keras.config.backend() == "jax"
    model.compile(sgd, keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=jit)
    order = DataOrder(rows, generator(stream, "data order"), CONFIG.epochs, True, "none")
    draws, losses = generator(stream, "draws of the model"), []
    for epoch in range(CONFIG.epochs):
        of_epoch, total = order.epoch(epoch), 0.0
        for start in range(0, len(of_epoch), CONFIG.batch_size):
            batch = of_epoch[start : start + CONFIG.batch_size]
            seed_generators(model, int(draws.integers(2**63 - 1)))
            total += float(model.train_on_batch(X[batch], LABELS[batch])) * len(batch)
        losses.append(total / len(of_epoch))
    return model, losses


def seed_generators(model: Any, seed: int) -> None:
    """What a replicate draws in one update, whose seed is `seed`."""
    weights = {id(variable) for variable in model.non_trainable_weights}
    states = [variable for variable in model.non_trainable_variables if id(variable) not in weights]
    if keras.config.backend() == "torch":
        import torch

        torch.default_generator.manual_seed(seed)
        values = torch.randint(2**31, (len(states), 2)).to(torch.int32)
    else:
        import jax

        values = jax.random.bits(jax.random.key(np.uint32(seed % 2**32)), (len(states), 2), np.uint32)
    for state, value in zip(states, values, strict=True):
        state.assign(value)


def assert_same_weights(ours: Any, theirs: Any, atol: float) -> None:
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        numbers = [keras.ops.convert_to_numpy(each) for each in (one, other)]
        np.testing.assert_allclose(*numbers, atol=atol, err_msg=one.path)


def main() -> None:
    task = tasks.from_keras(make_model, X, LABELS)
    bits = 2**63 - 1 if keras.config.backend() == "torch" else 2**31
    # Of a convolution of 3 × 4 + 4, scales and shifts of 4, and a last layer of 4 × 3 + 3; beside them running
    # statistics of 4 + 4 and the weights 16 × 5 that are drawn but not trained: biases and ones are the same for all.
    assert (task.model.trainable, task.model.size) == (39, 39 + 8 + 80), task.model.size

    problem = task.search_problem()
    fitted = fit(problem, CONFIG, [SEED, SEED + 1])
    model, losses = trained_by_keras(problem.train, SEED, bits)
    np.testing.assert_allclose(fitted.curves[0].train_loss, losses, rtol=1e-6)
    assert_same_weights(task.model_of(fitted.theta[0]), model, 1e-6)
    held_out = model.evaluate(X[problem.held_out], LABELS[problem.held_out], verbose=0)
    np.testing.assert_allclose(fitted.curves[0].held_out_loss[-1], held_out, rtol=1e-6)

    [[alone]] = train(problem, [CONFIG], [SEED + 1])
    np.testing.assert_array_equal(alone.train_loss, fitted.curves[1].train_loss)
    np.testing.assert_array_equal(alone.held_out_loss, fitted.curves[1].held_out_loss)

    (stream,) = seeds(5, "fitted", count=1)
    best = task.fitted(CONFIG, seed=5)
    expected, _ = trained_by_keras(np.arange(ROWS), stream, bits)
    assert_same_weights(best, expected, 1e-5)


if __name__ == "__main__":
    main()
    print(keras.config.backend())  # noqa: T201
