"""Averages of the parameters against torch.optim.swa_utils, and sharpness-aware minimization against optax.contrib.sam
and the paper's formula.
"""

import numpy as np
import pytest
from strategy_runs import config, problem

from cooldown.objectives import Outcome, train
from cooldown.objectives.random_streams import generator
from cooldown.objectives.training.ascent import Ascent
from cooldown.objectives.training.engine import begin, fit, train_pass

EPOCHS = 6


def trained(**fields):
    """After each epoch the trained parameters, (epochs, size), and those that are reported."""
    standing = begin(problem(), config(epochs=EPOCHS, **fields), [3], dtype=np.float64)
    path = []
    for _ in range(EPOCHS):
        _, standing = train_pass(problem(), standing)
        path.append((standing.theta[0].copy(), standing.reported[0].copy()))
    return tuple(np.array(part) for part in zip(*path, strict=True))


def torch_average(torch, path, **function):
    """torch's average of the parameters `path` (n, size), updated after each."""
    model = torch.nn.Linear(path.shape[1], 1, bias=False, dtype=torch.float64)
    averaged = torch.optim.swa_utils.AveragedModel(model, **function)
    for theta in path:
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(theta)[None])
        averaged.update_parameters(model)
    return averaged.module.weight.detach().numpy()[0]


@pytest.mark.parametrize(("share", "averaged"), [(0.5, 3), (1.0, 6), (0.01, 1)])
def test_swa_is_the_mean_over_the_last_epochs(torch, share, averaged):
    path, reported = trained(averaging="swa", averaging_share=share)
    # Not the function for many tensors at once, which counts in single precision.
    expected = torch_average(torch, path[-averaged:], avg_fn=torch.optim.swa_utils.get_swa_avg_fn())
    np.testing.assert_allclose(reported[-1], expected, rtol=1e-10, atol=1e-13)
    assert np.array_equal(reported[:-averaged], path[:-averaged]), "before that, the trained ones are reported"


def test_ema_follows_every_update(torch):
    """With one update an epoch, of which all are known."""
    path, reported = trained(averaging="ema", averaging_decay=0.8, batch_size=1000)
    expected = torch_average(torch, path, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.8))
    np.testing.assert_allclose(reported[-1], expected, rtol=1e-10, atol=1e-13)
    assert np.abs(reported[-1] - path[-1]).max() > 1e-3


@pytest.mark.parametrize("averaging", ["ema", "swa"])
def test_averaging_changes_what_is_measured_and_not_what_is_trained(averaging):
    ((plain,), (averaged,)) = train(problem(), [config(), config(averaging=averaging)], [0])
    assert np.array_equal(plain.train_loss, averaged.train_loss)
    assert not np.array_equal(plain.held_out_loss, averaged.held_out_loss)


@pytest.mark.parametrize("fields", [{"averaging": "ema"}, {"averaging": "swa", "averaging_share": 1.0}])
def test_the_best_of_an_early_stop_is_the_best_average(fields):
    """What a stopped run keeps has the loss that was measured."""
    fitted = fit(problem(), config(early_stopping=1, epochs=30, **fields), [0], dtype=np.float64)
    (curve,) = fitted.curves
    model = problem().model
    loss, _ = model.evaluate(fitted.theta, problem().held_out)
    assert loss[0] == pytest.approx(curve.final_loss, rel=1e-12)
    assert curve.outcome in (Outcome.STOPPED, Outcome.COMPLETED)


@pytest.mark.parametrize(
    "fields", [{"averaging": "ema"}, {"averaging": "swa"}, {"sam": 0.1}, {"sam": 0.1, "dropout": 0.4}]
)
def test_pass_by_pass_equals_a_whole_run(fields):
    chosen = config(epochs=EPOCHS, **fields)
    standing = begin(problem(), chosen, [0, 5])
    for _ in range(EPOCHS):
        _, standing = train_pass(problem(), standing)
    assert np.array_equal(standing.reported, fit(problem(), chosen, [0, 5]).theta)


def test_sam_takes_the_gradient_a_step_uphill():
    """Three updates of all rows by the paper's formula."""
    radius, rate = 0.2, 0.5
    chosen = config(
        optimizer={"name": "sgd", "learning_rate": rate}, epochs=3, batch_size=1000, sam=radius, shuffle=False
    )
    task = problem()
    theta = task.model.init(generator(3, "initial weights"))[None]
    for _ in range(3):
        _, gradient = task.model.loss_and_gradient(theta, task.train[None])
        above = theta + radius * gradient / np.linalg.norm(gradient)
        _, gradient = task.model.loss_and_gradient(above, task.train[None])
        theta = theta - rate * gradient
    fitted = fit(task, chosen, [3], dtype=np.float64)
    np.testing.assert_allclose(fitted.theta, theta, rtol=1e-10, atol=1e-13)


def test_sam_agrees_with_optax(optax):
    import jax
    from jax import numpy as jnp

    radius, rate = 0.2, 0.5
    chosen = config(
        optimizer={"name": "sgd", "learning_rate": rate}, epochs=5, batch_size=1000, sam=radius, shuffle=False
    )
    task = problem()
    theta = jnp.asarray(task.model.init(generator(3, "initial weights")))

    def gradient_at(point, _step=0):
        return jnp.asarray(task.model.loss_and_gradient(np.asarray(point)[None], task.train[None])[1][0].copy())

    uphill = optax.chain(optax.contrib.normalize(), optax.sgd(radius))
    rule = optax.contrib.sam(optax.sgd(rate), uphill, sync_period=2, opaque_mode=True)
    state = rule.init(theta)
    for _ in range(5):
        changes, state = rule.update(gradient_at(theta), state, theta, grad_fn=gradient_at)
        theta = optax.apply_updates(theta, changes)
    jax.block_until_ready(theta)
    fitted = fit(task, chosen, [3], dtype=np.float64)
    np.testing.assert_allclose(fitted.theta[0], np.asarray(theta), rtol=1e-10, atol=1e-13)


def test_sam_without_a_gradient_stays():
    class Flat:
        def loss_and_gradient(self, theta, indices):
            return np.zeros(len(theta)), np.zeros_like(theta)

    theta, flat, batch = np.ones((1, 3)), np.zeros((1, 3)), np.zeros((1, 2), np.int64)
    assert np.array_equal(Ascent(Flat(), np.array([0.1])).gradient(theta, flat, batch, ()), flat)
