"""The fingerprint says whether, timings aside, the same thing happened."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ledger_examples import complete_experiment, curve, generation, held, new_trial

from cooldown.objectives import Outcome
from cooldown.storage import Ledger, Purpose, StudyKey, StudyRecord, TrialRecord
from cooldown.storage.fingerprint import arm_fingerprints, fingerprint


@pytest.fixture
def studies(ledger: Ledger) -> tuple[StudyRecord, ...]:
    complete_experiment(ledger)
    return ledger.load("digits").studies


def change_trial(studies: tuple[StudyRecord, ...], change: Callable[[TrialRecord], TrialRecord]) -> list[StudyRecord]:
    """The studies with the first study's best trial, a finalist and its winner, changed."""
    first, *rest = studies
    trials = tuple(change(trial) if trial == first.winner else trial for trial in first.trials)
    return [replace(first, trials=trials), *rest]


def change_curve(purpose: Purpose, **values: object) -> Callable[[TrialRecord], TrialRecord]:
    def change(trial: TrialRecord) -> TrialRecord:
        first, *rest = trial.curves[purpose]
        return replace(trial, curves={**trial.curves, purpose: (replace(first, **values), *rest)})  # type: ignore[arg-type]

    return change


def test_it_is_64_hexadecimal_digits(studies: tuple[StudyRecord, ...]) -> None:
    assert len(bytes.fromhex(fingerprint(studies))) == 32
    assert set(arm_fingerprints(studies)) == {"adam", "momentum+sgdr"}


@pytest.mark.parametrize(
    "change",
    [
        lambda trial: replace(trial, validation_loss=np.nextafter(trial.validation_loss, 9)),
        lambda trial: replace(trial, parameters={**trial.parameters, "adam.learning_rate": 0.5}),
        lambda trial: replace(trial, parameters={**trial.parameters, "further": None}),
        lambda trial: replace(trial, number=99),
        lambda trial: replace(trial, curves={**trial.curves, Purpose.FINALIST: ()}),
        lambda trial: replace(
            trial, curves={**trial.curves, Purpose.SEARCH: (*trial.curves[Purpose.SEARCH], curve(99))}
        ),
        *(
            change_curve(purpose, **{name: np.array([1.5, 1.0, np.nextafter(0.5, 1)])})
            for purpose in Purpose
            for name in ("train_loss", "held_out_loss", "held_out_score")
        ),
        change_curve(Purpose.SEARCH, seed=13),
        change_curve(Purpose.SEARCH, outcome=Outcome.DIVERGED),
        change_curve(Purpose.SEARCH, gradient_evaluations=301),
        change_curve(Purpose.SEARCH, updates=31),
        change_curve(Purpose.SEARCH, uninformed_loss=2.5),
    ],
)
def test_every_result_counts_and_other_arms_keep_theirs(
    studies: tuple[StudyRecord, ...], change: Callable[[TrialRecord], TrialRecord]
) -> None:
    changed = change_trial(studies, change)
    assert fingerprint(changed) != fingerprint(studies)
    before, after = arm_fingerprints(studies), arm_fingerprints(changed)
    assert before["adam"] != after["adam"]
    assert before["momentum+sgdr"] == after["momentum+sgdr"]


def test_an_entry_cannot_move_from_one_curve_to_the_next(studies: tuple[StudyRecord, ...]) -> None:
    def split(*at: int) -> list[StudyRecord]:
        parts = np.split(np.arange(6.0), at)
        names = ("train_loss", "held_out_loss", "held_out_score")
        return change_trial(studies, change_curve(Purpose.EVALUATION, **dict(zip(names, parts, strict=True))))

    assert fingerprint(split(2, 4)) != fingerprint(split(1, 4))


def test_timings_and_orders_do_not_count(studies: tuple[StudyRecord, ...]) -> None:
    expected = fingerprint(studies)
    assert fingerprint(change_trial(studies, change_curve(Purpose.SEARCH, seconds=99.0))) == expected
    assert fingerprint(change_trial(studies, lambda trial: replace(trial, id=99))) == expected
    assert fingerprint(studies[::-1]) == expected
    backwards = [
        replace(
            study,
            id=study.id + 7,
            trials=tuple(
                replace(trial, curves={p: trial.curves[p][::-1] for p in reversed(trial.curves)})
                for trial in study.trials[::-1]
            ),
        )
        for study in studies
    ]
    assert fingerprint(backwards) == expected


def test_the_order_in_which_studies_were_worked_on_does_not_count(ledger: Ledger) -> None:
    prints = []
    names = [StudyKey("adam", 0), StudyKey("adam", 1), StudyKey("momentum", 0)]
    for run, order in enumerate([(0, 1, 2, 0, 1, 2), (2, 2, 1, 0, 0, 1)]):
        name = f"run {run}"
        with held(ledger, name, names if run else names[::-1]) as writer:
            current = {StudyKey(study.arm, study.repeat): study for study in ledger.load(name).studies}
            for which in order:
                study = current[names[which]]
                index = len(study.trials) // 4
                trials = [replace(trial, started=1.0 * run) for trial in generation(index)]
                current[names[which]] = writer.append_generation(study, index, trials, {"run": run})
        prints.append(fingerprint(ledger.load(name).studies))
    assert prints[0] == prints[1]


def test_another_arm_more_leaves_an_arms_print(ledger: Ledger) -> None:
    def run(name: str, *arms: str) -> dict[str, str]:
        with held(ledger, name, [StudyKey(arm, 0) for arm in arms]) as writer:
            for study in ledger.load(name).studies:
                writer.append_generation(study, 0, [new_trial(0)], {})
        return arm_fingerprints(ledger.load(name).studies)

    assert run("one", "adam")["adam"] == run("two", "momentum", "adam")["adam"]
