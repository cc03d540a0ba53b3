"""`cooldown worker` as a process: killed, drained and ended at once; another one goes on where it was."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE
from search_runs import ONE_WORKER, SLOW, children, print_of, trials_so_far, wait_until, wait_until_gone

from cooldown.storage import Ledger, Status

pytestmark = pytest.mark.processes


def test_killed_drained_and_ended_at_once(
    stubborn: Path, url: str, undisturbed: str, launch: Any, run_here: Any
) -> None:
    """The results are those of `compare`, whatever was done to workers that ran it one after the other."""
    held = stubborn / "hold"

    def worker(trials: int) -> Any:
        """A worker that has taken the experiment, and added to so many trials."""
        environment = {"TEST_HOLD": str(held)}
        process = launch("worker", *ONE_WORKER, "--trust", cwd=stubborn, environment=environment)

        def has_begun() -> bool:
            return trials_so_far(url) >= trials and Ledger(url).summary("it").status is Status.RUNNING

        wait_until(has_begun, "it runs", process)
        return process

    assert run_here("submit", "stubborn:slow", *SLOW, "--name", "it", "--trust")[1] == "it\n"

    killed = worker(trials=2)
    trainers = children(killed)
    killed.kill()
    killed.wait()
    wait_until_gone(trainers)
    assert Ledger(url).summary("it").status is Status.QUEUED

    drained = worker(trials=4)
    assert Ledger(url).summary("it").queue.requeues == 1
    drained.terminate()
    _, err = drained.communicate(timeout=PATIENCE)
    assert (drained.returncode, "Traceback" in err) == (0, False)
    assert "Ending: what is in flight is finished first. A second signal ends at once.\n" in err
    assert "it: back in the queue after" in err
    summary = Ledger(url).summary("it")
    assert (summary.status, summary.queue.requeues) == (Status.QUEUED, 1)

    held.touch()
    ended = worker(trials=4)
    wait_until(held.read_text, "a job stands still, so that it does not end at the first", ended)
    trainers = children(ended)
    end = time.monotonic() + PATIENCE
    while ended.poll() is None:
        assert time.monotonic() < end
        os.kill(ended.pid, signal.SIGINT)
        time.sleep(0.05)
    assert ended.returncode == 130
    held.unlink()
    wait_until_gone(trainers)

    code, _, _ = run_here("worker", "--exit-when-idle", "--trust", "--executor", "inline")
    assert code == 0
    record = Ledger(url).load("it")
    assert (record.status, record.queue.requeues) == (Status.DONE, 2)
    assert print_of(record) == undisturbed
