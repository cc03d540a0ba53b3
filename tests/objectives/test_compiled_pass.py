"""A pass in compiled code leaves the bits that single updates leave, whatever is trained, and however."""

from dataclasses import replace

import numpy as np
import pytest
from strategy_runs import ROWS, config, problem

from cooldown.objectives import Outcome, Problem, TrainConfig, optimizers, train
from cooldown.objectives.models import numpy_loops
from cooldown.objectives.models.compiled_pass import CompiledPass
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.training.assembly import population_of, replicates_of

SEEDS = [0, 4, 7]
FIELDS = {
    "plain": {},
    "a batch of one row": {"batch_size": 59},
    "single rows": {"batch_size": 1, "epochs": 2},
    "l2": {"l2": 0.1},
    "weight decay": {"weight_decay": 0.3},
    "batch norm": {"batch_norm": True, "batch_size": 59},
    "swa": {"averaging": "swa"},
    "batch growth": {"schedule": {"name": "batch_growth", "every": 2, "gamma": 0.5}},
    "restarts": {"schedule": {"name": "plateau", "patience": 1}, "early_stopping": 3},
    "curriculum": {"curriculum": "mixed"},
    "clipping": {"clip_norm": 0.1},
    "sam": {"sam": 0.1},
    "sam with statistics, clipped": {"sam": 0.05, "clip_norm": 0.5, "batch_norm": True},
    "muon with sam": {"optimizer": "muon", "sam": 0.2},
    "diverging": {"optimizer": {"name": "momentum", "learning_rate": 1e30}},
}
"""What is part of the compiled pass, or comes between two passes."""

BETWEEN = {
    "dropout": {"dropout": 0.4},
    "noise": {"gradient_noise": 0.3},
    "ema": {"averaging": "ema"},
    "workers": {"asynchronous": "hogwild"},
}
"""What comes between two updates."""


def bits(task, configs, dtype="float32", **options):
    """All that training leaves behind, timings aside."""
    trained = train(task, configs, SEEDS, dtype=dtype, every_update=True, **options)
    curves = [curve for of_config in trained for curve in of_config]
    arrays = [(each.train_loss, each.held_out_loss, each.held_out_score, each.update_loss) for each in curves]
    return [[array.tobytes() for array in of_curve] for of_curve in arrays], [curve.outcome for curve in curves]


def single_updates(monkeypatch):
    monkeypatch.setattr(CompiledPass, "possible", staticmethod(lambda _dtype: False))


def compiled(task, chosen):
    """Whether the population of `chosen` makes its passes in compiled code."""
    problems = [task] * len(SEEDS)
    return population_of(problems, replicates_of(problems, chosen, SEEDS), np.dtype("float32"))[0].compiled is not None


@pytest.mark.parametrize("rule", optimizers.names())
def test_every_rule(rule, monkeypatch):
    task, chosen = problem(), [config(optimizer=rule, l2=0.01), config(optimizer=rule, schedule="cosine")]
    assert compiled(task, chosen[0])
    found = bits(task, chosen)
    single_updates(monkeypatch)
    assert not compiled(task, chosen[0])
    assert bits(task, chosen) == found


def test_a_run_that_asks_for_no_compiled_passes_makes_none(monkeypatch):
    task, chosen = problem(), [config(optimizer="adam")]
    found = bits(task, chosen)

    def made(*_):
        raise AssertionError("a pass was made in compiled code")

    monkeypatch.setattr(CompiledPass, "run", made)
    assert bits(task, chosen, compiled_passes=False) == found


@pytest.mark.parametrize("fields", FIELDS)
def test_every_strategy_that_leaves_updates_alone(fields, monkeypatch):
    task, chosen = problem(), [config(**FIELDS[fields]), config(**{"l2": 0.2, **FIELDS[fields]})]
    assert compiled(task, chosen[0])
    found = bits(task, chosen)
    assert (Outcome.DIVERGED in found[1]) == (fields == "diverging")
    single_updates(monkeypatch)
    assert bits(task, chosen) == found


@pytest.mark.parametrize("fields", BETWEEN)
def test_what_comes_between_two_updates_is_not_left_out(fields):
    assert not compiled(problem(), config(**BETWEEN[fields]))
    assert bits(problem(), [config(**BETWEEN[fields])]) != bits(problem(), [config()])


def targets(loss):
    rng = np.random.default_rng(8)
    return {
        "cross_entropy": rng.integers(0, 3, 100),
        "binary_cross_entropy": rng.random((100, 3)) < 0.4,
        "squared_error": rng.normal(size=(100, 2)),
    }[loss]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("hidden", [(), (1,), (8, 3, 5)], ids=str)
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "squared_error"])
def test_every_network(loss, hidden, weighted, dtype, monkeypatch):
    y, activation = targets(loss), "relu" if weighted else "tanh"
    weights = np.random.default_rng(2).uniform(0.5, 1.5, len(y)) if weighted else None
    model = replace(problem().model, y=y, hidden=hidden, n_outputs=3 if y.ndim == 1 else y.shape[1], loss=loss)
    model = replace(model, activation=activation, weights=weights)
    task = Problem(model, np.arange(ROWS), np.arange(ROWS, len(y)), 2.0)
    found = bits(task, [config()], dtype)
    assert set(found[1]) == {Outcome.COMPLETED}
    single_updates(monkeypatch)
    assert bits(task, [config()], dtype) == found


def test_problems_that_may_not_be_written_to(monkeypatch):
    """Rows that processes share are read-only."""
    X, y = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32), np.arange(30) % 3
    X.flags.writeable = y.flags.writeable = False
    task = Problem(MLP(X, y, (6,), 3, "cross_entropy"), np.arange(20), np.arange(20, 30), 1.2)
    found = bits(task, [TrainConfig(epochs=2)])
    single_updates(monkeypatch)
    assert bits(task, [TrainConfig(epochs=2)]) == found


def test_a_numpy_that_tells_no_address_is_called_as_always(monkeypatch):
    # Not the cached one: what its addresses point to must stay.
    monkeypatch.setattr(numpy_loops, "_found", numpy_loops._found.__wrapped__)
    monkeypatch.setattr(numpy_loops, "CALL_INFO", b"numpy_9.9_ufunc_call_info")
    assert not CompiledPass.possible(np.dtype("float32"))
    assert not compiled(problem(), config())
