"""Real pairs of arms, whose true ratio is known from rows that the experiment never had.

A table of 300 rows is drawn from a larger one, and two arms are compared on it. The truth for this table is the mean
over repeats of x (the logarithm of the ratio of the arms' losses) where the winners, trained as in the evaluation, are
measured on all the rows that are left. The interval is of the first repeats, the truth of the others.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.data.task import Kind
from cooldown.objectives.random_streams import generator
from cooldown.search.executors.engines.inline import Inline

ROWS, INTERVAL_REPEATS, TRUTH_REPEATS = 300, 5, 40
ARMS = ("momentum+cosine", "adam+cosine")
SETTINGS: dict[str, Any] = {
    "trials": 8,
    "epochs": 15,
    "seeds": 2,
    "finalists": 2,
    "finalist_seeds": 3,
    "confirm_seeds": 5,
}
Data = tuple[NDArray[np.float64], NDArray[Any]]


def _digits() -> Data:
    from cooldown.objectives.tasks.digits import load

    return load()


def _covertype_like() -> Data:
    """Ten measurements, of which four inform, and forty codes of one soil, in seven unequal classes."""
    rng = generator(0, "benchmark", "covertype")
    n = 6000
    y = rng.choice(7, n, p=[0.36, 0.48, 0.06, 0.02, 0.02, 0.03, 0.03])
    measurements = rng.normal(size=(n, 10))
    measurements[:, :4] += rng.normal(size=(7, 4))[y]
    soil = (y * 5 + rng.integers(0, 12, n)) % 40
    return np.column_stack([measurements, np.eye(40)[soil]]), y


def _two_moons() -> Data:
    from sklearn.datasets import make_moons

    return make_moons(6000, noise=0.3, random_state=0)


def _friedman() -> Data:
    from sklearn.datasets import make_friedman1

    return make_friedman1(6000, noise=1.0, random_state=0)


SOURCES: dict[str, tuple[Kind, Callable[[], Data]]] = {
    "digits": ("classification", _digits),
    "like covertype": ("classification", _covertype_like),
    "two moons": ("classification", _two_moons),
    "friedman": ("regression", _friedman),
}


@dataclass(frozen=True)
class Pair:
    """x (repeats,) on the table's own test rows, and on the rows that are left."""

    own: NDArray[np.float64]
    left: NDArray[np.float64]


def pair_of(case: tuple[str, int]) -> Pair:
    """Two arms on the table `number` that is drawn from the source `name`."""
    from cooldown.objectives import tasks
    from cooldown.objectives.training.engine import train
    from cooldown.search.spec.experiment import read_spec
    from cooldown.search.tuning.runner import run
    from cooldown.search.tuning.splits import Splits
    from cooldown.storage import Ledger, StudyKey

    name, number = case
    kind, load = SOURCES[name]
    X, y = load()
    order = generator(number, "benchmark", name).permutation(len(y))
    if kind == "classification":
        # Every class has the five rows that a split needs.
        firsts = np.concatenate([order[y[order] == label][:5] for label in np.unique(y)])
        order = np.concatenate([firsts, order[~np.isin(order, firsts)]])
    X, y = X[order], y[order]
    table = tasks.from_arrays(X[:ROWS], y[:ROWS], name="table", kind=kind)
    whole = tasks.from_arrays(X, y, name="whole", kind=kind)
    repeats = INTERVAL_REPEATS + TRUTH_REPEATS
    spec = read_spec(task="table", arms=ARMS, repeats=repeats, seed=number, **SETTINGS)
    splits = Splits(table, spec)
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{Path(folder) / 'pairs.db'}")
        ledger.create("it", spec.to_json(), "", [StudyKey(arm, r) for arm in ARMS for r in range(repeats)])
        run(ledger, "it", spec, splits, Inline())
        record = ledger.load("it")
    own, left = np.empty((2, repeats)), np.empty((2, repeats))
    for a, arm in enumerate(ARMS):
        for study in record.of(arm):
            seeds = [curve.seed for curve in study.evaluations]
            rows = table.split(spec.seed, study.repeat, 0)
            problem = whole.problem(rows.rest, np.arange(ROWS, len(y)))
            assert study.winner is not None
            (curves,) = train(problem, [study.winner.config], seeds, every_epoch=False)
            own[a, study.repeat] = np.mean([curve.final_loss for curve in study.evaluations])
            left[a, study.repeat] = np.mean([curve.final_loss for curve in curves])
    return Pair(np.log(own[0] / own[1]), np.log(left[0] / left[1]))
