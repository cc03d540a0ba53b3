"""Learning rates × staleness on a parabola: which diverge, and the exact bound ηh < 2 sin(π/(2(2τ + 1)))."""

import numpy as np
import plotly.graph_objects as go

from benchmarks.asynchronous.tuned import HEIGHT
from cooldown.objectives import descend
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table
from cooldown.search.figures.layout import GREY, axis, chart
from cooldown.search.figures.schedules import COLOURS

STALENESS = (0, 1, 2, 4, 8, 16, 32, 64)
RATES = np.geomspace(0.01, 3, 20).tolist()


def bound(staleness: int) -> float:
    """The least rate that diverges on ½θ²."""
    return float(2 * np.sin(np.pi / (2 * (2 * staleness + 1))))


def diverges(rate: float, staleness: int) -> bool:
    """Whether the point is farther away at the end of a run than in its middle: the most over one swing of each."""
    swing = 4 * (staleness + 1)
    path = np.abs(descend(lambda theta: theta, [1.0], "sgd", {}, [rate] * (50 * swing), staleness=staleness))[:, 0]
    last, middle = path[-swing:].max(), path[24 * swing : 25 * swing].max()
    return not (last < middle or last == 0)


def run() -> tuple[Table, go.Figure]:
    """The table and the map."""
    cells: list[tuple[float, ...]] = []
    found: dict[bool, tuple[list[int], list[float]]] = {False: ([], []), True: ([], [])}
    with np.errstate(over="ignore", invalid="ignore"):
        for staleness in STALENESS:
            for rate in RATES:
                at, values = found[diverges(rate, staleness)]
                at.append(staleness + 1)
                values.append(rate)
            low, high = 0.5 * bound(staleness), 2 * bound(staleness)
            for _ in range(10):
                middle = (low + high) / 2
                low, high = (low, middle) if diverges(middle, staleness) else (middle, high)
            cells.append((staleness, low, bound(staleness), low / bound(staleness) - 1))
    columns = (
        Column("Staleness", Form.COUNT),
        Column("Largest stable rate", Form.VALUE),
        Column("Bound", Form.VALUE),
        Column("Difference", Form.DIFFERENCE),
    )
    return Table(columns, cells, "gradient descent on ½θ²"), _map(found)


def _map(found: dict[bool, tuple[list[int], list[float]]]) -> go.Figure:
    fine = np.geomspace(1, STALENESS[-1] + 1, 200)
    looks = {False: ("converges", COLOURS[2], "circle"), True: ("diverges", COLOURS[1], "x")}
    traces = [
        go.Scatter(x=x, y=y, mode="markers", name=name, marker={"color": colour, "symbol": symbol, "size": 5})
        for kind, (x, y) in found.items()
        for name, colour, symbol in [looks[kind]]
    ]
    exact = [2 * np.sin(np.pi / (2 * (2 * each - 1))) for each in fine]
    traces.append(go.Scatter(x=fine, y=exact, mode="lines", name="bound", line={"color": GREY, "width": 2}))
    return chart(traces, HEIGHT, xaxis=axis("Staleness + 1", log=True), yaxis=axis("Learning rate", log=True))
