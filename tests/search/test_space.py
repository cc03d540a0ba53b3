"""From an arm to a search space and from Optuna's choice to a config."""

import math
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_runs import Threads, run_in_threads, spec

from cooldown.objectives import optimizers, schedules
from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.spec import samplers
from cooldown.search.spec.arms import Arm, known_arms
from cooldown.search.spec.ranges import read_ranges
from cooldown.search.spec.space import Choice, Parameter, Space, search_space
from cooldown.search.tuning.sampling import Generation
from cooldown.storage import StudyRecord

EVERY = [
    (owner, each)
    for owner, declared in [
        *[(name, optimizers.get(name).hyperparameters) for name in optimizers.names()],
        *[(name, schedules.get(name).hyperparameters) for name in schedules.names()],
        ("TrainConfig", [strategy.declared for strategy in STRATEGIES.values()]),
    ]
    for each in declared
    if isinstance(each, Hyperparameter)
]
JOINT = "momentum,nag,adam+cosine,sgdr,step"


def of(arm: str, updates_per_epoch: int = 10, **changes: Any) -> Space:
    return search_space(spec(arms=(arm,), **changes), Arm.parse(arm), updates_per_epoch)


def asked(arm: str, sampler: str = "random", size: int = 8, **changes: Any) -> list[Any]:
    study = StudyRecord(1, arm, 0, {}, ())
    return Generation(study, of(arm, **changes), sampler, 0, size).proposals


@pytest.mark.parametrize(("owner", "hyperparameter"), EVERY, ids=[f"{owner}.{each.name}" for owner, each in EVERY])
@settings(max_examples=10)
@given(share=st.floats(0, 1))
def test_natural_and_sampled_values_are_inverse(owner: str, hyperparameter: Any, share: float) -> None:
    low, high = hyperparameter.range_in(20, 200)
    parameter = Parameter(f"{owner}.{hyperparameter.name}", hyperparameter, low, high)
    seen = parameter.sampled_distribution
    value = seen.low + share * (seen.high - seen.low)
    if hyperparameter.integer:
        value = round(value)
    natural = parameter.natural(value)
    assert low <= natural <= high
    assert parameter.sampled(natural) == pytest.approx(value, rel=1e-12, abs=1e-15)
    assert parameter.natural(parameter.sampled(natural)) == pytest.approx(natural, rel=1e-15)
    hyperparameter.check(owner, natural)
    assert seen.log == (hyperparameter.scale is not Scale.LINEAR)


def test_momentum_is_searched_as_its_distance_to_one() -> None:
    (parameter,) = (each for each in of("momentum").parameters["momentum"] if each.key == "momentum.momentum")
    assert isinstance(parameter, Parameter)
    seen = parameter.sampled_distribution
    assert (seen.low, seen.high, seen.log) == (pytest.approx(0.005), 0.5, True)
    assert (parameter.distribution.low, parameter.distribution.high) == (0.5, 0.995)
    middle = parameter.natural(math.sqrt(seen.low * seen.high))
    assert middle == pytest.approx(0.95)


@pytest.mark.parametrize("sampler", samplers.names())
@pytest.mark.parametrize("arm", ["sgd", "adamw+linear", JOINT])
def test_what_is_asked_lies_in_its_range_and_is_named_after_its_owner(sampler: str, arm: str) -> None:
    own, parsed = of(arm), Arm.parse(arm)
    keys: dict[str, Any] = {each.key: each for owned in own.parameters.values() for each in owned}
    for proposal in asked(arm, sampler):
        config, chosen = proposal.config, dict(proposal.parameters)
        assert config.optimizer.name in parsed.optimizers
        assert config.schedule.name in parsed.schedules
        assert chosen.pop("optimizer", config.optimizer.name) == config.optimizer.name
        assert chosen.pop("schedule", config.schedule.name) == config.schedule.name
        for name, value in chosen.items():
            owner, _, hyperparameter = name.partition(".")
            choice = config.optimizer if owner == config.optimizer.name else config.schedule
            assert owner == choice.name
            assert choice.hyperparameters[hyperparameter] == value
            assert keys[name].low <= value <= keys[name].high
        owners = (config.optimizer.name, config.schedule.name)
        assert set(chosen) == {key for key in keys if key.startswith(tuple(f"{owner}." for owner in owners))}
        assert set(proposal.distributions) == set(proposal.parameters)


def test_a_single_choice_is_not_a_parameter() -> None:
    assert not {"optimizer", "schedule"} & set(asked("adam+cosine")[0].parameters)
    assert {"optimizer", "schedule"} <= set(asked("adam,nag+cosine,step")[0].parameters)


