"""Replicates: alone or beside any others they have the same bits, and their seed alone gives weights and order."""

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_digits
from training_runs import MIXED, SEEDS, Recorder, all_settings, config, problem, same

from cooldown.objectives import Outcome, Problem, train
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.random_streams import generator
from cooldown.objectives.training import engine

# A replicate does not know its neighbours


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
