"""Runs that react to their held-out loss: early stopping and plateau, against torch, and by `descend` in parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooldown.objectives import Outcome, Problem, TrainConfig, descend, optimizers, tasks, train
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.problem import evaluate
from cooldown.objectives.random_streams import generator
from cooldown.objectives.training.watch import Watch

NEVER = np.inf


def watch(stop, restart, factor=0.5):
    return Watch(np.array([stop], float), np.array([restart], float), np.array([factor]), np.zeros((1, 1)))


def watched(losses, stop=NEVER, restart=NEVER):
    """After which evaluations (from 1) a run with these losses restarts, and when it stops, and its best."""
    seen, restarts = watch(stop, restart), []
    for epoch, loss in enumerate(losses, 1):
        stopping, restarting = seen.see(epoch, np.array([loss]), np.array([[float(epoch)]]))
        if restarting[0]:
            restarts.append(epoch)
        if stopping[0]:
            return restarts, epoch, int(seen.best_epoch[0])
    return restarts, None, int(seen.best_epoch[0])


def test_by_hand():
    losses = [5, 4, 4, 4.5, 3, 3.5, 3.2, 3.1, 3.0]
    assert watched(losses, stop=2) == ([], 4, 2)
    assert watched(losses, stop=3) == ([], 8, 5)
    assert watched(losses, stop=5) == ([], None, 5)
    assert watched(losses, restart=2) == ([4, 7, 9], None, 5)
    assert watched(losses, restart=1) == ([3, 4, 6, 7, 8, 9], None, 5)
    assert watched(losses, stop=3, restart=2) == ([4, 7], 8, 5)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=40), st.integers(1, 5))
def test_cuts_come_when_torchs_come(losses, patience):
    """Torch's patience is one less: it reacts to the first bad evaluation beyond it."""
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience - 1, threshold=0, eps=0
    )
    cuts = []
    for epoch, loss in enumerate(losses, 1):
        before = optimizer.param_groups[0]["lr"]
        scheduler.step(float(loss))
        if optimizer.param_groups[0]["lr"] < before:
            cuts.append(epoch)
    assert watched(losses, restart=patience)[0] == cuts


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30), st.integers(1, 5))
def test_a_stop_comes_its_patience_after_the_first_of_the_best(losses, patience):
    _, end, best = watched(losses, stop=patience)
    seen = losses[:end]
    assert best == int(np.argmin(seen)) + 1
    assert (end is not None) == (len(seen) - best >= patience)
    if end is not None:
        assert end == best + patience


def test_who_leaves_is_forgotten():
    both = Watch(np.array([2.0, NEVER]), np.array([NEVER, 2.0]), np.ones(2), np.zeros((2, 3)))
    both.see(1, np.array([1.0, 2.0]), np.ones((2, 3)))
    both.see(2, np.array([1.0, 2.0]), np.ones((2, 3)))
    both.keep(np.array([False, True]))
    stopping, restarting = both.see(3, np.array([2.0]), np.ones((1, 3)))
    assert (stopping.tolist(), restarting.tolist()) == ([False], [True])


class Bowl:
    """½‖θ − x‖² for rows x. Its held-out rows lie elsewhere, so that their loss rises again."""

    size = 3

    def __init__(self):
        self.points = np.random.default_rng(7).normal(size=(30, self.size))
        self.points[20:] += 2
        self.seen = []

    def __copy__(self):
        return self

    def init(self, rng):
        return 3 + 0.3 * rng.normal(size=self.size)

    def loss_and_gradient(self, theta, indices):
        if indices.max() < 20:
            self.seen.append(theta[0].copy())
        away = theta[:, None] - self.points[indices]
        return 0.5 * np.square(away).sum(axis=2).mean(axis=1), away.mean(axis=1)

    def problem(self):
        return Problem(self, np.arange(20), np.arange(20, 30), 1e9)

    def held_out(self, theta):
        return 0.5 * np.square(theta - self.points[20:]).sum(axis=1).mean()


