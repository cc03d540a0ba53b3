"""A training loop of the user's own as a task: its curves, its rows, its random numbers, and how it is ended."""

import random
import threading
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import pytest
from patience import PATIENCE

from cooldown import TrainConfig, tasks, train
from cooldown.objectives import Curve, Outcome
from cooldown.objectives.errors import InputError
from cooldown.objectives.runs import Run
from cooldown.objectives.training.engine import fit
from cooldown.testing import task_checks

ROWS, EPOCHS, BASELINE = 40, 4, 3.0
CONFIGS = [
    TrainConfig.from_json({"optimizer": {"name": "sgd", "learning_rate": rate}, "batch_size": 7, "epochs": EPOCHS})
    for rate in (0.01, 0.1, 0.9, 1e6)
]
SEEDS = [3, 1, 2]


class Line:
    """y ≈ slope·x + offset."""

    size = 2
    x = np.random.default_rng(0).uniform(-1, 1, ROWS)
    y = 3 * x + 1 + 0.1 * np.random.default_rng(1).normal(size=ROWS)

    def init(self, rng: np.random.Generator) -> Any:
        return rng.normal(size=2)

    def loss_and_gradient(self, theta: Any, indices: Any) -> tuple[Any, Any]:
        x, y = self.x[indices], self.y[indices]
        error = theta[:, :1] * x + theta[:, 1:] - y
        gradient = 2 * np.stack([(error * x).mean(1), error.mean(1)], axis=1)
        return (error**2).mean(1), gradient.astype(theta.dtype)


def loop_of(function: Callable[[Run], None], **more: Any) -> tasks.LoopTask:
    return tasks.from_loop(function, name="mine", n_samples=ROWS, **{"uninformed_loss": BASELINE, **more})


def replaying(curves: list[list[Curve]]) -> tasks.LoopTask:
    """A loop that reports the losses of these curves (CONFIGS, SEEDS)."""

    def function(run: Run) -> None:
        curve = curves[CONFIGS.index(run.config)][SEEDS.index(run.seed)]
        for epoch, losses in enumerate(zip(curve.train_loss, curve.held_out_loss, strict=True)):
            run.report(epoch, train_loss=losses[0], held_out_loss=losses[1])
        if curve.outcome is Outcome.DIVERGED:
            run.report(len(curve.train_loss), train_loss=float("nan"), held_out_loss=0.0)
            raise AssertionError("a run that has diverged goes on")

    return loop_of(function)


LINE = tasks.from_model(Line(), n_samples=ROWS, name="line", uninformed_loss=BASELINE)
WHOLE = train(LINE, CONFIGS, SEEDS)
assert Outcome.DIVERGED in {curve.outcome for curve in chain(*WHOLE)}
MIDDLE = float(np.median([curve.held_out_loss[1] for of_config in WHOLE[:3] for curve in of_config]))


@pytest.mark.parametrize(
    "limits",
    [
        None,
        np.full((len(CONFIGS), EPOCHS), np.inf),
        np.full((len(CONFIGS), EPOCHS), -np.inf),
        np.full((len(CONFIGS), EPOCHS), [np.inf, MIDDLE, np.inf, 0.0]),
    ],
    ids=["none", "endless", "nothing passes", "a rung"],
)
def test_its_curves_obey_the_rules_of_the_engine(limits: Any) -> None:
    """Outcome, cost, losses and where a config is pruned are those of a model with the same losses."""
    expected = train(LINE, CONFIGS, SEEDS, limits=limits)
    found = train(replaying(WHOLE), CONFIGS, SEEDS, limits=limits)
    pruned = any(curve.outcome is Outcome.PRUNED for curve in chain(*expected))
    assert pruned == (limits is not None and not (limits == np.inf).all())
    for ours, its in zip(chain(*found), chain(*expected), strict=True):
        for name in ("seed", "outcome", "kept_epoch", "uninformed_loss", "gradient_evaluations", "updates"):
            assert getattr(ours, name) == getattr(its, name), name
        assert ours.train_loss.tolist() == its.train_loss.tolist()
        assert ours.held_out_loss.tolist() == its.held_out_loss.tolist()
        assert ours.final_loss == its.final_loss


def test_an_evaluation_records_the_last_loss_only() -> None:
    expected = train(LINE, CONFIGS, SEEDS, every_epoch=False)
    found = train(replaying(WHOLE), CONFIGS, SEEDS, every_epoch=False)
    for ours, its in zip(chain(*found), chain(*expected), strict=True):
        assert ours.held_out_loss.shape == its.held_out_loss.shape
        assert ours.final_loss == pytest.approx(its.final_loss)


def report_all(run: Run, loss: float = 1.0) -> None:
    for epoch in range(run.epochs):
        run.report(epoch, train_loss=loss, held_out_loss=loss)


