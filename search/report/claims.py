"""What the experiment says of the survey's claims."""

from cooldown.search.claims.bearing import bearing, bearing_table
from cooldown.search.experiments.result import Result
from cooldown.search.report.blocks import Section, Text, rendered


def claims(result: Result) -> Section:
    """The claims that the experiment bears on, each with the sentence of its judge; no section where there are none."""
    found = bearing(result.view)
    if not found:
        return Section("Claims of the survey", "claims")
    sentences = [Text(f"{each.claim.id}: {each.sentence}") for each in found]
    return Section("Claims of the survey", "claims", (rendered(bearing_table(result.view)), *sentences))
