"""Which of the survey's claims one experiment bears on, whoever planned it, and what it alone says of them."""

from cooldown.objectives.errors import InputError
from cooldown.search.claims import survey
from cooldown.search.claims.entry import Claim
from cooldown.search.claims.result import ClaimResult, ends
from cooldown.search.claims.standing import Place, why_not
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table
from cooldown.search.evidence.view import View, once
from cooldown.search.spec.ranges import RANDOM_LABELS_KEY
from cooldown.search.statistics.claims import Part, findings
from cooldown.storage import Status

COLUMNS = (
    Column("Claim"),
    Column("Verdict"),
    Column("Effect", Form.READING),
    Column("Interval", Form.READING, ends=True),
    Column("Published"),
    Column("What is claimed"),
)


@once
def bearing(view: View) -> list[ClaimResult]:
    """The claims that the experiment has all arms for, in the survey's order, judged on it alone; none while it is not
    done, or where its labels are random.

    A claim that takes several experiments, networks that are trained again or a computation is left out: its command
    checks it.
    """
    if view.status is not Status.DONE or view.spec.ranges.get(RANDOM_LABELS_KEY):
        return []
    place = Place(view.spec.task, view.spec.target, view.record.task_fingerprint)
    results = []
    for claim in survey.every():
        parts = _parts(claim, view) if claim.kept and len(claim.studies) == 1 else []
        # Whether a claim applies is asked last, because that may load the task.
        if parts and not why_not(claim, place):
            results.append(ClaimResult(claim, place.name, None, tuple(findings(parts)), (view.record.name,)))
    return results


def _parts(claim: Claim, view: View) -> list[Part]:
    """What the experiment says of a claim; none where it lacks an arm or has other settings."""
    (study,) = claim.studies
    if any(getattr(view.spec, name) != value for name, value in study.fixed.items()):
        return []
    try:
        return claim.of_studies([view])
    except InputError:
        # An arm is missing.
        return []


def bearing_table(view: View) -> Table:
    """A row for each claim that the experiment bears on."""
    rows = []
    for result in bearing(view):
        document = result.to_json()
        rows.append(
            (
                result.claim.id,
                result.verdict,
                document["effect"],
                ends(document),
                document["published"],
                result.claim.statement,
            )
        )
    caption = "Claims of the survey that this experiment has the arms for, judged on it alone, with 95 % intervals."
    return Table(COLUMNS, rows, caption).without_empty_columns()