def test_lengths_follow_the_run() -> None:
    def lengths(**run: Any) -> dict[str, tuple[float, float]]:
        numbers = [each for each in of("adam+sgdr", **run).parameters["sgdr"] if isinstance(each, Parameter)]
        return {each.key: (each.low, each.high) for each in numbers}

    assert lengths(epochs=20, updates_per_epoch=10)["sgdr.period"] == (2, 20)
    assert lengths(epochs=20, updates_per_epoch=10)["sgdr.warmup_steps"] == (0, 50)
    assert lengths(epochs=40, updates_per_epoch=3)["sgdr.period"] == (4, 40)
    assert lengths(epochs=40, updates_per_epoch=3)["sgdr.warmup_steps"] == (0, 30)
    assert lengths(epochs=1, updates_per_epoch=1)["sgdr.warmup_steps"] == (0, 0)


def test_learning_rates_have_ranges_of_their_own() -> None:
    ranges = {
        name: (each.low, each.high)
        for name in optimizers.names()
        for each in of(name).parameters[name]
        if isinstance(each, Parameter) and each.key == f"{name}.learning_rate"
    }
    assert ranges["momentum"] != ranges["adam"] != ranges["nag"]
    assert len(ranges) == len(optimizers.names())


def test_given_ranges_and_fixed_values_hold_in_every_trial(url: str) -> None:
    ranges = {
        "adam.learning_rate": (0.01, 0.02),
        "adam.beta1": 0.8,
        "adam.epsilon": (1e-4, 1e-3),
        "sgdr.warmup_steps": 2,
        "sgdr.period": (0.25, 0.5),
    }
    record = run_in_threads(url, spec(arms=("adam+sgdr",), repeats=1, ranges=ranges))
    for trial in record.studies[0].trials:
        chosen, config = trial.parameters, trial.config
        assert 0.01 <= chosen["adam.learning_rate"] <= 0.02
        assert 1e-4 <= chosen["adam.epsilon"] <= 1e-3
        assert 0.25 <= config.schedule.hyperparameters["period"] <= 0.5
        assert config.optimizer.hyperparameters["beta1"] == 0.8
        assert config.schedule.hyperparameters["warmup_steps"] == 2
        assert not {"adam.beta1", "sgdr.warmup_steps"} & set(chosen)


STRATEGIC = {
    "strategy.dropout": (0.1, 0.4),
    "strategy.batch_norm": (True, False),
    "strategy.initialization": ("he", "poor"),
    "strategy.early_stopping": (2, 4),
    "strategy.curriculum": "mixed",
    "strategy.clip_norm": 1.0,
    "cyclical.mode": ("triangular", "triangular2"),
}


@pytest.mark.parametrize("sampler", samplers.names())
def test_strategies_are_fixed_or_searched_like_hyperparameters(sampler: str, url: str) -> None:
    experiment = spec(arms=("momentum+cyclical",), repeats=1, trials=6, sampler=sampler, ranges=STRATEGIC)
    record = run_in_threads(url, experiment)
    (study,) = record.studies
    for trial in study.trials:
        config, chosen = trial.config, trial.parameters
        assert 0.1 <= chosen["strategy.dropout"] == config.dropout <= 0.4
        assert chosen["strategy.batch_norm"] is config.batch_norm
        assert chosen["strategy.initialization"] == config.initialization in ("he", "poor")
        assert config.early_stopping in (2, 3, 4)
        assert (config.curriculum, config.clip_norm, config.weight_decay) == ("mixed", 1.0, 0.0)
        assert config.schedule.hyperparameters["mode"] == chosen["cyclical.mode"]
        assert not {"strategy.curriculum", "strategy.clip_norm"} & set(chosen)
    assert len({trial.config.batch_norm for trial in study.trials}) == 2
    seen = optuna.load_study(study_name="tiny/momentum+cyclical/0", storage=url)
    assert [trial.params for trial in seen.trials] == [pytest.approx(dict(trial.parameters)) for trial in study.trials]


def test_a_categorical_schedule_hyperparameter_stays_at_its_default() -> None:
    assert not any(isinstance(each, Choice) for each in of("momentum+cyclical").parameters["cyclical"])


