"""Which claims of the survey an experiment bears on, and the section about them in its report."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from planted_views import Planted, planted_view
from report_pages import read, told

from cooldown.search.claims import survey
from cooldown.search.claims.bearing import bearing, bearing_table
from cooldown.search.claims.entry import Study
from cooldown.search.evidence.view import View
from cooldown.search.report import report
from cooldown.storage import Status


def losses(better: str, by: float) -> Callable[[str, int], Planted]:
    """Test losses around 0.3, of one arm lower by a factor."""
    draw = np.random.default_rng(3)
    return lambda arm, repeat: Planted(0.3 * (by if arm == better else 1) * float(np.exp(draw.normal(0, 0.02))))


def verdicts(view: View) -> dict[str, str]:
    return {result.claim.id: result.verdict for result in bearing(view)}


def test_an_experiment_of_ones_own_bears_on_claims_that_it_has_the_arms_for() -> None:
    view = planted_view(Study(("adam", "adam+cosine")), losses("adam+cosine", 0.6))
    assert verdicts(view) == {"C3": "supported"}
    assert verdicts(planted_view(Study(("adam", "adam+cosine")), losses("adam", 0.6))) == {"C3": "contradicted"}
    assert verdicts(planted_view(Study(("adam", "momentum")), losses("adam", 0.6))) == {}
    assert verdicts(planted_view(Study(("adam", "momentum+cosine")), losses("adam", 0.6))) == {"C2": "contradicted"}


@pytest.mark.parametrize("id", ["C1", "C3", "C4", "C10", "C13", "C15", "C16", "C18"])
def test_the_experiment_of_a_claim_bears_on_it(id: str) -> None:
    claim = survey.get(id)
    found = verdicts(planted_view(claim.studies[0], losses("", 1.0)))
    # C16 is about deep networks, and that of digits is none.
    assert (id in found) == (id != "C16")


def test_no_claim_is_judged_on_less_than_its_experiment() -> None:
    view = planted_view(Study(("adam", "adam+cosine")), losses("adam+cosine", 0.6))
    record = view.record
    assert not bearing(View(replace(record, status=Status.STOPPED)))
    mixed = {**record.spec, "ranges": {**record.spec.get("ranges", {}), "task.random_labels": 1.0}}
    assert not bearing(View(replace(record, spec=mixed)))
    # Claims that take two experiments, or networks trained again, have a command.
    for id in ("C6", "C9", "C12", "C14"):
        assert id not in verdicts(planted_view(survey.get(id).studies[0], losses("", 1.0)))


def test_the_section_of_the_report() -> None:
    view = planted_view(Study(("momentum+step", "momentum+sgdr")), losses("", 1.0))
    words = told(read(report(view.record)))
    (result,) = bearing(view)
    assert result.claim.id == "C1"
    assert "Claims of the survey" in words
    assert result.claim.published in words
    assert result.sentence in words
    assert bearing_table(view).values("Verdict") == [result.verdict]
    other = planted_view(Study(("adam", "momentum")), losses("", 1.0))
    assert "Claims of the survey" not in told(read(report(other.record)))
