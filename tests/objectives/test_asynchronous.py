"""Simulated asynchronous SGD: the events of a run, and the engine against plain transcriptions of the methods."""

from typing import Any

import numpy as np
import pytest
from covering import covering, in_short
from numpy.typing import NDArray

from cooldown import TrainConfig, tasks, train
from cooldown.objectives import asynchronous
from cooldown.objectives.cost import simulated
from cooldown.objectives.errors import CooldownWarning, InputError
from cooldown.objectives.problem import Problem
from cooldown.objectives.random_streams import generator
from cooldown.objectives.training.data_order import DataOrder
from cooldown.objectives.training.engine import fit

EPOCHS, BATCH, RATE = 4, 8, 0.05


def config(method: dict[str, Any] | None, optimizer: Any = "sgd", **more: Any) -> TrainConfig:
    given = {"name": optimizer, "learning_rate": RATE} if isinstance(optimizer, str) else optimizer
    document = {"optimizer": given, "epochs": EPOCHS, "batch_size": BATCH, **more}
    return TrainConfig.from_json(document | ({"asynchronous": method} if method else {}))


@pytest.fixture(scope="module")
def problem() -> Problem:
    return tasks.get("iris").search_problem()


# --- the events


def events(name: str, updates: int = 400, seed: int = 0, **settings: Any) -> asynchronous.Events:
    method = asynchronous.get(name)
    return method.plan(method.complete(settings), updates, seed)


