"""What is appended is read back; a generation is in the ledger as a whole or not at all."""

import itertools
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace

import loky
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_examples import (
    EPOCHS,
    child_environment,
    complete_experiment,
    curve,
    generation,
    held,
    new_trial,
    rows,
    study_of,
)
from sqlalchemy import Engine, event, inspect

from cooldown.objectives import Curve, Outcome
from cooldown.storage import Ledger, LedgerError, NewTrial, Purpose, Status, StudyKey, StudyRecord
from cooldown.storage.fingerprint import fingerprint
from cooldown.storage.health import examine

pytestmark = pytest.mark.databases

ODD_NAMES = [
    "🧊 cool-down 👩‍💻",
    'it\'s "quoted"',
    "<script>alert(1)</script>",
    "'; DROP TABLE trials; --",
    "a/b/0",
    "日本",
    "%s {} \\",
]
counter = itertools.count()


def bits(curve: Curve) -> list[object]:
    """A curve to the last bit: NaN is NaN and -0.0 is not 0.0."""
    values = vars(curve).values()
    return [
        value.tobytes() if isinstance(value, np.ndarray) else "NaN" if value != value else value for value in values
    ]


def plain(study: StudyRecord) -> list[object]:
    """A study as values that can be compared."""
    trials = [replace(trial, curves={}) for trial in study.trials]
    return [study.id, study.arm, study.repeat, dict(study.sampler_state), trials, list(map(bits, study.curves()))]


def whole(ledger: Ledger) -> Counter[int]:
    """How many generations of 4 each study has; fails where one stands there in part, or only on one side."""
    assert [finding.fault for finding in examine(ledger) if not finding.experiment] == []
    ours = rows(
        ledger,
        "SELECT optuna_study_id, number, (SELECT count(*) FROM cooldown_curves c WHERE c.trial_id = t.id) "
        "FROM cooldown_trials t JOIN cooldown_studies s ON s.id = t.study_id ORDER BY 1, 2",
    )
    optunas = rows(
        ledger,
        "SELECT study_id, number, (SELECT count(*) FROM trial_intermediate_values v WHERE v.trial_id = t.trial_id)"
        ", (SELECT count(*) FROM trial_params p WHERE p.trial_id = t.trial_id)"
        ", (SELECT count(*) FROM trial_values w WHERE w.trial_id = t.trial_id) FROM trials t ORDER BY 1, 2",
    )
    assert [row[:2] for row in ours] == [row[:2] for row in optunas]
    assert {row[2:] for row in ours} <= {(2,)}
    assert {row[2:] for row in optunas} <= {(EPOCHS, 3, 1)}
    counts = Counter(study for study, *_ in ours)
    for study, count in counts.items():
        assert count % 4 == 0
        assert [number for of_study, number, _ in ours if of_study == study] == list(range(count))
    return Counter({study: count // 4 for study, count in counts.items()})


finite = st.floats(-1e300, 1e300)


@st.composite
def curves(draw: st.DrawFn, seed: int) -> Curve:
    outcome = draw(st.sampled_from(Outcome))
    fewest = {Outcome.COMPLETED: EPOCHS, Outcome.STOPPED: 1, Outcome.PRUNED: 1, Outcome.DIVERGED: 0}[outcome]
    epochs = draw(st.integers(fewest, EPOCHS))
    loss, score = st.lists(finite, min_size=epochs, max_size=epochs), finite | st.just(float("nan"))
    return Curve(
        seed,
        outcome,
        np.array(draw(loss), float),
        np.array(draw(loss), float),
        np.array(draw(st.lists(score, min_size=epochs, max_size=epochs)), float),
        np.array(draw(loss), float),
        0 if outcome is Outcome.DIVERGED else draw(st.integers(1, epochs)),
        draw(finite),
        draw(st.integers(0, 2**40)),
        draw(st.integers(0, 2**40)),
        draw(st.floats(0, 1e6)),
        draw(score),
    )


@st.composite
def trials(draw: st.DrawFn, number: int) -> NewTrial:
    seeds = draw(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=3, unique=True))
    rate = draw(st.floats(1e-5, 1.0))
    text = st.text(st.characters(codec="utf-8"), max_size=20)
    # A sampler's names have no zero byte, which PostgreSQL's text cannot hold; their values may.
    names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
    attributes = draw(st.dictionaries(names, st.none() | finite | text | st.lists(st.integers()), max_size=3))
    return replace(new_trial(number, [draw(curves(seed)) for seed in seeds], learning_rate=rate), attributes=attributes)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=150),
    st.lists(st.integers(1, 3), max_size=3).flatmap(
        lambda sizes: st.tuples(
            *(st.tuples(*(trials(sum(sizes[:g]) + i) for i in range(size))) for g, size in enumerate(sizes))
        )
    ),
    st.data(),
)
def test_what_is_appended_is_read_back(
    ledger: Ledger, text: str, generations: tuple[tuple[NewTrial, ...], ...], data: st.DataObject
) -> None:
    name = f"{next(counter)}{text}"
    with held(ledger, name) as writer:
        study = study_of(ledger, name)
        for index, of_generation in enumerate(generations):
            study = writer.append_generation(study, index, of_generation, {"told": index})
        if study.trials:
            further = [data.draw(curves(seed)) for seed in (1, 2)]
            study = writer.append_curves(study, Purpose.FINALIST, {study.trials[0].id: further})
    record = ledger.load(name)
    assert record.name == name
    assert plain(record.studies[0]) == plain(study)
    assert [trial.validation_loss for trial in study.trials] == [
        trial.validation_loss for of_generation in generations for trial in of_generation
    ]
    assert fingerprint(record.studies) == fingerprint([study])


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_names_like_any_other(ledger: Ledger, name: str) -> None:
    complete_experiment(ledger, "other")
    complete_experiment(ledger, name)
    assert ledger.load(name).name == name
    assert {summary.name for summary in ledger.summaries()} == {"other", name}
    ledger.delete(name)
    assert [summary.name for summary in ledger.summaries()] == ["other"]
    assert len(ledger.load("other").studies[0].trials) == 5