def test_rows_of_a_search_and_of_an_evaluation() -> None:
    X = np.arange(ROWS)[:, None] * np.ones(3)
    seen: list[dict[str, Any]] = []

    def function(run: Run) -> None:
        parts: dict[str, Any] = {}
        for part in ("train", "held_out", "validation", "test"):
            try:
                features, target = run.rows(part)
                assert features.tolist() == X[target].tolist()
                parts[part] = target
            except InputError as error:
                parts[part] = str(error)
        seen.append(parts)
        report_all(run)

    task = tasks.from_loop(function, X, np.arange(ROWS), name="rows", kind="regression")
    (search,), (evaluation,) = task.search_problems(0, 0, [5]), task.evaluation_problems(0, 0, [5])
    (watching,) = task.evaluation_problems(0, 0, [5], watching=True)
    for problem in (search, evaluation, watching):
        train(problem, CONFIGS[:1], [5])
    searched, evaluated, watched = seen
    assert searched["validation"].tolist() == searched["held_out"].tolist()
    assert "a search never sees test rows" in searched["test"]
    assert evaluated["test"].tolist() == evaluated["held_out"].tolist()
    assert "an evaluation trains on the validation rows too" in evaluated["validation"]
    assert watched["validation"].tolist() == searched["validation"].tolist()
    assert watched["train"].tolist() == searched["train"].tolist()
    together = [*searched["train"], *searched["validation"], *evaluated["test"]]
    assert sorted(together) == list(range(ROWS)), "no row is in two parts"


def test_its_random_numbers_depend_on_no_other_replicate() -> None:
    def function(run: Run) -> None:
        for epoch in range(run.epochs):
            loss = random.random() + np.random.random()  # noqa: NPY002
            run.report(epoch, train_loss=loss, held_out_loss=loss)

    def losses(seeds: list[int], **limits: Any) -> list[list[float]]:
        return [curve.held_out_loss.tolist() for curve in train(loop_of(function), CONFIGS[:1], seeds, **limits)[0]]

    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index] # noqa: NPY002
    together = losses(SEEDS)
    assert losses(SEEDS[1:2]) == together[1:2]
    assert losses(SEEDS, limits=np.full((1, EPOCHS), np.inf)) == together, "epoch by epoch"
    assert together[0] != together[1]
    after = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index] # noqa: NPY002
    assert before == after


def test_torchs_random_numbers_depend_on_no_other_replicate() -> None:
    torch = pytest.importorskip("torch")

    def function(run: Run) -> None:
        for epoch in range(1, run.epochs + 1):
            loss = torch.rand(())
            run.report(epoch, train_loss=loss, held_out_loss=loss)

    def losses(seeds: list[int], **limits: Any) -> list[list[float]]:
        return [curve.held_out_loss.tolist() for curve in train(loop_of(function), CONFIGS[:1], seeds, **limits)[0]]

    before = torch.get_rng_state().tolist()
    together = losses(SEEDS)
    assert losses(SEEDS[1:2]) == together[1:2]
    assert losses(SEEDS, limits=np.full((1, EPOCHS), np.inf)) == together, "epoch by epoch"
    assert torch.get_rng_state().tolist() == before


def test_a_loop_that_catches_everything_is_ended_all_the_same() -> None:
    def function(run: Run) -> None:
        for epoch in range(run.epochs):
            try:
                run.report(epoch, train_loss=1.0, held_out_loss=1.0)
            except Exception:
                continue

    (curves,) = train(loop_of(function), CONFIGS[:1], SEEDS, limits=np.zeros((1, EPOCHS)))
    assert [(curve.outcome, len(curve.train_loss)) for curve in curves] == [(Outcome.PRUNED, 1)] * len(SEEDS)


def test_a_loop_that_raises_ends_the_replicates_beside_it() -> None:
    left = threading.Event()

    def function(run: Run) -> None:
        try:
            for epoch in range(run.epochs):
                run.report(epoch, train_loss=1.0, held_out_loss=1.0)
                if run.seed == SEEDS[1]:
                    raise RuntimeError("no")
        finally:
            if run.seed == SEEDS[2]:
                left.set()

    with pytest.raises(RuntimeError, match="no"):
        train(loop_of(function), CONFIGS[:1], SEEDS, limits=np.full((1, EPOCHS), np.inf))
    assert left.wait(PATIENCE)


def test_a_loop_may_stop_early_and_needs_no_baseline() -> None:
    def function(run: Run) -> None:
        assert run.report(0, train_loss=2.0, held_out_loss=2.5)
        assert run.report(1, train_loss=1.0, held_out_loss=4.0, score=0.5)

    ((curve,),) = train(loop_of(function, uninformed_loss=None), CONFIGS[:1], [0])
    assert (curve.outcome, curve.kept_epoch, curve.final_loss) == (Outcome.STOPPED, 2, 2.5)
    assert curve.uninformed_loss == 2.5
    assert curve.held_out_score[1] == curve.final_score == 0.5


def test_the_rates_of_its_epochs_are_the_schedules() -> None:
    config = TrainConfig.from_json({"optimizer": "sgd", "schedule": "linear", "batch_size": 7, "epochs": EPOCHS})
    problem = loop_of(report_all).search_problem()
    rates = Run(problem, config, 0).learning_rates
    plan = config.plan(len(problem.train))
    rate = config.optimizer.hyperparameters["learning_rate"]
    expected = [rate * part.mean() for part in np.split(plan.multipliers, plan.starts[1:-1])]
    np.testing.assert_allclose(rates, expected, rtol=1e-12)


