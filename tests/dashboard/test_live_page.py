"""The page of a run as it goes: who leads, how far it is, what happened, and what can be done next at which price."""

from collections.abc import Callable
from typing import Any

import pytest
from search_runs import run_in_threads, spec
from served_pages import Pages
from test_pages import fine, said

from cooldown.dashboard import following
from cooldown.search.evidence.answer import answer
from cooldown.search.evidence.further import further_steps, in_words
from cooldown.search.evidence.numbers import duration
from cooldown.search.evidence.progress import progress_table, seconds_left
from cooldown.search.evidence.view import View
from cooldown.search.tuning.studies import planned
from cooldown.storage import Queue, Status, audit
from cooldown.storage.terms import Terms

Open = Callable[..., Any]


def done(pages: Pages, name: str = "mine", **changes: Any) -> View:
    """An experiment of ada that is done."""
    asked = spec(**changes)
    queued = {"terms": Terms(owner="ada"), "queued": True}
    fingerprint = run_in_threads(pages.url, asked, name="other").task_fingerprint
    pages.ledger.delete("other")
    pages.ledger.create(name, asked.to_json(), fingerprint, planned(asked), **queued)
    return View(run_in_threads(pages.url, asked, name=name))


def test_one_that_is_done_offers_priced_steps_and_each_does_what_it_says(pages: Pages, open_app: Open) -> None:
    view = done(pages)
    steps = further_steps(view)
    assert {"repeats": 2 * view.spec.repeats} in [step.changes for step in steps]
    assert all(step.seconds for step in steps)
    pages.sign_in("ada")
    app = fine(open_app(pages.url, "live", experiment="mine"))
    assert answer(view).sentence in said(app)
    labels = [button.label for button in app.button]
    for step in steps:
        assert f"{in_words(step)} (about {duration(step.seconds or 0)})" in labels
    app = fine(app.button(key=f"Go on to {2 * view.spec.repeats} repeats mine").click().run())
    summary = pages.ledger.summary("mine")
    assert (summary.status, summary.spec["repeats"]) == (Status.QUEUED, 2 * view.spec.repeats)
    assert app.success[0].value == r"mine is queued\."
    assert "It waits for a worker, in place 1." in said(app)
    (line,) = audit.lines(pages.ledger, 9)
    assert (line.who, line.action, line.details) == ("ada", "extend", {"repeats": 2 * view.spec.repeats})


def test_an_open_question_is_offered_first(pages: Pages) -> None:
    view = done(pages)
    found = answer(view).next
    if found is not None and found.changes is not None:
        assert further_steps(view)[0] == found
    assert len({str(step.changes) for step in further_steps(view)}) == len(further_steps(view))


@pytest.mark.parametrize("name", ["reader", "bob", None])
def test_who_may_not_change_it_gets_the_commands(pages: Pages, open_app: Open, name: str | None) -> None:
    view = done(pages)
    pages.sign_in(name)
    app = fine(open_app(pages.url, "live", experiment="mine"))
    assert [button.label for button in app.button] == ["Duplicate"]
    assert [code.value for code in app.code] == [step.command for step in further_steps(view)]


def test_one_that_runs_says_how_far_it_is_and_can_be_paused(pages: Pages, open_app: Open) -> None:
    view = done(pages)
    larger = spec(repeats=2 * view.spec.repeats)
    pages.ledger.extend("mine", larger.to_json(), planned(larger), [{"repeats": view.spec.repeats}])
    queue = Queue(pages.ledger)
    queue.put("mine")
    pages.sign_in("ada")
    with queue.claimed() as writer:
        assert writer is not None
        app = fine(open_app(pages.url, "live", experiment="mine"))
        shown = said(app)
        left = seconds_left(View(pages.ledger.load("mine")))
        assert left
        assert f"left for {larger.repeats} repeats of every arm." in shown
        assert "You can close this page: the experiment goes on." in shown
        assert "What next" not in shown
        app = fine(app.button(key="pause mine").click().run())
        assert "Requested: it pauses when what is in flight is finished." in said(app)
        table = app.dataframe[0].value
        assert list(table["Trials"]) == [f"{trials} of {2 * trials}" for trials in [view.spec.trials * 2] * 2]
        # The searches of as many repeats again are missing.
        assert all(40 < percent < 60 for percent in table["Done"])


def test_one_that_waits_and_has_nothing_yet(pages: Pages, open_app: Open) -> None:
    pages.add("first")
    pages.add("second")
    pages.sign_in("ada")
    app = fine(open_app(pages.url, "live", experiment="second"))
    assert "It waits for a worker, in place 2." in said(app)
    assert app.text[0].value == "queued"
    assert "there is no verdict" in said(app)


def test_one_whose_limit_is_reached_is_continued_without_it(pages: Pages, open_app: Open) -> None:
    pages.add("limited", max_gradient_evaluations=1)
    run_in_threads(pages.url, spec(), name="limited")
    pages.sign_in("ada")
    app = fine(open_app(pages.url, "live", experiment="limited"))
    fine(app.button(key="Continue without the limit of gradient evaluations limited").click().run())
    summary = pages.ledger.summary("limited")
    assert (summary.status, summary.terms.max_gradient_evaluations) == (Status.QUEUED, None)


def test_what_happened_is_read_once_and_the_last_comes_first(
    pages: Pages, open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = done(pages)
    monkeypatch.setattr(following, "AT_ONCE", 3)
    monkeypatch.setattr("cooldown.search.service.events.AT_ONCE", 3)
    pages.sign_in("reader")
    app = fine(open_app(pages.url, "live", experiment="mine"))
    lines = app.text[0].value.split("\n")
    assert lines[0] == "done"
    trials = sum(len(study.trials) for study in view.record.studies)
    assert len(lines) == min(trials + 1, following.KEPT)
    assert lines[1].startswith(("momentum", "adam"))
    assert "validation loss" in lines[1]
    assert fine(app.run()).text[0].value.split("\n") == lines


def test_one_that_was_deleted_meanwhile_is_said_to_be_gone(pages: Pages, open_app: Open) -> None:
    pages.add("mine")
    pages.add("other")
    pages.sign_in("ada")
    app = fine(open_app(pages.url, "live", experiment="mine"))
    pages.ledger.delete("mine")
    app = fine(app.run())
    assert "This ledger has no experiment “mine”." in app.error[0].value
    assert not app.button


def test_the_share_of_what_diverged_is_shown(pages: Pages) -> None:
    view = done(pages, arms=("momentum", "adam"), epochs=2, ranges={"momentum.learning_rate": 1e9})
    table = progress_table(view)
    by_arm = dict(zip(table.values("Arm"), table.values("Diverged"), strict=True))
    assert by_arm["momentum"] == 1
    assert by_arm["adam"] == 0
