"""`Engine`: an executor as a user chooses it, by name or by the address of a cluster."""

from collections.abc import Callable
from dataclasses import dataclass

from cooldown.objectives.catalog import Entry
from cooldown.search.executors.contract import Executor


@dataclass(frozen=True, eq=False)
class Engine(Entry):
    """One file in `engines/`, named after it.

    summary: what it is, for the help. open: (workers, address) -> an executor with so many workers, or with those of
    the cluster at `address`, None for one of its own; raises InputError if it cannot be opened. schemes: the schemes of
    addresses that are meant for it.
    """

    name: str
    summary: str
    open: Callable[[int, str | None], Executor]
    schemes: tuple[str, ...] = ()
