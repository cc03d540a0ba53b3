"""Default configs beside the tuned ones: what is run, that it disturbs no search, and the credit that follows."""

from dataclasses import replace

import numpy as np
import optuna
import pytest
from optuna.storages import RDBStorage
from search_runs import print_of, run_in_threads, spec

from cooldown.objectives import TrainConfig
from cooldown.search.evidence.credit import credit_document, credit_sentence, credit_split, tuning_gains
from cooldown.search.evidence.document import document
from cooldown.search.evidence.edges import edges
from cooldown.search.evidence.target import own_targets, times_to_target
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.space import search_space
from cooldown.search.tuning.studies import needs, planned
from cooldown.storage import ExperimentRecord, Ledger, Purpose, StudyKey, StudyRecord
from cooldown.storage.fingerprint import arm_fingerprints

CUBE = ("momentum", "momentum+cosine", "adam", "adam+sgdr")
PAIR = ("momentum+cosine", "adam")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('one-shots')}/cooldown.db"


@pytest.fixture(scope="module")
def record(url: str) -> ExperimentRecord:
    return run_in_threads(url, spec(arms=CUBE))


def test_every_single_arm_gets_one_in_every_repeat(record: ExperimentRecord) -> None:
    assert {(study.arm, study.repeat) for study in record.default_configs} == {(arm, r) for arm in CUBE for r in (0, 1)}
    for study in record.default_configs:
        (trial,) = study.trials
        optimizer, _, schedule = study.arm.partition("+")
        expected = {"optimizer": optimizer, "schedule": schedule or "constant", "batch_size": 32, "epochs": 1}
        assert trial.config == TrainConfig.from_json(expected)
        assert {purpose: len(curves) for purpose, curves in trial.curves.items()} == {
            Purpose.SEARCH: 2,
            Purpose.EVALUATION: 2,
        }


def test_it_has_the_seeds_and_the_split_of_the_search(record: ExperimentRecord) -> None:
    for study in record.default_configs:
        (search,) = (each for each in record.of(study.arm) if each.repeat == study.repeat)
        for purpose in (Purpose.SEARCH, Purpose.EVALUATION):
            seeds = {tuple(curve.seed for curve in t.curves[purpose]) for t in search.trials if purpose in t.curves}
            assert seeds == {tuple(curve.seed for curve in study.trials[0].curves[purpose])}
            caps = {curve.uninformed_loss for each in (study, search) for curve in each.curves(purpose)}
            assert len(caps) == 1


def test_an_arm_that_chooses_has_no_default() -> None:
    joint = spec(arms=("momentum,nag+cosine", "adam+cosine,sgdr", "adam"), repeats=1)
    assert [key for key in planned(joint) if key.is_default] == [StudyKey("adam", 0, True)]


@pytest.mark.parametrize(
    ("arm", "ranges", "rate"),
    [
        ("adam", {}, 1e-3),
        ("sgd", {}, 0.1),
        ("adam", {"adam.learning_rate": 0.5}, 0.5),
        ("adam", {"adam.learning_rate": (0.1, 0.5)}, 1e-3),
        ("yellowfin", {}, None),
    ],
)
def test_a_default_is_the_catalogs_but_for_what_the_spec_fixes(arm: str, ranges: dict, rate: float | None) -> None:
    made = spec(arms=(arm,), ranges=ranges)
    default = search_space(made, Arm.parse(arm), 10).default
    if rate is not None:
        assert default.optimizer.hyperparameters["learning_rate"] == rate
    untuned = TrainConfig.from_json({"optimizer": arm, "batch_size": 32, "epochs": 1}).optimizer.hyperparameters
    assert {**untuned, "learning_rate": 0} == {**default.optimizer.hyperparameters, "learning_rate": 0}


def test_a_default_rate_is_the_highest_of_the_run() -> None:
    """noam's multipliers never come near 1: its default would be hundreds of times too small."""
    default = search_space(spec(arms=("adam+noam",)), Arm.parse("adam+noam"), 10).default
    assert default.optimizer.hyperparameters["learning_rate"] * Arm.parse("adam+noam").peak == pytest.approx(1e-3)
    assert default.optimizer.hyperparameters["beta2"] == 0.98


def test_the_searches_are_what_they_are_without_it(record: ExperimentRecord, tmp_path: object) -> None:
    """As in a ledger from before there were any, which is finished without them."""
    made = spec(arms=CUBE)
    old = f"sqlite:///{tmp_path}/old.db"
    searches = [key for key in planned(made) if not key.is_default]
    Ledger(old).create("tiny", made.to_json(), "", searches)
    without = run_in_threads(old, made)
    assert without.default_configs == ()
    tuned = arm_fingerprints(record.studies)
    assert arm_fingerprints(without.studies) == tuned
    assert print_of(without) != print_of(record)
    assert set(arm_fingerprints(record.default_configs)) == {f"default {arm}" for arm in CUBE}
    assert tuning_gains(View(without)) == []
    assert credit_split(View(without), PAIR).missing  # type: ignore[union-attr]
    assert credit_sentence(View(without), PAIR) == ""


