"""The rows of a measurement: of a task, of the synthetic set, or of an svmlight file."""

from pathlib import Path

from sklearn.datasets import load_svmlight_file
from sklearn.preprocessing import maxabs_scale

from cooldown.objectives import tasks
from cooldown.objectives.errors import InputError
from cooldown.objectives.parallel.rcv1_like import rcv1_like
from cooldown.objectives.parallel.rows import Rows
from cooldown.objectives.tasks import ArrayTask, Task

SYNTHETIC = "rcv1_like"


def rows_of(task: str | None, svmlight: str | None) -> tuple[str, Rows]:
    """The data's name and its rows. A task's columns are divided by their largest absolute value, so that what is 0
    stays 0; those of a file are taken as they are.

    Raises InputError for a task that is no classification of numbers, and for a file that cannot be read.
    """
    if (task is None) == (svmlight is None):
        raise InputError("parallel: give a TASK or --svmlight FILE, and not both")
    if svmlight is not None:
        return Path(svmlight).name, _from_file(svmlight)
    assert task is not None
    if task == SYNTHETIC:
        return task, rcv1_like()
    found = tasks.resolve(task)
    return found.name, rows_of_task(found)


def rows_of_task(task: Task) -> Rows:
    """A task's rows; raises InputError as `rows_of` does."""
    if not isinstance(task, ArrayTask) or task.kind != "classification" or task.categorical:
        raise InputError(
            f"parallel {task.name!r:.80}: a logistic regression is trained, so that a task with numbers and classes is "
            f"needed, such as sparse_text, digits or {SYNTHETIC}"
        )
    X, y = task.data
    return Rows.of(maxabs_scale(X), y)


def _from_file(path: str) -> Rows:
    try:
        X, y = load_svmlight_file(path)
    except OSError as error:
        raise InputError(f"--svmlight {path!r:.200}: {error.strerror or error}") from error
    # scikit-learn reports a text that is no such file, or one with several labels a row, as any of these.
    except (ValueError, IndexError, OverflowError, TypeError) as error:
        raise InputError(f"--svmlight {path!r:.200}: not a file in svmlight's format: {error}") from error
    return Rows.of(X, y)
