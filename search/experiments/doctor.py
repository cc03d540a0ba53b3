"""The examination of a ledger: its file, its tables, and every experiment in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from cooldown.objectives.errors import InputError
from cooldown.objectives.trust import UntrustedModuleError
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger, LedgerError, UnreadableError, health
from cooldown.storage.address import database_url, is_postgresql, sqlite_path
from cooldown.storage.file_health import Finding, examine_file


@dataclass(frozen=True)
class Examined:
    """What was found. experiments: those that can be read, with the number of their trials and their fingerprint.

    findings: what is wrong. broken: whether SQLite itself finds the file broken; it is then not written to.
    skipped: experiments that were not read, because they name modules that are not trusted; and the messages.
    repaired: findings that were repaired. copy: of the file as it was before that.
    """

    where: str
    experiments: Sequence[tuple[str, int, str]]
    findings: Sequence[Finding]
    broken: bool
    skipped: Sequence[tuple[str, str]] = ()
    repaired: Sequence[Finding] = ()
    copy: Path | None = None


def examine(db: str | PathLike[str] | None = None) -> Examined:
    """Look at everything in a ledger; nothing is changed. Raises LedgerError for what is no ledger at all."""
    url = database_url(db)
    path = None if is_postgresql(url) else sqlite_path(url)
    of_file = examine_file(path) if path is not None and path.is_file() else []
    try:
        ledger = Ledger(url, create=False)
    except LedgerError:
        if path is None or not of_file or not _is_sqlite(path):
            raise
        return Examined(str(path), [], of_file, broken=True)
    broken = any(finding.repair is None for finding in of_file)
    of_tables = [] if broken else health.examine(ledger)
    experiments, unreadable, skipped = _experiments(ledger)
    return Examined(ledger.where, experiments, [*of_file, *of_tables, *unreadable], broken, skipped)


def repair(db: str | PathLike[str] | None = None) -> Examined:
    """Do what `examine` says is safe, after a copy of the file if there is one, and look at the ledger again.

    Raises LedgerError if the file cannot be copied or written.
    """
    before = examine(db)
    to_do = [finding for finding in before.findings if finding.repair is not None]
    if not to_do or before.broken:
        return before
    copy = health.repair(Ledger(database_url(db), create=False), to_do)
    return replace(examine(db), repaired=to_do, copy=copy)


def _experiments(
    ledger: Ledger,
) -> tuple[list[tuple[str, int, str]], list[Finding], list[tuple[str, str]]]:
    """The experiments that can be read; why others cannot; and others that name modules which are not trusted."""
    read: list[tuple[str, int, str]] = []
    findings: list[Finding] = []
    skipped: list[tuple[str, str]] = []
    try:
        names = [summary.name for summary in ledger.summaries()]
        findings += [_finding(error) for error in ledger.unreadable()]
    except LedgerError as error:
        return [], [Finding("", str(error))], []
    for name in names:
        try:
            view = Result(ledger.load(name)).view
        except UntrustedModuleError as error:
            skipped.append((name, str(error)))
        except UnreadableError as error:
            findings.append(_finding(error))
        except InputError as error:
            findings.append(Finding(name, str(error)))
        else:
            read.append((name, sum(len(study.trials) for study in view.record.studies), view.fingerprint))
            faults = [*_missing(view), *health.contradictions(ledger, view.record)]
            findings += [Finding(name, fault) for fault in faults]
    return read, findings, skipped


def _missing(view: View) -> list[str]:
    """The studies that the spec asks for and the ledger does not have."""
    record = view.record
    present = {
        (study.arm, study.repeat, study.is_default)
        for study in (*record.studies, *record.default_configs, *record.superseded)
    }
    return [
        f"{key.arm}, repeat {key.repeat}: the study{' of its default config' if key.is_default else ''} is missing"
        for key in planned(view.spec)
        if (key.arm, key.repeat, key.is_default) not in present
    ]


def _finding(error: UnreadableError) -> Finding:
    return Finding(error.experiment, f"it cannot be read: {error.place}: {error.reason}")


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"