def test_optuna_sees_it_as_a_study_of_one_trial(record: ExperimentRecord, url: str) -> None:
    name = f"{record.name}/~default/adam/0"
    study = optuna.load_study(study_name=name, storage=RDBStorage(url))
    (one_shot,) = (each for each in record.default_configs if (each.arm, each.repeat) == ("adam", 0))
    assert [(trial.params, trial.value) for trial in study.trials] == [({}, one_shot.trials[0].validation_loss)]


def test_it_is_not_among_what_was_searched(record: ExperimentRecord) -> None:
    shown = document(View(record))
    assert len(Result(record).trials()) == len(CUBE) * 2 * 4
    assert [each["arm"] for each in shown["one_shots"]] == list(CUBE)
    for each in shown["one_shots"]:
        for repeat in each["repeats"]:
            assert repeat["trials"] == 1
            assert repeat["best"]["finalist_loss"] is None
            assert len(repeat["evaluations"]) == 2
    for arm in shown["arms"]:
        own = [study for study in record.default_configs if study.arm == arm["arm"]]
        cost = sum(curve.gradient_evaluations for study in own for curve in study.curves())
        assert arm["default_gradient_evaluations"] == cost > 0
        parts = ("search", "evaluation", "default", "superseded")
        assert arm["gradient_evaluations"] == sum(arm[f"{part}_gradient_evaluations"] for part in parts)


def test_an_older_experiment_gets_them_when_it_is_extended(tmp_path: object) -> None:
    old = f"sqlite:///{tmp_path}/old.db"
    made = spec(repeats=1)
    Ledger(old).create("tiny", made.to_json(), "", [StudyKey(arm, 0) for arm in made.arms])
    run_in_threads(old, made)
    more = spec(repeats=2)
    Ledger(old).extend("tiny", more.to_json(), planned(more), [])
    extended = run_in_threads(old, more)
    assert len(extended.default_configs) == 4
    assert not [study for study in extended.default_configs if needs(study, more)]


def planted(record: ExperimentRecord, loss: object) -> ExperimentRecord:
    """The record with these test losses, by arm, variant and repeat."""

    def with_loss(study: StudyRecord) -> StudyRecord:
        value = loss(study.arm, not study.is_default, study.repeat)  # type: ignore[operator]
        trials = [
            replace(
                trial,
                curves={
                    purpose: tuple(
                        replace(c, held_out_loss=np.full_like(c.held_out_loss, value), uninformed_loss=99.0)
                        if purpose is Purpose.EVALUATION
                        else c
                        for c in curves
                    )
                    for purpose, curves in trial.curves.items()
                },
            )
            for trial in study.trials
        ]
        return replace(study, trials=tuple(trials))

    return replace(
        record,
        studies=tuple(map(with_loss, record.studies)),
        default_configs=tuple(map(with_loss, record.default_configs)),
    )


def test_the_credit_is_given_to_whom_it_was_planted_for(record: ExperimentRecord) -> None:
    """Loss 10, less 1 for momentum, 2 for annealing, 4 for tuning, and 3 more where annealing is tuned."""

    def loss(arm: str, tuned: bool, repeat: int) -> float:
        annealed = "+" in arm
        return 10 + repeat - arm.startswith("momentum") - 2 * annealed - 4 * tuned - 3 * (annealed and tuned)

    made = planted(record, loss)
    found = credit_split(View(made), PAIR)
    assert found is not None
    assert (found.first, found.other, found.missing) == ("default adam", "tuned momentum+cosine", ())
    assert {name: share.estimate for name, share in found.shares.items()} == pytest.approx(
        {"optimizer": -1, "schedule": -3.5, "tuning": -5.5}
    )
    assert found.effects["total"].estimate == pytest.approx(-10)
    assert found.effects["schedule × tuning"].estimate == pytest.approx(-1.5)
    assert {name: effect.estimate for name, effect in found.tuned.items()} == pytest.approx(
        {"optimizer": -1, "schedule": -5}
    )
    sentence = credit_sentence(View(made), PAIR)
    assert "tuning changed the test loss by −5.5000 [−5.5000, −5.5000]" in sentence
    assert "choosing momentum over adam changed it by −1.0000 [−1.0000, −1.0000], and annealing by −5.0000" in sentence
    gained = {gain.arm: (gain.default_loss, gain.tuned_loss, gain.difference) for gain in tuning_gains(View(made))}
    assert gained["momentum+cosine"] == pytest.approx((7.5, 0.5, -7))
    assert gained["adam"] == pytest.approx((10.5, 6.5, -4))
    assert [row["effect"] for row in credit_document(View(made), PAIR)["shares"]] == ["optimizer", "schedule", "tuning"]


