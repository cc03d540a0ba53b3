"""Lists: who leads, by how much, after how long, read from the winners alone."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from search_runs import run_in_threads, spec

from cooldown.search.cli.listings import experiments
from cooldown.search.evidence.kept import Kept
from cooldown.search.evidence.losses import mean_test_losses, winners_loss
from cooldown.search.evidence.measures import score_in_words
from cooldown.search.evidence.standing import UNKNOWN, Leader, Leaders, leader, lines, took
from cooldown.search.evidence.view import View
from cooldown.search.evidence.wording import lead
from cooldown.search.experiments import Result
from cooldown.search.spec.recorded import check_outline
from cooldown.storage import Ledger, Status, Summary, Winner

PAIR = ("momentum+cosine", "adam")


def summary(arms: Any = PAIR, **changes: Any) -> Summary:
    made = Summary("one", spec(arms=arms).to_json(), "", Status.DONE, 100.0, 175.0, 8, ())
    return replace(made, **changes)


def won(arm: str, *losses: float, chosen_by: float = 1.0, score: float | None = 0.9) -> list[Winner]:
    return [Winner(arm, repeat, chosen_by, loss, score) for repeat, loss in enumerate(losses)]


def test_what_is_kept_has_a_bound_and_is_worked_out_again_after_a_change() -> None:
    worked_out: list[str] = []

    def name_of(each: Summary, _: Any) -> str:
        worked_out.append(each.name)
        return each.name

    kept, (a, b, c) = Kept(name_of, most=2), (summary(name=name) for name in "abc")
    for each in (a, b, a, c, a, b, replace(a, trials=9)):
        assert kept.of(each, ()) == each.name
    # "b" was asked for longest ago when "c" came, and "a" has changed at last.
    assert worked_out == ["a", "b", "c", "b", "a"]


def test_the_leader_is_that_of_the_record(url: str) -> None:
    record = run_in_threads(url, spec(arms=("sgd", *PAIR), epochs=3), name="mine")
    run_in_threads(url, spec(arms=("adam",), epochs=1), name="other")
    result, ledger = Result(record), Ledger(url, create=False)
    winners = ledger.winners()
    assert set(winners) == {"mine", "other"}
    for arm, by_repeat in mean_test_losses(View(record)).items():
        found = {each.repeat: each for each in winners["mine"] if each.arm == arm}
        assert {repeat: each.test_loss for repeat, each in found.items()} == pytest.approx(by_repeat)
        assert np.mean([each.selection_loss for each in found.values()]) == pytest.approx(
            winners_loss(View(record), arm)
        )
    said = lead(result.verdicts[0])
    (listed,) = (each for each in ledger.summaries() if each.name == "mine")
    assert said is not None
    found = leader(listed, winners["mine"])
    assert found.text == f"{said.leader} by {said.amount.partition(' lower')[0]}"
    assert (found.wins, found.compared) == (said.wins, said.repeats)
    assert found.probability == pytest.approx(said.probability)


def test_winners_of_a_widened_search_are_those_of_its_last_attempt(url: str) -> None:
    """The first attempt stays in the ledger, and would be counted twice."""
    ranges = {"sgd.learning_rate": (1e-6, 1e-2), "constant.warmup_steps": 0}
    run_in_threads(url, spec(arms=("sgd", "adam"), trials=8, finalists=2, epochs=2, ranges=ranges), name="tiny")
    from cooldown import resume

    record = resume("tiny", extend=True, db=url, workers=1).record
    assert record.superseded
    winners = Ledger(url).winners()["tiny"]
    for arm, by_repeat in mean_test_losses(View(record)).items():
        assert {w.repeat: w.test_loss for w in winners if w.arm == arm} == pytest.approx(by_repeat)


def test_a_lead_by_hand() -> None:
    winners = [*won("momentum+cosine", 0.9, 0.9), *won("adam", 1.0, 1.0)]
    assert leader(summary(), winners).text == "momentum+cosine by 10 %"
    assert leader(summary(), [*won("momentum+cosine", 1.0), *won("adam", 0.5)]).text == "adam by 50 %"
    assert leader(summary(), [*won("momentum+cosine", 1.0), *won("adam", 1.0)]).text == "equal losses"
    assert leader(summary(), [*won("momentum+cosine", -1.0), *won("adam", 1.0)]).text == "momentum+cosine by 2.0000"
    assert leader(summary(), won("adam", 1.0)) == leader(summary(), []) == Leader(UNKNOWN)


def test_only_repeats_that_both_have_count() -> None:
    winners = [*won("momentum+cosine", 0.9, 9.0), *won("adam", 1.0)]
    assert leader(summary(), winners).text == "momentum+cosine by 10 %"


def test_the_pair_is_the_one_that_was_asked_about() -> None:
    arms = ("momentum+cosine", "momentum+sgdr", "adam")
    winners = [
        *won("momentum+cosine", 0.9, chosen_by=0.5),
        *won("momentum+sgdr", 0.5, chosen_by=0.6),
        *won("adam", 1.0),
    ]
    assert leader(summary(arms), winners).text == "momentum+cosine by 10 %"
    asked = summary(arms, spec=spec(arms=arms, primary=("momentum+sgdr", "adam")).to_json())
    assert leader(asked, winners).text == "momentum+sgdr by 50 %"


def test_one_arm_has_its_best() -> None:
    winners = [Winner("adam", 0, 0.2, 0.3, 0.5), Winner("adam", 1, 0.1, 0.4, 0.986)]
    assert leader(summary(("adam",)), winners).text == "best: 98.6 % accuracy"
    assert leader(summary(("adam",)), won("adam", 0.25, score=None)).text == "best: test loss 0.2500"
    assert leader(summary(("adam",)), []).text == UNKNOWN
    assert score_in_words(spec(task="diabetes"), 0.49) == "R² 0.490"
    assert score_in_words(spec(task="houses.csv"), 0.49) == "score 0.490"


def test_what_an_experiment_took() -> None:
    assert took(summary()) == "1 min 15 s"
    assert took(summary(status=Status.RUNNING, finished_at=None), now=130.0) == "30 s"
    assert took(summary(status=Status.INTERRUPTED, finished_at=None)) == "–"


def test_the_list_in_a_terminal() -> None:
    winners = {"one": [*won("momentum+cosine", 0.9, 0.9), *won("adam", 1.0, 1.0)]}
    console = Console(width=80, markup=False, highlight=False)
    with console.capture() as captured:
        console.print(experiments(lines([summary(alarms=(("boundary", "adam"),))], winners, Leaders())[0], []))
    head, line = captured.get().splitlines()
    assert head.split() == ["Name", "Task", "Leader", "Ahead", "in", "P(better)", "Alarms", "Status"]
    assert " ".join(line.split()) == "one iris momentum+cosine by 10 % 2 of 2 > 99.9 % 1 done 50 %"


def test_a_leader_is_worked_out_again_only_where_something_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def heard(of: Summary, winners: Any) -> Leader:
        asked.append(of.name)
        return leader(of, winners)

    monkeypatch.setattr("cooldown.search.evidence.standing.leader", heard)
    leaders, first = Leaders(), [*won("momentum+cosine", 0.9), *won("adam", 1.0)]
    for winners, again in ((first, True), (first, False), (won("adam", 1.0), True), (first, True)):
        del asked[:]
        assert leaders.of(summary(), winners) == leader(summary(), winners)
        assert leaders.of(summary(name="two"), first) == leader(summary(), first)
        assert ("one" in asked) == again
    del asked[:]
    assert leaders.of(summary(trials=9), first).text == "momentum+cosine by 10 %"
    assert leaders.of(summary(("adam",), trials=9), first).text == "best: 90.0 % accuracy"
    assert asked == ["one", "one"]


def test_what_cannot_be_listed_is_told_each_time_and_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def heard(of: Summary) -> None:
        asked.append(of.name)
        check_outline(of)

    monkeypatch.setattr("cooldown.search.evidence.standing.check_outline", heard)
    sound, damaged = summary(name="sound"), summary(name="damaged", spec={"arms": 3})
    leaders = Leaders()
    for _ in range(2):
        listed, unreadable = lines([damaged, sound], {}, leaders)
        assert [line.name for line in listed] == ["sound"]
        assert [error.experiment for error in unreadable] == ["damaged"]
    assert asked == ["damaged", "sound"]
    listed, unreadable = lines([replace(damaged, spec=sound.spec), sound], {}, leaders)
    assert [line.name for line in listed] == ["damaged", "sound"]
    assert unreadable == []