def test_equal_workers_take_turns() -> None:
    planned = events("hogwild", workers=5)
    assert planned.worker.tolist() == [update % 5 for update in range(400)]
    assert planned.staleness.tolist() == [min(update, 4) for update in range(400)]
    assert planned.time.tolist() == [1 + update // 5 for update in range(400)]


@pytest.mark.parametrize("name", asynchronous.names())
@pytest.mark.parametrize("compute", ["constant", "exponential", "straggler"])
def test_time_passes_and_as_many_gradients_as_there_are_workers_come_in_a_unit(name: str, compute: str) -> None:
    planned = events(name, 20_000, workers=6, compute=compute)
    assert (np.diff(planned.time) >= 0).all()
    assert (planned.staleness >= 0).all()
    assert set(planned.worker.tolist()) == set(range(6))
    assert planned.time[-1] == pytest.approx(20_000 / 6, rel=0.02)
    slow = np.mean(planned.worker == 0)
    assert slow == pytest.approx(1 / 21 if compute == "straggler" else 1 / 6, rel=0.1)


@pytest.mark.parametrize("name", asynchronous.names())
def test_events_depend_on_their_arguments_alone_and_begin_the_same(name: str) -> None:
    long, short = (events(name, n, compute="exponential") for n in (500, 100))
    for field in ("worker", "read", "begun", "computed", "time", "joins", "fetches"):
        np.testing.assert_array_equal(getattr(long, field)[:100], getattr(short, field))
    other = events(name, 500, seed=1, compute="exponential")
    assert (other.worker != long.worker).any()


def test_what_is_on_its_way_makes_gradients_old() -> None:
    planned = events("hogwild", workers=3, delay=2.5)
    assert set(planned.staleness[50:].tolist()) == {9, 10, 11}
    assert events("hogwild", workers=1, delay=3).staleness[20:].tolist() == [3] * 380
    np.testing.assert_allclose(planned.time - planned.computed, 2.5)
    np.testing.assert_allclose(planned.computed - planned.begun, 1)


def test_workers_wait_for_the_server() -> None:
    """Two gradients of 1 each, and 3 for each way."""
    planned = events("downpour", 40, workers=1, push_every=2, delay=3)
    assert planned.time[:6].tolist() == [1, 5, 9, 13, 17, 21]
    assert planned.begun[:4].tolist() == [0, 1, 8, 9]
    assert planned.computed[:4].tolist() == [1, 2, 9, 10]
    assert planned.joins.tolist() == [False, True] * 20
    assert planned.read[:6].tolist() == [0, 0, 2, 2, 4, 4]


def test_pushing_and_fetching_have_intervals_of_their_own() -> None:
    planned = events("downpour", 12, workers=1, push_every=2, fetch_every=3)
    assert np.flatnonzero(planned.joins).tolist() == [1, 3, 5, 7, 9, 11]
    assert np.flatnonzero(planned.fetches).tolist() == [2, 5, 8, 11]


# --- the engine against transcriptions


class Plain:
    """The gradients of a run, in a plain loop and in float64: `gradient(theta)` is that of the next batch."""

    def __init__(self, problem: Problem, seed: int = 0) -> None:
        self.model = problem.model
        order = DataOrder(problem.train, generator(seed, "data order"), EPOCHS, True, "none")
        rows = [order.epoch(epoch) for epoch in range(EPOCHS)]
        self._batches = [row[start : start + BATCH] for row in rows for start in range(0, len(row), BATCH)]
        self.updates = len(self._batches)
        self.start: NDArray[np.float64] = self.model.init(generator(seed, "initial weights"))

    def gradient(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        batch = np.ascontiguousarray(self._batches.pop(0)[None])
        return np.array(self.model.loss_and_gradient(np.ascontiguousarray(theta[None]), batch)[1][0])


def trained(problem: Problem, given: TrainConfig) -> NDArray[np.float64]:
    return np.asarray(fit(problem, given, [0], dtype=np.float64).theta[0])


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_hogwild(problem: Problem, workers: int) -> None:
    plain = Plain(problem)
    versions = [plain.start]
    for update in range(plain.updates):
        g = plain.gradient(versions[max(0, update - workers + 1)])
        versions.append(versions[-1] - RATE * g)
    ours = trained(problem, config({"name": "hogwild", "workers": workers}))
    np.testing.assert_allclose(ours, versions[-1], rtol=0, atol=1e-12)


def test_rates_by_staleness(problem: Problem) -> None:
    plain = Plain(problem)
    versions = [plain.start]
    for update in range(plain.updates):
        late = min(update, 3)
        versions.append(versions[-1] - RATE / max(late, 1) * plain.gradient(versions[update - late]))
    ours = trained(problem, config({"name": "hogwild", "workers": 4, "staleness_scaling": True}))
    np.testing.assert_allclose(ours, versions[-1], rtol=0, atol=1e-12)


def test_rates_of_pushes_by_their_staleness(problem: Problem) -> None:
    """Of four workers that push after every second gradient, in the order of their numbers."""
    plain = Plain(problem)
    server, pushes, known = plain.start, 0, [0] * 4
    copies, sums = [server] * 4, [np.zeros_like(server)] * 4
    for update in range(plain.updates):
        i = update % 4
        g = plain.gradient(copies[i])
        sums[i], copies[i] = sums[i] + g, copies[i] - RATE * g
        if update // 4 % 2 == 1:
            server = server - RATE / max(pushes - known[i], 1) * sums[i]
            pushes += 1
            sums[i], copies[i], known[i] = np.zeros_like(server), server, pushes
    method = {"name": "downpour", "workers": 4, "push_every": 2, "staleness_scaling": True}
    np.testing.assert_allclose(trained(problem, config(method)), server, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("workers", "push", "fetch"), [(1, 3, None), (3, 1, None), (3, 2, None), (2, 2, 3)])
def test_downpour_with_adagrad_at_the_server(problem: Problem, workers: int, push: int, fetch: int | None) -> None:
    plain = Plain(problem)
    server, squares = plain.start, np.zeros_like(plain.start)
    copies, sums = [server] * workers, [np.zeros_like(server)] * workers
    for update in range(plain.updates):
        i, own = update % workers, update // workers + 1
        g = plain.gradient(copies[i])
        sums[i], copies[i] = sums[i] + g, copies[i] - RATE * g
        if own % push == 0:
            squares = squares + sums[i] ** 2
            server = server - RATE * sums[i] / (np.sqrt(squares) + 1e-10)
            sums[i] = np.zeros_like(server)
        if own % (fetch or push) == 0:
            copies[i] = server
    method = {"name": "downpour", "workers": workers, "push_every": push, "fetch_every": fetch}
    np.testing.assert_allclose(trained(problem, config(method, "adagrad")), server, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("workers", "every"), [(1, 1), (4, 1), (3, 4)])
def test_elastic_averaging(problem: Problem, workers: int, every: int) -> None:
    plain, alpha = Plain(problem), 0.6 / workers
    centre, copies = plain.start, [plain.start] * workers
    for update in range(plain.updates):
        i, own = update % workers, update // workers
        g = plain.gradient(copies[i])
        if own % every == 0:
            d = alpha * (copies[i] - centre)
            centre, copies[i] = centre + d, copies[i] - d
        copies[i] = copies[i] - RATE * g
    method = {"name": "easgd", "workers": workers, "exchange_every": every, "elasticity": 0.6}
    np.testing.assert_allclose(trained(problem, config(method)), centre, rtol=0, atol=1e-12)


def test_elastic_averaging_with_velocity(problem: Problem) -> None:
    plain, workers, every, delta = Plain(problem), 3, 2, 0.9
    centre, copies = plain.start, [plain.start] * workers
    velocities = [np.zeros_like(centre)] * workers
    for update in range(plain.updates):
        i, own = update % workers, update // workers
        g = plain.gradient(copies[i] + delta * velocities[i])
        if own % every == 0:
            d = 0.9 / workers * (copies[i] - centre)
            centre, copies[i] = centre + d, copies[i] - d
        velocities[i] = delta * velocities[i] - RATE * g
        copies[i] = copies[i] + velocities[i]
    method = {"name": "eamsgd", "workers": workers, "exchange_every": every, "velocity_decay": delta}
    np.testing.assert_allclose(trained(problem, config(method)), centre, rtol=0, atol=1e-12)


def test_each_copy_has_the_state_of_its_rule(problem: Problem) -> None:
    plain = Plain(problem)
    centre, copies, velocities = plain.start, [plain.start] * 2, [np.zeros_like(plain.start)] * 2
    for update in range(plain.updates):
        i = update % 2
        g = plain.gradient(copies[i])
        if update // 2 % 3 == 0:
            d = 0.45 * (copies[i] - centre)
            centre, copies[i] = centre + d, copies[i] - d
        velocities[i] = 0.8 * velocities[i] + g
        copies[i] = copies[i] - RATE * velocities[i]
    rule = {"name": "momentum", "learning_rate": RATE, "momentum": 0.8}
    method = {"name": "easgd", "workers": 2, "exchange_every": 3}
    np.testing.assert_allclose(trained(problem, config(method, rule)), centre, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["hogwild", "downpour"])
def test_delay_tolerant_adagrad_knows_what_it_missed(problem: Problem, method: str) -> None:
    """At the common parameters, with one gradient a push, both are the same."""
    plain, workers = Plain(problem), 4
    versions, totals = [plain.start], [np.zeros_like(plain.start)]
    z = largest = np.ones_like(plain.start)
    for update in range(plain.updates):
        read = max(0, update - workers + 1)
        g, missed = plain.gradient(versions[read]), totals[-1] - totals[read]
        before = RATE / np.sqrt(largest)
        z = z + g**2 + 2 * g * missed
        largest = np.maximum(z, largest)
        rate = RATE / np.sqrt(largest)
        versions.append(versions[-1] - rate * g + (before - rate) * missed)
        totals.append(totals[-1] + g)
    given = {"name": method, "workers": workers} | ({"push_every": 1} if method == "downpour" else {})
    ours = trained(problem, config(given, "delay_tolerant_adagrad"))
    np.testing.assert_allclose(ours, versions[-1], rtol=0, atol=1e-12)


def test_adadelay_knows_how_late_a_gradient_is(problem: Problem) -> None:
    plain, workers = Plain(problem), 4
    versions, total = [plain.start], np.zeros_like(plain.start)
    for update in range(plain.updates):
        t, late = update + 1, min(update, workers - 1)
        g = plain.gradient(versions[update - late])
        total = total + t / (t + late) * g**2
        c = np.sqrt(total / t)
        versions.append(versions[-1] - RATE * g / (0.5 + c * np.sqrt(t + late)))
    rule = {"name": "adadelay", "learning_rate": RATE, "smoothness": 0.5}
    ours = trained(problem, config({"name": "hogwild", "workers": workers}, rule))
    np.testing.assert_allclose(ours, versions[-1], rtol=0, atol=1e-12)


# --- simulated time


@pytest.mark.parametrize("method", [None, {"name": "hogwild", "workers": 4, "compute": "exponential"}])
def test_a_run_has_events_of_its_own(problem: Problem, method: dict[str, Any] | None) -> None:
    given = config(method)
    [[curve]] = train(problem, [given], [3])
    planned = given.events(len(problem.train), seed=3)
    time, staleness = simulated(given, given.plan(len(problem.train)).starts, seed=3)
    of_epochs = planned.staleness.reshape(EPOCHS, -1)
    assert of_epochs.size == curve.updates
    np.testing.assert_allclose(staleness, of_epochs.mean(axis=1))
    np.testing.assert_array_equal(time, planned.time[of_epochs.shape[1] - 1 :: of_epochs.shape[1]])
    if method is None:
        assert not staleness.any()
        assert time[-1] == curve.updates
    else:
        assert staleness[1:] == pytest.approx([3.0] * (EPOCHS - 1), rel=0.3)
        assert time[-1] == pytest.approx(curve.updates / 4, rel=0.3)


# --- the law of determinism

ONE = [{"name": "hogwild", "workers": 1}, {"name": "downpour", "workers": 1, "push_every": 1}]
STRATEGIES: dict[str, Any] = {"l2": 0.01, "weight_decay": 0.1, "clip_norm": 0.5, "gradient_noise": 0.01, "dropout": 0.2}


ALONE = [
    (optimizer, method["name"], dtype)
    for optimizer in ("sgd", "momentum", "adam", "yellowfin", "delay_tolerant_adagrad", "adadelay")
    for method in ONE
    for dtype in ("float32", "float64")
]


@pytest.mark.parametrize(("optimizer", "name", "dtype"), in_short(ALONE, covering(ALONE)))
def test_one_worker_without_delay_is_the_synchronous_run(
    problem: Problem, optimizer: str, name: str, dtype: Any
) -> None:
    (method,) = (each for each in ONE if each["name"] == name)
    alone = fit(problem, config(None, optimizer, **STRATEGIES), [0, 1], dtype=dtype)
    ours = fit(problem, config(method, optimizer, **STRATEGIES), [0, 1], dtype=dtype)
    np.testing.assert_array_equal(ours.theta, alone.theta)
    for one, other in zip(ours.curves, alone.curves, strict=True):
        np.testing.assert_array_equal(one.train_loss, other.train_loss)


def methods() -> list[dict[str, Any]]:
    return [{"name": name, "workers": 3, "compute": "exponential", "delay": 1} for name in asynchronous.names()]


@pytest.mark.parametrize("method", methods(), ids=lambda method: method["name"])
def test_a_replicate_does_not_know_its_neighbours(problem: Problem, method: dict[str, Any]) -> None:
    others = [config(method, {"name": "momentum", "learning_rate": rate}, **STRATEGIES) for rate in (0.02, 0.05, 0.1)]
    together = train(problem, others, [0, 1, 2])
    for i, seed in ((0, 1), (2, 2)):
        [[alone]] = train(problem, [others[i]], [seed])
        for name in ("train_loss", "held_out_loss"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(together[i][seed], name))
        assert alone.gradient_evaluations == EPOCHS * len(problem.train), "every worker's gradient is paid for"


@pytest.mark.parametrize("method", methods(), ids=lambda method: method["name"])
def test_pruned_neighbours_change_nothing(problem: Problem, method: dict[str, Any]) -> None:
    good, bad = (config(method, {"name": "adam", "learning_rate": rate}) for rate in (0.01, 1e-6))
    limits = np.full((2, EPOCHS), np.inf)
    limits[1, 1] = 0.0
    kept, pruned = train(problem, [good, bad], [0, 1], limits=limits)
    assert [curve.outcome.name for curve in pruned] == ["PRUNED", "PRUNED"]
    [alone] = train(problem, [good], [0, 1])
    for one, other in zip(kept, alone, strict=True):
        np.testing.assert_array_equal(one.train_loss, other.train_loss)


def test_batch_normalization_with_common_parameters(problem: Problem) -> None:
    ours, alone = (
        fit(problem, config(method, "momentum", batch_norm=True), [0, 1]).theta
        for method in ({"name": "hogwild", "workers": 1}, None)
    )
    np.testing.assert_array_equal(ours, alone)
    late = fit(problem, config({"name": "hogwild", "workers": 3}, "momentum", batch_norm=True), [0])
    assert np.isfinite(late.theta).all()
    assert late.curves[0].final_loss < 1.0


def test_synchronous_and_asynchronous_configs_are_trained_in_one_call(problem: Problem) -> None:
    given = [config(method, "adam") for method in (None, ONE[0], {"name": "easgd", "workers": 2}, None)]
    plain, alone, _, again = train(problem, given, [0, 1])
    for one, other, third in zip(plain, alone, again, strict=True):
        np.testing.assert_array_equal(one.train_loss, other.train_loss)
        np.testing.assert_array_equal(one.train_loss, third.train_loss)


# --- what is refused


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ({"name": "hogwild", "workers": 0}, "workers must be at least 1"),
        ({"name": "hogwild", "delay": -1}, "delay must be at least 0"),
        ({"name": "hogwild", "compute": "slow"}, "compute must be constant or exponential or straggler"),
        ({"name": "hogwild", "push_every": 4}, "unknown hyperparameter of hogwild 'push_every'"),
        ({"name": "downpour", "push_every": 0}, "push_every must be at least 1"),
        ({"name": "downpur"}, "unknown asynchronous method 'downpur'; did you mean 'downpour'"),
        ({"name": "eamsgd", "velocity_decay": 1.0}, "velocity_decay must be less than 1"),
        (4, "asynchronous must be a name or a table with a name"),
    ],
)
def test_wrong_settings(method: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TrainConfig.from_json({"asynchronous": method})


def test_what_no_worker_can_do(problem: Problem) -> None:
    with pytest.raises(InputError, match="early_stopping reacts at the end of an epoch"):
        config({"name": "hogwild"}, early_stopping=3)
    with pytest.raises(InputError, match="schedule plateau reacts at the end of an epoch"):
        config({"name": "hogwild"}, schedule="plateau")
    with pytest.raises(InputError, match="no rule that joins their running statistics"):
        train(problem, [config({"name": "easgd"}, batch_norm=True)], [0])
    loop = tasks.from_loop(lambda _run: None, n_samples=100, kind="regression", uninformed_loss=1.0)
    with pytest.raises(InputError, match="not by a loop of your own"):
        train(loop, [config({"name": "hogwild"})], [0])
    with pytest.raises(InputError, match="has one worker"):
        config({"name": "hogwild"}).optax(10)


def test_a_force_that_is_never_stable_is_told() -> None:
    with pytest.warns(CooldownWarning, match=r"α is at most \(4 − 2ηh\)/\(4 − ηh\)"):
        config({"name": "easgd", "workers": 2, "elasticity": 3})


def test_a_config_is_written_and_read(problem: Problem) -> None:
    given = config({"name": "downpour", "workers": 8, "push_every": 16})
    assert TrainConfig.from_json(given.to_json()) == given
    assert given.to_json()["asynchronous"]["workers"] == 8
    assert "asynchronous" not in config(None).to_json()
