"""The best momentum by number of workers of Hogwild!, as stale gradients act like momentum (Mitliagkas et al. 2016)."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from benchmarks.asynchronous.tuned import lines, measured
from cooldown.objectives import tasks
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table

WORKERS = (1, 2, 4, 8, 16)
MOMENTA = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95)
RATES = [0.001 * 10 ** (place / 4) for place in range(11)]
SEEDS, EPOCHS, BATCH = (0, 1, 2), 20, 128


def run() -> tuple[Table, go.Figure]:
    """The table and the figure: of each momentum the best rate counts."""
    problem = tasks.get("digits").search_problem()
    cells: list[tuple[Any, ...]] = []
    drawn: dict[str, tuple[list[float], list[float]]] = {}
    for workers in WORKERS:
        documents = [
            {
                "optimizer": {"name": "momentum", "learning_rate": rate, "momentum": momentum},
                "epochs": EPOCHS,
                "batch_size": BATCH,
                "asynchronous": {"name": "hogwild", "workers": workers, "compute": "exponential"},
            }
            for momentum in MOMENTA
            for rate in RATES
        ]
        losses = np.array(measured(problem, documents, SEEDS)).reshape(len(MOMENTA), len(RATES))
        of_momentum = losses.min(axis=1)
        place = int(of_momentum.argmin())
        rate = RATES[int(losses[place].argmin())]
        cells.append(
            (workers, MOMENTA[place], rate, of_momentum[place], of_momentum[0], of_momentum[MOMENTA.index(0.9)])
        )
        drawn[f"{workers} worker{'s' if workers > 1 else ''}"] = ([1 - each for each in MOMENTA], of_momentum.tolist())
    columns = (
        Column("Workers", Form.COUNT),
        Column("Best momentum", Form.READING),
        Column("Its rate", Form.READING),
        Column("Loss", Form.LOSS),
        Column("Without", Form.LOSS),
        Column("With 0.9", Form.LOSS),
    )
    caption = (
        f"held-out loss of digits after {EPOCHS} epochs in batches of {BATCH}, mean of {len(SEEDS)} seeds; best rates"
    )
    return Table(columns, cells, caption), lines(drawn, "1 − momentum", "Held-out loss with the best rate")
