"""The audit: one line for every change that somebody made (`acts.py`). Lines are only added."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from cooldown.storage import tables
from cooldown.storage.ledger import Ledger


@dataclass(frozen=True)
class AuditLine:
    """Who changed what, when. at: seconds since 1970. who: a token's name, or "local" for a user of this machine.
    action: a verb such as "submit". subject: the experiment, data set or token.
    """

    at: float
    who: str
    action: str
    subject: str
    details: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The line in `cooldown audit --json`."""
        return asdict(self)


def lines(ledger: Ledger, most: int) -> Sequence[AuditLine]:
    """The last `most` lines, newest first."""
    a = tables.audit
    query = select(a.c.at, a.c.who, a.c.action, a.c.subject, a.c.details).order_by(a.c.id.desc()).limit(most)
    return ledger._database.read(lambda connection: [AuditLine(*row) for row in connection.execute(query)])