def test_it_is_given_strategies_of_a_network_that_it_may_read() -> None:
    config = TrainConfig.from_json({"dropout": 0.5, "batch_norm": True, "epochs": EPOCHS})
    seen: list[TrainConfig] = []

    def function(run: Run) -> None:
        seen.append(run.config)
        report_all(run)

    train(loop_of(function), [config], [0])
    assert seen == [config]


def reports(*reported: Any) -> Callable[[Run], None]:
    def function(run: Run) -> None:
        for epoch, train_loss, held_out_loss in reported:
            run.report(epoch, train_loss=train_loss, held_out_loss=held_out_loss)

    return function


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (reports(), "ended without a report"),
        (reports((2, 0.5, 0.5)), r"run.report\(epoch=2\): epochs are reported once each, .* the next epoch is 0"),
        (reports((1, 0.5, 0.5), (3, 0.5, 0.5)), "the next epoch is 2"),
        (reports(*((epoch, 0.5, 0.5) for epoch in range(1, EPOCHS + 2))), "all 4 are reported"),
        (reports((0, 0.5, 0.5), (0, 0.5, 0.5)), "the next epoch is 1"),
        (reports(*((epoch, 0.5, 0.5) for epoch in range(EPOCHS + 1))), "all 4 are reported"),
        (reports((0, "good", 0.5)), r"run.report\(train_loss='good'\): must be a number"),
        (reports((0, 0.5, float("inf"))), "diverged in its first epoch"),
        (lambda run: run.rows("tests"), "unknown part of the rows 'tests'.*'?test'?"),
    ],
)
def test_mistakes_of_a_loop(function: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        train(loop_of(function, uninformed_loss=None), CONFIGS[:1], [0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"function": 3}, r"from_loop\(function=3\)"),
        ({"n_samples": 3}, r"from_loop\(n_samples=3\): must be a whole number of at least 10"),
        ({"X": np.ones((20, 2))}, "give either X and y, or n_samples"),
        ({"X": np.ones((20, 2)), "y": np.arange(20.0), "n_samples": None, "kind": "rating"}, "kind of task"),
        ({"X": np.ones((19, 2)), "y": np.arange(20.0), "n_samples": None}, "equally many rows, got 19 and 20"),
        ({"X": [[1], [1, 2]], "y": [1, 2], "n_samples": None}, r"from_loop\(X=\.\.\.\): must be an array"),
        ({"X": 1, "y": 2, "n_samples": None}, "must be an array with a row for each sample"),
        ({"labels": [0, 1] * 19 + [0, 2]}, r"from_loop\(labels=...\): class 2 has too few rows"),
        ({"uninformed_loss": float("nan")}, r"from_loop\(uninformed_loss=nan\): must be a finite number"),
        ({"name": ""}, "a name must be a non-empty string"),
    ],
)
def test_mistakes_of_a_task(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tasks.from_loop(**{"function": report_all, "name": "mine", "n_samples": ROWS, **arguments})


def test_fingerprints_tell_tasks_apart() -> None:
    def other(run: Run) -> None:
        report_all(run)

    X, y = np.ones((ROWS, 2)), np.arange(ROWS) % 2
    words = np.array(["a", "b"] * (ROWS // 2), dtype=object)
    made = [
        loop_of(report_all),
        loop_of(other),
        loop_of(report_all, uninformed_loss=2.0),
        loop_of(report_all, labels=y),
        tasks.from_loop(report_all, X, y, name="mine"),
        tasks.from_loop(report_all, X, 1 - y, name="mine"),
        tasks.from_loop(report_all, words, y, name="mine"),
        tasks.from_loop(report_all, words[::-1], y, name="mine"),
    ]
    assert len({task.fingerprint() for task in made}) == len(made)
    assert loop_of(report_all).fingerprint() == made[0].fingerprint()


def test_a_task_is_called_as_its_function_is() -> None:
    assert tasks.from_loop(report_all, n_samples=ROWS).name == "report_all"


def slope(run: Run) -> None:
    """Gradient descent on y = w·x, a pass an update."""
    (x, y), (x_held_out, y_held_out) = run.rows("train"), run.rows("held_out")
    w = np.random.default_rng(run.seed).normal()
    for epoch, rate in enumerate(run.learning_rates):
        error = w * x - y
        run.report(epoch, train_loss=(error**2).mean(), held_out_loss=((w * x_held_out - y_held_out) ** 2).mean())
        w -= 10 * rate * (2 * error * x).mean()


SLOPE = tasks.from_loop(slope, Line.x, Line.y, name="slope")


@pytest.mark.parametrize("check", task_checks(SLOPE), ids=lambda check: check.name)
def test_it_keeps_the_laws_of_a_task(check: Any) -> None:
    check()


def test_an_estimator_needs_gradients() -> None:
    with pytest.raises(InputError, match="a loop of the user's own trains its model itself"):
        fit(loop_of(report_all).search_problem(), CONFIGS[0], [0])
