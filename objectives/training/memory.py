"""How much memory a run takes, estimated before anything is allocated: what exceeds the limit is refused at once.

The estimate is of the order of magnitude. It is there for mistakes, such as a hidden layer of a million units, which
would otherwise fill the machine's memory for minutes before the run is killed.
"""

from collections.abc import Sequence
from functools import cache

import psutil

from cooldown.objectives import optimizers
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.models.mlp import EVALUATION_ROWS, MLP
from cooldown.objectives.models.sparse_rows import bytes_of, is_sparse
from cooldown.objectives.problem import Loop, Problem
from cooldown.objectives.training.replicates import POPULATION

GB = 1_000_000_000

MOST = 8 * GB
"""Bytes that the runs of one process may take at most."""

COPIES = 6
"""Parameter matrices beside the rule's state: parameters, gradients, the best ones, initial ones, temporary ones."""

ACTIVATIONS = 3
"""Arrays of each layer's size: outputs, their gradient, and a temporary one."""

SERIES = 6
"""Numbers that are recorded of an epoch."""


def run_bytes(
    problem: Problem, configs: Sequence[TrainConfig], seeds: int, itemsize: int = 4, rows: int | None = None
) -> int:
    """Bytes that training these configs with so many seeds takes, data included.

    itemsize: bytes of a number in the arithmetic, 4 or 8. rows: of the data, where those of `problem` are an example.
    """
    own = len(problem.train) + len(problem.held_out)
    return max(
        (_config_bytes(problem, config, seeds, len(configs), itemsize, rows or own) for config in configs), default=0
    )


def _config_bytes(problem: Problem, config: TrainConfig, seeds: int, configs: int, itemsize: int, rows: int) -> int:
    model = problem.model
    recorded = 8 * SERIES * config.epochs * configs * seeds
    if isinstance(model, Loop):
        # What it allocates itself is not known.
        return recorded
    together = min(max(POPULATION, seeds), configs * seeds)
    slots = len(optimizers.get(config.optimizer.name).slots)
    updates = config.epochs * -(-rows // config.batch_size)
    numbers = (COPIES + slots) * model.size + 3 * updates
    data = 0
    if isinstance(model, MLP):
        inputs = 0 if is_sparse(model.X) else model.X.shape[1]
        width = inputs + model.hidden_units + model.n_outputs
        numbers += ACTIVATIONS * width * min(max(config.batch_size, EVALUATION_ROWS), rows)
        # Each seed may have rows of its own.
        data = seeds * rows * (bytes_of(model.X) // len(model.y))
    return itemsize * numbers * together + data + recorded


@cache
def _installed() -> int:
    """Bytes of memory of this machine."""
    return int(psutil.virtual_memory().total)


def check_memory(call: str, needed: int, processes: int = 1) -> None:
    """Raise InputError if each of so many processes would need more than `MOST`, or all of them more than there is.

    call: the start of the message. needed: bytes of one process.
    """
    most = min(MOST, _installed() // processes)
    if needed > most:
        raise InputError(
            f"{call}: needs about {needed / GB:,.0f} GB of memory in each process, more than the limit of "
            f"{most / GB:.1f} GB: choose fewer or narrower hidden layers, a smaller batch, fewer seeds or epochs"
        )
