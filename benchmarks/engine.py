"""µs per update of one replicate: this engine, PyTorch, scikit-learn, JAX and the matrix products alone.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python -m benchmarks.engine [--rounds 9]

Everything runs in one process on one core with one thread, float32, on the digits data, in CPU time. The contestants
take turns in rounds (A B C A B C …), so that a neighbour on the machine slows down all of them; the tables show medians
over the rounds, the targets medians of the ratios within a round. 1408 rows, so that every batch is full: JAX needs one
shape. OpenBLAS must choose its kernel itself: a variable that chooses another one slows down NumPy, but not JAX.

What is timed, of a run of 30 epochs:
    engine        the whole `train(...)` with new seeds: initial weights, rates, data order, training, one evaluation of
                  held-out rows
    seeds again   the same with seeds of an earlier run, whose data orders the process has kept, as in a search
    its updates   the engine's training loop alone: everything before and after it is prepared
    JAX           data order with the same generator, and one compiled program: optax, a scan over all updates of a vmap
                  over the replicates. Compilation and initial weights are not in it
    products      the engine's matrix products alone: same shapes, same views, nothing in between
    PyTorch       eager mode, 3 epochs: data order, forward, backward, optimizer step. One replicate at a time
    scikit-learn  `MLPClassifier.fit`, 3 epochs. One replicate at a time
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from cooldown.objectives import Problem, TrainConfig, train
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.random_streams import generator
from cooldown.objectives.training.assembly import population_of
from cooldown.objectives.training.replicates import Replicate, plan

TRAIN_ROWS, OUTPUTS = 1408, 10
EPOCHS, SLOW_EPOCHS = 30, 3
REPLICATES = (1, 3, 5, 12)
RULES = ("adam", "momentum")
NEW_SEEDS = count(1000)


@dataclass(frozen=True)
class Network:
    """One hidden layer on the digits, and the batch that it is trained with."""

    hidden: int
    batch_size: int

    def __str__(self) -> str:
        return f"digits 64-{self.hidden}-10, batch {self.batch_size}"

    @property
    def updates_per_epoch(self) -> int:
        """A whole number: every batch is full."""
        return TRAIN_ROWS // self.batch_size

    def problem(self) -> Problem:
        """The digits for this network, held-out rows included."""
        X, y = load_digits(return_X_y=True)
        model = MLP(X / 16, y, (self.hidden,), OUTPUTS, "cross_entropy")
        return Problem(model, np.arange(TRAIN_ROWS), np.arange(TRAIN_ROWS, len(X)), np.log(OUTPUTS))


NETWORKS = (Network(32, 32), Network(128, 128))
TARGETS = (
    (0, ("engine", 5), ("scikit-learn", 1), 1 / 10),
    (0, ("engine", 5), ("PyTorch", 1), 1 / 25),
    (0, ("engine", 5), ("JAX", 5), 0.5),
    (0, ("engine", 1), ("products", 1), 1.4),
    (0, ("engine", 12), ("products", 12), 1.6),
    (0, ("its updates", 12), ("products", 12), 1.35),
    (0, ("seeds again", 5), ("JAX", 5), 0.5),
    (0, ("seeds again", 12), ("products", 12), 1.6),
    (1, ("seeds again", 12), ("JAX", 12), 0.75),
    (1, ("engine", 12), ("JAX", 12), 0.75),
)
"""Of a network under Adam: at most this multiple of a contestant's time."""

Contestant = tuple[str, int]
"""Its name and the number of replicates that it trains together."""


def engine(network: Network, rule: str, replicates: int) -> Callable[[], int]:
    """A run of the engine; calling it trains and returns the number of updates, over all replicates."""
    return runs_of_seeds(network, rule, lambda: [next(NEW_SEEDS) for _ in range(replicates)])


def seeds_again(network: Network, rule: str, replicates: int) -> Callable[[], int]:
    """The same with the seeds of the call before."""
    return runs_of_seeds(network, rule, lambda: range(replicates))


def runs_of_seeds(network: Network, rule: str, seeds: Callable[[], Sequence[int]]) -> Callable[[], int]:
    """Runs of the engine, each with the next seeds."""
    problem = network.problem()
    config = TrainConfig.from_json({"optimizer": rule, "batch_size": network.batch_size, "epochs": EPOCHS})

    def run() -> int:
        (curves,) = train(problem, [config], seeds(), every_epoch=False)
        return sum(curve.updates for curve in curves)

    return run


def its_updates(network: Network, rule: str, replicates: int) -> Callable[[], int]:
    """The engine's updates with initial weights, rates and data order made before."""
    problem = network.problem()
    config = TrainConfig.from_json({"optimizer": rule, "batch_size": network.batch_size, "epochs": EPOCHS})
    updates = plan(config, len(problem.train))
    members = [Replicate(config, seed, updates) for seed in range(replicates)]
    population, _ = population_of([problem] * len(members), members, np.dtype(np.float32))
    rngs = [generator(seed, "data order") for seed in range(replicates)]
    shape = replicates, network.updates_per_epoch, network.batch_size
    epochs = [np.stack([rng.permutation(problem.train) for rng in rngs]).reshape(shape) for _ in range(EPOCHS)]

    def run() -> int:
        for epoch, rows in enumerate(epochs):
            population._updates(epoch * network.updates_per_epoch, rows)
        return EPOCHS * network.updates_per_epoch * replicates

    return run


