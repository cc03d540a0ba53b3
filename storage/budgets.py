"""What an experiment may use, and has used: seconds in which it was run, and gradient evaluations."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from cooldown.storage import tables
from cooldown.storage.errors import LedgerError
from cooldown.storage.terms import Terms


def gradient_evaluations(connection: Connection, experiment_id: int) -> int:
    """Those of all replicates of an experiment."""
    s, t, c = tables.studies, tables.trials, tables.curves
    of_experiment = (
        select(func.sum(c.c.gradient_evaluations))
        .join(t, t.c.id == c.c.trial_id)
        .join(s, s.c.id == t.c.study_id)
        .where(s.c.experiment_id == experiment_id)
    )
    return int(connection.execute(of_experiment).scalar() or 0)


@dataclass(frozen=True)
class Reached:
    """A limit that was reached. limit: the field of the terms. words: a sentence about it."""

    limit: str
    words: str

    @property
    def option(self) -> str:
        """What gives another limit on a command line."""
        return f"--{self.limit.replace('_', '-')}"


def reached(terms: Terms, seconds: float, evaluations: int) -> Reached | None:
    """The limit that an experiment which has used so much has reached; None if it may go on."""
    if terms.time_limit is not None and seconds >= terms.time_limit:
        return Reached("time_limit", f"the time limit of {terms.time_limit:g} s is reached")
    most = terms.max_gradient_evaluations
    if most is not None and evaluations >= most:
        return Reached("max_gradient_evaluations", f"the limit of {most:,} gradient evaluations is reached")
    return None


def check_budget(connection: Connection, row: Any, terms: Terms) -> None:
    """Raise LedgerError if there is nothing left of the budget of an experiment's row under these terms."""
    evaluations = 0 if terms.max_gradient_evaluations is None else gradient_evaluations(connection, row.id)
    if (limit := reached(terms, row.seconds, evaluations)) is not None:
        more = f"give a larger {limit.option}, or {limit.option} none"
        raise LedgerError(f"{row.name!r} cannot go on: {limit.words}; {more}")
