"""Alarms about what the winners reached: planted, absent where nothing is wrong, and rare by chance."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student
from search_runs import run_in_threads, spec

from cooldown.objectives.records import NO_ERRORS, Reference
from cooldown.search.evidence.alarm import Alarm
from cooldown.search.evidence.outcome_alarms import outcome_alarms
from cooldown.search.evidence.tables import arms_table
from cooldown.search.evidence.view import View
from cooldown.search.statistics.doubts import ahead_of_all, one_run
from cooldown.storage import ExperimentRecord, Purpose

ARMS = ("momentum+cosine", "adam")
REPEATS, SEEDS = 4, 5


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    url = f"sqlite:///{tmp_path_factory.mktemp('outcomes')}/cooldown.db"
    return run_in_threads(url, spec(arms=ARMS, repeats=REPEATS, confirm_seeds=SEEDS))


def planted(
    record: ExperimentRecord,
    losses: Mapping[str, Any],
    references: Mapping[str, Sequence[float]] | None = None,
    scores: Any = 0.9,
) -> ExperimentRecord:
    """The record with these test losses (repeats, seeds) of each arm, these of the references, and these scores."""
    studies = []
    for study in record.studies:
        of_study = np.broadcast_to(losses[study.arm], (REPEATS, SEEDS))[study.repeat]
        trials = []
        for trial in study.trials:
            curves = tuple(
                replace(
                    curve,
                    held_out_loss=np.full_like(curve.held_out_loss, loss),
                    held_out_score=np.full_like(curve.held_out_score, scores),
                    uninformed_loss=99.0,
                    uninformed_score=0.5,
                )
                for curve, loss in zip(trial.curves.get(Purpose.EVALUATION, ()), of_study, strict=False)
            )
            trials.append(replace(trial, curves={**trial.curves, **({Purpose.EVALUATION: curves} if curves else {})}))
        studies.append(replace(study, trials=tuple(trials)))
    of_repeats = {
        repeat: tuple(
            Reference(name, values[repeat], 0.5, NO_ERRORS, 0.0) for name, values in (references or {}).items()
        )
        for repeat in range(REPEATS)
    }
    return replace(record, studies=tuple(studies), references=of_repeats)


def raised(record: ExperimentRecord) -> dict[tuple[str, str], Alarm]:
    return {(alarm.kind, alarm.arm): alarm for alarm in outcome_alarms(View(record))}


NOISE = 1 + 0.1 * np.random.default_rng(0).normal(size=(2, REPEATS, SEEDS))
SOUND = dict(zip(ARMS, NOISE, strict=True))


def test_a_sound_experiment_raises_none(record: ExperimentRecord) -> None:
    assert raised(planted(record, SOUND, {"no model": [2.0] * 4, "ridge regression": [1.0, 1.1, 0.9, 1.0]})) == {}


@pytest.mark.parametrize(("score", "said"), [(0.5, True), (0.4, True), (0.51, False), (float("nan"), False)])
def test_a_score_no_better_than_the_largest_class(score: float, said: bool, record: ExperimentRecord) -> None:
    found = raised(planted(record, SOUND, scores=score))
    assert set(found) == ({("no model", arm) for arm in ARMS} if said else set())
    for alarm in found.values():
        assert f"its test score of {score:.3f} is no better than that of the largest class" in alarm.message
        assert "the mean target, 0.500" in alarm.message


def test_references_ahead_of_every_arm(record: ExperimentRecord) -> None:
    better = [0.5, 0.55, 0.45, 0.5]
    found = raised(planted(record, SOUND, {"no model": better, "logistic regression": better, "trees": [1.0] * 4}))
    alarm = found.pop(("references", ""))
    assert alarm.message.startswith("logistic regression, untuned, is ahead of every arm: ")
    best = min(ARMS, key=lambda arm: SOUND[arm].mean())
    ratios = np.array(better) / SOUND[best].mean(axis=1)
    assert f"{100 * (1 - np.exp(np.log(ratios).mean())):.0f} % lower loss than {best}" in alarm.message
    assert alarm.resume is None
    assert found == {}, "the largest class is no model that one could use instead"
    both = raised(planted(record, SOUND, {"logistic regression": better, "trees": [0.4] * 4}))["references", ""]
    assert both.message.startswith("logistic regression and trees, untuned, are ahead of every arm: trees")


def test_losses_below_zero_are_compared_by_differences(record: ExperimentRecord) -> None:
    shifted = {arm: losses - 1 for arm, losses in SOUND.items()}
    lead = min(losses.mean() for losses in shifted.values()) + 2
    found = raised(planted(record, shifted, {"trees": [-2.0] * 4}))
    assert f"trees has a loss lower by {lead:.4f} than" in found["references", ""].message


def test_ahead_of_one_arm_or_by_chance_is_no_alarm(record: ExperimentRecord) -> None:
    one = {ARMS[0]: SOUND[ARMS[0]], ARMS[1]: SOUND[ARMS[1]] / 4}
    assert raised(planted(record, one, {"trees": [0.5] * 4})) == {}
    assert raised(planted(record, SOUND, {"trees": [0.1, 3.0, 0.1, 0.9]})) == {}


def test_by_hand_a_reference_is_ahead_where_every_interval_excludes_equality() -> None:
    arms = {"a": {0: 1.0, 1: 1.1, 2: 0.9}, "b": {0: 1.2, 1: 1.0, 2: 1.1, 3: 9.0}}
    for factor in np.linspace(0.7, 1.0, 31):
        reference = {0: factor * 1.05, 1: factor, 2: factor}
        decided = []
        for arm in arms.values():
            x = np.log([reference[repeat] / arm[repeat] for repeat in range(3)])
            decided.append(x.mean() + student.ppf(0.975, 2) * x.std(ddof=1) / np.sqrt(3) < 0)
        assert ahead_of_all(reference, arms, "ratio") == all(decided), factor
    assert ahead_of_all({0: 0.5, 1: 0.5, 2: 0.51}, arms, "ratio")
    assert not ahead_of_all({0: 0.01}, arms, "ratio"), "one repeat has no interval"
    assert not ahead_of_all({0: 0.01, 1: 0.01}, {}, "ratio")


def test_one_run_that_moves_a_mean(record: ExperimentRecord) -> None:
    losses = {arm: values.copy() for arm, values in SOUND.items()}
    losses["adam"][2, 3] = 50.0
    alarm = raised(planted(record, losses)).pop(("one run", "adam"))
    study = next(study for study in record.studies if (study.arm, study.repeat) == ("adam", 2))
    assert f"one run of repeat 2 (seed {study.evaluations[3].seed}, loss 50.0000) moves its mean" in alarm.message
    assert f"to {losses['adam'].mean():.4f}, out of" in alarm.message
    assert alarm.resume == f"--repeats {2 * REPEATS}"
    losses["adam"][2, 3] = 1e6
    assert "loss 99.0000, the cap)" in raised(planted(record, losses))["one run", "adam"].message


def test_by_hand_the_others_interval_decides() -> None:
    losses = np.array([[1.0, 1.2], [0.9, 1.1], [1.0, 3.0]])
    without = np.array([1.1, 1.0, 1.0])
    half = student.ppf(0.975, 2) * without.std(ddof=1) / np.sqrt(3)
    found = one_run(list(losses))
    assert found is not None
    assert (found.repeat, found.run) == (2, 1)
    assert found.mean == pytest.approx(losses.mean())
    assert (found.without.low, found.without.high) == pytest.approx((without.mean() - half, without.mean() + half))
    losses[2, 1] = 1.0 + 6 * half * 0.99
    assert one_run(list(losses)) is None
    losses[2, 1] = 1.0 + 6 * half * 1.01
    assert one_run(list(losses)) is not None


@pytest.mark.parametrize("losses", [[], [[1.0, 9.0]], [[1.0], [1.0], [9.0]], [[0.3, 0.3], [0.3, 0.3]]])
def test_where_nothing_can_be_said_no_run_is_blamed(losses: list[list[float]]) -> None:
    assert one_run([np.array(of_repeat) for of_repeat in losses]) is None


def test_noise_alone_hardly_ever_blames_a_run() -> None:
    rng = np.random.default_rng(1)
    blamed = [one_run(list(np.exp(0.3 * rng.normal(size=(5, 10))))) is not None for _ in range(300)]
    assert np.mean(blamed) < 0.01


def test_the_share_of_capped_runs_is_shown_for_each_arm(record: ExperimentRecord) -> None:
    table = arms_table(View(record))
    searched = {
        arm: [curve.capped for study in record.studies if study.arm == arm for curve in study.curves(Purpose.SEARCH)]
        for arm in ARMS
    }
    assert dict(zip(table.values("Arm"), table.values("Capped"), strict=True)) == {
        arm: np.mean(capped) for arm, capped in searched.items()
    }
    assert "Capped: share of the search's runs" in table.reading