def test_what_the_cube_lacks_is_named(record: ExperimentRecord) -> None:
    arms = ["momentum+cosine", "adam"]
    kept = {
        of: tuple(study for study in getattr(record, of) if study.arm in arms) for of in ("studies", "default_configs")
    }
    cut = replace(record, spec={**record.spec, "arms": arms}, **kept)
    found = credit_split(View(cut), PAIR)
    assert found is not None
    assert found.missing == ("adam with annealing, such as adam+cosine", "momentum")
    one = replace(record, studies=tuple(study for study in record.studies if study.repeat == 0))
    assert credit_split(View(one), PAIR).missing == ("2 repeats of all",)  # type: ignore[union-attr]
    assert [gain.low for gain in tuning_gains(View(one))] == [None] * 4
    assert credit_split(View(record), ("momentum+cosine", "momentum")) is None


def with_validation(record: ExperimentRecord, default: float, tuned: float) -> ExperimentRecord:
    """The record with these validation losses of adam's default config and of what its searches found."""

    def planted(study: StudyRecord, loss: float) -> StudyRecord:
        trials = []
        for trial in study.trials:
            curves = dict(trial.curves)
            # The winner stays the winner.
            value = loss if Purpose.EVALUATION in curves else loss + 0.01
            if Purpose.FINALIST in curves:
                curves[Purpose.FINALIST] = tuple(
                    replace(c, held_out_loss=np.full_like(c.held_out_loss, value), uninformed_loss=99.0)
                    for c in curves[Purpose.FINALIST]
                )
            trials.append(replace(trial, curves=curves, validation_loss=value))
        return replace(study, trials=tuple(trials))

    return replace(
        record,
        studies=tuple(planted(s, tuned) if s.arm == "adam" else s for s in record.studies),
        default_configs=tuple(planted(s, default) if s.arm == "adam" else s for s in record.default_configs),
    )


def test_a_default_that_does_better_is_an_alarm_and_withholds_the_verdict(record: ExperimentRecord) -> None:
    worse = with_validation(record, default=0.5, tuned=0.6)
    assert [(alarm.kind, alarm.arm) for alarm in Result(worse).alarms if alarm.kind == "default"] == [
        ("default", "adam")
    ]
    for verdict in Result(worse).verdicts:
        if "adam" in (verdict.a, verdict.b):
            assert verdict.verdict == "undecided"
            assert "the default config of adam does better" in verdict.why
    assert "adam" not in [edge.arm for edge in edges(View(worse))], "its values lie inside the ranges"
    better = with_validation(record, default=0.6, tuned=0.5)
    assert not [alarm for alarm in Result(better).alarms if (alarm.kind, alarm.arm) == ("default", "adam")]


def test_a_better_default_beyond_a_range_is_where_to_search_again(record: ExperimentRecord) -> None:
    worse = with_validation(record, default=0.5, tuned=0.6)
    for low, high, side, wider in ((1e-6, 1e-4, "high", (1e-6, 1e-3)), (0.005, 0.5, "low", (0.0005, 0.5))):
        spec = {**worse.spec, "ranges": {"adam.learning_rate": [low, high]}}
        moved = tuple(
            replace(
                study,
                trials=tuple(
                    replace(trial, parameters={**trial.parameters, "adam.learning_rate": (low * high) ** 0.5})
                    if study.arm == "adam"
                    else trial
                    for trial in study.trials
                ),
            )
            for study in worse.studies
        )
        found = [edge for edge in edges(View(replace(worse, spec=spec, studies=moved))) if edge.arm == "adam"]
        assert [(edge.parameter.key, edge.side) for edge in found] == [("adam.learning_rate", side)]
        assert found[0].wider == pytest.approx(wider)


def test_a_repeats_target_is_what_its_own_best_default_reaches(record: ExperimentRecord) -> None:
    """A repeat's split may be easier than another's: each is held against its own."""
    default = {(study.arm, study.repeat): study.trials[0].validation_loss for study in record.default_configs}
    expected = {repeat: min(default[arm, repeat] for arm in CUBE) for repeat in range(2)}
    assert own_targets(View(record)) == pytest.approx(expected)
    assert expected[0] != expected[1], "else nothing is tested"
    winners = {(study.arm, study.repeat): study.selection_loss for study in record.studies}
    without = own_targets(View(replace(record, default_configs=())))
    assert without == {repeat: max(winners[arm, repeat] for arm in CUBE) for repeat in range(2)}
    assert own_targets(View(replace(record, default_configs=(), studies=()))) == {}
    part = tuple(study for study in record.default_configs if (study.arm, study.repeat) != ("adam", 1))
    assert set(own_targets(View(replace(record, default_configs=part)))) == {0}


def test_times_to_target_are_those_to_each_repeats_own(record: ExperimentRecord) -> None:
    view = View(record)
    for arm, own in times_to_target(view).items():
        alone = [
            times_to_target(View(replace(record, studies=(study,))), own_targets(view)[study.repeat])[arm]
            for study in record.of(arm)
        ]
        assert own.reached == sum(each.reached for each in alone)
        assert own.repeats == 2
        if own.reached == 2:
            assert own.median == np.mean([each.median for each in alone])
