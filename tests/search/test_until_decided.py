"""Experiments that go on until they answer: the plan of looks, how it ends, what each look costs."""

from typing import Any

import pytest
from search_runs import spec

from cooldown import compare, resume, tune
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.looks import level, looks_at, remark
from cooldown.search.evidence.losses import first_look, primary_pair
from cooldown.search.evidence.verdict import pair_verdicts
from cooldown.search.experiments import dry_run, plan, preparing, resuming, running, summaries
from cooldown.search.spec import looks as plans
from cooldown.search.spec.experiment import Experiment, read_spec
from cooldown.search.statistics.looks import levels

ARMS = ("momentum+cosine", "adam+cosine")
SMALL: dict[str, Any] = {
    "arms": ARMS,
    "trials": 2,
    "epochs": 2,
    "seeds": 1,
    "finalists": 1,
    "finalist_seeds": 1,
    "confirm_seeds": 2,
    # No boundary alarm withholds a verdict on searches as short as these.
    "ranges": {"momentum.learning_rate": 0.1, "adam.learning_rate": 0.01},
}
EQUALS = {"arms": ("first=adam", "second=adam"), "ranges": {"adam.learning_rate": 0.01}, "margin": 1e-6}
"""An arm against itself, which is equal by no margin."""


# --- the plan


@pytest.mark.parametrize(
    ("first", "most", "expected"),
    [(5, 40, (5, 10, 20, 40)), (5, 20, (5, 10, 20)), (5, 12, (5, 10, 12)), (2, 2, (2,)), (7, 8, (7, 8)), (9, 4, (9,))],
)
def test_looks_are_at_doubled_numbers(first: int, most: int, expected: tuple[int, ...]) -> None:
    assert plans.doubling(first, most) == expected