def test_programs_cover_what_a_search_may_ask_for() -> None:
    programs = of("momentum,adam+cosine", ranges={key: STRATEGIC[key] for key in STRATEGIC if "cyclical" not in key})
    configs = programs.programs()
    assert {config.optimizer.name for config in configs} == {"momentum", "adam"}
    assert {config.batch_norm for config in configs} == {True, False}
    assert {config.initialization for config in configs} >= {"he", "poor"}
    assert {(config.epochs, config.schedule.name, config.dropout, config.curriculum) for config in configs} == {
        (1, "constant", 0.4, "mixed")
    }


def test_a_known_arm_brings_its_presets_and_a_spec_overrides_them() -> None:
    own = of("adam+noam")
    assert own.fixed["adam"] == {"beta1": 0.9, "beta2": 0.98, "epsilon": 1e-9}
    (rate,) = own.parameters["adam"]
    assert isinstance(rate, Parameter)
    assert (rate.key, rate.low, rate.high) == ("adam.learning_rate", pytest.approx(0.03), pytest.approx(30))
    assert of("adam+cosine").fixed["adam"] == {}
    overridden = of("adam+noam", ranges={"adam.beta2": 0.9, "adam.learning_rate": (1.0, 2.0)})
    assert overridden.fixed["adam"]["beta2"] == 0.9
    assert [each.low for each in overridden.parameters["adam"] if isinstance(each, Parameter)] == [1.0]


def test_a_schedule_that_is_small_by_itself_asks_for_larger_rates() -> None:
    """Noam's multiplier is some thousandths: with any optimizer, and not where it is one of several schedules."""

    def highest(arm: str) -> float:
        return next(p.high for p in of(arm).parameters["momentum"] if isinstance(p, Parameter) and "rate" in p.key)

    assert highest("momentum+noam") == pytest.approx(900)
    assert highest("momentum+noam,cosine") == highest("momentum+inverse_sqrt") == 3


@pytest.mark.parametrize("name", known_arms())
def test_every_known_arm_can_be_searched(name: str) -> None:
    assert Arm.parse(name).name == name
    for proposal in asked(name, size=3):
        assert proposal.config.epochs == 1
    assert (
        not read_ranges(dict(known_arms()[name].presets), [Arm.parse(name)]).keys() ^ known_arms()[name].presets.keys()
    )


@pytest.mark.parametrize("sampler", samplers.names())
def test_a_study_with_nothing_to_choose_still_runs(sampler: str, url: str) -> None:
    ranges = {"sgd.learning_rate": 0.1, "constant.warmup_steps": 0}
    record = run_in_threads(url, spec(arms=("sgd",), repeats=1, sampler=sampler, ranges=ranges))
    assert [trial.parameters for trial in record.studies[0].trials] == [{}] * 4


@pytest.mark.parametrize("sampler", samplers.names())
def test_generations_differ(sampler: str, url: str) -> None:
    """A sampler that is built anew for each generation must not give the same numbers again."""
    arms = ("sgd", "momentum,adam+cosine,sgdr")
    record = run_in_threads(url, spec(arms=arms, repeats=1, trials=12, sampler=sampler, seeds=1, batch_size=90))
    for study in record.studies:
        rates = [value for trial in study.trials for key, value in trial.parameters.items() if "learning_rate" in key]
        assert len(set(rates)) == 12


def test_the_optuna_tables_hold_the_configs_values(url: str) -> None:
    experiment = spec(arms=("momentum,adam+cosine,sgdr",), repeats=1, trials=6)
    record = run_in_threads(url, experiment, lambda: Threads(2), name="seen by Optuna")
    (study,) = record.studies
    seen = optuna.load_study(study_name="seen by Optuna/momentum,adam+cosine,sgdr/0", storage=url)
    assert len(seen.trials) == 6
    for theirs, ours in zip(seen.trials, study.trials, strict=True):
        assert theirs.number == ours.number
        assert theirs.params == pytest.approx(dict(ours.parameters))
        assert theirs.value == ours.validation_loss
        for name, value in theirs.params.items():
            owner, dot, hyperparameter = name.partition(".")
            if dot:
                choice = ours.config.optimizer if owner == ours.config.optimizer.name else ours.config.schedule
                assert value == choice.hyperparameters[hyperparameter]
    assert seen.best_value == min(trial.validation_loss for trial in study.trials)


def test_a_sampler_whose_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cooldown.search.spec.sampler.find_spec", lambda package: None)
    for sampler, package in (("gp", "torch"), ("cmaes", "cmaes")):
        with pytest.raises(ValueError, match=f"--sampler {sampler} needs the package '{package}'; run: pip install"):
            samplers.get(sampler).check()
    samplers.get("tpe").check()
