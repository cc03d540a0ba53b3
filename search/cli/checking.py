"""The command that checks an entry of one's own: check."""

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
    """Check that an optimizer, a schedule, a task or a model of your own keeps to what is asked of it."""
    from cooldown.objectives.conformance import checks

    wanted = checks(name)
    found = []
    for number, one in enumerate(wanted, 1):
        with ERR.status(f"Check {number} of {len(wanted)}: {one.name} …"):
            reason = one.reason()
        found.append({"check": one.name, "passed": reason is None, "reason": reason})
        if not json_:
            OUT.print(f"pass  {one.name}" if reason is None else f"FAIL  {one.name}: {reason}", soft_wrap=True)
    failed = sum(not result["passed"] for result in found)
    if json_:
        print_json({"name": name, "passed": not failed, "checks": found})
    else:
        passes = f"fails {failed} of {len(found)} checks" if failed else f"passes all {len(found)} checks"
        OUT.print(f"\n{name} {passes}.", soft_wrap=True)
    if failed:
        raise typer.Exit(1)
