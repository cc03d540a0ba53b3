"""Experiments of a queue, run in this process: each edge of a generation is a place to pause, and changes no result."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE
from search_runs import TINY, print_of, run_in_threads, spec
from sqlalchemy import text

from cooldown import compare, experiments, submit
from cooldown.objectives.errors import InputError
from cooldown.search.executors.contract import UnfitError
from cooldown.search.executors.engines.inline import Inline
from cooldown.search.executors.jobs import compile_programs, train_replicates
from cooldown.search.executors.packed import Packed
from cooldown.search.service.worker import Worker
from cooldown.search.tuning.runner import steps
from cooldown.search.tuning.splits import Splits, task_of
from cooldown.storage import Change, Ledger, LedgerError, Queue, Status
from cooldown.storage import writer as writer_module
from cooldown.storage.environment import environment

RunHere = Callable[..., tuple[int, str, str]]
SETTINGS = {name: value for name, value in TINY.items() if name != "task"}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The fingerprint of the tiny experiment that nobody disturbs."""
    return print_of(run_in_threads(f"sqlite:///{tmp_path_factory.mktemp('calm')}/cooldown.db", spec()))


def work(url: str, **options: Any) -> list[str]:
    """What a worker says that runs what waits, in this process."""
    said: list[str] = []
    Worker(url, workers=1, exit_when_idle=True, say=said.append, **options).work()
    return said


def status(url: str, name: str = "iris") -> Status:
    return Ledger(url).load(name).status


def test_what_is_submitted_is_what_is_compared(url: str, undisturbed: str) -> None:
    submitted = submit("iris", db=url, **SETTINGS)
    assert (submitted.name, submitted.status, submitted.new) == ("iris", Status.QUEUED, True)
    again = submit("iris", db=url, **SETTINGS)
    assert (again.name, again.status, again.new) == ("iris", Status.QUEUED, False)
    assert work(url)[0] == "iris: started."
    assert print_of(Ledger(url).load("iris")) == undisturbed
    assert submit("iris", db=url, **SETTINGS).status is Status.DONE
    assert compare("iris", db=url, **SETTINGS).status is Status.DONE


def test_a_worker_of_a_server(postgresql_url: str, undisturbed: str) -> None:
    """Paused and resumed on PostgreSQL, too."""
    submit("iris", db=postgresql_url, **SETTINGS)
    queue = Queue(Ledger(postgresql_url))
    work(postgresql_url, report=lambda: lambda _: queue.request("iris", Change.PAUSE))
    assert status(postgresql_url) is Status.PAUSED
    queue.put("iris")
    work(postgresql_url)
    assert print_of(Ledger(postgresql_url).load("iris")) == undisturbed


def test_paused_at_every_edge(url: str, tmp_path: Path) -> None:
    """Again and again, until it is done: with one worker, every step of the run has an edge behind it."""
    once = {**SETTINGS, "repeats": 1}
    undisturbed = compare("iris", db=tmp_path / "calm.db", workers=1, **once).record
    submit("iris", db=url, **once)
    queue, pauses = Queue(Ledger(url)), 0

    def pause_after_the_next_step() -> Callable[[Any], None]:
        """What is asked for before anything is trained is read with the first step that is written."""
        asked: list[Any] = []

        def report(_progress: Any) -> None:
            asked.append(asked or queue.request("iris", Change.PAUSE))

        return report

    while status(url) is not Status.DONE:
        work(url, report=pause_after_the_next_step)
        if status(url) is Status.PAUSED:
            pauses += 1
            assert queue.put("iris") is Status.QUEUED
    assert print_of(Ledger(url).load("iris")) == print_of(undisturbed)
    # The first step is that of the arithmetic digest. Each of two arms has two generations, finals, an evaluation, and
    # a default config with one; the references come last, and after the last step nothing is left to pause.
    assert pauses == 1 + 12


@pytest.mark.parametrize(("change", "after"), [(Change.STOP, Status.STOPPED), (Change.CANCEL, Status.CANCELLED)])
def test_ended_from_elsewhere_and_resumed(url: str, undisturbed: str, change: Change, after: Status) -> None:
    """Of a run in the foreground, too; `resume` ends with the same results."""
    steps: list[int] = []

    def report(progress: Any) -> None:
        steps.append(progress.work)
        if len(steps) == 5:
            Queue(Ledger(url)).request("iris", change)

    ended = compare("iris", db=url, report=report, workers=1, **SETTINGS)
    assert ended.status is after
    assert ended.answer.next is not None
    assert ended.answer.next.command.startswith("cooldown resume iris")
    # Nobody runs it, and no worker takes it.
    assert work(url) == []
    assert experiments.resume("iris", db=url, workers=1).status is Status.DONE
    assert print_of(Ledger(url).load("iris")) == undisturbed


