"""The ledger: the only record of what happened. It uses SQLAlchemy and the records of `objectives`.

`Ledger` appends and reads. The same trials are also stored in Optuna's own tables of the same database, so that
Optuna's tools can open it. Every append is one transaction: a generation is stored completely or not at all.

Each name is loaded when it is first used: workers use its records, and need no database.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cooldown.storage.errors import (
        ChangedError,
        GivenBackError,
        LeaseLostError,
        LedgerError,
        NoLedgerError,
        QuotaError,
        UnavailableError,
        UnknownExperimentError,
        UnreadableError,
    )
    from cooldown.storage.ledger import Ledger
    from cooldown.storage.queue import Queue
    from cooldown.storage.records import (
        Change,
        ExperimentRecord,
        InQueue,
        NewTrial,
        Purpose,
        Status,
        StudyKey,
        StudyRecord,
        Summary,
        TrialRecord,
        Work,
        WorkRecord,
    )
    from cooldown.storage.terms import Terms
    from cooldown.storage.winners import Winner

_HOMES = {"Ledger": "ledger", "Queue": "queue", "Terms": "terms", "Winner": "winners"}
"""The modules of names that are neither errors nor records."""

__all__ = [
    "Change",
    "ChangedError",
    "ExperimentRecord",
    "GivenBackError",
    "InQueue",
    "LeaseLostError",
    "Ledger",
    "LedgerError",
    "NewTrial",
    "NoLedgerError",
    "Purpose",
    "Queue",
    "QuotaError",
    "Status",
    "StudyKey",
    "StudyRecord",
    "Summary",
    "Terms",
    "TrialRecord",
    "UnavailableError",
    "UnknownExperimentError",
    "UnreadableError",
    "Winner",
    "Work",
    "WorkRecord",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name, "errors" if name.endswith("Error") else "records")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value
