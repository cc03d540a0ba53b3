"""Experiments copied from one ledger to another: `cooldown migrate` and `cooldown merge`."""

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike

from cooldown.objectives.errors import InputError
from cooldown.storage import Ledger
from cooldown.storage.address import database_url, shown
from cooldown.storage.copying import copy_experiment


@dataclass(frozen=True)
class Copied:
    """What became of an experiment. there: its name in the other ledger, "" if it is not there. new: whether it was
    copied now. why: why it was not copied and is not there.
    """

    name: str
    there: str = ""
    new: bool = False
    why: str = ""


def copied(source: str | PathLike[str], target: str | PathLike[str] | None) -> Iterator[Copied]:
    """Copy all experiments of the ledger `source` to the ledger `target`, oldest first, each in one transaction; the
    target is created if need be, and the source stays as it is. What is in the target already is left, so that the same
    may be done again.

    Raises LedgerError if one of the two is not a ledger, or both are the same.
    """
    here = Ledger(database_url(source), create=False)
    if shown(database_url(source)) == shown(database_url(target)):
        raise InputError(f"both addresses are those of the ledger {here.where}: nothing to copy")
    there = Ledger(database_url(target))
    faults = here.unreadable()
    for summary in reversed(here.summaries()):
        try:
            name, new = copy_experiment(here, there, summary.name)
        except InputError as error:
            yield Copied(summary.name, why=str(error))
        else:
            yield Copied(summary.name, name, new)
    for fault in faults:
        yield Copied(fault.experiment, why=str(fault))
