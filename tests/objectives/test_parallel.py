"""Parallel SGD on sparse rows: threads and parameter servers against plain loops, and what the data are like."""

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import random_array
from sklearn.metrics import log_loss

from cooldown.objectives.errors import InputError
from cooldown.objectives.parallel.descent import Descent
from cooldown.objectives.parallel.hogwild import MODES, hogwild
from cooldown.objectives.parallel.kernels import CONTROLS, FREE, STOP, updates
from cooldown.objectives.parallel.rcv1_like import rcv1_like
from cooldown.objectives.parallel.rows import Rows
from cooldown.objectives.parallel.server import Memory
from cooldown.objectives.parallel.sparsity import sparsity
from cooldown.objectives.parallel.worker import Exchange, work

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def rows() -> Rows:
    rng = np.random.default_rng(0)
    X = random_array((61, 17), density=0.2, rng=rng)
    return Rows.of(X, np.array(["b", "a", "c"])[rng.integers(0, 3, 61)])


def gradient(rows: Rows, theta: Array, batch: NDArray[np.int64]) -> Array:
    """The mean gradient of some rows, densely."""
    X = rows.matrix[batch].toarray()
    logits = np.column_stack([np.zeros(len(batch)), X @ theta])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    shares[np.arange(len(batch)), rows.labels[batch]] -= 1
    return np.asarray(X.T @ shares[:, 1:] / len(batch))


def batches(rows: Rows, descent: Descent) -> list[tuple[float, NDArray[np.int64]]]:
    orders = [descent.order(len(rows), number) for number in range(descent.passes)]
    return [
        (rate, order[begin : begin + descent.batch_size])
        for rate, order in zip(descent.rates, orders, strict=True)
        for begin in range(0, len(order), descent.batch_size)
    ]


def serial(rows: Rows, descent: Descent) -> Array:
    theta = np.zeros((rows.features, rows.classes - 1))
    for rate, batch in batches(rows, descent):
        theta = theta - rate * gradient(rows, theta, batch)
    return theta


# --- the data


def test_rows_are_numbered_and_without_zeros(rows: Rows) -> None:
    assert (len(rows), rows.features, rows.classes) == (61, 17, 3)
    dense = Rows.of(rows.matrix.toarray(), np.array(["a", "b", "c"])[rows.labels])
    for ours, other in zip(rows.arrays, dense.arrays, strict=True):
        np.testing.assert_array_equal(ours, other)
    assert rows.filled == pytest.approx(np.mean(rows.matrix.toarray() != 0))


def test_the_loss_is_cross_entropy(rows: Rows) -> None:
    theta = np.random.default_rng(1).standard_normal((17, 2))
    logits = np.column_stack([np.zeros(61), rows.matrix @ theta])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert rows.loss(theta) == pytest.approx(log_loss(rows.labels, shares), rel=1e-12)


def test_what_is_no_data_to_train_on() -> None:
    with pytest.raises(InputError, match="at least 2 classes are needed, got 1"):
        Rows.of(np.eye(3), [1, 1, 1])
    with pytest.raises(InputError, match="must be finite"):
        Rows.of([[1.0], [np.nan]], [0, 1])
    with pytest.raises(InputError, match="all values are 0"):
        Rows.of(np.zeros((2, 3)), [0, 1])


def test_how_often_rows_meet(rows: Rows) -> None:
    filled = rows.matrix.toarray() != 0
    found = sparsity(rows)
    assert found.omega == filled.sum(axis=1).max()
    assert found.delta == filled.mean(axis=0).max()
    assert found.rho == (filled.astype(int) @ filled.T > 0).mean(axis=1).max()


def test_the_synthetic_set_is_like_rcv1() -> None:
    made = rcv1_like(500)
    assert made.features == 47_000
    assert made.filled == pytest.approx(0.0016, rel=0.02)
    assert 0.25 < sparsity(made).delta < 0.4
    np.testing.assert_allclose(made.matrix.multiply(made.matrix).sum(axis=1), 1)
    assert 0.3 < made.labels.mean() < 0.7
    np.testing.assert_array_equal(made.values, rcv1_like(500).values)


# --- threads


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("batch_size", [1, 8])
def test_one_thread_is_plain_sgd(rows: Rows, mode: str, batch_size: int) -> None:
    descent = Descent(0.7, passes=3, batch_size=batch_size)
    np.testing.assert_allclose(hogwild(rows, descent, 1, mode).theta, serial(rows, descent), rtol=0, atol=1e-12)


@pytest.mark.parametrize("mode", ["lock", "round robin"])
def test_no_update_is_lost_or_made_twice(rows: Rows, mode: str) -> None:
    """At a tiny rate all gradients are those at 0, so that their sum does not depend on the order."""
    descent = Descent(1e-7, passes=4, decay=1.0, batch_size=2)
    theta = hogwild(rows, descent, 3, mode).theta
    np.testing.assert_allclose(theta / 1e-7, serial(rows, descent) / 1e-7, rtol=0, atol=1e-3)


