"""Runs that wait for a locked ledger, go on on another machine, or are so long that their memory counts."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console
from search_runs import print_of, run_in_threads, spec

from cooldown.objectives.errors import CooldownWarning
from cooldown.search.experiments.live import WAITING, live
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.studies import in_short, needs
from cooldown.storage import Ledger, Purpose, backend, writer
from cooldown.storage.environment import environment


def test_a_locked_ledger_delays_a_run_and_nothing_else(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program takes the lock in the middle of the run, and lets it go when the run has said that it waits."""
    monkeypatch.setattr(backend, "TRY", 0.01)
    expected, seen = print_of(run_in_threads(url, spec(), name="calm")), []
    with closing(sqlite3.connect(Ledger(url).where, isolation_level=None)) as other:

        def report(progress: Progress) -> None:
            seen.append(progress.waiting)
            if len(seen) == 4:
                other.execute("BEGIN IMMEDIATE")
            if progress.waiting and seen[-5:] == [True] * 5:
                other.execute("COMMIT")

        record = run_in_threads(url, spec(), name="delayed", report=report)
    assert print_of(record) == expected
    assert seen.count(True) == 5
    assert seen.index(True) >= 4


def test_the_progress_says_once_that_it_waits(url: str) -> None:
    seen: list[Progress] = []
    run_in_threads(url, spec(), report=seen.append)
    console = Console(width=100, record=True, force_terminal=False, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    with live(console) as report:
        for progress in (*seen[:2], *[replace(seen[1], waiting=True)] * 3, *seen[2:4], replace(seen[3], waiting=True)):
            report(progress)
    console.file.close()
    assert console.export_text().count(f"tiny: {WAITING}") == 2


def test_going_on_in_another_environment_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Enough(BaseException):
        pass

    def stop(progress: Progress) -> None:
        if progress.work:
            raise Enough

    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(writer, "environment", lambda: {**environment(), "blas": "openblas 0.1 Prescott"})
        # Its start is nothing that is continued: no warning.
        with pytest.raises(Enough):
            run_in_threads(url, spec(), report=stop)
    with pytest.warns(CooldownWarning, match="tiny was started in another environment .BLAS openblas 0.1 Pre"):
        run_in_threads(url, spec())
    # It is done: there is nothing to round.
    run_in_threads(url, spec())


@pytest.mark.parametrize("pruner", ["none", "median"])
def test_a_run_keeps_what_its_next_steps_need(url: str, pruner: Any) -> None:
    """Without a pruner nothing compares the curves of a search."""
    asked = spec(pruner=pruner, trials=6)
    record = run_in_threads(url, asked)
    for study in record.studies:
        short = in_short(study, asked)
        assert needs(short, asked) == needs(study, asked)
        assert short.winner == study.winner or short.winner.number == study.winner.number  # type: ignore[union-attr]
        assert short.best(6) == study.best(6) or [t.number for t in short.best(6)] == [t.number for t in study.best(6)]
        assert len(short.evaluations) == len(study.evaluations) > 0
        kept = sum(len(trial.curves.get(Purpose.SEARCH, ())) for trial in short.trials)
        assert kept == (0 if pruner == "none" else asked.seeds * asked.trials)
