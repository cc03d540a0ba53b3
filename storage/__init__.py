"""The ledger: the only record of what happened. It uses SQLAlchemy and the records of `objectives`.

`Ledger` appends and reads. The same trials are also stored in Optuna's own tables of the same database, so that
Optuna's tools can open it. Every append is one transaction: a generation is stored completely or not at all.
"""

from cooldown.storage.errors import LeaseLostError, LedgerError, NoLedgerError, UnreadableError
from cooldown.storage.ledger import Ledger
from cooldown.storage.records import (
    ExperimentRecord,
    NewTrial,
    Purpose,
    Status,
    StudyKey,
    StudyRecord,
    Summary,
    TrialRecord,
)
from cooldown.storage.winners import Winner

__all__ = [
    "ExperimentRecord",
    "LeaseLostError",
    "Ledger",
    "LedgerError",
    "NewTrial",
    "NoLedgerError",
    "Purpose",
    "Status",
    "StudyKey",
    "StudyRecord",
    "Summary",
    "TrialRecord",
    "UnreadableError",
    "Winner",
]
