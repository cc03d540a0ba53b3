"""While an experiment runs, one arm has more repeats than another: the answer compares those that both have."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from search_runs import run_in_threads, spec

from cooldown.dashboard import data
from cooldown.search.cli import terminal
from cooldown.search.evidence.document import document
from cooldown.search.evidence.view import View
from cooldown.search.experiments import Result
from cooldown.search.report import report
from cooldown.storage import ExperimentRecord, Status

A, B = "momentum+cosine", "adam"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ExperimentRecord]:
    url = f"sqlite:///{tmp_path_factory.mktemp('unequal')}/cooldown.db"
    return url, run_in_threads(url, spec(arms=(A, B), repeats=5, epochs=2), name="uneven")


@pytest.fixture
def uneven(ledger: tuple[str, ExperimentRecord]) -> ExperimentRecord:
    """Five repeats of one arm, and the first three of the other."""
    record = ledger[1]
    studies = tuple(study for study in record.studies if study.arm == A or study.repeat < 3)
    return replace(record, studies=studies, status=Status.INTERRUPTED)


def mean_loss(record: ExperimentRecord, arm: str, repeats: int) -> float:
    studies = [study for study in record.of(arm) if study.repeat < repeats]
    return float(np.mean([np.mean([curve.final_loss for curve in study.evaluations]) for study in studies]))


def test_the_losses_of_the_answer_are_over_the_common_repeats(uneven: ExperimentRecord) -> None:
    a, b = mean_loss(uneven, A, 3), mean_loss(uneven, B, 3)
    (verdict,) = document(View(uneven))["verdicts"]
    assert (verdict["a"], verdict["b"], verdict["repeats"]) == (A, B, 3)
    assert (verdict["a_loss"], verdict["b_loss"]) == (pytest.approx(a, rel=1e-12), pytest.approx(b, rel=1e-12))
    assert verdict["difference"] == pytest.approx(a - b, abs=1e-12)
    assert mean_loss(uneven, A, 5) != pytest.approx(a, rel=1e-6), "else nothing is tested"


def test_every_face_shows_them(
    uneven: ExperimentRecord,
    ledger: tuple[str, ExperimentRecord],
    open_app: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    told = Result(uneven).answer.sentence
    assert re.search(r"\d+ % lower loss \[.*\], ahead in \d of 3 repeats, P\(better\) [\d.]+ %", told)
    console = Console(width=200, markup=False, highlight=False)
    with console.capture() as captured:
        terminal.answer(console, Result(uneven))
    printed = " ".join(captured.get().split())
    assert told in printed
    assert "The answer compares the 3 repeats that both arms of its pair have." in printed
    # A number stays with its percent sign.
    page = report(uneven).replace("\N{NO-BREAK SPACE}", " ")
    assert told in page
    assert "The answer compares the 3 repeats" in page
    monkeypatch.setattr(data, "result", lambda _: Result(uneven))
    app = open_app(ledger[0], "verdict", experiment="uneven")
    assert not app.exception
    assert told in [text.value.replace("\\", "").replace("\N{NO-BREAK SPACE}", " ") for text in app.header]
