"""A record is parsed once, whatever is asked of it, and what was worked out is kept."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from parse_counts import counted_parses
from rich.console import Console
from search_runs import run_in_threads, spec

from cooldown.search.cli import terminal
from cooldown.search.evidence import SECTIONS
from cooldown.search.evidence.document import document
from cooldown.search.evidence.sections import MADE
from cooldown.search.evidence.view import View, once
from cooldown.search.experiments import Result
from cooldown.search.report import report
from cooldown.storage import ExperimentRecord

ARMS = ("momentum", "momentum+cosine", "adam", "adam+sgdr")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    url = f"sqlite:///{tmp_path_factory.mktemp('view')}/cooldown.db"
    return run_in_threads(url, spec(arms=ARMS, epochs=2))


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a spec is parsed, and a search space built, by arm."""
    return counted_parses(monkeypatch)


def shown(record: ExperimentRecord) -> None:
    terminal.answer(Console(file=None, quiet=True), Result(record))


def sections(record: ExperimentRecord) -> None:
    result = Result(record)
    for name in SECTIONS:
        terminal.blocks(MADE[name](result.view))


@pytest.mark.parametrize(
    "use",
    [lambda record: document(View(record)), report, shown, sections],
    ids=["json", "report", "answer", "sections"],
)
def test_a_spec_is_parsed_once_and_a_space_is_built_once(
    record: ExperimentRecord, parses: Counter[str], use: Callable[[ExperimentRecord], Any]
) -> None:
    use(record)
    assert parses["spec"] == 1
    assert {arm: parses[arm] for arm in ARMS} == dict.fromkeys(ARMS, 1)


def test_what_was_worked_out_is_kept(record: ExperimentRecord) -> None:
    calls = []

    @once
    def doubled(view: View, number: int, *, plus: int = 0) -> int:
        calls.append(number)
        return 2 * number + plus

    first, second = View(record), View(record)
    assert [doubled(first, 2), doubled(first, 2), doubled(first, 3), doubled(first, 3, plus=1)] == [4, 4, 6, 7]
    assert doubled(second, 2) == 4
    assert calls == [2, 3, 3, 2]