@pytest.mark.parametrize("name", ["", "a\nb", "a\0b", "\x1b[31m", "\udcff", "n" * 201])
def test_a_name_that_is_no_line_of_text_is_refused(ledger: Ledger, name: str) -> None:
    with pytest.raises(LedgerError, match="cannot be called"):
        ledger.create(name, {}, "", [StudyKey("adam", 0)])
    with pytest.raises(LedgerError, match="cannot be called"):
        ledger.load(name)
    assert ledger.summaries() == []


def test_a_name_is_taken_once_and_the_first_stays(ledger: Ledger) -> None:
    complete_experiment(ledger)
    with pytest.raises(LedgerError, match="the experiment 'digits' already exists"):
        ledger.create("digits", {}, "", [StudyKey("adam", 0)])
    assert len(ledger.load("digits").studies) == 2


def test_an_unknown_experiment_is_told_with_the_nearest_name(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match=r"unknown experiment 'digts'.*has no experiments yet"):
        ledger.load("digts")
    complete_experiment(ledger)
    for use in (ledger.load, ledger.delete, lambda name: ledger.hold(name).__enter__()):
        with pytest.raises(LedgerError, match=r"'digts'.*digits"):
            use("digts")


def test_summaries_are_newest_first_with_what_they_hold(ledger: Ledger) -> None:
    complete_experiment(ledger, "first")
    ledger.create("second", {"arms": ["adam"]}, "a" * 64, [StudyKey("adam", 0)])
    second, first = ledger.summaries()
    assert (second.name, second.trials, second.status, second.task_fingerprint, second.finished_at) == (
        "second",
        0,
        Status.INTERRUPTED,
        "a" * 64,
        None,
    )
    assert (first.name, first.trials, first.status, first.spec) == (
        "first",
        10,
        Status.DONE,
        {"arms": ["adam", "momentum+sgdr"]},
    )
    assert first.finished_at is not None
    assert first.created_at <= first.finished_at <= time.time()


def test_an_experiment_keeps_where_it_ran(ledger: Ledger) -> None:
    complete_experiment(ledger)
    environment = ledger.load("digits").environment
    assert environment["packages"]["numpy"] == np.__version__
    assert environment["python"] == ".".join(map(str, sys.version_info[:3]))
    assert environment["cores"] == loky.cpu_count()


def test_the_purposes_of_curves_stay_apart(ledger: Ledger) -> None:
    complete_experiment(ledger)
    study = study_of(ledger)
    assert [len(study.curves(purpose)) for purpose in Purpose] == [10, 4, 2]
    assert study.winner is not None
    assert study.winner.finalist_loss == pytest.approx((0.5 + 0.8) / 2)
    assert [curve.final_loss for curve in study.evaluations] == [0.4, 0.3]
    diverged = study.trials[4]
    assert diverged.validation_loss == 2.25
    assert [curve.held_out_loss.size for curve in diverged.curves[Purpose.SEARCH]] == [0, 1]
    assert all(curve.outcome is Outcome.DIVERGED for curve in diverged.curves[Purpose.SEARCH])


