"""AdaGrad beside delay-tolerant AdaGrad: each gradient of one row is applied a fixed number of updates late."""

from typing import Any

import plotly.graph_objects as go

from benchmarks.asynchronous.tuned import best, lines, online_loss
from cooldown.objectives import tasks
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table

DELAYS = (0, 100, 1000, 3000)
RATES = [0.002 * 10 ** (place / 3) for place in range(8)]
RULES = ("adagrad", "delay_tolerant_adagrad")
SEEDS, EPOCHS = (0,), 50


def run() -> tuple[Table, go.Figure]:
    """The table and the figure."""
    problem = tasks.get("sparse_text").with_hidden(()).search_problem()
    cells: list[tuple[Any, ...]] = []
    drawn: dict[str, tuple[list[float], list[float]]] = {rule: ([], []) for rule in RULES}
    for delay in DELAYS:
        losses = []
        for rule in RULES:
            documents = [
                {
                    "optimizer": {"name": rule, "learning_rate": rate},
                    "epochs": EPOCHS,
                    "batch_size": 1,
                    # The one worker goes on while its gradients are on their way.
                    "asynchronous": {"name": "hogwild", "workers": 1, "delay": delay},
                }
                for rate in RATES
            ]
            place, loss = best(problem, documents, SEEDS, online_loss)
            losses += [RATES[place], loss]
            drawn[rule][0].append(delay + 1)
            drawn[rule][1].append(loss)
        cells.append((delay, *losses, losses[3] / losses[1]))
    columns = (
        Column("Delay", Form.COUNT),
        Column("Rate", Form.READING),
        Column("adagrad", Form.LOSS),
        Column("Rate", Form.READING),
        Column("delay_tolerant_adagrad", Form.LOSS),
        Column("Ratio", Form.RATIO),
    )
    caption = f"online loss of sparse_text without a hidden layer in {EPOCHS} epochs"
    return Table(columns, cells, caption), lines(drawn, "Delay + 1", "Online loss")
