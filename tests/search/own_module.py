"""A module as a user writes one, with an optimizer, a schedule, a sampler and a task, and a small search over them."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cooldown.objectives import optimizers, schedules, tasks
from cooldown.search.cli import main
from cooldown.search.spec import samplers

MODULE = '''
"""Entries of a user's own."""

import numpy

from cooldown.objectives.hyperparameters import Hyperparameter
from cooldown.objectives.optimizer import Optimizer, decay, learning_rate
from cooldown.objectives.schedule import Schedule, floor
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.spec.sampler import Sampler

SHARE = 0.5


def squash(x):
    """x / (1 + |x|)."""
    return x / (1 + numpy.abs(x))


def update(theta, gradient, m, learning_rate, t, beta1):
    """A step that is never long."""
    m = beta1 * m + (1 - beta1) * gradient
    return theta - learning_rate * squash(m), m


Lion = Optimizer(
    "lion", "adaptive", update, (learning_rate(0.1, 0.01, 1.0), decay("beta1", 0.9, 0.5, 0.99, "β")), "squash", "mine"
)


def multiplier(s, total, floor):
    """Down to a half."""
    return 1 - (1 - floor) * SHARE * squash(s / total)


def wsd():
    return Schedule("anything", multiplier, (floor(),), "1 − ½ s/T", "mine")


class Guess(Sampler):
    def __init__(self):
        super().__init__("guess", self.sampler, "guessing", independent=True)

    @staticmethod
    def sampler(number, study_number):
        import optuna

        return optuna.samplers.RandomSampler(seed=number)


def load():
    from sklearn.datasets import load_iris

    return load_iris(return_X_y=True)


flowers = ArrayTask("flowers", "classification", load)
number = 3


def broken():
    raise ZeroDivisionError("no reason")
'''
SMALL = (
    *("--trials", "4", "--epochs", "4", "--seeds", "1", "--finalists", "1", "--confirm-seeds", "2"),
    *("--workers", "2", "--quiet"),
)
BOTH = "mymodule:Lion+mymodule:wsd"


def write_modules(folder: Path) -> Path:
    """A user's module in the working folder `folder`, once by itself and once in a package."""
    (folder / "mymodule.py").write_text(MODULE)
    (folder / "pkg").mkdir()
    (folder / "pkg" / "__init__.py").touch()
    (folder / "pkg" / "inner.py").write_text(MODULE)
    return folder


@contextmanager
def modules_of(folder: Path) -> Iterator[None]:
    """In the working folder `folder`; what is imported from it is not there before, and is forgotten afterwards."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        # Cooldown adds the working folder itself.
        patched.setattr(sys, "path", sys.path.copy())
        for catalog in (optimizers, schedules, tasks, samplers):
            patched.setattr(catalog._catalog, "_imported", {})
        # Another test may have left a module of this name, whose file is gone.
        for file in folder.glob("*.py"):
            sys.modules.pop(file.stem, None)
        importlib.invalidate_caches()
        yield
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


def done_in(folder: Path, *arguments: str) -> None:
    """The `cooldown` command in this process and the working folder `folder`, where it must succeed."""
    with pytest.MonkeyPatch.context() as patched, modules_of(folder):
        patched.setattr(sys, "argv", ["cooldown", *arguments])
        with pytest.raises(SystemExit, match=r"^0$"):
            main()
