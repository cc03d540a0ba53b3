"""The page of the survey's claims: checks all of them on some tasks, and records what came out.

    python -m docs.claims digits iris wine breast_cancer sparse_text [--budget standard] [--db claims.db]

It writes docs/claims.json, of which `make docs` makes docs/claims.md. A run that was interrupted is continued.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from cooldown.search.claims import BUDGETS, claims, every
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
budgets differ in trials, repeats and epochs; `small` takes less than half a minute for a claim on two cores, and
leaves much open. A claim whose numbers are *computed* or *measured* leaves nothing in the ledger: they are either the
same wherever they are computed, or, as times are, those of one machine.
"""


def claims_page() -> str:
    """docs/claims.md."""
    results = json.loads(RESULTS.read_text("utf-8"))
    parts = [HEAD, "## Results\n", _results(results)]
    parts += [_section(claim) for claim in every()]
    return "\n".join(parts)


def _results(results: dict[str, Any]) -> str:
    tasks = results["tasks"]
    command = f"python -m docs.claims {' '.join(tasks)}" + (
        "" if results["budget"] == "small" else f" --budget {results['budget']}"
    )
    about = (
        f"Of {results['date']}, at the budget `{results['budget']}`, by `{command}`. The number is that of the part "
        "that decided, with its interval; – where the claim does not apply.\n"
    )
    rows = [f"| claim | {' | '.join(tasks)} |", f"|---|{'---|' * len(tasks)}"]
    for claim in every():
        cells = [_cell(results["results"].get(f"{claim.id} {task}")) for task in tasks]
        rows.append(f"| {claim.id} | {' | '.join(cells)} |")
    return "\n".join([about, *rows]) + "\n"


def _cell(found: dict[str, Any] | None) -> str:
    if found is None:
        return "not run"
    if found["verdict"] == "not applicable":
        return "–"
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


def main() -> None:
    """Check all claims on the tasks, and record what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+")
    parser.add_argument("--budget", choices=BUDGETS, default="small")
    parser.add_argument("--db", default="claims.db")
    arguments = parser.parse_args()
    found = {
        f"{result.claim.id} {task}": {name: result.to_json()[name] for name in SHOWN}
        for task in arguments.tasks
        for result in claims(task, budget=arguments.budget, db=arguments.db)
    }
    run = {"date": time.strftime("%Y-%m-%d"), "budget": arguments.budget, "tasks": arguments.tasks, "results": found}
    RESULTS.write_text(f"{json.dumps(run, indent=1, ensure_ascii=False)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