@pytest.mark.parametrize("patience", [1, 2])
@pytest.mark.parametrize("rule", optimizers.names())
def test_plateau_goes_back_to_the_best_with_a_rule_that_begins_anew(rule, patience):
    bowl, epochs, warmup = Bowl(), 40, 3
    rate = 0.2 if rule in ("sgd", "momentum", "nag") else optimizers.get(rule).hyperparameters[0].high
    schedule = {"name": "plateau", "patience": patience, "gamma": 0.5, "warmup_steps": warmup}
    given = {"optimizer": {"name": rule, "learning_rate": rate}, "schedule": schedule, "batch_size": 20}
    chosen = TrainConfig.from_json({**given, "epochs": epochs})
    ((curve,),) = train(bowl.problem(), [chosen], [4], dtype=np.float64)

    settings = {name: value for name, value in chosen.optimizer.hyperparameters.items() if name != "learning_rate"}
    rates = rate * np.minimum((np.arange(epochs) + 1) / warmup, 1)
    mean = bowl.points[:20].mean(axis=0)
    theta, best_loss, waited, executed = bowl.seen[0], np.inf, 0, []
    best, segment, path, trained = theta, 0, None, []
    for epoch in range(epochs):
        if path is None:
            # Trained are others than the path's points, if the rule reports others.
            trained = []
            path = descend(lambda x, to=trained: to.append(x) or x - mean, theta, rule, settings, rates[epoch:])
            segment = epoch
        np.testing.assert_allclose(bowl.seen[epoch], trained[epoch - segment], rtol=1e-10)
        executed.append(rates[epoch])
        theta = path[epoch - segment + 1]
        loss = bowl.held_out(theta)
        assert curve.held_out_loss[epoch] == pytest.approx(loss, rel=1e-10)
        waited += 1
        if loss < best_loss:
            best, best_loss, waited = theta, loss, 0
        if waited >= patience and epoch < epochs - 1:
            rates, theta, path, waited = rates * 0.5, best, None, 0
    np.testing.assert_allclose(curve.learning_rate, executed, rtol=1e-12)
    if rule != "yellowfin":
        assert min(executed[warmup:]) < rate, "it never reacted"
    assert curve.outcome is Outcome.COMPLETED
    assert curve.kept_epoch == epochs


