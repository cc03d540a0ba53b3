"""Downpour, EASGD and EAMSGD with 4 workers, by the updates between two exchanges, each with the best of the rates."""

from typing import Any

import plotly.graph_objects as go

from benchmarks.asynchronous.tuned import best, lines
from cooldown.objectives import tasks
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table

EVERY = (1, 4, 16, 64)
RATES = [0.0003 * 10 ** (place / 3) for place in range(11)]
SEEDS, EPOCHS, BATCH = (0, 1, 2), 10, 16

METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "downpour": ("push_every", {}),
    "easgd": ("exchange_every", {}),
    "eamsgd": ("exchange_every", {"velocity_decay": 0.9}),
}


def run() -> tuple[Table, go.Figure]:
    """The table and the figure."""
    problem = tasks.get("digits").search_problem()
    cells: list[tuple[Any, ...]] = []
    drawn: dict[str, tuple[list[float], list[float]]] = {}
    for name, (interval, own) in METHODS.items():
        for every in EVERY:
            documents = [
                {
                    "optimizer": {"name": "sgd", "learning_rate": rate},
                    "epochs": EPOCHS,
                    "batch_size": BATCH,
                    "asynchronous": {"name": name, "workers": 4, "compute": "exponential", interval: every, **own},
                }
                for rate in RATES
            ]
            place, loss = best(problem, documents, SEEDS)
            cells.append((name, every, RATES[place], loss))
            at, losses = drawn.setdefault(name, ([], []))
            at.append(every)
            losses.append(loss)
    columns = (
        Column("Method"),
        Column("Every", Form.COUNT),
        Column("Best rate", Form.READING),
        Column("Loss", Form.LOSS),
    )
    caption = f"held-out loss of digits after {EPOCHS} epochs, mean of {len(SEEDS)} seeds"
    return Table(columns, cells, caption), lines(drawn, "Updates between two exchanges", "Held-out loss")
