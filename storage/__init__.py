"""The ledger: the only record of what happened. Knows SQLAlchemy and the records of `objectives`.

`Ledger` appends and reads; the same trials stand in Optuna's own tables of the same database, so that Optuna's readers
open it. Every append is one transaction: a generation is in the ledger as a whole or not at all.
"""

from cooldown.storage.errors import LeaseLostError, LedgerError, NoLedgerError
from cooldown.storage.ledger import Ledger, Summary
from cooldown.storage.records import (
    ExperimentRecord,
    NewTrial,
    Purpose,
    Status,
    StudyKey,
    StudyRecord,
    TrialRecord,
)

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
]
