"""Limits: a config above its own is stopped, no other is touched, and what was trained is the same bits as without."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cooldown.objectives import Outcome, Problem, TrainConfig, train
from cooldown.objectives.errors import InputError
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.random_streams import generator
from cooldown.objectives.training import engine
from cooldown.objectives.training.limits import Limits, mean_losses

INF = math.inf
ROWS, EPOCHS = 40, 9


def same(one, other, end=None):
    """Bit for bit, timing aside; with `end` as far as that epoch."""
    names = ("train_loss", "held_out_loss", "held_out_score", "learning_rate")
    counts = () if end else ("outcome", "kept_epoch", "gradient_evaluations", "updates")
    return all(np.array_equal(getattr(one, name), getattr(other, name)[:end]) for name in names) and all(
        getattr(one, name) == getattr(other, name) for name in (*counts, "seed", "uninformed_loss")
    )


# By hand


class Scripted:
    """Its loss after epoch e is entry e of one of two tables, by the replicate's seed; one update an epoch."""

    size = 2

    def __init__(self, *tables):
        self.tables = np.array(tables)

    def init(self, rng):
        return np.array([0, rng.integers(2)])

    def loss_and_gradient(self, theta, indices):
        epoch, table = theta.astype(int).T
        return self.tables[table, epoch], np.stack([-np.ones(len(theta)), np.zeros(len(theta))], axis=1)


SEED_OF = {int(generator(seed, "initial weights").integers(2)): seed for seed in range(10)}
"""A seed for each of the two tables."""


def scripted(first, second=None, *, cap=10.0):
    """A problem whose losses are given from the first epoch on."""
    tables = [[1.0, *table] for table in (first, second or first)]
    return Problem(Scripted(*tables), np.arange(ROWS), np.arange(ROWS, ROWS + 5), cap)


def counting(epochs, **fields):
    """The config that goes one entry further in each epoch."""
    sgd = {"name": "sgd", "learning_rate": 1.0}
    return TrainConfig.from_json({"optimizer": sgd, "epochs": epochs, "batch_size": ROWS, **fields})


def ends(task, limits, *, both=False, **fields):
    """How the replicates of a config with these limits end: outcome and epochs."""
    seeds = [SEED_OF[0], SEED_OF[1]] if both else [SEED_OF[0]]
    (curves,) = train(task, [counting(len(limits), **fields)], seeds, limits=[limits])
    return [(curve.outcome, len(curve.train_loss)) for curve in curves]


@pytest.mark.parametrize(
    ("limits", "outcome", "epochs"),
    [
        ([INF, INF, INF, INF], Outcome.COMPLETED, 4),
        ([INF, 2.9, INF, INF], Outcome.PRUNED, 2),
        # As good as the limit is good enough.
        ([INF, 3.0, INF, INF], Outcome.COMPLETED, 4),
        # It was better once than it is now.
        ([INF, INF, 3.5, INF], Outcome.COMPLETED, 4),
        ([INF, INF, 2.5, INF], Outcome.PRUNED, 3),
        # The first limit that it exceeds ends it.
        ([4.0, 2.9, 2.9, 2.9], Outcome.PRUNED, 1),
        # At its last epoch it is done.
        ([INF, INF, INF, 0.0], Outcome.COMPLETED, 4),
    ],
)
def test_the_best_so_far_is_held_against_the_limit(limits, outcome, epochs):
    task = scripted([5.0, 3.0, 4.0, 1.0])
    assert ends(task, limits) == [(outcome, epochs)]


def test_a_pruned_curve_says_what_was_done_and_no_more():
    task = scripted([5.0, 12.0, 4.0, 1.0])
    ((curve,),) = train(task, [counting(4)], [SEED_OF[0]], limits=[[INF, 4.5, INF, INF]])
    assert curve.outcome is Outcome.PRUNED
    assert curve.held_out_loss.tolist() == [5.0, 12.0]
    assert curve.train_loss.tolist() == [1.0, 5.0]
    assert curve.learning_rate.tolist() == [1.0, 1.0]
    assert (curve.kept_epoch, curve.updates, curve.gradient_evaluations) == (2, 2, 2 * ROWS)
    assert (curve.final_loss, curve.capped) == (10.0, True)
    assert curve.capped_losses(4).tolist() == [5.0, 10.0, 10.0, 10.0]


@pytest.mark.parametrize(("limit", "outcome"), [(1.4, Outcome.PRUNED), (1.6, Outcome.COMPLETED)])
def test_seeds_are_judged_by_their_mean(limit, outcome):
    task = scripted([1.0, 1.0, 1.0], [2.0, 2.0, 2.0])
    assert [end[0] for end in ends(task, [INF, limit, INF], both=True)] == [outcome, outcome]