def test_rows_that_do_not_meet_need_no_lock() -> None:
    """Each row has a feature of its own: threads give the very bits of one."""
    rng = np.random.default_rng(0)
    apart = Rows.of(np.diag(rng.uniform(1, 2, 64)), rng.integers(0, 3, 64))
    descent = Descent(0.5, passes=1)
    np.testing.assert_array_equal(hogwild(apart, descent, 4).theta, hogwild(apart, descent, 1).theta)


@pytest.mark.parametrize("mode", MODES)
def test_threads_reach_the_loss_of_one(mode: str) -> None:
    sparse = rcv1_like(400, words=2000)
    descent = Descent(1.0, passes=3)
    one, two = (sparse.loss(hogwild(sparse, descent, threads, mode).theta) for threads in (1, 2))
    assert one < 0.5
    assert two == pytest.approx(one, rel=0.05)


def test_where_a_thread_cannot_be_started_no_other_waits_for_it(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if threading.active_count() > before:
            raise RuntimeError("can't start new thread")
        start(thread)

    before = threading.active_count()
    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(InputError, match="hogwild: 3 threads cannot be started here"):
        hogwild(rows, DESCENT, 3)


def test_a_thread_that_is_told_to_stop_stops(rows: Rows) -> None:
    theta, control = np.zeros((17, 2)), np.zeros(CONTROLS, np.int64)
    control[STOP] = 1
    updates(*rows.arrays, np.arange(61), theta, np.zeros((0, 0)), control, 0, 1, 0, 1.0, 1, FREE)
    assert not theta.any()


# --- parameter servers


def test_a_server_is_one_memory_wherever_it_is_opened(tmp_path: Path) -> None:
    server = Memory(tmp_path / "parameters", 11, "easgd")
    other = pickle.loads(pickle.dumps(server))
    sent = np.arange(11.0)
    np.testing.assert_allclose(other.send(sent, 0.25), 0.25 * sent)
    np.testing.assert_allclose(server.fetch(), 0.25 * sent)
    np.testing.assert_allclose(server.send(sent, 0.5), 0.375 * sent)

    def many(opened: Memory) -> None:
        for _ in range(200):
            opened.arrive()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(many, (server, other)))
    assert server.arrived() == other.arrived() == 400


def test_the_server_of_downpour_has_adagrad(tmp_path: Path) -> None:
    server, rng = Memory(tmp_path / "parameters", 11, "downpour"), np.random.default_rng(0)
    theta, squares = np.zeros(11), np.zeros(11)
    for sent in rng.standard_normal((5, 11)):
        squares = squares + sent**2
        theta = theta - 0.3 * sent / (np.sqrt(squares) + 1e-10)
        np.testing.assert_allclose(server.send(sent, 0.3), theta, rtol=0, atol=1e-12)


DESCENT = Descent(0.4, passes=2, batch_size=4)


def test_a_worker_of_downpour(rows: Rows, tmp_path: Path) -> None:
    server = Memory(tmp_path / "parameters", 34, "downpour")
    work(rows, server, Exchange("downpour", 3), DESCENT, 0, 1)
    theta, squares = np.zeros((17, 2)), np.zeros((17, 2))
    per_pass = -(-len(rows) // 4)
    copy, sums = theta, np.zeros_like(theta)
    for number, (rate, batch) in enumerate(batches(rows, DESCENT)):
        g = gradient(rows, copy, batch)
        copy, sums = copy - rate * g, sums + g
        if number % per_pass % 3 == 2 or number % per_pass == per_pass - 1:
            squares = squares + sums**2
            theta = theta - rate * sums / (np.sqrt(squares) + 1e-10)
            copy, sums = theta, np.zeros_like(theta)
    np.testing.assert_allclose(server.fetch(), theta.ravel(), rtol=0, atol=1e-12)


def test_a_worker_of_elastic_averaging(rows: Rows, tmp_path: Path) -> None:
    server = Memory(tmp_path / "parameters", 34, "easgd")
    work(rows, server, Exchange("easgd", 3, elasticity=0.6), DESCENT, 0, 1)
    centre = copy = np.zeros((17, 2))
    per_pass = -(-len(rows) // 4)
    for number, (rate, batch) in enumerate(batches(rows, DESCENT)):
        g = gradient(rows, copy, batch)
        if number % per_pass % 3 == 0:
            drawn = 0.6 * (copy - centre)
            centre, copy = centre + drawn, copy - drawn
        copy = copy - rate * g
    np.testing.assert_allclose(server.fetch(), centre.ravel(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("rule", ["downpour", "easgd"])
def test_workers_wait_for_each_other_and_learn_together(rows: Rows, rule: str, tmp_path: Path) -> None:
    server = Memory(tmp_path / "parameters", 34, rule)
    one: Any = partial(work, rows, server, Exchange(rule, 2), DESCENT, workers=3)
    with ThreadPoolExecutor(3) as pool:
        of_a_core = list(pool.map(lambda worker: one(worker=worker), range(3)))
    assert server.arrived() == 3
    assert server.seconds() > 0
    assert min(of_a_core) >= 0
    assert rows.loss(server.fetch().reshape(17, 2)) < np.log(3)
