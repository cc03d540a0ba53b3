"""Submissions that may be repeated, as after a lost answer: each makes one experiment, however often it comes."""

import hashlib
from typing import NamedTuple

from sqlalchemy import Connection, select

from cooldown.storage import tables
from cooldown.storage.errors import LedgerError


class Submission(NamedTuple):
    """What a caller submits under a key of its own. Both are kept as hashes."""

    key: str
    content: str


def submission(owner: str, key: str, content: str) -> Submission:
    """The submission of an owner: the same key of another owner is another one."""
    return Submission(_hash(f"{owner}\n{key}"), _hash(content))


def submitted_as(connection: Connection, submission: Submission) -> str | None:
    """The name of the experiment that came from a submission; None if there is none.

    Raises LedgerError for another submission with the same key.
    """
    e = tables.experiments
    row = connection.execute(select(e.c.name, e.c.submitted).where(e.c.submission == submission.key)).first()
    if row is not None and row.submitted != submission.content:
        raise LedgerError(f"the Idempotency-Key was used for the experiment {row.name!r}, with other content")
    return None if row is None else str(row.name)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
