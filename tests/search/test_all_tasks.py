"""All tasks at once: which experiments count, who is better on each and over all, and the same from a service."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from search_runs import spec

from cooldown.objectives.errors import InputError
from cooldown.search.evidence.across.comparison import Asked, Comparison, compared
from cooldown.search.evidence.across.document import document, received, sent
from cooldown.search.evidence.across.measured import LeftOut, Measured, measured
from cooldown.search.evidence.across.tables import arms_table, question_table, ranks_table
from cooldown.search.evidence.looks import level_of
from cooldown.search.figures.across import forest, ranks
from cooldown.search.statistics.pooling import random_effects
from cooldown.storage import Status, Summary, Winner

ARMS = ("momentum", "momentum+cosine", "adam", "adam+cosine")
PAIR = ("momentum+cosine", "adam")


def experiment(name: str, *, task: str = "iris", data: str = "", at: float = 0.0, **more: Any) -> Summary:
    asked = spec(task=task, arms=more.pop("arms", ARMS), repeats=more.pop("repeats", 4), **more.pop("settings", {}))
    made = Summary(name, asked.to_json(), data or name, Status.DONE, at, at + 1, 8, ())
    return replace(made, **more)


def won(
    seed: int, ratio: float, arms: tuple[str, ...] = ARMS, repeats: int = 4, rmse: float | None = None
) -> list[Winner]:
    """Winners whose losses differ from arm to arm by this factor, and from repeat to repeat by chance."""
    rng = np.random.default_rng(seed)
    return [
        Winner(arm, repeat, 1.0 + place, float(ratio**-place * np.exp(rng.normal(0, 0.1))), 0.9, rmse, 100 * (seed + 1))
        for place, arm in enumerate(arms)
        for repeat in range(repeats)
    ]


@pytest.fixture
def found() -> list[Measured | LeftOut]:
    """Three tasks, of which adaptive methods are better on two."""
    return [
        measured(experiment("one"), won(0, 1.1)),
        measured(experiment("two", task="diabetes"), won(1, 1.2, rmse=50.0)),
        measured(experiment("three", task="houses.csv"), won(2, 0.6)),
    ]


def over_all(found: list[Measured | LeftOut], **asked: Any) -> Comparison:
    return compared(found, Asked(**asked))


def test_what_is_known_of_an_experiment(found: list[Measured | LeftOut]) -> None:
    one, two, three = found
    assert isinstance(one, Measured)
    assert isinstance(two, Measured)
    assert isinstance(three, Measured)
    assert (one.kind, two.kind, three.kind) == ("classification", "regression", "classification")
    assert (one.rows, two.rows, three.rows) == (100, 200, 300)
    assert one.question == PAIR
    assert one.losses["adam"].keys() == {0, 1, 2, 3}
    assert one.level == level_of(spec(arms=ARMS, repeats=4), ()) == 0.05


def test_the_question_has_annealed_sgd_first() -> None:
    asked = experiment("turned", settings={"primary": ("adam", "momentum+cosine")})
    other = experiment("other", settings={"primary": ("momentum", "momentum+cosine")})
    for each, pair in ((asked, PAIR), (other, None)):
        of = measured(each, won(0, 1.1))
        assert isinstance(of, Measured)
        assert of.question == pair


def test_each_task_is_as_in_its_own_answer_and_all_are_pooled(found: list[Measured | LeftOut]) -> None:
    across = over_all(found).across
    assert [each.of.experiment for each in across.tasks] == ["two", "three", "one"], "by the task's name"
    for each in across.tasks:
        x = np.log([each.of.losses[PAIR[0]][repeat] / each.of.losses[PAIR[1]][repeat] for repeat in range(4)])
        assert each.effect == pytest.approx(x.mean())
        assert each.verdict.ratio == pytest.approx(np.exp(x.mean()))
        assert each.error == pytest.approx(x.std(ddof=1) / 2)
    effects, errors = (np.array([getattr(each, key) for each in across.tasks]) for key in ("effect", "error"))
    expected = random_effects(effects, errors)
    assert across.pooled is not None
    assert (across.pooled.ratio, across.pooled.low) == (pytest.approx(np.exp(expected.estimate)), np.exp(expected.low))
    assert (across.pooled.wins, across.pooled.b_wins, across.pooled.repeats) == (1, 2, 3)
    assert across.word == "open"
    assert across.sentence.startswith("Open: over 3 tasks, the loss of tuned annealed SGD is ")


@pytest.mark.parametrize(("ratio", "word"), [(0.7, "yes"), (1.4, "no"), (1.001, "no difference that matters")])
def test_tasks_that_agree_decide(ratio: float, word: str) -> None:
    many = [measured(experiment(f"task {seed}"), won(seed, ratio, repeats=8)) for seed in range(6)]
    across = over_all(many).across
    assert across.word == word
    assert across.sentence.startswith(word.capitalize())


def test_a_single_task_is_not_pooled(found: list[Measured | LeftOut]) -> None:
    comparison = over_all(found[:1])
    assert comparison.across.pooled is None
    assert comparison.across.sentence == (
        "Open: only one task has a finished experiment on tuned annealed SGD vs tuned adaptive methods."
    )
    assert comparison.ranking.ranked is None
    assert over_all([]).across.sentence.startswith("Open: no task has")
    assert len(question_table(comparison.across)) == 1
    assert len(ranks_table(comparison.ranking)) == 0


def test_the_newest_experiment_of_a_task_counts_and_why_others_do_not() -> None:
    every = [
        measured(experiment("new", data="same", at=2.0), won(0, 1.1)),
        measured(experiment("old", data="same", at=1.0), won(1, 1.1)),
        measured(experiment("begun", data="same", at=3.0, status=Status.RUNNING), won(1, 1.1)),
        measured(experiment("short", repeats=1), won(1, 1.1, repeats=1)),
        measured(experiment("others", arms=("momentum", "momentum+cosine")), won(1, 1.1, ARMS[:2])),
        measured(experiment("below", arms=ARMS), [*won(1, 1.1), Winner("adam", 0, 1.0, -0.5, None)]),
        measured(experiment("odd", settings={}, spec={"arms": 3}), ()),
    ]
    comparison = over_all(every)
    assert [each.of.experiment for each in comparison.across.tasks] == ["new"]
    assert {each.experiment: each.why for each in comparison.left_out} == {
        "old": "new is a newer one on the same task",
        "begun": "it is not finished",
        "short": "an interval needs at least 2 repeats of both arms",
        "others": "it does not ask about annealed SGD and an adaptive method",
        "below": "a loss of 0 or below has no ratio",
        "odd": "it cannot be read here: trials should be a whole number of at least 1, got None",
    }


def test_two_arms_and_some_tasks(found: list[Measured | LeftOut]) -> None:
    swapped = over_all(found, primary=("adam", "momentum")).across
    assert {(each.verdict.a, each.verdict.b) for each in swapped.tasks} == {("adam", "momentum")}
    assert [each.of.experiment for each in over_all(found, kind="regression").across.tasks] == ["two"]
    assert [each.of.experiment for each in over_all(found, least=150, most=250).across.tasks] == ["two"]
    assert over_all(found, most=50).across.tasks == ()
    for wrong in ({"primary": ("adam", "lion")}, {"kind": "clustering"}, {"least": 2, "most": 1}):
        with pytest.raises(InputError):
            over_all(found, **wrong)
    with pytest.raises(InputError, match="two different arms"):
        Asked(primary=("adam", "adam"))


def test_ranks_are_of_the_arms_that_most_tasks_have(found: list[Measured | LeftOut]) -> None:
    few = measured(experiment("few", arms=PAIR), won(3, 1.1, PAIR))
    ranking = over_all([*found, few]).ranking
    assert ranking.arms == ARMS
    assert {each.experiment for each in ranking.left_out} == {"few"}
    assert ranking.ranked is not None
    assert ranks_table(ranking).values("Mean rank") == sorted(ranking.ranked.means)
    assert all(min(row[1:]) == 1.0 for row in arms_table(ranking).rows)


def test_the_document_and_what_a_service_sends(found: list[Measured | LeftOut]) -> None:
    every = [*found, LeftOut("damaged", "it is damaged")]
    assert received(json.loads(json.dumps(sent(every)))) == every
    written = json.loads(json.dumps(document(over_all(every)), allow_nan=False))
    assert written["answer"]["word"] == "open"
    assert [task["task"] for task in written["tasks"]] == ["diabetes", "houses.csv", "iris"]
    assert written["ranks"]["mean_ranks"].keys() == set(ARMS)
    assert written["left_out"] == [{"experiment": "damaged", "why": "it is damaged"}]


def test_the_figures_draw_what_was_found(found: list[Measured | LeftOut]) -> None:
    comparison = over_all(found)
    drawn = forest(comparison.across)
    assert drawn.layout.yaxis.ticktext == ("diabetes", "houses.csv", "iris", "<b>All tasks</b>")
    assert [trace.x[0] for trace in drawn.data[:3]] == [each.verdict.ratio for each in comparison.across.tasks]
    pooled = comparison.across.pooled
    assert pooled is not None
    assert tuple(drawn.data[-1].x[:3]) == (pooled.low, pooled.ratio, pooled.high)
    ranked = comparison.ranking.ranked
    assert ranked is not None
    assert [trace.x[0] for trace in ranks(comparison.ranking).data] == sorted(ranked.means)
