"""`Alarm`: a reason to distrust an answer, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Alarm:
    """A reason to distrust an answer. kind: "boundary", "default", "inclusion", "divergence", "no improvement",
    "winner's curse", "unequal budgets", "no model", "references" or "one run". arm: whose, "" for the whole experiment.
    resume: the options with which `cooldown resume NAME` does something about it, "" for none; None where resuming is
    no help.
    """

    kind: str
    arm: str
    message: str
    resume: str | None = None
