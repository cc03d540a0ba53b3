"""The ledger: the only record of what happened. It uses SQLAlchemy and the records of `objectives`.

`Ledger` appends and reads. The same trials are also stored in Optuna's own tables of the same database, so that
Optuna's tools can open it. Every append is one transaction: a generation is stored completely or not at all.
"""

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
