"""The command that checks a user's own entry: check."""

from typing import Annotated, Any

import typer

from cooldown.objectives.catalog import UnknownNameError
from cooldown.objectives.errors import InputError
from cooldown.search.cli.frame import app, print_json
from cooldown.search.cli.options import NAMING, Json
from cooldown.search.cli.screen import ERR, OUT


@app.command()
def check(
    name: Annotated[
        str,
        typer.Argument(
            help="module:attribute, or the name of an optimizer, a schedule or a task", metavar="NAME", **NAMING
        ),
    ],
    json_: Json = False,
) -> None:
    """Check an optimizer, schedule, task or model of your own."""
    results: list[dict[str, Any]] = []
    failed: list[str] = []
    to_run = _checks(name)
    for number, entry_check in enumerate(to_run, 1):
        title = entry_check.name
        missing = [needed for needed in entry_check.needs if needed in failed]
        if missing:
            reason = f"not run, because this check fails: {missing[0]}"
            results.append({"check": title, "passed": None, "reason": reason})
            line = f"  –   {title}: {reason}"
        else:
            with ERR.status(f"Check {number} of {len(to_run)}: {title} …"):
                broken = entry_check.reason()
            results.append({"check": title, "passed": broken is None, "reason": broken})
            line = f"pass  {title}" if broken is None else f"FAIL  {title}: {broken}"
            failed += [title] if broken is not None else []
        if not json_:
            OUT.print(line, soft_wrap=True)
    if json_:
        print_json({"name": name, "passed": not failed, "checks": results})
    else:
        outcome = f"fails {len(failed)} of {len(results)} checks" if failed else f"passes all {len(results)} checks"
        not_run = sum(result["passed"] is None for result in results)
        OUT.print(f"\n{name} {outcome}{f'; {not_run} were not run' if not_run else ''}.", soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def _checks(name: str) -> list[Any]:
    """The checks of `name`; InputError if it is an entry of a kind that has none."""
    from cooldown.objectives import surfaces
    from cooldown.objectives.conformance import checks
    from cooldown.search.export import formats
    from cooldown.search.spec import samplers

    try:
        return list(checks(name))
    except UnknownNameError:
        kinds = {"surface": surfaces.names(), "sampler": samplers.names(), "export format": formats.names()}
        for kind, names in kinds.items():
            if name in names:
                article = "an" if kind[0] in "aeiou" else "a"
                raise InputError(f"{name} is {article} {kind}; there are no checks for {kind}s") from None
        raise
