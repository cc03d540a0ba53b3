"""The report of several experiments: the answer over all tasks, and each one's own."""

from pathlib import Path
from typing import Any

import pytest
from report_pages import read as page_of
from report_pages import told
from search_runs import run_in_threads, spec

from cooldown.search import experiments
from cooldown.search.evidence.across.comparison import Asked, compared
from cooldown.search.experiments.across import read
from cooldown.search.report.across import report_across

ARMS = ("momentum+cosine", "adam")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('several')}/all.db"
    for task in ("iris", "wine"):
        run_in_threads(url, spec(task=task, arms=ARMS, epochs=2, trials=4), name=f"on {task}")
    run_in_threads(url, spec(arms=("adam",), repeats=1, epochs=1), name="one arm")
    return url


def test_it_says_what_the_comparison_says_and_each_answer(ledger: str) -> None:
    names = ["on iris", "on wine", "one arm"]
    results = [experiments.load(name, db=ledger) for name in names]
    page = page_of(report_across(results, read(names, ledger)))
    assert compared(read(names, ledger), Asked()).across.sentence in told(page)
    assert [title for level, title in page.headings if level == 2] == [
        *("Answer", "All arms", "Curves and configs", *names)
    ]
    for result in results:
        assert result.answer.sentence in told(page)
    assert "it does not ask about annealed SGD and an adaptive method" in told(page)
    assert len(page.ids) == len(set(page.ids))


def test_the_command_writes_it(run_here: Any, ledger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run_here("report", "on iris", "on wine", "on iris", "--db", ledger)
    assert (code, out) == (0, "")
    assert "Wrote on-iris-on-wine.html" in err
    assert "Curves and configs" in (tmp_path / "on-iris-on-wine.html").read_text("utf-8")
    code, _, err = run_here("report", "on iris", "nothing", "--db", ledger)
    assert code == 2
    assert "unknown experiment 'nothing'" in err
