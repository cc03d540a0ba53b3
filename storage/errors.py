"""The errors of a ledger, each with a message that is complete in itself."""

from typing import Any

from cooldown.objectives.errors import InputError


class LedgerError(InputError):
    """The database cannot be used: not a ledger, unreadable, read-only, full, or in use by another process."""


class NoLedgerError(LedgerError):
    """There is no ledger at that address yet: no file, or an empty one."""


class UnknownExperimentError(LedgerError):
    """The ledger has no experiment of that name."""


class UnavailableError(LedgerError):
    """The database cannot be used at the moment: locked by another program, or its server does not answer. Nothing was
    written, unless the answer to a commit was lost.
    """


class ChangedError(LedgerError):
    """An experiment has changed since it was read by whoever wants to change it."""


class QuotaError(LedgerError):
    """The owner of an experiment has as many under way as they may have."""


class UnreadableError(LedgerError):
    """Something that the ledger holds of an experiment cannot be read: it was damaged or edited, or this installation
    lacks what it names. Other experiments of the ledger are not affected.

    experiment: its name, as it can be shown. place: what cannot be read, such as "spec" or "adam, repeat 0, trial 3".
    """

    def __init__(self, where: str, experiment: str, place: str, reason: str) -> None:
        self.experiment, self.place, self.reason = experiment, place, reason
        super().__init__(f"experiment {experiment!r} in the ledger {where} cannot be read: {place}: {reason}")

    def to_json(self) -> dict[str, Any]:
        """The experiment in `cooldown list --json`."""
        return {"name": self.experiment, "status": "damaged", "message": str(self)}


class GivenBackError(Exception):
    """A process cannot run an experiment that it holds, but another one may: it is left as it was, and did not fail."""


class LeaseLostError(RuntimeError):
    """Another process has taken over the experiment; this one must not write to it any more."""
