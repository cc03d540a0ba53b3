"""The experiments of a ledger as they are compared over tasks."""

from collections.abc import Sequence
from os import PathLike

from cooldown.objectives.catalog import unknown_name
from cooldown.search.evidence.across.measured import LeftOut, Measured, measured
from cooldown.search.evidence.kept import Kept
from cooldown.storage import Ledger, NoLedgerError, UnknownExperimentError
from cooldown.storage.address import database_url


def read(names: Sequence[str] = (), db: str | PathLike[str] | None = None) -> list[Measured | LeftOut]:
    """All experiments of a ledger, or those of these names; none if the ledger does not exist. Raises InputError for an
    unknown name.
    """
    try:
        return of_ledger(Ledger(database_url(db), create=False), names)
    except NoLedgerError:
        if names:
            raise
        return []


class Measuring(Kept[Measured | LeftOut]):
    """What is known of each experiment of a ledger, worked out again only where it has changed."""

    def __init__(self) -> None:
        super().__init__(measured)


def of_ledger(
    ledger: Ledger, names: Sequence[str] = (), measuring: Measuring | None = None
) -> list[Measured | LeftOut]:
    """Likewise of an open ledger. measuring: what is kept of earlier reads of it."""
    winners, measuring = ledger.winners(), measuring or Measuring()
    found = {each.name: measuring.of(each, winners.get(each.name, ())) for each in ledger.summaries()}
    found |= {error.experiment: LeftOut(error.experiment, "it is damaged") for error in ledger.unreadable()}
    for name in names:
        if name not in found:
            raise UnknownExperimentError(str(unknown_name("experiment", name, found)))
    return [found[name] for name in names or found]
