"""The command that checks a user's own entry: check."""

from typing import Annotated

import typer

from cooldown.search.cli.frame import ERR, OUT, app, print_json
from cooldown.search.cli.options import Json


@app.command()
def check(
    name: Annotated[
        str,
        typer.Argument(help="module:attribute, or the name of an optimizer, a schedule or a task", metavar="NAME"),
    ],
    json_: Json = False,
) -> None:
    """Check an optimizer, schedule, task or model of your own."""
    from cooldown.objectives.conformance import checks

    results = []
    to_run = checks(name)
    for number, entry_check in enumerate(to_run, 1):
        title = entry_check.name
        with ERR.status(f"Check {number} of {len(to_run)}: {title} …"):
            reason = entry_check.reason()
        results.append({"check": title, "passed": reason is None, "reason": reason})
        if not json_:
            OUT.print(f"pass  {title}" if reason is None else f"FAIL  {title}: {reason}", soft_wrap=True)
    failed = sum(not result["passed"] for result in results)
    if json_:
        print_json({"name": name, "passed": not failed, "checks": results})
    else:
        outcome = f"fails {failed} of {len(results)} checks" if failed else f"passes all {len(results)} checks"
        OUT.print(f"\n{name} {outcome}.", soft_wrap=True)
    if failed:
        raise typer.Exit(1)
