"""On PostgreSQL an experiment has the fingerprint that it has in a SQLite file, whatever is killed meanwhile."""

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from patience import PATIENCE
from postgresql_server import Server
from search_runs import ONE_WORKER, SLOW, children, print_of, run_in_threads, spec, wait_until, wait_until_gone

from cooldown import compare, load, resume
from cooldown.search.experiments.doctor import examine, repair
from cooldown.storage import Ledger, Status


def trials_in(url: str) -> int:
    return sum(summary.trials for summary in Ledger(url).summaries())


def test_the_same_spec_has_the_same_fingerprint(url: str, postgresql_url: str) -> None:
    for sampler in ("tpe", "random", "cmaes"):
        experiment = spec(sampler=sampler, pruner="hyperband", epochs=3)
        records = [run_in_threads(at, experiment, name=sampler) for at in (url, postgresql_url)]
        assert print_of(records[0]) == print_of(records[1])
        assert [study.sampler_state for study in records[0].studies] == [
            study.sampler_state for study in records[1].studies
        ]


def test_python_and_the_command_line_use_it(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOLDOWN_DB", postgresql_url)
    result = compare("iris", arms=("sgd", "adam"), trials=2, repeats=2, epochs=1, confirm_seeds=2, workers=1)
    assert load("iris").answer == result.answer
    password = postgresql_url.partition("tester:")[2].partition("@")[0]
    for text in (repr(result), result._repr_html_(), json.dumps(result.to_json())):
        assert password not in text
    assert result.record.db == postgresql_url.replace(f":{password}@", "@")


def test_doctor_examines_and_repairs_it(postgresql_url: str) -> None:
    record = run_in_threads(postgresql_url, spec())
    assert examine(postgresql_url).findings == []
    with psycopg.connect(postgresql_url.replace("+psycopg", "")) as connection:
        connection.execute(
            "UPDATE cooldown_experiments SET status = 'running'; DROP INDEX ix_cooldown_studies_experiment_id"
        )
    repaired = repair(postgresql_url)
    assert [finding.fault for finding in repaired.repaired] == [
        "its index ix_cooldown_studies_experiment_id is missing",
        "it is held by a process, which has ended",
    ]
    assert (repaired.findings, repaired.copy) == ([], None)
    assert repaired.experiments == [("tiny", 16, print_of(record))]


@pytest.mark.processes
def test_killed_again_and_again(
    stubborn: Path, postgresql_url: str, postgresql_server: Server, undisturbed: str, launch: Any
) -> None:
    """The coordinator and its workers, then the server, which a run waits for."""
    command = ["compare", "stubborn:slow", *SLOW, "--name", "struck", *ONE_WORKER, "--db", postgresql_url]
    process = launch(*command, cwd=stubborn)
    wait_until(lambda: trials_in(postgresql_url) >= 4, "it trains", process)
    workers = children(process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    wait_until_gone(workers)
    assert Ledger(postgresql_url).load("struck").status is Status.INTERRUPTED
    again = threading.Timer(1, postgresql_server.start)

    def lose_the_server(_: Any) -> None:
        if again.ident is None:
            postgresql_server.kill()
            again.start()

    record = resume("struck", db=postgresql_url, executor="inline", trust=True, report=lose_the_server).record
    again.join()
    assert (record.status, print_of(record)) == (Status.DONE, undisturbed)


@pytest.mark.processes
def test_a_second_coordinator_takes_over(
    stubborn: Path, postgresql_url: str, undisturbed: str, launch: Any, run_here: Any
) -> None:
    """The lease of the first, which still runs, has gone to another machine, which has not been heard of for long."""
    hold = stubborn / "hold"
    first = launch(
        *("compare", "stubborn:slow", *SLOW, "--name", "taken", *ONE_WORKER, "--db", postgresql_url),
        cwd=stubborn,
        environment={"TEST_HOLD": str(hold)},
    )
    wait_until(lambda: trials_in(postgresql_url) >= 2, "it trains", first)
    hold.touch()
    elsewhere = {"machine": "m", "host": "elsewhere", "pid": 1, "started": 1.0, "token": "theirs"}
    with psycopg.connect(postgresql_url.replace("+psycopg", "")) as connection:
        lost = "UPDATE cooldown_experiments SET heartbeat_at = 0, holder_token = 'theirs', holder = %s"
        connection.execute(lost, [json.dumps(elsewhere)])
    second = ("resume", "taken", "--trust", "--executor", "inline", "--quiet", "--db", postgresql_url)
    assert run_here(*second)[0] == 0
    assert first.poll() is None
    hold.unlink()
    _, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == 1, err
    assert "another process has taken over the experiment 'taken'" in err
    assert "Traceback" not in err
    record = Ledger(postgresql_url).load("taken")
    assert (record.status, print_of(record)) == (Status.DONE, undisturbed)