def overfitting(monitor=None):
    """A task on which an MLP with a large rate overfits soon."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 6)), rng.integers(0, 2, 90)
    model = MLP(X, y, (30,), 2, "cross_entropy")
    return Problem(model, np.arange(40), np.arange(60, 90), 5.0, monitor)


STOPPING = TrainConfig.from_json(
    {"optimizer": {"name": "adam", "learning_rate": 0.02}, "epochs": 60, "early_stopping": 3, "batch_size": 8}
)


def test_early_stopping_saves_epochs_and_keeps_the_best():
    full = TrainConfig.from_json(STOPPING.to_json() | {"early_stopping": None})
    (stopped,), (whole,) = train(overfitting(), [STOPPING, full], [0])
    epochs = len(stopped.held_out_loss)
    assert stopped.outcome is Outcome.STOPPED
    assert epochs == stopped.kept_epoch + 3 < 60
    assert stopped.kept_epoch == stopped.best_epoch
    assert np.array_equal(stopped.held_out_loss, whole.held_out_loss[:epochs])
    assert stopped.final_loss == stopped.held_out_loss.min() < whole.final_loss
    assert stopped.gradient_evaluations == epochs * 40 < whole.gradient_evaluations
    assert stopped.updates == epochs * 5


@pytest.mark.parametrize("epochs", [1, 2, 4])
def test_a_run_that_may_stop_ends_with_its_best_also_at_its_last_epoch(epochs):
    chosen = TrainConfig.from_json(STOPPING.to_json() | {"epochs": epochs, "early_stopping": 10})
    ((curve,),) = train(overfitting(), [chosen], [0])
    assert curve.outcome is Outcome.COMPLETED
    assert curve.kept_epoch == curve.best_epoch
    assert curve.final_loss == curve.held_out_loss.min()


@pytest.mark.parametrize("monitor", [None, np.arange(30, 40)], ids=["search", "evaluation"])
def test_measured_once_is_measured_at_the_best(monitor):
    """The final parameters themselves are measured: the same loss as that of the kept epoch."""
    chosen = [STOPPING, TrainConfig.from_json({"schedule": "plateau", "epochs": 9})]
    often = train(overfitting(monitor), chosen, [0, 1])
    once = train(overfitting(monitor), chosen, [0, 1], every_epoch=False)
    for one, other in zip([*once[0], *once[1]], [*often[0], *often[1]], strict=True):
        assert one.outcome is other.outcome
        assert one.held_out_loss.shape == (1,)
        assert one.final_loss == other.final_loss
        assert one.kept_epoch == other.kept_epoch
        assert np.array_equal(one.train_loss, other.train_loss)


def test_a_run_that_reacts_sees_neither_test_rows_nor_trains_on_what_it_watches():
    """Garbage in the test rows changes nothing but what is measured on them."""
    monitor = np.arange(30, 40)
    task, spoilt = overfitting(monitor), overfitting(monitor)
    spoilt.model.X[60:], spoilt.model.y[60:] = 100.0, 0
    (one,), (other,) = (train(problem, [STOPPING], [0])[0] for problem in (task, spoilt))
    assert np.array_equal(one.train_loss, other.train_loss)
    assert one.kept_epoch == other.kept_epoch
    assert not np.array_equal(one.held_out_loss, other.held_out_loss)
    assert one.gradient_evaluations == len(one.train_loss) * 30
    unwatched = overfitting(monitor)
    unwatched.model.y[30:40] = 1 - unwatched.model.y[30:40]
    first = TrainConfig.from_json(STOPPING.to_json() | {"epochs": 1})
    assert train(unwatched, [first], [0])[0][0].train_loss == train(task, [first], [0])[0][0].train_loss
    # One that does not react trains on all rows.
    assert train(task, [TrainConfig(epochs=1)], [0])[0][0].gradient_evaluations == 40


@pytest.mark.parametrize("name", ["iris", "diabetes", "quadratic"])
def test_an_evaluation_watches_rows_that_it_would_train_on(name):
    task = tasks.get(name)
    problem = task.evaluation_problem(3)
    assert np.isin(problem.monitor, problem.train).all()
    assert len(problem.monitor) == pytest.approx(len(problem.train) / 4, abs=2)
    assert not np.isin(problem.reacting.train, problem.monitor).any()
    assert len(problem.reacting.train) + len(problem.monitor) == len(problem.train)
    search = task.search_problem(3)
    assert search.monitor is None
    assert search.reacting is search


def test_a_patience_beyond_all_bounds_is_never_reached():
    patient = TrainConfig.from_json({"epochs": 3, "early_stopping": 10**300})
    ((curve,),) = train(overfitting(), [patient], [0])
    assert curve.outcome is Outcome.COMPLETED


def test_a_divergence_while_watching_is_a_divergence():
    wild = TrainConfig.from_json(STOPPING.to_json() | {"optimizer": {"name": "sgd", "learning_rate": 1e30}})
    (diverged,), (fine,) = train(overfitting(), [wild, STOPPING], [0])
    assert diverged.outcome is Outcome.DIVERGED
    assert diverged.kept_epoch == 0
    assert fine.outcome is Outcome.STOPPED


def test_the_final_parameters_can_be_measured_by_hand():
    bowl = Bowl()
    chosen = TrainConfig.from_json(
        {"optimizer": {"name": "sgd", "learning_rate": 0.3}, "epochs": 30, "early_stopping": 2, "batch_size": 20}
    )
    ((curve,),) = train(bowl.problem(), [chosen], [4], dtype=np.float64)
    best_theta = bowl.seen[curve.kept_epoch]
    assert curve.final_loss == pytest.approx(bowl.held_out(best_theta), rel=1e-12)
    assert evaluate(bowl, best_theta[None], np.arange(20, 30))[0][0] == pytest.approx(curve.final_loss, rel=1e-12)
    assert generator(4, "initial weights").normal(size=3)[0] * 0.3 + 3 == pytest.approx(bowl.seen[0][0])
