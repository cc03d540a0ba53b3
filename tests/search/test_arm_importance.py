"""Importances of an arm's hyperparameters: of planted losses, and against Optuna's."""

import math
from typing import Any

import numpy as np
import optuna
import pytest
from search_runs import spec
from test_sensitivity_statistics import numbers

from cooldown.search.evidence.sensitivity import FEWEST_TRIALS, importances
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.space import Parameter, Space, search_space
from cooldown.search.statistics.sensitivity import relative_ranks


def drawn(searched: Space, n: int, seed: int) -> list[dict[str, Any]]:
    """What `n` random trials choose, in natural units."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [searched.suggest(study.ask()) for _ in range(n)]


def one_arm(arm: str) -> Space:
    return search_space(spec(arms=(arm,)), Arm.parse(arm), updates_per_epoch=10)


def place(searched: Space, chosen: dict[str, Any], key: str) -> float:
    parameter = searched.by_key[key]
    assert isinstance(parameter, Parameter)
    return parameter.position(chosen[key])


@pytest.mark.parametrize(("strong", "weak"), [("learning_rate", "momentum"), ("momentum", "learning_rate")])
def test_the_planted_hyperparameter_is_the_important_one(strong: str, weak: str) -> None:
    searched = one_arm("momentum")
    trials = drawn(searched, 120, 0)
    losses = [
        (place(searched, t, f"momentum.{strong}") - 0.3) ** 2 + 0.01 * place(searched, t, f"momentum.{weak}")
        for t in trials
    ]
    shares = importances(searched, trials, relative_ranks(np.array(losses)))
    assert set(shares) == {"momentum.learning_rate", "momentum.momentum", "constant.warmup_steps"}
    assert math.fsum(shares.values()) == pytest.approx(1)
    assert shares[f"momentum.{strong}"] > 0.8


def test_one_studys_importances_are_optunas() -> None:
    searched = one_arm("adam+cosine")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))
    chosen = []
    for _ in range(60):
        trial = study.ask()
        chosen.append(searched.suggest(trial))
        study.tell(trial, (place(searched, chosen[-1], "adam.learning_rate") - 0.6) ** 2)
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    expected = optuna.importance.get_param_importances(study, evaluator=evaluator)
    losses = np.array([trial.value for trial in study.trials], np.float64)
    assert importances(searched, chosen, relative_ranks(losses)) == pytest.approx(expected)


def test_a_repeat_with_large_losses_weighs_no_more_than_another() -> None:
    searched = one_arm("momentum")
    halves = drawn(searched, 30, 4), drawn(searched, 30, 5)
    losses = [np.array([abs(place(searched, t, "momentum.learning_rate") - 0.5) for t in half]) for half in halves]
    pooled = [trial for half in halves for trial in half]
    shares = [
        importances(searched, pooled, np.concatenate([relative_ranks(losses[0]), relative_ranks(factor * losses[1])]))
        for factor in (1, 1000)
    ]
    assert shares[0] == shares[1]
    turned = importances(searched, pooled[::-1], np.concatenate([relative_ranks(row) for row in losses])[::-1])
    assert turned == pytest.approx(shares[0])


def test_a_joint_arms_choice_can_be_what_matters() -> None:
    searched = one_arm("momentum,adam+cosine,sgdr")
    trials = drawn(searched, 200, 6)
    losses = np.array([(t["optimizer"] == "adam") + 1e-3 * i / 200 for i, t in enumerate(trials)])
    shares = importances(searched, trials, relative_ranks(losses))
    assert set(shares) == {"optimizer", "schedule", *searched.by_key}
    assert math.fsum(shares.values()) == pytest.approx(1)
    assert shares["optimizer"] > 5 * shares["schedule"]


def test_a_hyperparameter_that_a_single_trial_has_is_no_trouble() -> None:
    searched = one_arm("momentum,adam")
    trials = drawn(searched, 200, 7)
    of = {name: [t for t in trials if t["optimizer"] == name] for name in ("momentum", "adam")}
    shares = importances(searched, [*of["momentum"][:19], of["adam"][0]], np.arange(20) / 20)
    assert shares["adam.learning_rate"] == 0
    assert math.fsum(shares.values()) == pytest.approx(1)


def test_too_few_trials_and_equal_losses_have_no_importance() -> None:
    searched = one_arm("momentum")
    trials = drawn(searched, 30, 8)
    few = FEWEST_TRIALS - 1
    assert importances(searched, trials[:few], np.arange(few) / few) == {}
    assert importances(searched, trials[: few + 1], np.arange(few + 1) / few) != {}
    assert importances(searched, trials, np.full(30, 0.5)) == {}
    assert importances(searched, [], numbers()) == {}
