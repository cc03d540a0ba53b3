"""The rules for a task, and for a user's own model in it."""

import pickle
import sys
from dataclasses import is_dataclass, replace
from functools import partial
from types import ModuleType

import numpy as np

from cooldown.objectives import tasks
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.conformance.check import Check, expect
from cooldown.objectives.conformance.of_models import model_checks
from cooldown.objectives.conformance.runs import same
from cooldown.objectives.data.checks import check_loaded
from cooldown.objectives.problem import Problem
from cooldown.objectives.tasks import ArrayTask, ModelTask, Task
from cooldown.objectives.training.engine import train

RATES = (1e-3, 1e-2, 1e-1)
EPOCHS = 5
REPLICATES = (3, 4)
LOADED = "its data can be used"


def task_checks(task: str | Task) -> list[Check]:
    """The checks of a task, given as an object or by a name for `tasks.resolve`, and of its model if that is a user's
    own. Raises InputError if there is no such task.
    """
    resolved = tasks.resolve(task) if isinstance(task, str) else task
    laws = {
        "its splits do not overlap": _disjoint,
        "the same seed gives the same splits": _deterministic,
        "its fingerprint stays the same": _fingerprint,
        "trains the same in a worker process": _travels,
        "learns": _learns,
    }
    checks = [Check(law, partial(check, resolved)) for law, check in laws.items()]
    if (file := sys.modules.get(f"{tasks.__name__}.{task}")) is not None:
        checks = [Check("its file describes it", partial(_described, file)), *checks]
    if isinstance(resolved, ArrayTask):
        return [Check(LOADED, partial(_loaded, resolved)), *(replace(check, needs=(LOADED,)) for check in checks)]
    return [*checks, *model_checks(resolved)] if isinstance(resolved, ModelTask) else checks


def _config(rate: float, epochs: int = EPOCHS) -> TrainConfig:
    return TrainConfig.from_json({"optimizer": {"name": "adam", "learning_rate": rate}, "epochs": epochs})


def _afresh(task: Task) -> Task:
    """The same task before its data are loaded, as another process has it."""
    return replace(task) if is_dataclass(task) else task


def _described(file: ModuleType) -> None:
    first_line = "its first sentence is the task's description in `cooldown catalog tasks`"
    expect((file.__doc__ or "").strip(), f"{file.__file__} has no docstring: {first_line}")


def _loaded(task: ArrayTask) -> None:
    X, y = task.load()
    check_loaded(X, y, task.kind, task.n_test)


def _expect_rows(problem: Problem, kind: str) -> None:
    for name, rows in (("training", problem.train), ("held-out", problem.held_out)):
        expect(len(rows) > 0, f"a problem of {kind} has no {name} rows")
        expect(len(np.unique(rows)) == len(rows), f"a problem of {kind} has a {name} row twice")
    shared = np.intersect1d(problem.train, problem.held_out)
    expect(not len(shared), f"in a problem of {kind}, {len(shared)} rows are both trained on and measured on")


def _disjoint(task: Task) -> None:
    for repeat in range(3):
        evaluation, *_ = task.evaluation_problems(0, repeat, REPLICATES)
        _expect_rows(evaluation, "an evaluation")
        for search in task.search_problems(0, repeat, REPLICATES):
            _expect_rows(search, "a search")
            if search.model is evaluation.model:
                leaked = np.isin(evaluation.held_out, np.concatenate([search.train, search.held_out]))
                expect(not leaked.any(), f"{int(leaked.sum())} test rows are in a search of repeat {repeat}")


def _deterministic(task: Task) -> None:
    again = _afresh(task)
    searches = zip(*(each.search_problems(0, 1, REPLICATES) for each in (task, again)), strict=True)
    evaluations = zip(*(each.evaluation_problems(0, 1, REPLICATES[:1]) for each in (task, again)), strict=True)
    for first, second in (*searches, *evaluations):
        for name in ("train", "held_out"):
            expect(
                np.array_equal(getattr(first, name), getattr(second, name)),
                f"the same seed gives different rows `{name}` the second time",
            )
        expect(
            first.uninformed_loss == second.uninformed_loss,
            "the same seed gives a different uninformed_loss",
        )
        # Equal row numbers need not mean equal data: a problem may hold its own rows, renumbered.
        runs = [train(problem, [_config(RATES[1], 1)], [0])[0][0] for problem in (first, second)]
        expect(same(*runs), "the same seed gives different data the second time: runs on them differ")


def _fingerprint(task: Task) -> None:
    before = task.fingerprint()
    expect(
        _afresh(task).fingerprint() == before,
        "its fingerprint changes when its data are loaded again: draw them from a generator with a fixed seed",
    )
    train(task.search_problem(), [_config(RATES[1], 1)], [0])
    expect(task.fingerprint() == before, "its fingerprint changes after a run: training modified the task")


def _travels(task: Task) -> None:
    import cloudpickle

    problem = task.search_problem()
    unpickled: Problem = pickle.loads(cloudpickle.dumps(problem))
    config = _config(RATES[1], 1)
    expect(
        same(train(problem, [config], [0])[0][0], train(unpickled, [config], [0])[0][0]),
        "a run on the pickled problem differs",
    )


def _learns(task: Task) -> None:
    curves = [curve for (curve,) in train(task.search_problem(), [_config(rate) for rate in RATES], [0])]
    falls = [curve.train_loss[-1] < curve.train_loss[0] for curve in curves if curve.train_loss.size > 1]
    expect(any(falls), f"with Adam and the learning rates {RATES} the training loss does not fall in {EPOCHS} epochs")
    best, baseline = min(curve.final_loss for curve in curves), curves[0].uninformed_loss
    expect(
        best < baseline,
        f"with Adam and the learning rates {RATES} the validation loss does not fall below the baseline loss, "
        f"{baseline:.4g}, in {EPOCHS} epochs",
    )