@pytest.mark.parametrize(("limit", "outcome"), [(3.9, Outcome.PRUNED), (4.1, Outcome.COMPLETED)])
def test_losses_are_capped_before_their_mean_is_taken(limit, outcome):
    task = scripted([2.0, 2.0, 2.0], [900.0, 900.0, 900.0], cap=6.0)
    assert [end[0] for end in ends(task, [INF, limit, INF], both=True)] == [outcome, outcome]


@pytest.mark.parametrize("epoch", [1, 2], ids=["as it diverges", "later"])
@pytest.mark.parametrize("prunes", [True, False])
def test_a_diverged_seed_counts_with_the_cap(epoch, prunes):
    task = scripted([2.0] * 4, [7.9, math.nan, math.nan, math.nan], cap=8.0)
    limits = np.full(4, INF)
    limits[epoch] = 4.9 if prunes else 5.0
    # Its own loss before, 4.95 on average, was better than 5.0.
    ended = ends(task, limits, both=True)
    assert ended[1] == (Outcome.DIVERGED, 1)
    assert ended[0] == ((Outcome.PRUNED, epoch + 1) if prunes else (Outcome.COMPLETED, 4))


@pytest.mark.parametrize(("limit", "outcome"), [(1.55, Outcome.PRUNED), (1.65, Outcome.COMPLETED)])
def test_a_seed_that_stopped_counts_with_the_loss_it_ended_with(limit, outcome):
    # The first stops after its third epoch and goes back to 0.5; the means are 1.75, 1.95, 1.9, and 1.6 then.
    task = scripted([0.5, 1.0, 1.0, 9.0, 9.0, 9.0], [3.0, 2.9, 2.8, 2.7, 2.6, 2.5])
    ended = ends(task, [INF, INF, INF, limit, INF, INF], both=True, early_stopping=2)
    assert ended[0] == (Outcome.STOPPED, 3)
    assert ended[1] == (outcome, 4 if outcome is Outcome.PRUNED else 6)


def test_who_is_done_is_not_pruned():
    task = scripted([0.5, 1.0, 1.0, 1.0], [2.0, math.nan, 1.0, 1.0])
    limits = np.full(4, INF)
    limits[2] = 0.0
    # In the epoch of the limit itself the last seed stops of its own accord.
    assert ends(task, limits, both=True, early_stopping=2) == [(Outcome.STOPPED, 3), (Outcome.DIVERGED, 1)]


# The engine's law: what is trained does not depend on who was stopped

X = np.random.default_rng(3).normal(size=(ROWS + 60, 6))
Y = np.digitize(np.sin(X[:, 0]) + 0.3 * np.random.default_rng(4).normal(size=len(X)), [-0.4, 0.4])
TASK = Problem(MLP(X, Y, (9,), 3, "cross_entropy"), np.arange(ROWS), np.arange(ROWS, len(X)), 1.1)


def config(optimizer, **fields):
    return TrainConfig.from_json({"optimizer": optimizer, "epochs": EPOCHS, "batch_size": 8, **fields})


CONFIGS = [
    config({"name": "adam", "learning_rate": 0.003}),
    config({"name": "momentum", "learning_rate": 0.05}, schedule="cosine"),
    config({"name": "adam", "learning_rate": 0.1}, early_stopping=2),
    config({"name": "adam", "learning_rate": 0.03}, dropout=0.3),
    config({"name": "sgd", "learning_rate": 1e30}),
    config({"name": "momentum", "learning_rate": 0.2}, schedule={"name": "sgdr", "period": 3}),
    config({"name": "adam", "learning_rate": 0.05}, schedule="plateau"),
    config({"name": "momentum", "learning_rate": 0.01}, gradient_noise=0.1, batch_norm=True),
    config({"name": "adam", "learning_rate": 0.003}),
    config({"name": "momentum", "learning_rate": 0.02}, curriculum="mixed"),
]


def epochs_run(curve):
    return len(curve.train_loss) + (curve.outcome is Outcome.DIVERGED)


def pruned_at(curves, limits):
    """After which epoch (from 1) a config that was trained without limits would be stopped by these."""
    best = INF
    for epoch in range(EPOCHS):
        best = min(best, math.fsum(curve.capped_losses(EPOCHS)[epoch] for curve in curves) / len(curves))
        if best > limits[epoch] and any(epochs_run(curve) > epoch + 1 for curve in curves):
            return epoch + 1
    return None


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("seeds", "population"), [(1, 12), (3, 12), (3, 1), (3, 100), (5, 12), (14, 12)], ids=lambda value: str(value)
)
def test_curves_are_the_same_bits_up_to_where_they_were_pruned(monkeypatch, seeds, population, dtype):
    free = train(TASK, CONFIGS, range(seeds), dtype=dtype)
    means = np.array([np.mean([curve.capped_losses(EPOCHS) for curve in row], axis=0) for row in free])
    rng = np.random.default_rng(seeds)
    limits = np.where(rng.random(means.shape) < 0.3, means * rng.uniform(0.8, 1.3, means.shape), INF)
    monkeypatch.setattr(engine, "POPULATION", population)
    seen = []
    for row, free_row, row_limits in zip(
        train(TASK, CONFIGS, range(seeds), dtype=dtype, limits=limits), free, limits, strict=True
    ):
        end = pruned_at(free_row, row_limits)
        seen.append(end)
        for curve, whole in zip(row, free_row, strict=True):
            if end is None or epochs_run(whole) <= end:
                assert same(curve, whole)
                continue
            assert curve.outcome is Outcome.PRUNED
            assert same(curve, whole, end)
            assert len(curve.held_out_loss) == curve.kept_epoch == end
            assert curve.final_loss == whole.capped_losses(EPOCHS)[end - 1]
            saved = (epochs_run(whole) - end) * ROWS
            assert whole.gradient_evaluations - curve.gradient_evaluations == saved
            assert curve.updates == end * 5
    assert len(set(seen)) > 3, "the limits bite at different epochs, and not all of them"
    assert None in seen


