"""The page of the survey's claims: checks all of them on some tasks, and records what came out.

    python -m docs.claims digits iris wine breast_cancer sparse_text [--budget standard] [--db claims.db]

It writes docs/claims.json, of which `make docs` makes docs/claims.md. Each result is recorded as soon as it is there: a
run that was interrupted is continued by the same command. Results at another budget are replaced one by one; the page
says at which each was found.
"""

import argparse
import itertools
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

from cooldown.search.claims import BUDGETS, ClaimResult, claim, every
from cooldown.search.claims.entry import Claim
from cooldown.search.evidence.numbers import Form, estimate

RESULTS = Path(__file__).with_name("claims.json")

SHOWN = ("verdict", "effect", "low", "high")
"""What is recorded of a result."""

HEAD = """# The survey's claims

Each claim of the survey is checked by experiments on a task, or by a computation, and gets a verdict:

    cooldown claims
    cooldown claim C3 digits
    cooldown claims digits --budget standard

A service shows what its ledger has of claims: with `--server`, by [`/api/v1/claims`](service.md#the-api), and on the
dashboard's page Survey. An experiment that has the arms of a claim, whoever planned it, says in [its report](report.md)
what it alone says of the claim.

```python
from cooldown import claim

found = claim("C8", "ravine")
print(found.verdict, found.sentence)
```

A claim has one or more parts: effects, with the limits between which the claim says that they lie. An effect has a
value in each repeat; its 95 % t interval answers. *Supported*: all intervals lie within the limits. *Contradicted*:
one lies beyond a limit. Else *open*; also where an alarm says that an arm was not tuned. Where a claim has several
parts, their intervals hold at once. With an effect exactly at a limit, a wrong verdict comes in at most 5 % of cases.
*Practically equal* is, as [everywhere](method.md), a difference of less than 10 %.

The experiments of claims are ordinary ones, in the ledger under names such as `survey-digits-b7b694e9`, which follow
from spec and data: claims that need the same experiment share it, an interrupted one is continued, and `cooldown
show`, `resume --repeats` and the [dashboard](dashboard.md) take them as all others; repeats that are added count. The
budgets differ in trials, repeats and epochs; `small` takes less than half a minute for a claim on two cores, three
minutes of processor time for all that apply to `digits`, and leaves much open. A claim whose numbers are *computed* or
*measured* leaves nothing in the ledger: they are either the same wherever they are computed, or, as times are, those of
one machine.
"""


def claims_page() -> str:
    """docs/claims.md."""
    parts = [HEAD, "## Results\n", _results(recorded())]
    parts += [_section(claim) for claim in every()]
    return "\n".join(parts)


def _results(found: dict[str, dict[str, Any]]) -> str:
    tasks = list(dict.fromkeys(key.split()[1] for key in found))
    about = (
        "By `python -m docs.claims`. The number is that of the part that decided, with its interval; – where the claim "
        "does not apply.\n"
    )
    rows = [f"| claim | {' | '.join(tasks)} |", f"|---|{'---|' * len(tasks)}"]
    for each in every():
        cells = [_cell(found.get(f"{each.id} {task}")) for task in tasks]
        rows.append(f"| {each.id} | {' | '.join(cells)} |")
    return "\n".join([about, *(_about_task(task, found) for task in tasks), "", *rows]) + "\n"


def _about_task(task: str, found: dict[str, dict[str, Any]]) -> str:
    """At which budgets, and when, the results of a task were found."""
    claims_at: dict[tuple[str, str], list[str]] = {}
    for each in every():
        of = found.get(f"{each.id} {task}")
        if of is not None and of["verdict"] != "not applicable":
            claims_at.setdefault((of["budget"], of["date"]), []).append(each.id)
    if len(claims_at) == 1:
        ((budget, day),) = claims_at
        return f"- `{task}`: at the budget `{budget}`, {day}"
    kinds = [f"{', '.join(ids)} at `{budget}`, {day}" for (budget, day), ids in claims_at.items()]
    return f"- `{task}`: {'; '.join(kinds)}"


def _cell(found: dict[str, Any] | None) -> str:
    if found is None:
        return "not run"
    if found["verdict"] == "not applicable":
        return "–"
    if found["effect"] is None:
        return str(found["verdict"])
    return f"{found['verdict']}: {estimate(found['effect'], found['low'], found['high'], Form.READING)}"


def _section(claim: Claim) -> str:
    lines = [f"## {claim.id}\n", f"**{claim.statement}.** {claim.source}.\n"]
    lines += [f"Published: {claim.published}.\n"] if claim.published else []
    about = " ".join((sys.modules[f"cooldown.search.claims.survey.{claim.name}"].__doc__ or "").split())
    about = about.partition(": ")[2]
    lines.append(f"{about[0].upper()}{about[1:]}\n")
    if claim.surface:
        return "\n".join([*lines, f"    cooldown claim {claim.id} {claim.surface}\n"])
    for study in claim.studies:
        arms = " ".join(f"`{arm}`" for arm in study.arms)
        lines.append(f"Arms: {arms}\n")
    return "\n".join(lines)


def recorded() -> dict[str, Any]:
    """What docs/claims.json holds: by claim and task what was found, when, and at which budget."""
    found: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
    return found


def record(result: ClaimResult, budget: str) -> None:
    """Put a result in the place of an older one for the same claim and task."""
    document = result.to_json()
    shown = {name: document[name] for name in SHOWN}
    found = {**recorded(), f"{result.claim.id} {result.task}": {**shown, "budget": budget, "date": f"{date.today()}"}}
    text = json.dumps(found, indent=1, ensure_ascii=False)
    # Replaced as a whole: what interrupts this leaves the older file.
    part = RESULTS.with_suffix(".part")
    part.write_text(f"{text}\n", encoding="utf-8")
    part.replace(RESULTS)


def main() -> None:
    """Check all claims on the tasks, and record what came out of each as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+")
    parser.add_argument("--budget", choices=BUDGETS, default="small")
    parser.add_argument("--db", default="claims.db")
    parser.add_argument("--again", action="store_true", help="also what is recorded at this budget already")
    arguments = parser.parse_args()
    budget = arguments.budget
    for task, each in itertools.product(arguments.tasks, every()):
        if arguments.again or recorded().get(f"{each.id} {task}", {}).get("budget") != budget:
            result = claim(each.id, task, budget=budget, db=arguments.db)
            record(result, budget)
            sys.stderr.write(f"{each.id}: {result.sentence}\n")


if __name__ == "__main__":
    main()
