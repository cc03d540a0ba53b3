"""The same comparison in three ways: `cooldown compare`, and scripts as a user would write them with Optuna's
RDBStorage on SQLite and PyTorch or scikit-learn's MLPClassifier.

Cooldown runs the default comparison whole: start-up, compilation, search, finalists, evaluations, ledger. The scripts
run a fraction of it, with the same task, model, epochs, batch size, rules, sampler and number of processes; PyTorch's
reports every epoch. Their time per replicate is scaled to the whole. A replicate is one config trained with one seed.

    python -m benchmarks.end_to_end [--trials 4]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from cooldown.search.spec.experiment import read_spec

WORKERS = 2
SPEC = read_spec(task="digits")
Report = Callable[[int, float], None]


def replicates() -> float:
    """Replicates of the default comparison, an evaluation counted by its rows."""
    per_study = SPEC.trials * SPEC.seeds + SPEC.finalists * SPEC.finalist_seeds + SPEC.confirm_seeds * 4 / 3
    return len(SPEC.arms) * SPEC.repeats * per_study


def cooldown(folder: Path) -> tuple[float, dict[str, Any]]:
    """Seconds of the default comparison, and its document."""
    command = [
        sys.executable,
        "-m",
        "cooldown",
        "compare",
        "digits",
        "--workers",
        str(WORKERS),
        "--json",
        "--quiet",
    ]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "--db", f"sqlite:///{folder / 'cooldown.db'}"], check=True, capture_output=True, text=True
    )
    return time.perf_counter() - started, json.loads(done.stdout)


@cache
def data() -> tuple[Any, ...]:
    """Training and validation rows of digits, split and scaled as usual."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    X, y = load_digits(return_X_y=True)
    X, _, y, _ = train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)
    X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
    scaler = StandardScaler().fit(X_train)
    return scaler.transform(X_train), scaler.transform(X_val), y_train, y_val


def train_torch(momentum: bool, parameters: dict[str, float], seed: int, report: Report) -> float:
    """A small training loop with PyTorch, as in its tutorial."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    X_train, X_val, y_train, y_val = data()
    X, y = torch.tensor(X_train, dtype=torch.float32), torch.tensor(y_train)
    X_held, y_held = torch.tensor(X_val, dtype=torch.float32), torch.tensor(y_val)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer: torch.optim.Optimizer
    if momentum:
        optimizer = torch.optim.SGD(model.parameters(), lr=parameters["learning_rate"], momentum=parameters["momentum"])
    else:
        betas = (parameters["beta1"], parameters["beta2"])
        optimizer = torch.optim.Adam(model.parameters(), lr=parameters["learning_rate"], betas=betas)
    steps = SPEC.epochs * -(-len(X) // SPEC.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    criterion = nn.CrossEntropyLoss()
    loss = float("inf")
    for epoch in range(SPEC.epochs):
        for rows in torch.randperm(len(X)).split(SPEC.batch_size):
            optimizer.zero_grad()
            criterion(model(X[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            loss = criterion(model(X_held), y_held).item()
        report(epoch, loss)
    return loss


def train_sklearn(momentum: bool, parameters: dict[str, float], seed: int, report: Report) -> float:
    """One `MLPClassifier.fit`: quickest to run and to write. It reports no validation loss before its end."""
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier

    del report
    warnings.simplefilter("ignore")
    X_train, X_val, y_train, y_val = data()
    chosen: dict[str, Any] = (
        {"solver": "sgd", "momentum": parameters["momentum"], "nesterovs_momentum": False}
        if momentum
        else {"solver": "adam", "beta_1": parameters["beta1"], "beta_2": parameters["beta2"]}
    )
    model = MLPClassifier(
        (32,),
        alpha=0.0,
        batch_size=SPEC.batch_size,
        learning_rate_init=parameters["learning_rate"],
        max_iter=SPEC.epochs,
        n_iter_no_change=SPEC.epochs,
        random_state=seed,
        **chosen,
    )
    try:
        model.fit(X_train, y_train)
    except ValueError:
        # It diverged, which scikit-learn notices and raises.
        return float("inf")
    return float(log_loss(y_val, model.predict_proba(X_val), labels=np.arange(10)))


def study(train: Any, url: str, trials: int, momentum: bool) -> None:
    """One study as in a script: suggest, train with each seed, report every epoch."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def objective(trial: optuna.Trial) -> float:
        if momentum:
            parameters = {
                "learning_rate": trial.suggest_float("learning_rate", 1e-3, 1.0, log=True),
                "momentum": 1 - trial.suggest_float("one_minus_momentum", 0.005, 0.5, log=True),
            }
        else:
            parameters = {
                "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
                "beta1": 1 - trial.suggest_float("one_minus_beta1", 0.01, 0.5, log=True),
                "beta2": 1 - trial.suggest_float("one_minus_beta2", 1e-4, 0.1, log=True),
            }
        reported: dict[int, list[float]] = defaultdict(list)
        losses = [
            train(momentum, parameters, seed, lambda epoch, loss: reported[epoch].append(loss))
            for seed in range(SPEC.seeds)
        ]
        for epoch, of_seeds in reported.items():
            trial.report(float(np.nan_to_num(np.mean(of_seeds), nan=1e9, posinf=1e9)), epoch)
        return float(np.nan_to_num(np.mean(losses), nan=1e9, posinf=1e9))

    optuna_study = optuna.create_study(storage=url, sampler=optuna.samplers.TPESampler(seed=0))
    optuna_study.optimize(objective, n_trials=trials)


def scripted(train: Any, folder: Path, trials: int) -> float:
    """Seconds per replicate of `WORKERS` processes that each run one study, start-up of the libraries left out."""
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        # A trial each first: imports, the database's tables, Optuna's own caches.
        url = f"sqlite:///{folder / train.__name__}.db"
        pool.submit(study, train, url, 1, True).result()
        list(pool.map(partial(study, train, url, 1), [True, False]))
        started = time.perf_counter()
        list(pool.map(partial(study, train, url, trials), [True, False]))
        return (time.perf_counter() - started) / (2 * trials * SPEC.seeds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=4, help="trials per study of the scripts")
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    whole = replicates()
    table = Table(box=None, padding=(0, 1, 0, 0))
    for column in ("", "seconds", "measured", "against Cooldown", "target"):
        table.add_column(column, justify="left" if column in ("", "measured") else "right")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, document = cooldown(folder)
        table.add_row("cooldown compare digits", f"{ours:.1f}", f"whole: {whole:.0f} replicates", "1", "< 90 s")
        for train, label, target in (
            (train_torch, "Optuna + PyTorch", "≥ 20"),
            (train_sklearn, "Optuna + MLPClassifier", "≥ 8"),
        ):
            per_replicate = scripted(train, folder, arguments.trials)
            seconds = per_replicate * whole
            part = f"{2 * arguments.trials * SPEC.seeds} replicates, scaled"
            table.add_row(label, f"{seconds:.0f}", part, f"{seconds / ours:.1f}", target)
    console = Console()
    console.print(f"{WORKERS} processes; digits, MLP 64-32-10, {SPEC.epochs} epochs, batch {SPEC.batch_size}")
    console.print(table)
    trained = sum(arm["seconds"] for arm in document["arms"])
    console.print(
        f"Cooldown's workers trained for {trained:.1f} s of {WORKERS * ours:.1f} s: the rest is start-up, compilation, "
        "search, ledger and waiting"
    )


if __name__ == "__main__":
    main()