def test_the_default_plan_has_many_repeats_where_they_are_cheap() -> None:
    assert plans.default_plan(1) == (5, 10, 20, 40)
    assert plans.default_plan(plans.BUDGET // 20) == (5, 10, 20)
    assert plans.default_plan(plans.BUDGET // 19) == (5, 10)
    assert plans.default_plan(plans.BUDGET // 9) == ()
    assert plans.default_plan(plans.BUDGET) == ()


@pytest.mark.parametrize(
    ("plan", "repeats", "most", "expected"),
    [
        ((5, 10, 20, 40), 5, None, (10, 20, 40)),
        ((5, 10, 20, 40), 40, None, ()),
        ((), 5, None, ()),
        ((5, 10), 10, 40, (20, 40)),
        ((5, 10, 20, 40), 5, 15, (10, 15)),
        ((), 3, 20, (6, 12, 20)),
        ((), 8, 8, ()),
    ],
)
def test_what_is_still_to_be_looked_at(plan: Any, repeats: int, most: int | None, expected: Any) -> None:
    assert plans.further(plan, repeats, most) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_repeats": 9}, "give both, or repeats alone"),
        ({"until_decided": "yes"}, "should be true or false, got 'yes'"),
        ({"until_decided": True, "repeats": 1}, "repeats: should be a whole number from 2"),
        ({"until_decided": True, "max_repeats": 10**9}, "max_repeats: should be a whole number from 2"),
        ({"until_decided": True, "max_repeats": 4}, "4 is fewer than the first look's 5 repeats"),
        ({"until_decided": True, "max_repeats": True}, "should be a whole number"),
        ({"looks": [5, 5]}, "should be rising numbers"),
        ({"looks": [1, 2]}, "the first at least 2"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(settings: dict[str, Any], message: str, url: str) -> None:
    with pytest.raises(InputError, match=message):
        compare("iris", db=url, **(SMALL | settings))
    assert summaries(url) == []


def test_a_plan_is_in_the_spec_only_where_there_is_one() -> None:
    assert "looks" not in spec().to_json()
    planned = read_spec(task="iris", arms=ARMS, looks=(2, 4), repeats=4)
    assert Experiment(**{**planned.to_json(), "arms": ARMS}) == planned
    assert plans.planned_fields({"until_decided": True}) == ({"looks": (5, 10, 20), "repeats": 5}, [])
    assert plans.planned_fields({"looks": [3, 6], "repeats": 6}) == ({"looks": [3, 6], "repeats": 3}, [])


# --- running


def test_it_ends_as_soon_as_it_has_an_answer(url: str) -> None:
    unlike = {"arms": ("adam", "sgd"), "ranges": {"adam.learning_rate": 0.02, "sgd.learning_rate": 0.001}}
    result = compare("breast_cancer", db=url, until_decided=True, repeats=3, max_repeats=12, **SMALL | unlike)
    assert result.answer.word in ("yes", "no")
    assert result.record.looks == (3,)
    assert result.record.spec["looks"] == [3, 6, 12]
    assert result.record.spec["repeats"] == 3


def test_it_goes_on_to_its_last_look_and_leaves_what_so_many_repeats_leave(url: str, tmp_path: Any) -> None:
    options = SMALL | EQUALS
    result = compare("quadratic", db=url, until_decided=True, repeats=2, max_repeats=5, **options)
    assert result.answer.word == "open"
    assert result.record.looks == (2, 4, 5)
    at_once = compare("quadratic", db=f"sqlite:///{tmp_path}/once.db", repeats=5, **options)
    assert at_once.record.looks == (5,)
    assert result.to_json()["fingerprint"] == at_once.to_json()["fingerprint"]
    assert result.record.extended_from == ()
    # The same again is the same experiment, and a later look of another plan is not.
    again = compare("quadratic", db=url, until_decided=True, repeats=2, max_repeats=5, **options)
    assert (again.name, again.record.looks) == (result.name, (2, 4, 5))
    assert [summary.name for summary in summaries(url)] == ["quadratic"]


def test_a_plan_that_was_left_is_taken_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = SMALL | EQUALS
    planned = {"until_decided": True, "repeats": 2, "max_repeats": 4}
    with monkeypatch.context() as patch:
        patch.setattr(plan, "next_step", lambda *_: None)
        assert compare("quadratic", db=url, **planned, **options).record.looks == (2,)
    assert resume("quadratic", db=url).record.looks == (2, 4)
    with monkeypatch.context() as patch:
        patch.setattr(plan, "next_step", lambda *_: None)
        compare("quadratic", db=url, name="other", **planned, **options)
    assert compare("quadratic", db=url, name="other", **planned, **options).record.looks == (2, 4)


def test_without_repeats_the_budget_decides_how_far_it_may_go(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "FIRST", 2)
    monkeypatch.setattr(plans, "DEFAULT_MOST", 4)
    result = compare("quadratic", db=url, **SMALL | {"repeats": None})
    assert result.record.spec["looks"] == [2, 4]
    monkeypatch.setattr(plans, "BUDGET", 1)
    alone = preparing.prepared("quadratic", None, url, None, SMALL)[0]
    assert alone.looks == ()
    assert alone.repeats == 5


def test_an_experiment_of_one_arm_has_no_question_to_go_on_for(url: str) -> None:
    one = {key: value for key, value in SMALL.items() if key not in ("arms", "ranges")}
    assert tune("quadratic", arm="adam", db=url, **one).record.spec.get("looks") is None
    result = compare("quadratic", db=url, name="two", **SMALL | {"arms": ("adam",), "ranges": {}, "repeats": 2})
    assert result.record.spec.get("looks") is None


# --- extending


def test_a_fixed_experiment_goes_on_when_it_is_asked_to(url: str) -> None:
    options = SMALL | EQUALS
    compare("quadratic", db=url, repeats=2, **options)
    result = resume("quadratic", db=url, until_decided=True, max_repeats=5)
    assert result.record.looks == (2, 4, 5)
    view = result.view
    assert looks_at(view) == ((2, 4, 5), 2)
    assert level(view) == levels((2, 4, 5), 2)[-1] < 0.05
    assert pair_verdicts(view)[0].level == level(view)
    said = remark(view)
    assert "looked at 3 times, more often than planned" in said
    assert "8.8 %" in said
    assert said in result.answer.why
    with pytest.raises(InputError, match="already has 5"):
        resume("quadratic", db=url, until_decided=True, max_repeats=5)
    with pytest.raises(InputError, match="give both, or --repeats"):
        resume("quadratic", db=url, max_repeats=9)


def test_the_looks_of_a_plan_share_the_error(url: str) -> None:
    options = SMALL | EQUALS
    result = compare("quadratic", db=url, until_decided=True, repeats=2, max_repeats=4, **options)
    assert level(result.view) == levels((2, 4), 4)[-1] < 0.05
    assert "This is look 2 of at most 2 at the results" in result.answer.why
    shown = result.to_json()
    assert shown["verdicts"][0]["level"] == level(result.view)
    assert shown["looks"] == [2, 4]
    single = compare("quadratic", db=url, name="single", repeats=3, **options)
    assert level(single.view) == 0.05
    assert remark(single.view) == ""


def test_an_estimate_says_what_it_takes_at_most(url: str) -> None:
    short = dry_run("quadratic", db=url, until_decided=True, repeats=2, max_repeats=4, workers=1, **SMALL)
    assert (short.repeats, short.most_repeats) == (2, 4)
    assert short.most_seconds > short.seconds
    fixed = dry_run("quadratic", db=url, repeats=2, workers=1, **SMALL)
    assert (fixed.most_repeats, fixed.most_seconds) == (2, fixed.seconds)


def test_a_larger_number_is_what_was_asked_for_and_no_plan_goes_on(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = SMALL | EQUALS
    with monkeypatch.context() as patch:
        patch.setattr(plan, "next_step", lambda *_: None)
        compare("quadratic", db=url, until_decided=True, repeats=2, max_repeats=5, **options)
    assert resume("quadratic", db=url, repeats=3).record.looks == (2, 3)
    assert resume("quadratic", db=url).record.looks == (2, 3, 4, 5)


def test_how_far_to_go_on_is_kept_for_an_interrupted_run(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = SMALL | EQUALS
    compare("quadratic", db=url, repeats=2, **options)
    before = resume("quadratic", db=url).record

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(running.Runs, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            resume("quadratic", db=url, until_decided=True, max_repeats=3)
    result = resume("quadratic", db=url)
    assert result.record.looks == (2, 3)
    assert result.record.extended_from == before.extended_from == ()
    monkeypatch.setattr(resuming, "MOST_UNTIL_DECIDED", 7)
    assert resume("quadratic", db=url, until_decided=True).record.looks == (2, 3, 6, 7)


@pytest.mark.parametrize("other", [{"margin": 0.02}, {"primary": ("second=adam", "first=adam")}, {"repeats": 3}])
def test_a_name_stands_for_one_question(other: dict[str, Any], url: str) -> None:
    compare("quadratic", db=url, name="mine", **SMALL | EQUALS | {"repeats": 2} | other)
    with pytest.raises(InputError, match=f"exists with other settings .*{next(iter(other))}"):
        compare("quadratic", db=url, name="mine", **SMALL | EQUALS | {"repeats": 2})


def test_no_later_look_chooses_another_pair(url: str) -> None:
    three = {"arms": ("momentum+cosine", "adam", "first=adam"), "ranges": {}}
    result = compare("quadratic", db=url, until_decided=True, repeats=2, max_repeats=4, **SMALL | three)
    chosen = primary_pair(result.view)
    later = resume("quadratic", db=url, repeats=6)
    assert primary_pair(later.view) == chosen
    assert first_look(later.view.spec, later.record.looks) == 2
    assert first_look(read_spec(task="quadratic", arms=ARMS, repeats=7), ()) == 7
