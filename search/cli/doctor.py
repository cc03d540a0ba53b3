"""The command that examines a ledger: doctor."""

from typing import Annotated

import typer

from cooldown.search.cli.frame import app, print_json
from cooldown.search.cli.options import Db, Json, Trust
from cooldown.search.cli.screen import OUT
from cooldown.search.evidence.numbers import counted
from cooldown.storage.file_health import Finding


@app.command()
def doctor(
    db: Db = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="make the repairs that are safe, after copying the file")
    ] = False,
    trust: Trust = False,
    json_: Json = False,
) -> None:
    """Examine a ledger, and repair what is safe to repair.

    Exit 0: nothing is wrong, or all was repaired; 1: something remains; 2: there is no ledger.
    """
    from cooldown.search.experiments import doctor as doctors

    examined = doctors.repair(db) if repair else doctors.examine(db)
    if json_:
        print_json(
            {
                "ledger": examined.where,
                "sound": not examined.findings,
                "experiments": [
                    {"name": name, "trials": trials, "fingerprint": fingerprint}
                    for name, trials, fingerprint in examined.experiments
                ],
                "skipped": [{"experiment": name, "message": message} for name, message in examined.skipped],
                "findings": [
                    {"experiment": finding.experiment or None, "fault": finding.fault, "remedy": finding.remedy or None}
                    for finding in examined.findings
                ],
                "repaired": [
                    {"experiment": finding.experiment or None, "fault": finding.fault, "remedy": finding.remedy}
                    for finding in examined.repaired
                ],
                "copy": None if examined.copy is None else str(examined.copy),
            }
        )
    else:
        for finding in examined.repaired:
            OUT.print(f"Repaired ({finding.remedy}): {_sentence(finding)}", soft_wrap=True)
        for finding in examined.findings:
            remedy = f" --repair would {finding.remedy}." if finding.remedy else ""
            OUT.print(f"{_sentence(finding)}{remedy}", soft_wrap=True)
        for name, message in examined.skipped:
            OUT.print(f"Experiment {name!r} was not read: {message}.", soft_wrap=True)
        if examined.copy is not None:
            OUT.print(f"The file as it was: {examined.copy}", soft_wrap=True)
        sound = "nothing is wrong" if not examined.findings else counted(len(examined.findings), "fault")
        known = counted(len(examined.experiments), "experiment")
        OUT.print(f"{examined.where}: {known} can be read; {sound}.", soft_wrap=True)
    if examined.findings:
        raise typer.Exit(1)


def _sentence(finding: Finding) -> str:
    """A finding as a sentence."""
    subject = f"Experiment {finding.experiment!r}: " if finding.experiment else "The ledger: "
    return f"{subject}{finding.fault}."