class Waiting(Inline):
    """Jobs that train are over when the test says so."""

    capacity = 2

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[tuple[Future[Any], Future[Any]]] = []

    def submit(self, call: Callable[..., Any], packed: Packed[Any], /, *arguments: Any) -> "Future[Any]":
        done = super().submit(call, packed, *arguments)
        if call is not train_replicates:
            return done
        self.jobs.append((Future(), done))
        return self.jobs[-1][0]

    def end_one(self) -> None:
        future, done = self.jobs.pop(0)
        future.set_result(done.result())


@pytest.mark.parametrize("change", list(Change))
def test_what_is_in_flight_is_finished_or_dropped(url: str, change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "HEARTBEAT", 0.001)
    submit("iris", db=url, **SETTINGS)
    ledger, experiment, executor = Ledger(url), spec(), Waiting()
    splits = Splits(task_of(experiment), experiment)
    with Queue(ledger).claimed() as writer:
        assert writer is not None
        waiting = steps(writer, ledger.load("iris"), experiment, splits, executor)
        assert len(next(waiting)) == 2
        Queue(ledger).request("iris", change)
        end = time.monotonic() + PATIENCE
        while writer.ending() is None:
            assert time.monotonic() < end
            time.sleep(0.001)
        executor.end_one()
        if change is not Change.CANCEL:
            assert len(next(waiting)) == 1
            executor.end_one()
        assert next(waiting, None) is None
        assert executor.jobs == [] or change is Change.CANCEL
    record = ledger.load("iris")
    assert record.status is change.status
    assert sum(len(study.trials) for study in record.studies) == (0 if change is Change.CANCEL else 4)


def test_a_plan_goes_on_in_the_queue_as_it_does_here(tmp_path: Path) -> None:
    """Looks and wider ranges, under one lease from the beginning to the answer."""
    settings = {**SETTINGS, "repeats": 2, "until_decided": True, "max_repeats": 4}
    here, there = (f"sqlite:///{tmp_path}/{name}.db" for name in ("here", "there"))
    expected = compare("iris", db=here, workers=1, **settings).record
    submit("iris", db=there, **settings)
    work(there)
    record = Ledger(there).load("iris")
    assert (record.status, record.looks) == (Status.DONE, expected.looks)
    assert print_of(record) == print_of(expected)
    assert record.queue.seconds > 0


def test_a_finished_one_is_extended_in_the_queue(url: str, tmp_path: Path) -> None:
    submit("iris", db=url, **{**SETTINGS, "repeats": 1})
    with pytest.raises(InputError, match="'iris' is queued: it can be extended when it is done"):
        experiments.requeue("iris", db=url, repeats=2)
    work(url)
    assert experiments.requeue("iris", db=url) is Status.DONE
    assert experiments.requeue("iris", db=url, repeats=2, priority=4) is Status.QUEUED
    assert experiments.summary("iris", db=url).terms.priority == 4
    work(url)
    whole = f"sqlite:///{tmp_path}/whole.db"
    assert print_of(Ledger(url).load("iris")) == print_of(compare("iris", db=whole, workers=1, **SETTINGS).record)


def test_a_limit_of_gradient_evaluations_ends_it_at_an_edge(url: str, undisturbed: str) -> None:
    stopped = compare("iris", db=url, workers=1, max_gradient_evaluations=2000, **SETTINGS)
    assert (stopped.status, stopped.record.message) == (
        Status.STOPPED,
        "the limit of 2,000 gradient evaluations is reached",
    )
    assert stopped.answer.next is not None
    assert stopped.answer.next.command.startswith("cooldown resume iris --max-gradient-evaluations none")
    spent = sum(curve.gradient_evaluations for study in stopped.record.studies for curve in study.curves())
    spent += sum(curve.gradient_evaluations for study in stopped.record.default_configs for curve in study.curves())
    assert spent >= 2000
    for call in (compare, submit):
        options = {"workers": 1} if call is compare else {}
        with pytest.raises(InputError, match=r"'iris' cannot go on.*or --max-gradient-evaluations none"):
            call("iris", db=url, **options, **SETTINGS)
    assert experiments.resume("iris", db=url, workers=1, max_gradient_evaluations="none").status is Status.DONE
    assert print_of(Ledger(url).load("iris")) == undisturbed


