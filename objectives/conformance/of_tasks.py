"""What a task has to keep to, and the model of a user's own in it."""

import pickle
from functools import partial

import numpy as np

from cooldown.objectives import tasks
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.conformance.check import Check, expect
from cooldown.objectives.conformance.of_models import model_checks
from cooldown.objectives.conformance.runs import same
from cooldown.objectives.problem import Problem
from cooldown.objectives.tasks import ModelTask, Task
from cooldown.objectives.training.engine import train

RATES = (1e-3, 1e-2, 1e-1)
EPOCHS = 5


def task_checks(task: str | Task) -> list[Check]:
    """The checks of a task, which `tasks.resolve` finds or an object; of its model too where that is a user's own.

    Raises InputError where there is no such task.
    """
    checked = tasks.resolve(task) if isinstance(task, str) else task
    laws = {
        "its splits do not overlap": _disjoint,
        "the same seed gives the same splits": _deterministic,
        "its fingerprint stays the same": _fingerprint,
        "travels to a worker process and trains there as here": _travels,
        "learns": _learns,
    }
    checks = [Check(law, partial(check, checked)) for law, check in laws.items()]
    return [*checks, *model_checks(checked)] if isinstance(checked, ModelTask) else checks


def _config(rate: float, epochs: int = EPOCHS) -> TrainConfig:
    return TrainConfig.from_json({"optimizer": {"name": "adam", "learning_rate": rate}, "epochs": epochs})


def _expect_rows(problem: Problem, kind: str) -> None:
    for name, rows in (("training", problem.train), ("held-out", problem.held_out)):
        expect(len(rows) > 0, f"a problem of {kind} has no {name} rows")
        expect(len(np.unique(rows)) == len(rows), f"a problem of {kind} has a {name} row twice")
    shared = np.intersect1d(problem.train, problem.held_out)
    expect(not len(shared), f"in a problem of {kind}, {len(shared)} rows are both trained on and measured on")


def _disjoint(task: Task) -> None:
    evaluation = task.evaluation_problem(0)
    _expect_rows(evaluation, "an evaluation")
    if evaluation.monitor is not None:
        expect(
            np.isin(evaluation.monitor, evaluation.train).all(),
            "rows that a run watches in an evaluation must be among its training rows",
        )
    for repeat in range(3):
        search = task.search_problem(0, repeat)
        _expect_rows(search, "a search")
        if search.model is evaluation.model:
            seen = np.isin(evaluation.held_out, np.concatenate([search.train, search.held_out]))
            expect(not seen.any(), f"{int(seen.sum())} test rows are in the search of repeat {repeat}")


def _deterministic(task: Task) -> None:
    searches = task.search_problem(0, 1), task.search_problem(0, 1)
    evaluations = task.evaluation_problem(0), task.evaluation_problem(0)
    for first, second in (searches, evaluations):
        for name in ("train", "held_out"):
            expect(
                np.array_equal(getattr(first, name), getattr(second, name)),
                f"the same seed gives other rows {name} the second time",
            )
        expect(first.uninformed_loss == second.uninformed_loss, "the same seed gives another uninformed loss")
        # A problem may hold its rows' data and number them anew.
        runs = [train(problem, [_config(RATES[1], 1)], [0])[0][0] for problem in (first, second)]
        expect(same(*runs), "the same seed gives other data the second time: a run on them is another one")


def _fingerprint(task: Task) -> None:
    before = task.fingerprint()
    train(task.search_problem(), [_config(RATES[1], 1)], [0])
    expect(task.fingerprint() == before, "its fingerprint is another one after a run: something in it has changed")


def _travels(task: Task) -> None:
    import cloudpickle

    problem = task.search_problem()
    there: Problem = pickle.loads(cloudpickle.dumps(problem))
    config = _config(RATES[1], 1)
    expect(
        same(train(problem, [config], [0])[0][0], train(there, [config], [0])[0][0]),
        "a run on its pickled problem is another one",
    )


def _learns(task: Task) -> None:
    curves = [curve for (curve,) in train(task.search_problem(), [_config(rate) for rate in RATES], [0])]
    falls = [curve.train_loss[-1] < curve.train_loss[0] for curve in curves if curve.train_loss.size > 1]
    expect(any(falls), f"with Adam and the learning rates {RATES} the training loss does not fall in {EPOCHS} epochs")
