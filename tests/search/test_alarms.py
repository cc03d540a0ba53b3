"""Alarms: planted faults raise them, sound searches do not; predicates by hand and by simulation."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from search_runs import run_in_threads, spec
from verdict_examples import made_verdict

from cooldown.objectives.hyperparameters import Hyperparameter, Scale, Unit
from cooldown.search.evidence.alarms import alarms, boundary_alarms, contains
from cooldown.search.evidence.answer import answer
from cooldown.search.evidence.verdict import pair_verdicts
from cooldown.search.evidence.view import View
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.space import Parameter, search_space
from cooldown.search.statistics.doubts import edge_reached, never_improved, winners_curse
from cooldown.search.statistics.verdict import Verdict
from cooldown.storage import Purpose, Status

NONE = np.empty(0)


def kinds(record: Any) -> list[tuple[str, str]]:
    return [(alarm.kind, alarm.arm) for alarm in alarms(View(record), pair_verdicts(View(record)))]


@pytest.mark.parametrize(
    ("positions", "side"),
    [
        ([0.0, 0.05, 0.5, 0.9, 0.04], "low"),
        ([1.0, 0.96, 0.5, 0.1, 0.99], "high"),
        ([1.0, 0.96, 0.5, 0.1, 0.94], None),
        ([1.0, 0.0], None),
        ([1.0], None),
        ([1.0, np.nan, np.nan, 1.0, 0.5], None),
        ([1.0, np.nan, np.nan, 1.0], "high"),
        ([], None),
    ],
)
def test_values_crowd_at_an_edge_where_half_of_them_lie_there(positions: list[float], side: str | None) -> None:
    assert edge_reached(np.array(positions, np.float64), NONE, NONE) == side


def test_five_values_anywhere_hardly_ever_crowd() -> None:
    rng = np.random.default_rng(0)
    false = 0
    for _ in range(3000):
        places = rng.uniform(size=(5, 24))
        false += edge_reached(places[:, 0], places.ravel(), rng.uniform(size=120)) is not None
    # Twice the chance of three of five in 5 %, and next to nothing for the trend.
    assert false / 3000 == pytest.approx(2 * 0.00116, abs=0.003)


@pytest.mark.parametrize(("optimum", "side"), [(-0.3, "low"), (0.2, None), (0.5, None), (0.8, None), (1.3, "high")])
def test_a_trend_towards_the_edge_tells_where_nobody_lies_at_it(optimum: float, side: str | None) -> None:
    """Losses that grow with the distance from an optimum, with noise: only one beyond the range is at its edge."""
    rng = np.random.default_rng(1)
    places = np.linspace(0.02, 0.94, 60) if optimum > 0.5 else np.linspace(0.06, 0.98, 60)
    losses = np.abs(places - optimum) + rng.normal(0, 0.03, 60)
    best = places[np.argsort(losses)[:5]]
    assert edge_reached(best, places, losses) == side


def test_a_search_that_never_improved() -> None:
    improved, not_improved = [3.0, 2.0, 1.0, 3, 3], [1.0, 2.0, 1.0, 3, 3]
    assert never_improved(np.array([not_improved, not_improved]), 2)
    assert not never_improved(np.array([not_improved, improved]), 2)
    assert not never_improved(np.array([not_improved]), 2), "two of five is no rare place for the best"
    assert not never_improved(np.array([not_improved] * 3), 5), "there is nothing after the start"
    assert not never_improved(np.array([not_improved] * 3), 0), "a sampler that does not begin at random"
    assert not never_improved(np.empty((0, 0)), 2)


def test_a_hand_computed_curse() -> None:
    assert winners_curse(np.array([1.0, 2.0]), np.array([1.5, 2.1])) == pytest.approx(0.3)


def parameter(scale: Scale, low: float, high: float, **more: Any) -> Parameter:
    return Parameter("a.b", Hyperparameter("b", low, low, high, scale, **more), low, high)


@pytest.mark.parametrize(
    ("given", "low", "high"),
    [
        (parameter(Scale.LOG, 0.01, 1.0, open_minimum=True), (0.001, 1.0), (0.01, 10.0)),
        (parameter(Scale.LOG, 0.01, 0.5, maximum=1), (0.001, 0.5), (0.01, 1.0)),
        (parameter(Scale.ONE_MINUS_LOG, 0.5, 0.99, maximum=1, open_maximum=True), (0.0, 0.99), (0.5, 0.999)),
        (parameter(Scale.LINEAR, 0.0, 0.5, maximum=1), None, (0.0, 1.0)),
        (parameter(Scale.LINEAR, 1.0, 3.0, minimum=1), None, (1.0, 5.0)),
        (parameter(Scale.LOG, 3.0, 30.0, unit=Unit.EPOCHS, open_minimum=True), (0.3, 30.0), None),
        (parameter(Scale.LOG, 1, 10, integer=True, minimum=1), None, (1, 100)),
    ],
)
def test_a_range_is_widened_by_a_decade_as_far_as_values_make_sense(given: Parameter, low: Any, high: Any) -> None:
    for side, expected in (("low", low), ("high", high)):
        wider = given.wider(side)
        assert wider == (expected and pytest.approx(expected))


@pytest.mark.parametrize(
    ("given", "value", "position"),
    [
        (parameter(Scale.LOG, 0.01, 1.0), 0.1, 0.5),
        (parameter(Scale.ONE_MINUS_LOG, 0.9, 0.999), 0.99, 0.5),
        (parameter(Scale.LINEAR, 1.0, 3.0), 1.5, 0.25),
    ],
)
def test_a_position_is_that_on_the_searchs_scale(given: Parameter, value: float, position: float) -> None:
    assert given.position(value) == pytest.approx(position)
    assert (given.position(given.low), given.position(given.high)) == (0, 1)


@pytest.mark.parametrize("repeats", [1, 3])
def test_a_range_that_ends_before_the_best_withholds_the_verdict(url: str, repeats: int) -> None:
    """At these rates a larger one is always better: the best lie at the upper edge, as far as the trials find it."""
    ranges = {"sgd.learning_rate": (1e-6, 1e-2), "constant.warmup_steps": 0}
    settings = {"arms": ("sgd", "adam"), "trials": 16, "finalists": 3, "epochs": 4, "repeats": repeats}
    record = run_in_threads(url, spec(**settings, ranges=ranges))
    found = [alarm for alarm in boundary_alarms(View(record)) if alarm.arm == "sgd"]
    assert len(found) == 1
    assert "the best values of sgd.learning_rate are at the top of the range (0.01)" in found[0].message
    assert "widen the range to 1e-06 … 0.1" in found[0].message
    assert found[0].resume == "--extend"
    of_program = replace(record, spec=record.spec | {"task": "an object of a program"})
    for each, remedy in ((record, "--extend"), (of_program, None)):
        remedies = {alarm.resume for alarm in alarms(View(each), []) if alarm.message == found[0].message}
        assert remedies == {remedy}, "no command resumes what only a program can go on with"
    (verdict,) = pair_verdicts(View(record))
    assert verdict.verdict == "undecided"
    if repeats > 1:
        assert "boundary: the best values of sgd are at the edge of a range" in verdict.why
        assert answer(View(record)).word == "open"
        assert verdict.withheld


def test_a_range_around_the_best_raises_no_alarm(url: str) -> None:
    settings = {"arms": ("sgd",), "trials": 16, "epochs": 4, "repeats": 3, "finalists": 3}
    record = run_in_threads(url, spec(**settings, ranges={"constant.warmup_steps": 0}))
    assert boundary_alarms(View(record)) == []


def test_what_contains_what() -> None:
    def contained(general: str, special: str, **ranges: Any) -> bool:
        space = search_space(spec(arms=(general, special), ranges=ranges), Arm.parse(general), updates_per_epoch=1)
        return contains(space, Arm.parse(special))

    free = {"adam.epsilon": (1e-8, 10.0)}
    assert contained("momentum", "sgd")
    assert contained("momentum+cosine", "sgd+cosine")
    assert contained("adam", "momentum", **free)
    assert contained("adam", "sgd", **free)
    assert contained("momentum,adam+constant,cosine", "adam+cosine")
    assert not contained("adam", "momentum"), "ε is held at its default"
    assert not contained("adam", "momentum", **{"adam.epsilon": (1e-10, 1e-6)})
    assert not contained("sgd", "momentum")
    assert not contained("momentum", "sgd+cosine")
    assert not contained("adam", "rmsprop", **free)
    assert not contained("momentum", "sgd", **{"momentum.momentum": 0.99}), "μ is fixed far from 0"
    assert contained("nag", "sgd", **{"nag.momentum": (0.05, 0.9)})
    assert not contained("nag", "sgd", **{"nag.momentum": (0.8, 0.95)})
    widened = spec(
        arms=("adam", "momentum"),
        ranges={"adam.epsilon": (1e-8, 0.01)},
        widened={"adam": [{"adam.epsilon": [1e-8, 0.1]}]},
    )
    assert contains(search_space(widened, Arm.parse("adam"), updates_per_epoch=1), Arm.parse("momentum"))


def verdict_of(a: str, b: str, difference: float, half: float, decision: Any = "undecided") -> Verdict:
    """On the scale of differences, whose margin is 0.01."""
    low, high = difference - half, difference + half
    numbers = {"difference": difference, "low": low, "high": high, "margin_low": -0.01, "margin_high": 0.01}
    return made_verdict(a, b, decision, scale="difference", ratio=None, primary=True, **numbers)


def test_the_general_arm_must_not_be_worse(url: str) -> None:
    record = run_in_threads(url, spec(arms=("momentum", "sgd")))
    for a, b, sign in (("momentum", "sgd", 1), ("sgd", "momentum", -1)):
        for difference, expected in ((0.1, ["momentum"]), (0.02, []), (-0.1, [])):
            found = alarms(View(record), [verdict_of(a, b, sign * difference, 0.05)])
            assert [alarm.arm for alarm in found if alarm.kind == "inclusion"] == expected


def test_no_winner_is_declared_over_an_arm_that_contains_it(url: str) -> None:
    """momentum is given test losses that are far worse than those of SGD, and the other way round."""
    record = run_in_threads(url, spec(arms=("momentum", "sgd")))
    for worse, decision in (("momentum", "undecided"), ("sgd", "decided")):
        studies = []
        for study in record.studies:
            trials = []
            for trial in study.trials:
                tested = tuple(
                    replace(
                        curve,
                        held_out_loss=np.full_like(curve.held_out_loss, 2.0 if study.arm == worse else 1.0),
                        uninformed_loss=9.0,
                    )
                    for curve in trial.curves.get(Purpose.EVALUATION, ())
                )
                curves = {**trial.curves, Purpose.EVALUATION: tested} if tested else trial.curves
                trials.append(replace(trial, curves=curves))
            studies.append(replace(study, trials=tuple(trials)))
        planted = replace(record, studies=tuple(studies), default_configs=())
        (verdict,) = pair_verdicts(View(planted))
        assert (verdict.verdict == "undecided") == (decision == "undecided")
        if decision == "undecided":
            assert "momentum contains the other arm as a special case" in verdict.why
            assert verdict.difference is not None
        told = [alarm.kind for alarm in alarms(View(planted), [verdict])]
        assert ("inclusion" in told) == (decision == "undecided")


def test_a_curse_larger_than_a_declared_lead_is_told(url: str) -> None:
    record = run_in_threads(url, spec(arms=("momentum", "adam"), seeds=1))
    curses = [arm["winners_curse"] for arm in _arms(record)]
    largest = max(curses)
    assert largest > 0, "the best of four on one seed is lucky"
    for lead, told in ((largest / 2, True), (2 * largest, False)):
        verdict = verdict_of("momentum", "adam", -lead, lead / 4, "a_better")
        found = [alarm for alarm in alarms(View(record), [verdict]) if alarm.kind == "winner's curse"]
        assert bool(found) is told
        assert [a for a in alarms(View(record), [replace(verdict, verdict="tie")]) if a.kind == "winner's curse"] == []


def _arms(record: Any) -> list[dict[str, Any]]:
    from cooldown.search.evidence.document import document

    return document(View(record))["arms"]


def test_arms_that_got_less_are_told_once_nothing_runs(url: str) -> None:
    record = run_in_threads(url, spec())
    assert "unequal budgets" not in [kind for kind, _ in kinds(record)]
    cut = replace(record, studies=record.studies[:-1], status=Status.INTERRUPTED)
    (alarm,) = (alarm for alarm in alarms(View(cut), []) if alarm.kind == "unequal budgets")
    assert "momentum+sgdr 8 trials and 2 winners, adam 4 trials and 1 winners" in alarm.message
    assert all(alarm.kind != "unequal budgets" for alarm in alarms(View(replace(cut, status=Status.RUNNING)), []))
