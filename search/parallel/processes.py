"""A parameter server in the memory of this machine, and its workers as processes."""

import tempfile
from pathlib import Path

from cooldown.objectives.errors import InputError
from cooldown.objectives.parallel.descent import Descent, Trained
from cooldown.objectives.parallel.rows import Rows
from cooldown.objectives.parallel.server import Memory
from cooldown.objectives.parallel.worker import Exchange, work
from cooldown.search.executors.contract import Executor
from cooldown.search.executors.engines.local import LocalProcesses
from cooldown.search.executors.packed import Packed


def processes(workers: int) -> Executor:
    """So many processes of this machine; raises InputError where none can be started."""
    executor = LocalProcesses(workers)
    executor.submit(len, Packed((), "")).result()
    if executor.capacity < workers:
        executor.close()
        raise InputError(f"{workers} processes cannot be started here")
    return executor


def on_processes(
    packed: Packed[Rows], exchange: Exchange, descent: Descent, executor: Executor, workers: int
) -> Trained:
    """Train with so many processes of `executor`, which has at least as many; raises what a job raises."""
    shape = packed.value.features, packed.value.classes - 1
    # Other processes may still have the file in their memory, which keeps it on Windows.
    with tempfile.TemporaryDirectory(prefix="cooldown-", ignore_cleanup_errors=True) as folder:
        server = Memory(Path(folder) / "parameters", shape[0] * shape[1], exchange.rule)
        jobs = [executor.submit(work, packed, server, exchange, descent, number, workers) for number in range(workers)]
        busiest = max(job.result() for job in jobs)
        return Trained(server.fetch().reshape(shape), server.seconds(), busiest)
