"""What sparse rows cost: `python -m benchmarks.sparse`.

A bag of words as in the task sparse_text, over more and more words: 1200 documents of 40 words each, a network of 32
hidden units, batches of 32, 12 replicates. CPU time, the least of a few runs, of the whole `train()`: as a task, which
keeps the words that two documents have; and of all words. Dense rows beside them, as far as they fit; and whole fits of
an estimator, which trains the words of its rows and keeps weights for all. Rules that leave alone what has no gradient
(SGD, Adagrad) update what a batch fills; all others, whose weights move on without a gradient, update every weight, so
that their time grows with the number of words.
"""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.sparse import csr_array

from cooldown.estimators import ScheduledMLPClassifier
from cooldown.objectives import TrainConfig, tasks, train
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.problem import Problem
from cooldown.objectives.random_streams import generator

WORDS = (500, 5_000, 50_000)
MOST_DENSE = 5_000
DOCUMENTS, LENGTH, CLASSES, COMMON, LIFT = 1200, 40, 4, 100, 4.0
RATES = {"sgd": 0.1, "adagrad": 0.05, "momentum": 0.05, "adam": 0.003}
EPOCHS, CONFIGS, SEEDS, RUNS = 10, 4, (0, 1, 2), 3
FITTED = 720
"""Documents that an estimator is fitted to, as many as a task trains on."""


def documents(words: int) -> tuple[csr_array, NDArray[np.int64]]:
    """X (1200, words) of log(1 + count), and the topics y: a tenth of the rare words is likelier in each topic."""
    rng = generator(0, "benchmark", "sparse")
    likelihood = np.tile(1 / np.arange(1, words + 1), (CLASSES, 1))
    rare = rng.permutation(np.arange(COMMON, words))
    for weights, of_topic in zip(likelihood, np.array_split(rare[: CLASSES * (words // 10)], CLASSES), strict=True):
        weights[of_topic] *= LIFT
    cumulated = np.cumsum(likelihood, axis=1)
    y = np.arange(DOCUMENTS) % CLASSES
    lengths = 1 + rng.poisson(LENGTH - 1, DOCUMENTS)
    drawn = [
        np.searchsorted(cumulated[topic], cumulated[topic, -1] * rng.random(length))
        for topic, length in zip(y, lengths, strict=True)
    ]
    of_row = np.repeat(np.arange(DOCUMENTS), lengths)
    X = csr_array((np.ones(len(of_row)), (of_row, np.concatenate(drawn))), shape=(DOCUMENTS, words))
    X.sum_duplicates()
    X.data = np.log1p(X.data)
    return X, y


def of_all(X: Any, y: NDArray[np.int64]) -> Problem:
    """The problem of a network with weights for every word."""
    train_rows = 3 * DOCUMENTS // 5
    model = MLP(X, y, (32,), CLASSES, "cross_entropy")
    return Problem(model, np.arange(train_rows), np.arange(train_rows, 4 * DOCUMENTS // 5), float(np.log(CLASSES)))


def seconds(problem: Problem, rule: str) -> float:
    """CPU seconds of a whole `train()`, the least of `RUNS`."""
    configs = [
        TrainConfig.from_json(
            {"optimizer": {"name": rule, "learning_rate": RATES[rule] * (1 + i / 10)}, "epochs": EPOCHS}
        )
        for i in range(CONFIGS)
    ]
    train(problem, configs[:1], SEEDS[:1])
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        train(problem, configs, SEEDS)
        times.append(time.process_time() - started)
    return min(times)


def fit_seconds(words: int, rule: str, networks: int) -> float:
    """CPU seconds of the fit of an estimator with so many networks, the least of `RUNS`."""
    X, y = (rows[:FITTED] for rows in documents(words))
    times = []
    for _ in range(RUNS + 1):
        estimator = ScheduledMLPClassifier((32,), optimizer=rule, epochs=EPOCHS, n_seeds=networks, random_state=0)
        started = time.process_time()
        estimator.fit(X, y)
        times.append(time.process_time() - started)
    # The first fit may compile.
    return min(times[1:])


def estimators() -> Table:
    """The times of fits."""
    table = Table("rule", "networks", *[f"{words:,} words" for words in WORDS], "ratio", title="CPU seconds of fit()")
    for rule in RATES:
        for networks in (1, CONFIGS * len(SEEDS)):
            times = [fit_seconds(words, rule, networks) for words in WORDS]
            table.add_row(rule, str(networks), *[f"{each:.3f}" for each in times], f"{times[-1] / times[0]:.1f}")
    return table


def main() -> None:
    """Measure and print."""
    data = {words: documents(words) for words in WORDS}
    kinds: dict[str, Callable[[int], Problem]] = {
        "task": lambda words: tasks.from_arrays(*data[words]).search_problem(),
        "all words": lambda words: of_all(*data[words]),
        "dense": lambda words: of_all(data[words][0].toarray(), data[words][1]),
    }
    table = Table("rule", "rows", *[f"{words:,} words" for words in WORDS], "ratio", title="CPU seconds of train()")
    for rule in RATES:
        for kind, problem_of in kinds.items():
            problems = [problem_of(words) for words in WORDS if kind != "dense" or words <= MOST_DENSE]
            times = [seconds(problem, rule) for problem in problems]
            cells = [f"{each:.2f}" for each in times] + [""] * (len(WORDS) - len(times))
            table.add_row(rule, kind, *cells, f"{times[-1] / times[0]:.1f}" if len(times) == len(WORDS) else "")
    console = Console()
    console.print(table)
    console.print(estimators())
    kept = [problem.differentiable.matrices[0].inputs for problem in map(kinds["task"], WORDS)]  # type: ignore[attr-defined]
    console.print(f"words that a task keeps: {', '.join(f'{each:,}' for each in kept)}; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
