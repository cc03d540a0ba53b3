"""Time to store a trial in a ledger that grows to 1000 trials, and in Optuna's storage: `python -m benchmarks.ledger`.

On both databases: a SQLite file, and, where it is installed, a PostgreSQL server on this machine that syncs its disk.
Targets: 0.5 ms a trial in a file, 3 ms on the server.

A trial has 5 parameters and 3 seeds with 30 epochs each. The ledger stores generations of 4, with every curve, who
trained them and Optuna's rows; Optuna's storage stores the parameters, 30 intermediate values and the value, and no
curves. Both write to a file in the folder of the first argument, by default the one for temporary files. Only storing
is timed.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import optuna
from optuna.distributions import FloatDistribution, distribution_to_json
from rich.console import Console
from rich.table import Table

from cooldown.objectives import Curve, Outcome, TrainConfig
from cooldown.storage import Ledger, NewTrial, StudyKey, Work
from tests.postgresql_server import Server, programs

TRIALS, GENERATION, SEEDS, EPOCHS = 1000, 4, 3, 30
OPTUNAS_TRIALS = 40
NAMES = ("adam.learning_rate", "adam.beta1", "adam.beta2", "adam.epsilon", "sgdr.period")
DISTRIBUTION = FloatDistribution(1e-5, 1.0, log=True)


def new_trial(number: int, rng: np.random.Generator) -> NewTrial:
    """A trial of random numbers."""
    curves = [
        Curve(seed, Outcome.COMPLETED, *rng.random((4, EPOCHS)), EPOCHS, 2.3, 43_110, 1350, 0.1)  # type: ignore[call-arg]
        for seed in range(SEEDS)
    ]
    return NewTrial(
        number,
        {name: float(rng.uniform(1e-5, 1)) for name in NAMES},
        {name: distribution_to_json(DISTRIBUTION) for name in NAMES},
        {},
        TrainConfig(epochs=EPOCHS),
        curves,
        time.time(),
    )


def ledger_times(url: str) -> np.ndarray:
    """(TRIALS / GENERATION,) milliseconds a trial, one for each generation."""
    rng = np.random.default_rng(0)
    ledger = Ledger(url)
    ledger.create("benchmark", {}, "", [StudyKey("adam+sgdr", 0)])
    study = ledger.load("benchmark").studies[0]
    times = []
    with ledger.hold("benchmark") as writer:
        for index in range(TRIALS // GENERATION):
            trials = [new_trial(index * GENERATION + i, rng) for i in range(GENERATION)]
            work = [Work("machine:1", time.time() - 0.2, time.time())]
            start = time.perf_counter()
            study = writer.append_generation(study, index, trials, {}, work)
            times.append((time.perf_counter() - start) / GENERATION * 1e3)
    return np.array(times)


def optuna_times(path: Path) -> np.ndarray:
    """(OPTUNAS_TRIALS,) milliseconds a trial through Optuna's RDBStorage."""
    rng = np.random.default_rng(0)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(storage=f"sqlite:///{path}", sampler=sampler)
    times = []
    for _ in range(OPTUNAS_TRIALS):
        losses = rng.random(EPOCHS)
        start = time.perf_counter()
        trial = study.ask(dict.fromkeys(NAMES, DISTRIBUTION))
        for epoch, loss in enumerate(losses, start=1):
            trial.report(loss, epoch)
        study.tell(trial, losses[-1])
        times.append((time.perf_counter() - start) * 1e3)
    return np.array(times)


def main() -> None:
    """Measure and print."""
    table = Table("store", "trials", "fastest", "median", "p95", "KiB a trial", title="Milliseconds to store a trial")
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        path = Path(folder) / "ledger.db"
        times = ledger_times(f"sqlite:///{path}")
        parts = [("ledger", times), ("ledger, first 100", times[:25]), ("ledger, last 100", times[-25:])]
        sizes = [path.stat().st_size / TRIALS, None, None]
        if programs() is not None:
            server = Server(fsync=True)
            try:
                times = ledger_times(server.url(server.create()))
            finally:
                server.close()
            parts += [("ledger on PostgreSQL", times), ("ledger on PostgreSQL, last 100", times[-25:])]
            sizes += [None, None]
        path = Path(folder) / "optuna.db"
        parts.append(("Optuna's RDBStorage", optuna_times(path)))
        sizes.append(path.stat().st_size / OPTUNAS_TRIALS)
    for (name, of_part), size in zip(parts, sizes, strict=True):
        trials = len(of_part) * (GENERATION if name.startswith("ledger") else 1)
        fastest, median, p95 = np.percentile(of_part, [0, 50, 95])
        table.add_row(
            name, str(trials), f"{fastest:.2f}", f"{median:.2f}", f"{p95:.2f}", f"{size / 1024:.1f}" if size else ""
        )
    Console().print(table)


if __name__ == "__main__":
    main()