def test_infinite_limits_change_nothing():
    free = train(TASK, CONFIGS, [0, 1])
    limited = train(TASK, CONFIGS, [0, 1], limits=np.full((len(CONFIGS), EPOCHS), INF))
    for row, other in zip(free, limited, strict=True):
        assert all(same(one, another) for one, another in zip(row, other, strict=True))


def test_another_configs_limits_change_nothing():
    strict, loose = np.zeros(EPOCHS), np.full(EPOCHS, INF)
    chosen = [CONFIGS[0], CONFIGS[8], CONFIGS[0]]
    first, second, third = train(TASK, chosen, [0, 1], limits=[strict, loose, strict])
    assert [curve.outcome for curve in (*first, *third)] == [Outcome.PRUNED] * 4
    for curve, whole in zip(second, train(TASK, [CONFIGS[8]], [0, 1])[0], strict=True):
        assert same(curve, whole)


# The arithmetic

losses = arrays(np.float64, st.tuples(st.integers(1, 15), st.integers(1, 4)), elements=st.floats(0, 1e6))


@given(losses, st.randoms())
def test_a_mean_does_not_depend_on_the_order_of_the_seeds(values, random):
    order = list(range(len(values)))
    random.shuffle(order)
    assert np.array_equal(mean_losses(values), mean_losses(values[order]))
    np.testing.assert_allclose(mean_losses(values), values.mean(axis=0), rtol=1e-12)


def test_limits_are_held_against_each_configs_own_seeds():
    limits = Limits(np.array([[2.0, 2.0], [2.0, 5.0]]))
    assert limits.exceeded(0, np.array([1.0, 2.0, 2.0, 3.0])).tolist() == [False, False, True, True]
    assert limits.exceeded(1, np.array([9.0, 9.0, 9.0, 9.0])).tolist() == [False, False, False, False]


# Mistakes


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ([[1.0] * EPOCHS], r"shape \(configs, epochs\) = \(2, 9\), got \(1, 9\)"),
        ([[1.0] * 3] * 2, r"shape \(configs, epochs\) = \(2, 9\), got \(2, 3\)"),
        (1.0, r"shape \(configs, epochs\) = \(2, 9\), got \(\)"),
        ([1.0, 2.0], r"shape \(configs, epochs\) = \(2, 9\), got \(2,\)"),
        ([[1.0] * 8 + [math.nan]] * 2, "inf for no pruning, got NaN"),
        ([[1.0], [1.0, 2.0]], r"must be numbers \(configs, epochs\)"),
        ([["low"] * EPOCHS] * 2, r"must be numbers \(configs, epochs\)"),
    ],
)
def test_unusable_limits(limits, message):
    with pytest.raises(InputError, match=message):
        train(TASK, CONFIGS[:2], [0], limits=limits)


def test_limits_need_one_length_and_a_look_after_every_epoch():
    longer = TrainConfig.from_json({"epochs": 4})
    with pytest.raises(InputError, match=r"the same number of epochs, got \[4, 9\]"):
        train(TASK, [CONFIGS[0], longer], [0], limits=np.ones((2, 9)))
    with pytest.raises(InputError, match="the held-out loss after every epoch"):
        train(TASK, CONFIGS[:1], [0], limits=np.ones((1, EPOCHS)), every_epoch=False)


def test_test_rows_decide_nothing():
    evaluation = Problem(TASK.model, TASK.train, TASK.held_out, 1.1, monitor=np.arange(8))
    with pytest.raises(InputError, match="test rows, which must not decide pruning"):
        train(evaluation, CONFIGS[:1], [0], limits=np.full((1, EPOCHS), INF))


@pytest.mark.parametrize(("configs", "seeds"), [([], [0]), (CONFIGS[:2], [])])
def test_nothing_to_train_is_no_mistake(configs, seeds):
    limits = np.zeros((len(configs), EPOCHS))
    assert train(TASK, configs, seeds, limits=limits) == [[] for _ in configs]