def test_a_failing_experiment_does_not_stop_the_queue(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose task is not there any more, one whose code is not trusted, one that is damaged."""
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "rows.csv"
    table.write_text("a,b,y\n" + "".join(f"{row},{row % 7},{row % 3}.5\n" for row in range(60)))
    small = {**SETTINGS, "trials": 2, "repeats": 1, "finalists": 1}
    submit(str(table), target="y", db=url, name="gone", priority=9, **small)
    submit("iris", db=url, name="distrusted", priority=8, **small)
    submit("iris", db=url, name="damaged", priority=7, **small)
    submit("iris", db=url, name="sound", **{**small, "seed": 1})
    with Ledger(url)._database.writing() as connection:
        connection.execute(text("UPDATE cooldown_experiments SET spec = '{}' WHERE name = 'damaged'"))
        task = text("UPDATE cooldown_experiments SET spec = json_set(spec, '$.task', :task) WHERE name = 'distrusted'")
        connection.execute(task, {"task": "of_a_stranger:task"})
        connection.execute(text("DELETE FROM cooldown_datasets"))
    said = "\n".join(work(url))
    found = {each.name: each.status for each in Ledger(url).summaries()}
    assert found == dict.fromkeys(("gone", "distrusted", "damaged"), Status.FAILED) | {"sound": Status.DONE}
    messages = {name: row.message for name, row in _rows(url).items()}
    assert "cannot be loaded" in messages["gone"]
    assert "--trust" in messages["distrusted"]
    assert "task: is missing" in messages["damaged"]
    for name in ("gone", "distrusted", "damaged"):
        assert f"{name}: failed: {messages[name]}" in said


def test_code_that_would_end_the_worker(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(*_: Any) -> None:
        raise SystemExit(3)

    monkeypatch.setattr("cooldown.search.service.worker.recorded_splits", leave)
    submit("iris", db=url, **SETTINGS)
    assert work(url)[1:] == ["iris: failed: its code has called sys.exit(3)"]
    assert status(url) is Status.FAILED


def _rows(url: str) -> dict[str, Any]:
    with Ledger(url)._database.reading() as connection:
        return {row.name: row for row in connection.execute(text("SELECT * FROM cooldown_experiments"))}


def test_a_machine_that_rounds_otherwise_leaves_it_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    submit("iris", db=url, **SETTINGS)
    submit("wine", db=url, priority=-1, **SETTINGS)

    class Elsewhere(Inline):
        def submit(self, call: Callable[..., Any], packed: Packed[Any], /, *arguments: Any) -> "Future[Any]":
            if call is compile_programs and packed.value.task.name == "iris":
                future: Future[Any] = Future()
                future.set_exception(UnfitError("it rounds in another way"))
                return future
            return super().submit(call, packed, *arguments)

    monkeypatch.setattr("cooldown.search.service.worker.open_executor", lambda *_: Elsewhere())
    said = work(url)
    assert any(line.startswith("iris: left to another machine: iris cannot be continued") for line in said)
    found = {each.name: each.status for each in Ledger(url).summaries()}
    assert found == {"iris": Status.QUEUED, "wine": Status.DONE}
    record = Ledger(url).load("iris")
    assert (record.queue.requeues, "rounds in another way" in record.message) == (0, True)


def test_the_environment_is_that_of_the_worker(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not of whoever submitted it."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("cooldown.storage.ledger.environment", lambda: {"python": "2.7", "packages": {}})
        submit("iris", db=url, **SETTINGS)
    work(url)
    recorded = Ledger(url).load("iris").environment
    assert {name: value for name, value in recorded.items() if name != "arithmetic"} == environment()


@pytest.mark.parametrize("exit_when_idle", [False, True])
def test_a_queue_that_cannot_be_read(url: str, exit_when_idle: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker waits until it can be, unless it is to end when there is nothing to do."""
    said: list[str] = []
    worker = Worker(url, workers=1, exit_when_idle=exit_when_idle, say=said.append)

    def claimed(*_: Any) -> None:
        worker.drain()
        raise LedgerError("the server is away")

    monkeypatch.setattr(Queue, "claimed", claimed)
    with pytest.raises(LedgerError, match="the server is away") if exit_when_idle else nullcontext():
        worker.work()
    assert said == ([] if exit_when_idle else ["The queue cannot be read: the server is away"])


def test_several_places_share_a_queue(url: str, undisturbed: str) -> None:
    names = [submit("iris", db=url, name=f"number {number}", **SETTINGS).name for number in range(3)]
    said = work(url, experiments=2)
    assert sorted(line for line in said if line.endswith("started.")) == [f"{name}: started." for name in names]
    assert {print_of(Ledger(url).load(name)) for name in names} == {undisturbed}


def test_a_drained_worker_gives_back_what_it_has(url: str, undisturbed: str) -> None:
    submit("iris", db=url, **SETTINGS)
    said: list[str] = []
    worker = Worker(url, workers=1, exit_when_idle=True, say=said.append, report=lambda: lambda _: worker.drain())
    worker.work()
    assert said[-1].startswith("iris: back in the queue")
    record = Ledger(url).load("iris")
    assert (record.status, record.queue.requeues) == (Status.QUEUED, 0)
    work(url)
    assert print_of(Ledger(url).load("iris")) == undisturbed