def products(network: Network, rule: str, replicates: int) -> Callable[[], int]:
    """The matrix products of as many updates; the rule makes no difference."""
    del rule
    model = network.problem().model
    assert isinstance(model, MLP)
    theta = np.stack([model.init(generator(seed, "initial weights")) for seed in range(replicates)])
    theta = theta.astype(np.float32)
    model.loss_and_gradient(theta, np.zeros((replicates, network.batch_size), np.int64))
    (work,) = model._workspaces.values()
    layers = [
        work.input_forward,
        *((passed_on, weights, above) for *_, passed_on, weights, above in work.hidden_forward),
    ]
    for inputs_t, delta, weight_gradient, weights_t, delta_below, *_ in work.backward:
        layers += [(inputs_t, delta, weight_gradient), (delta, weights_t, delta_below)]
    layers.append(work.input_backward)
    updates = EPOCHS * network.updates_per_epoch

    def run() -> int:
        for _ in range(updates):
            for left, right, product in layers:
                np.matmul(left, right, out=product)
        return updates * replicates

    return run


def jax(network: Network, rule: str, replicates: int) -> Callable[[], int]:
    """One compiled program: optax, a scan over the updates of a vmap over the replicates."""
    import jax
    import optax
    from jax import numpy as jnp

    problem = network.problem()
    model = problem.model
    assert isinstance(model, MLP)
    X, y = jnp.asarray(model.X, jnp.float32), jnp.asarray(model.y)
    optimizer = optax.adam(1e-3) if rule == "adam" else optax.sgd(0.05, momentum=0.9)
    theta = np.stack([model.init(generator(seed, "initial weights")) for seed in range(replicates)]).astype(np.float32)
    parameters = [
        (jnp.asarray(layer.weights(theta)), jnp.asarray(theta[:, layer.bias : layer.end])) for layer in model.layers
    ]
    state = jax.vmap(optimizer.init)(parameters)

    def loss(parameters: Any, rows: Any) -> Any:
        (first, first_bias), (last, last_bias) = parameters
        z = jax.nn.relu(X[rows] @ first + first_bias) @ last + last_bias
        return optax.softmax_cross_entropy_with_integer_labels(z, y[rows]).mean()

    def update(parameters: Any, state: Any, rows: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(parameters, rows)
        updates, state = optimizer.update(gradient, state, parameters)
        return optax.apply_updates(parameters, updates), state, value

    @jax.jit
    def program(parameters: Any, state: Any, batches: Any) -> Any:
        def step(carried: Any, rows: Any) -> Any:
            parameters, state, losses = jax.vmap(update)(*carried, rows)
            return (parameters, state), losses

        return jax.lax.scan(step, (parameters, state), batches)

    def run() -> int:
        orders = [generator(seed, "data order") for seed in range(replicates)]
        order = np.array([[rng.permutation(problem.train) for rng in orders] for _ in range(EPOCHS)], np.int32)
        by_epoch = order.reshape(EPOCHS, replicates, -1, network.batch_size).transpose(0, 2, 1, 3)
        batches = by_epoch.reshape(-1, replicates, network.batch_size)
        jax.block_until_ready(program(parameters, state, batches))
        return len(batches) * replicates

    return run


def pytorch(network: Network, rule: str, replicates: int) -> Callable[[], int]:
    """Eager mode, as most training loops are written."""
    import torch

    torch.set_num_threads(1)
    problem = network.problem()
    model = problem.model
    assert isinstance(model, MLP)
    X, y = torch.tensor(model.X, dtype=torch.float32), torch.tensor(model.y)
    layers = torch.nn.Sequential(
        torch.nn.Linear(X.shape[1], network.hidden), torch.nn.ReLU(), torch.nn.Linear(network.hidden, OUTPUTS)
    )
    optimizer = (
        torch.optim.Adam(layers.parameters(), lr=1e-3)
        if rule == "adam"
        else torch.optim.SGD(layers.parameters(), lr=0.05, momentum=0.9)
    )
    order = generator(0, "data order")

    def run() -> int:
        for _ in range(SLOW_EPOCHS):
            for rows in torch.from_numpy(order.permutation(problem.train)).split(network.batch_size):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(layers(X[rows]), y[rows]).backward()
                optimizer.step()
        return SLOW_EPOCHS * network.updates_per_epoch * replicates

    return run


def scikit_learn(network: Network, rule: str, replicates: int) -> Callable[[], int]:
    """`MLPClassifier.fit`, which does not stop early here."""
    X, y = load_digits(return_X_y=True)
    X, y = (X[:TRAIN_ROWS] / 16).astype(np.float32), y[:TRAIN_ROWS]
    classifier = MLPClassifier(
        (network.hidden,),
        solver="adam" if rule == "adam" else "sgd",
        batch_size=network.batch_size,
        learning_rate_init=1e-3 if rule == "adam" else 0.05,
        nesterovs_momentum=False,
        alpha=0,
        max_iter=SLOW_EPOCHS,
        random_state=0,
    )

    def run() -> int:
        with warnings.catch_warnings(action="ignore"):
            classifier.fit(X, y)
        return SLOW_EPOCHS * network.updates_per_epoch * replicates

    return run


def contestants(network: Network, rule: str) -> dict[Contestant, Callable[[], int]]:
    """All that are installed, ready to run."""
    together = {
        "engine": engine,
        "seeds again": seeds_again,
        "its updates": its_updates,
        "JAX": jax,
        "products": products,
    }
    alone = {"PyTorch": pytorch, "scikit-learn": scikit_learn}
    missing = {name for name, module in (("JAX", "optax"), ("PyTorch", "torch")) if find_spec(module) is None}
    chosen = [(name, replicates) for replicates in REPLICATES for name in together] + [(name, 1) for name in alone]
    return {
        (name, replicates): (together | alone)[name](network, rule, replicates)
        for name, replicates in chosen
        if name not in missing
    }


def rounds(runs: dict[Contestant, Callable[[], int]], number: int) -> Iterator[dict[Contestant, float]]:
    """Per round, µs of CPU time per update of one replicate of each contestant, one after the other."""
    for run in runs.values():
        run()  # compiles, and fills the caches
    for _ in range(number):
        times = {}
        for contestant, run in runs.items():
            started = time.process_time()
            updates = run()
            times[contestant] = 1e6 * (time.process_time() - started) / updates
        yield times


def table(title: str, measured: list[dict[Contestant, float]]) -> Table:
    """Medians over the rounds: contestants × replicates trained together."""
    shown = Table("", title=title, title_justify="left")
    for replicates in REPLICATES:
        shown.add_column(f"R = {replicates}", justify="right")
    names = dict.fromkeys(name for name, _ in measured[0])
    for name in names:
        cells = [
            f"{median(times[name, replicates] for times in measured):.1f}" if (name, replicates) in measured[0] else ""
            for replicates in REPLICATES
        ]
        shown.add_row(name, *cells)
    return shown


def targets(network: Network, measured: list[dict[Contestant, float]]) -> Table:
    """The engine's time as a multiple of the others', with the targets."""
    shown = Table(title=f"{network}, {RULES[0]}", title_justify="left")
    for heading in ("", "R", "of the time of", "R", "measured", "at most", ""):
        shown.add_column(heading, justify="right" if heading in ("R", "measured", "at most") else "left")
    for number, ours, contestant, most in TARGETS:
        if NETWORKS[number] == network and contestant in measured[0]:
            ratio = median(times[ours] / times[contestant] for times in measured)
            met = "met" if ratio <= most else "not met"
            names = ours[0], str(ours[1]), contestant[0], str(contestant[1])
            shown.add_row(*names, f"{ratio:.3f}", f"{most:.3f}", met)
    return shown


def kernel_of_products() -> str:
    """The kernel that OpenBLAS has chosen for NumPy's products."""
    kernels = {each["architecture"] for each in threadpool_info() if "numpy.libs" in each["filepath"]}
    forced = [name for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE") if name in os.environ]
    by = f", chosen by {' and '.join(forced)}: unset them" if forced else ""
    return (
        f"{platform.processor() or platform.machine()}, OpenBLAS kernel {', '.join(sorted(kernels)) or 'unknown'}{by}"
    )


FIRST_RUN = """
import time
started = time.process_time()
from benchmarks.engine import NETWORKS
from cooldown.objectives import TrainConfig, train
imported = time.process_time()
configs = [TrainConfig.from_json({"optimizer": rule, "epochs": 1}) for rule in ("momentum", "adam")]
train(NETWORKS[0].problem(), configs, [0])
print(imported - started, time.process_time() - imported)
"""


def first_and_second_run() -> list[tuple[float, float]]:
    """CPU seconds for imports and an epoch of momentum and of Adam, with nothing compiled yet and with all of it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        command = [sys.executable, "-c", FIRST_RUN]
        outputs = [
            subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
            for _ in range(2)
        ]
    return [(float(imports), float(training)) for imports, training in (output.split() for output in outputs)]


def main() -> None:
    """Measure all and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    count = parser.parse_args().rounds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    console = Console()
    console.print(kernel_of_products())
    (imports, first), (_, second) = first_and_second_run()
    console.print(
        f"imports {imports:.1f} s; one epoch of momentum and of adam: "
        f"{first:.1f} s in a first run, which compiles, {second:.1f} s in the second\n"
    )
    with threadpool_limits(1):
        for network in NETWORKS:
            for rule in RULES:
                measured = list(rounds(contestants(network, rule), count))
                title = f"µs per update of one replicate: {network}, {rule} (median of {count} rounds)"
                console.print(table(title, measured))
                if rule == RULES[0]:
                    console.print(targets(network, measured))


if __name__ == "__main__":
    main()
