"""Networks of a user's own against the loops that one writes by hand, in CPU time.

    python -m benchmarks.models [--rounds 5]

One thread, float32, digits, batch 32, Adam. `tasks.from_torch` trains R replicates against a plain PyTorch loop, R
times one after the other: a perceptron 64-32-10, and convolutions of 8 and 16 channels. `tasks.from_jax` trains the
perceptron against a scan over the updates of a vmap over the replicates. Both sides do the same updates; ours also
draws the order of the rows and measures the held-out rows once. Compiling and recording come before. Contestants take
turns; shown are medians, and medians of the ratios within a round. Targets at R = 12: 0.5 of PyTorch's time, 1.3 of
JAX's.
"""

import argparse
import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import jax
import numpy as np
import torch
from jax import numpy as jnp
from rich.console import Console
from rich.table import Table
from torch import nn

from benchmarks.engine import EPOCHS, NETWORKS
from benchmarks.engine import jax as by_hand
from cooldown.objectives import TrainConfig, tasks, train
from cooldown.objectives.problem import Problem
from cooldown.objectives.random_streams import generator

REPLICATES = (1, 3, 12)
CONFIG = TrainConfig.from_json(
    {"optimizer": {"name": "adam", "learning_rate": 1e-3}, "batch_size": 32, "epochs": EPOCHS}
)
Run = Callable[[], int]


def perceptron() -> nn.Module:
    """64-32-10."""
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def convolutions() -> nn.Module:
    """Two convolutions over images of 8 × 8."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 10),
    )


def init(key: Any) -> Any:
    """The perceptron's parameters, for JAX."""
    first, last = jax.random.split(key)
    return [
        (jax.random.normal(first, (64, 32)) / 6, jnp.zeros(32)),
        (jax.random.normal(last, (32, 10)) / 4, jnp.zeros(10)),
    ]


def apply(parameters: Any, X: Any) -> Any:
    """The perceptron, for JAX."""
    (first, bias), (last, last_bias) = parameters
    return jax.nn.relu(X @ first + bias) @ last + last_bias


def rows() -> tuple[Any, Any, Problem]:
    """The rows of the digits in the model's numbers, and a search's problem."""
    problem = tasks.get("digits").search_problem()
    model: Any = problem.model
    return model.X.astype(np.float32), model.y, problem


def ours(task: Any, replicates: int) -> Run:
    """A whole `train(...)` on the rows of a search."""
    _, _, of_digits = rows()
    problem = task.problem(of_digits.train, of_digits.held_out)

    def run() -> int:
        (curves,) = train(problem, [CONFIG], range(replicates), every_epoch=False)
        return sum(curve.updates for curve in curves)

    return run


def plain(make: Callable[[], nn.Module], replicates: int) -> Run:
    """A loop of PyTorch per replicate."""
    X, y, problem = rows()
    inputs, labels, loss_of = torch.from_numpy(X), torch.from_numpy(y), nn.CrossEntropyLoss()

    def run() -> int:
        updates = 0
        for seed in range(replicates):
            torch.manual_seed(seed)
            module, order = make(), generator(seed, "data order")
            optimizer = torch.optim.Adam(module.parameters())
            for _ in range(EPOCHS):
                for batch in torch.from_numpy(order.permutation(problem.train)).split(32):
                    optimizer.zero_grad()
                    loss_of(module(inputs[batch]), labels[batch]).backward()
                    optimizer.step()
                    updates += 1
        return updates

    return run


def contestants() -> dict[tuple[str, int], tuple[Run, Run]]:
    """Ours and the loop by hand, by what is trained and by the number of replicates."""
    X, y, _ = rows()
    pairs: dict[tuple[str, int], tuple[Run, Run]] = {}
    for name, make in (("PyTorch, perceptron", perceptron), ("PyTorch, convolutions", convolutions)):
        task = tasks.from_torch(make, X, y, device="cpu")
        pairs |= {(name, count): (ours(task, count), plain(make, count)) for count in REPLICATES}
    in_jax = tasks.from_jax(init, apply, X, y)
    pairs |= {
        ("JAX, perceptron", count): (ours(in_jax, count), by_hand(NETWORKS[0], "adam", count)) for count in REPLICATES
    }
    return pairs


def microseconds(run: Run) -> float:
    """CPU time of the process per update of one replicate."""
    started = time.process_time()
    updates = run()
    return 1e6 * (time.process_time() - started) / updates


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    pairs = contestants()
    for both in pairs.values():
        for run in both:
            run()  # compiles and records
    times: dict[tuple[str, int], list[tuple[float, float]]] = {key: [] for key in pairs}
    for _ in range(rounds):
        for key, (mine, theirs) in pairs.items():
            times[key].append((microseconds(mine), microseconds(theirs)))
    table = Table("", "R", "µs, ours", "µs, by hand", "ratio")
    for (name, count), measured in times.items():
        mine, theirs = zip(*measured, strict=True)
        ratio = median(one / other for one, other in measured)
        table.add_row(name, str(count), f"{median(mine):.0f}", f"{median(theirs):.0f}", f"{ratio:.2f}")
    Console().print(table)
    Console().print(f"CPU time per update of one replicate, medians of {rounds} rounds")


if __name__ == "__main__":
    # Before XLA starts: one thread on both sides.
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    main()
