"""Small records for the ledger's tests; run as a program, it makes a fixture ledger of the present revision."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution, distribution_to_json
from sqlalchemy import text

from cooldown.objectives import Curve, Outcome, TrainConfig
from cooldown.storage import Ledger, NewTrial, Purpose, StudyKey, StudyRecord
from cooldown.storage import ledger as ledger_module
from cooldown.storage.writer import Writer

ROOT = Path(__file__).parents[2]
EPOCHS = 3
DISTRIBUTIONS = {
    "optimizer": distribution_to_json(CategoricalDistribution(["adam", "momentum"])),
    "adam.learning_rate": distribution_to_json(FloatDistribution(1e-5, 1.0, log=True)),
    "sgdr.warmup_steps": distribution_to_json(IntDistribution(0, 100)),
}


def child_environment() -> dict[str, str]:
    """For a child process that imports the packages and this module."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])}


def curve(seed: int, losses: Sequence[float] = (1.5, 1.0, 0.5), *, diverged: bool = False) -> Curve:
    """A replicate with these held-out losses; a diverged one has lost its last epochs."""
    measured = np.array(losses, float)
    return Curve(
        seed=seed,
        outcome=Outcome.DIVERGED if diverged else Outcome.COMPLETED,
        train_loss=measured * 0.9,
        held_out_loss=measured,
        held_out_score=1 / (1 + measured),
        learning_rate=0.1 / (1 + np.arange(len(measured))),
        kept_epoch=0 if diverged else len(measured),
        uninformed_loss=2.25,
        gradient_evaluations=300,
        updates=10 * len(measured),
        seconds=0.25,
    )


def new_trial(number: int, curves: Sequence[Curve] | None = None, *, learning_rate: float | None = None) -> NewTrial:
    """A finished trial whose parameters and losses follow from its number."""
    rate = 0.001 * (number + 1) if learning_rate is None else learning_rate
    losses = [1.5 - 0.01 * number, 1.0, 0.5 + 0.01 * ((number * 7) % 5)]
    return NewTrial(
        number=number,
        parameters={"optimizer": "adam", "adam.learning_rate": rate, "sgdr.warmup_steps": number},
        distributions=DISTRIBUTIONS,
        attributes={"note": number},
        config=TrainConfig.from_json({"optimizer": {"name": "adam", "learning_rate": rate}, "epochs": EPOCHS}),
        curves=[curve(seed, losses) for seed in (11, 12)] if curves is None else curves,
        started=1.7e9 + number,
    )


def generation(index: int, size: int = 4) -> list[NewTrial]:
    """The trials of one generation."""
    return [new_trial(number) for number in range(index * size, (index + 1) * size)]


@contextmanager
def held(
    ledger: Ledger, name: str = "digits", studies: Sequence[StudyKey] = (StudyKey("adam", 0),)
) -> Iterator[Writer]:
    """A new experiment, held."""
    ledger.create(name, {"arms": [key.arm for key in studies]}, "f" * 64, studies)
    with ledger.hold(name) as writer:
        yield writer


def study_of(ledger: Ledger, name: str = "digits", arm: str = "adam", repeat: int = 0) -> StudyRecord:
    """A study as the ledger has it."""
    return next(study for study in ledger.load(name).studies if (study.arm, study.repeat) == (arm, repeat))


def rows(ledger: Ledger, query: str, **values: object) -> list[Any]:
    """The rows of a query in the ledger's database."""
    with ledger._database.reading() as connection:
        return list(connection.execute(text(query), values))


def change(ledger: Ledger, statement: str, **values: object) -> None:
    """Change something in the ledger's database."""
    with ledger._database.writing() as connection:
        connection.execute(text(statement), values)


def complete_experiment(ledger: Ledger, name: str = "digits") -> None:
    """Two arms with three generations each, finalists and an evaluation; one replicate diverged in its first epoch."""
    with held(ledger, name, [StudyKey("adam", 0), StudyKey("momentum+sgdr", 0)]) as writer:
        for study in ledger.load(name).studies:
            for index in range(2):
                study = writer.append_generation(study, index, generation(index, 2), {"state": index})
            study = writer.append_generation(
                study, 2, [new_trial(4, [curve(11, [], diverged=True), curve(12, [1.0], diverged=True)])], {"state": 2}
            )
            finalists = {trial.id: [curve(21), curve(22, [1.0, 0.9, 0.8])] for trial in study.best(2)}
            study = writer.append_curves(study, Purpose.FINALIST, finalists)
            assert study.winner is not None
            writer.append_curves(study, Purpose.EVALUATION, {study.winner.id: [curve(31, [0.4]), curve(32, [0.3])]})
        writer.finish(1)


if __name__ == "__main__":
    ledger_module.environment = lambda: {"python": "3.11.7", "packages": {"numpy": "2.2.0"}, "cores": 2}
    complete_experiment(Ledger(f"sqlite:///{sys.argv[1]}"))
