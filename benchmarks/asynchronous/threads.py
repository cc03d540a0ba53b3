"""Threads × {Hogwild!, lock, round robin} × {sparse, dense rows}: measured, and different in each run."""

import plotly.graph_objects as go

from benchmarks.asynchronous.tuned import lines
from cooldown.objectives.parallel.descent import Descent
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table
from cooldown.search.parallel.data import rows_of
from cooldown.search.parallel.measurement import of_threads

DATA, THREADS, ROUNDS = ("rcv1_like", "digits"), (1, 2, 4), 5
COLUMNS = (
    Column("Data"),
    Column("System"),
    Column("Threads", Form.COUNT),
    Column("Gradients per second", Form.COUNT),
    Column("Speed-up", Form.WIDTH),
    Column("Of cores", Form.WIDTH),
    Column("Loss ratio", Form.RATIO),
)


def run() -> tuple[Table, go.Figure]:
    """The table and the figure."""
    cells, drawn, loads = [], {}, []
    for data in DATA:
        name, rows = rows_of(data, None)
        document = of_threads(name, rows, Descent(rows.usual_rate), THREADS, ROUNDS).document()
        loads.append(document["load"])
        for each in document["runs"]:
            keys = ("system", "workers", "gradients_per_second", "speed_up", "speed_up_of_cores", "loss_ratio")
            cells.append((data, *(each[key] for key in keys)))
            at, values = drawn.setdefault(f"{each['system']}, {data}", ([], []))
            at.append(each["workers"])
            values.append(each["speed_up"])
    told = f"beside plain SGD in one thread; {max(loads):.1f} processes wanted a core in the minute before"
    return Table(COLUMNS, cells, told), lines(drawn, "Threads", "Speed-up")
