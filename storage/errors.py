"""The errors of a ledger, each with a message that is complete in itself."""

from cooldown.objectives.errors import InputError


class LedgerError(InputError):
    """The database cannot be used: not a ledger, unreadable, read-only, full, or in use by another process."""


class NoLedgerError(LedgerError):
    """There is no ledger at that address yet: no file, or an empty one."""


class UnreadableError(LedgerError):
    """Something that the ledger holds of an experiment cannot be read: it was damaged or edited, or this installation
    lacks what it names. Other experiments of the ledger are not affected.

    experiment: its name, as it can be shown. place: what cannot be read, such as "spec" or "adam, repeat 0, trial 3".
    """

    def __init__(self, where: str, experiment: str, place: str, reason: str) -> None:
        self.experiment, self.place, self.reason = experiment, place, reason
        super().__init__(f"experiment {experiment!r} in the ledger {where} cannot be read: {place}: {reason}")


class LeaseLostError(RuntimeError):
    """Another process has taken over the experiment; this one must not write to it any more."""


def explained(error: BaseException | None, where: str) -> LedgerError:
    """A database driver's error as a LedgerError about the ledger at `where`."""
    text = str(error)
    for phrase, explanation in (
        ("file is not a database", "is not a SQLite database"),
        ("file is encrypted", "is not a SQLite database"),
        ("malformed", "is damaged (SQLite: database disk image is malformed)"),
        ("codec can't decode", "is damaged (it names a table in bytes that are not text)"),
        ("no such table", f"is damaged ({text}); `cooldown doctor` says what can be done"),
        ("no such column", f"is damaged ({text}); `cooldown doctor` says what can be done"),
        ("readonly database", "is read-only: choose another place with --db"),
        ("unable to open", "cannot be opened: does its folder exist, and may you write there?"),
        ("disk is full", "could not be written: the disk is full. What was written before is kept"),
        ("database is locked", "is locked by another program"),
        ("disk I/O error", "could not be read or written: disk I/O error. What was written before is kept"),
    ):
        if phrase in text:
            return LedgerError(f"the ledger {where} {explanation}")
    return LedgerError(f"the ledger {where} cannot be used: {text}")
