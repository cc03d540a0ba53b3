"""Curves: a divergence is a value and never a number that was made up, losses are capped, costs are counted."""

import itertools

import numpy as np
from training_runs import MIXED, ROWS, SEEDS, Recorder, all_settings, config, problem

from cooldown.objectives import Outcome, Problem, TrainConfig, tasks, train

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


def test_the_losses_of_every_update_are_kept_on_request():
    """Their mean over an epoch, each counted by its rows, is the epoch's training loss."""
    task = tasks.get("iris")
    chosen = TrainConfig.from_json({"optimizer": {"name": "sgd", "learning_rate": 0.1}, "epochs": 4, "batch_size": 32})
    ((kept,),) = train(task, [chosen], [0], every_update=True)
    ((plain,),) = train(task, [chosen], [0])
    assert plain.update_loss.shape == (0,)
    assert np.array_equal(kept.train_loss, plain.train_loss)
    assert kept.update_loss.shape == (kept.updates,) == (12,)
    sizes = chosen.plan(90).sizes.reshape(4, 3)
    by_epoch = (kept.update_loss.reshape(4, 3) * sizes).sum(axis=1) / 90
    np.testing.assert_allclose(by_epoch, kept.train_loss, rtol=1e-6)
    wild = TrainConfig.from_json({"optimizer": {"name": "sgd", "learning_rate": 1e30}, "epochs": 4})
    ((diverged,),) = train(task, [wild], [0], every_update=True)
    assert np.isfinite(diverged.update_loss).all()
