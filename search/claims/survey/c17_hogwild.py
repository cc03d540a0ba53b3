"""C17: passes over the rows by threads that share the parameters without a lock, beside the same passes in one thread,
in turns. Time is that for which the busiest thread had a core, which other programs on the machine hardly change. What
is measured depends on the machine: it is no part of the ledger.
"""

from typing import TYPE_CHECKING

import numpy as np

from cooldown.objectives.tasks import ArrayTask
from cooldown.search.claims.budgets import SETTINGS, Budget
from cooldown.search.claims.entry import Claim
from cooldown.search.claims.limits import of_sparse
from cooldown.search.executors.opening import default_workers
from cooldown.search.statistics.claims import Limits, Part

if TYPE_CHECKING:
    from cooldown.objectives.parallel.rows import Rows

NEARLY = 0.75
"""The share of a linear speed-up that counts as nearly linear."""

MOST_THREADS = 16


def computed(task: ArrayTask, budget: Budget) -> list[Part]:
    """The speed-up per thread, and the final loss beside that of one thread."""
    # Whoever only asks what a claim says loads nothing that trains.
    from cooldown.search.parallel.data import rows_of_task

    rows = rows_of_task(task)
    threads = max(2, min(default_workers(), MOST_THREADS))
    rounds = [_round(rows, threads, seed) for seed in range(SETTINGS[budget]["repeats"])]
    speed_ups, losses = np.log(rounds).T
    return [
        Part(f"speed-up per thread with {threads} threads", speed_ups - np.log(threads), Limits(above=NEARLY)),
        Part(f"final loss with {threads} threads over that with one", losses, Limits(below=1.1)),
    ]


def _round(rows: "Rows", threads: int, seed: int) -> tuple[float, float]:
    """The speed-up and the ratio of losses of one order of the rows."""
    from cooldown.objectives.parallel.descent import Descent
    from cooldown.objectives.parallel.hogwild import hogwild

    descent = Descent(rows.usual_rate, seed=seed)
    serial, together = hogwild(rows, descent, 1), hogwild(rows, descent, threads)
    return serial.busiest / together.busiest, rows.loss(together.theta) / rows.loss(serial.theta)


c17_hogwild = Claim(
    name="c17_hogwild",
    id="C17",
    statement="Hogwild! speeds up nearly linearly on sparse data",
    source="Niu, Recht, Ré & Wright 2011",
    published="on 10 cores 3 times (RCV1), over 4 times (abdomen cut), 9 times (DBLife): 0.3 to 0.9 per core",
    computed=computed,
    limits=of_sparse,
    measured=True,
)
