"""`show NAME generalization`: the winners' networks under the probes."""

import json
from typing import Any

import numpy as np
import pytest
from report_pages import read, told
from search_runs import run_in_threads, spec

from cooldown.objectives import tasks
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.generalization import generalization, generalization_table, read_document
from cooldown.search.evidence.sections import MADE, Missing
from cooldown.search.evidence.view import View
from cooldown.search.export.selection import export
from cooldown.search.figures.generalization import ablation
from cooldown.search.report import report
from cooldown.search.spec.experiment import read_spec
from cooldown.search.tuning.splits import task_of
from cooldown.storage import ExperimentRecord


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('generalization')}/ledger.db"


@pytest.fixture(scope="module")
def record(url: str) -> ExperimentRecord:
    return run_in_threads(url, spec(), name="probed")


def test_the_network_is_the_one_that_was_evaluated(record: ExperimentRecord) -> None:
    view = View(record)
    for found in generalization(view):
        for study in view.searches(found.arm):
            probes = found.repeats[study.repeat]
            assert probes is not None
            recorded = study.evaluations[0]
            # A record caps losses at the baseline.
            assert min(probes.test_loss, recorded.uninformed_loss) == pytest.approx(recorded.final_loss, rel=1e-5)


def test_the_table_has_the_means_of_every_arm(record: ExperimentRecord) -> None:
    view = View(record)
    table = generalization_table(generalization(view))
    assert table.values("Arm") == list(view.arms)
    for found, gap in zip(generalization(view), table.values("Gap"), strict=True):
        assert gap == pytest.approx(np.mean([probes.gap for probes in found.known]))
    figure = ablation(generalization(view))
    assert len(figure.data) == len(view.arms)
    assert figure.data[0].x[0] == 0
    assert figure.data[0].x[-1] == 100


def test_its_document(record: ExperimentRecord, url: str, run_here: Any) -> None:
    code, out, _ = run_here("show", record.name, "generalization", "--db", url, "--json")
    assert code == 0
    arms = json.loads(out)
    assert [arm["arm"] for arm in arms] == list(View(record).arms)
    assert all(arm["sharpness"] > 0 for arm in arms)
    view = View(record)
    again = read_document(arms)
    assert generalization_table(again).rows == generalization_table(generalization(view)).rows
    assert ablation(again) == ablation(generalization(view))
    nothing = read_document([{"arm": "adam", "repeats": [{"repeat": 0}]}])
    assert nothing[0].repeats == {0: None}


def test_a_report_has_it_on_request(record: ExperimentRecord, url: str, run_here: Any, tmp_path: Any) -> None:
    page = told(read(report(record, generalization=True)))
    assert "Generalization" in page
    assert "Single directions" in page
    assert generalization_table(generalization(View(record))).caption in page
    assert "Single directions" not in told(read(report(record)))
    file = tmp_path / "it.html"
    assert run_here("report", record.name, "--generalization", "-o", str(file), "--db", url)[0] == 0
    assert "Single directions" in file.read_text("utf-8")


def test_a_task_without_a_network_has_no_probes(url: str) -> None:
    (said,) = MADE["generalization"](View(run_in_threads(url, spec(task="quadratic"), name="bowl")))
    assert isinstance(said, Missing)
    assert "Cooldown's own networks" in said.text


def test_random_labels_are_one_share_of_the_task() -> None:
    chosen = read_spec(task="iris", ranges={"task.random_labels": 0.5})
    assert task_of(chosen).fingerprint() == tasks.get("iris").with_random_labels(0.5).fingerprint()
    assert read_spec(**chosen.to_json()) == chosen
    for value, said in (
        ((0, 1), "is one share from 0 to 1"),
        (1.5, "must be at most 1"),
        ("all", "should be a number"),
    ):
        with pytest.raises(InputError, match=said):
            read_spec(task="iris", ranges={"task.random_labels": value})


def test_a_program_cannot_load_random_labels(url: str) -> None:
    view = View(run_in_threads(url, spec(ranges={"task.random_labels": 1.0}), name="random"))
    with pytest.raises(InputError, match="a program cannot express random_labels"):
        export(view, "torch")