def test_delete_removes_everything_on_both_sides(ledger: Ledger) -> None:
    def sizes() -> dict[str, int]:
        with ledger._database.reading() as connection:
            names = inspect(connection).get_table_names()
        return {name: rows(ledger, f"SELECT count(*) FROM {name}")[0][0] for name in names}

    before = sizes()
    complete_experiment(ledger)
    assert sum(sizes().values()) > sum(before.values()) + 100
    ledger.delete("digits")
    assert sizes() == before


# -- all or nothing ---------------------------------------------------------------------------------------------------


def test_a_generation_that_fails_halfway_leaves_nothing(ledger: Ledger) -> None:
    with held(ledger) as writer:
        study = writer.append_generation(study_of(ledger), 0, generation(0), {"state": 0})
        for bad in ([new_trial(4), new_trial(3)], [new_trial(4), new_trial(5, [curve(1), curve(1)])]):
            with pytest.raises(LedgerError, match=r"UNIQUE|unique"):
                writer.append_generation(study, 1, bad, {"state": 1})
        wrong = replace(new_trial(5), distributions={})
        with pytest.raises(KeyError):
            writer.append_generation(study, 1, [new_trial(4), wrong], {"state": 1})
        assert plain(study_of(ledger)) == plain(study)
        writer.append_generation(study, 1, generation(1), {"state": 1})
    assert list(whole(ledger).values()) == [2]


def test_an_exception_at_any_statement_of_an_append_leaves_nothing(ledger: Ledger) -> None:
    seen = itertools.count()
    fail_at = -1

    def fail(*_: object) -> None:
        if next(seen) == fail_at:
            raise KeyboardInterrupt

    with held(ledger) as writer:
        study = writer.append_generation(study_of(ledger), 0, generation(0), {"state": 0})
        event.listen(Engine, "before_cursor_execute", fail)
        try:
            for fail_at in itertools.count():  # noqa: B007
                seen = itertools.count()
                try:
                    writer.append_generation(study, 1, generation(1), {"state": 1})
                except KeyboardInterrupt:
                    assert list(whole(ledger).values()) == [1]
                else:
                    break
        finally:
            event.remove(Engine, "before_cursor_execute", fail)
    assert fail_at > 8
    assert list(whole(ledger).values()) == [2]


def test_a_study_of_another_experiment_cannot_be_appended_to(ledger: Ledger) -> None:
    complete_experiment(ledger, "other")
    with held(ledger) as writer, pytest.raises(Exception, match="No row"):
        writer.append_generation(study_of(ledger, "other"), 3, generation(3), {})
    assert len(study_of(ledger, "other").trials) == 5


APPEND_FOREVER = """
import itertools, sys
from ledger_examples import generation
from cooldown.storage import Ledger
ledger = Ledger(sys.argv[1])
with ledger.hold("digits") as writer:
    studies = list(ledger.load("digits").studies)
    for _ in itertools.count():
        for i, study in enumerate(studies):
            index = len(study.trials) // 4
            studies[i] = writer.append_generation(study, index, generation(index), {"state": index})
            print(index, flush=True)
"""


@pytest.mark.processes
def test_kill_9_while_appending_leaves_whole_generations(ledger: Ledger, url: str) -> None:
    ledger.create("digits", {}, "", [StudyKey("adam", 0), StudyKey("momentum", 0)])
    lengths = random.Random(0)
    reported, stored = 0, 0
    for _ in range(2):
        child = subprocess.Popen(
            [sys.executable, "-c", APPEND_FOREVER, url], stdout=subprocess.PIPE, text=True, env=child_environment()
        )
        assert child.stdout is not None
        for _ in range(lengths.randint(2, 6)):
            assert child.stdout.readline()
            reported += 1
        time.sleep(lengths.uniform(0, 0.01))
        child.send_signal(signal.SIGKILL)
        reported += len(child.communicate()[0].splitlines())
        assert child.returncode == -signal.SIGKILL
        stored = whole(ledger).total()
        # What it said was written is there; one more may be, of which it could say nothing any more.
        assert reported <= stored <= reported + 1
        assert ledger.load("digits").status is Status.INTERRUPTED
        reported = stored
    assert stored >= 4


def test_readers_see_whole_generations_while_a_writer_writes(ledger: Ledger, url: str) -> None:
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        reader = Ledger(url, create=False)
        while not done.is_set():
            trials = study_of(reader).trials
            assert all(len(trial.curves[Purpose.SEARCH]) == 2 for trial in trials)
            seen.append(len(trials))

    with held(ledger) as writer:
        study = study_of(ledger)
        thread = threading.Thread(target=read)
        thread.start()
        index = 0
        while index < 10 or len(set(seen)) < 3:
            study = writer.append_generation(study, index, generation(index), {})
            index += 1
        done.set()
        thread.join()
    assert all(count % 4 == 0 for count in seen)
    assert seen == sorted(seen)
