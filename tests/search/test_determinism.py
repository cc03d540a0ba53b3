"""The law of determinism: the ledger is a function of the spec and its seed alone."""

from collections.abc import Callable
from typing import Any

import pytest
from covering import in_short
from search_runs import TINY, Mortal, Shuffled, Threads, print_of, run_in_threads, spec

from cooldown import compare
from cooldown.search.spec import samplers
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.space import search_space
from cooldown.search.tuning.sampling import Generation
from cooldown.storage import Ledger, Status, StudyRecord
from cooldown.storage.fingerprint import arm_fingerprints

SAMPLERS = samplers.names()
# A joint arm has parameters that depend on a choice; `sgd` has none that do, and just one beside the warm-up.
ARMS = ("momentum,adam+cosine,sgdr", "sgd")


def long_spec(sampler: str, **changes: Any) -> Any:
    """Enough generations for every sampler to have left its random start, few seeds and rows to train on."""
    given = {"arms": ARMS, "sampler": sampler, "trials": 14, "repeats": 1, "seeds": 1, "generation": 3}
    return spec(**{**given, "batch_size": 120, "finalists": 1, "finalist_seeds": 1, "confirm_seeds": 1, **changes})


class Stopped(BaseException):
    """As KeyboardInterrupt, at a chosen step."""


def stop_after(steps: int) -> Callable[[Any], None]:
    left = [steps]

    def report(_: Any) -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise Stopped

    return report


STRATEGIES = {
    "strategy.early_stopping": (1, 3),
    "strategy.dropout": (0.0, 0.5),
    "strategy.gradient_noise": (0.01, 1.0),
    "strategy.batch_norm": (True, False),
    "strategy.curriculum": ("none", "easy_to_hard", "mixed"),
    "strategy.initialization": ("he", "poor"),
    "strategy.clip_norm": 1.0,
}
SPECS = (
    {sampler: {"sampler": sampler} for sampler in SAMPLERS}
    | {
        f"{sampler} and {pruner}": {"sampler": sampler, "pruner": pruner, "epochs": 9}
        for sampler, pruner in (("tpe", "median"), ("qmc", "median"), ("cmaes", "hyperband"), ("gp", "hyperband"))
    }
    | {
        "strategies": {
            "sampler": "tpe",
            "arms": ("momentum,yellowfin+plateau,batch_growth,cyclical", "nadam"),
            "ranges": STRATEGIES,
            "epochs": 4,
            "seeds": 2,
            # The sampler leaves its random start in another case.
            "trials": 6,
        }
    }
)


WITHOUT_PRUNER = ("cmaes", "gp", "qmc", "tpe")
"""Samplers that have a pruner in another case."""


@pytest.mark.parametrize("case", in_short(list(SPECS), [case for case in SPECS if case not in WITHOUT_PRUNER]))
def test_workers_and_interruptions_change_nothing(case: str, url: str) -> None:
    experiment = long_spec(**SPECS[case])
    whole = run_in_threads(url, experiment, name="one worker")
    assert whole.status is Status.DONE
    several = run_in_threads(url, experiment, lambda: Shuffled(3, seed=1), name="three workers")
    # Every attempt gets a few steps further; each of them rebuilds the samplers from the ledger.
    attempts = 0
    while True:
        attempts += 1
        try:
            pieces = run_in_threads(url, experiment, lambda: Shuffled(2, seed=2), name="pieces", report=stop_after(5))
            break
        except Stopped:
            assert Ledger(url).load("pieces").status is Status.INTERRUPTED
    assert attempts > 2
    assert print_of(whole) == print_of(several) == print_of(pieces)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_other_arms_change_nothing(sampler: str, url: str) -> None:
    short = {"trials": 6, "generation": 3}
    alone = run_in_threads(url, long_spec(sampler, arms=("adam+sgdr",), **short), name="alone")
    arms = ("nag", "adam+sgdr", "momentum,adam+cosine,sgdr")
    among = run_in_threads(url, long_spec(sampler, arms=arms, **short), name="among others")
    assert arm_fingerprints(among.studies)["adam+sgdr"] == arm_fingerprints(alone.studies)["adam+sgdr"]


def test_the_seed_decides(url: str) -> None:
    prints = {
        print_of(run_in_threads(url, spec(seed=seed, repeats=1), name=name))
        for seed, name in ((0, "a"), (1, "b"), (0, "c"))
    }
    assert len(prints) == 2


def test_more_repeats_leave_the_first_ones_as_they_are(url: str) -> None:
    few = run_in_threads(url, spec(repeats=1), name="few")
    many = run_in_threads(url, spec(repeats=3), name="many")
    assert arm_fingerprints(few.studies) == arm_fingerprints([study for study in many.studies if study.repeat == 0])


@pytest.mark.full
@pytest.mark.processes
def test_processes_give_the_same_bits_as_threads(url: str) -> None:
    here = run_in_threads(url, spec(), name="threads")
    there = compare(**TINY, db=url, name="processes", workers=2)
    assert there.record.status is Status.DONE
    assert print_of(here) == print_of(there.record)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_rebuilt_study_asks_what_the_one_that_went_on_asks(sampler: str, url: str) -> None:
    """`Generation` from the ledger's record and from the record that an append returned."""
    experiment = long_spec(sampler, trials=9)
    record = run_in_threads(url, experiment)
    for study in record.studies:
        own = search_space(experiment, Arm.parse(study.arm), 1)
        for size in (0, 3, 6):
            # Without the later trials the study is what it was after that generation, but for the sampler's state.
            if sampler in ("qmc", "cmaes") and size:
                continue
            before = StudyRecord(study.id, study.arm, study.repeat, {}, study.trials[:size])
            again = Generation(before, own, experiment.sampler, experiment.seed, 3)
            assert [p.parameters for p in again.proposals] == [t.parameters for t in study.trials[size : size + 3]]
            assert [p.number for p in again.proposals] == [size, size + 1, size + 2]


def test_deaths_of_workers_change_nothing(url: str) -> None:
    experiment = spec()
    whole = run_in_threads(url, experiment, name="whole")
    calls = [0]

    def now_and_then(*_: Any) -> bool:
        calls[0] += 1
        return calls[0] % 6 == 0

    repaired = run_in_threads(url, experiment, lambda: Mortal(now_and_then), name="repaired")
    assert calls[0] > 12
    assert repaired.status is Status.DONE
    assert print_of(repaired) == print_of(whole)


def test_a_second_run_of_a_finished_experiment_trains_nothing(url: str) -> None:
    done = run_in_threads(url, spec())

    class Idle(Threads):
        def submit(self, *_: Any, **__: Any) -> Any:
            raise AssertionError("nothing was left to train")

    assert print_of(run_in_threads(url, spec(), Idle)) == print_of(done)
