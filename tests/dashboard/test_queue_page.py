"""The page of the queue: what it shows, and that each reader can do what their token allows, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from served_pages import Pages
from test_pages import ODD, fine, said, words

from cooldown.dashboard import acting
from cooldown.dashboard.queue_cards import MOST
from cooldown.search.service import actions
from cooldown.search.service.service import Service
from cooldown.storage import Change, Queue, Status, audit
from cooldown.storage.terms import Terms

Open = Callable[..., Any]
ACTS = ("Pause", "Resume", "Stop", "Cancel", "Priority", "Delete")


def buttons(app: Any) -> list[str]:
    """The labels of all buttons."""
    return [button.label for button in app.button]


def test_it_shows_what_runs_what_waits_in_order_and_what_ended(pages: Pages, open_app: Open) -> None:
    for name, terms in {"late": {}, "first": {"priority": 5, "tags": ("x",)}, "rests": {}, "gone": {}}.items():
        pages.add(name, **terms)
    queue = Queue(pages.ledger)
    queue.request("rests", Change.PAUSE)
    queue.request("gone", Change.CANCEL)
    pages.sign_in("root")
    pages.add("runs", priority=9)
    with queue.claimed() as writer:
        assert writer is not None
        queue.request("runs", Change.STOP)
        app = fine(open_app(pages.url, "queue"))
    assert [header.value for header in app.header] == ["Running (1)", "Queued (2)", "Paused (1)", "Ended (1)"]
    duplicates = [button.key for button in app.button if button.label == "Duplicate"]
    assert duplicates == [f"duplicate {name}" for name in ("runs", "first", "late", "rests", "gone")]
    shown = said(app)
    assert "task iris · owner ada · tags x · next · priority 5" in shown
    assert "task iris · owner ada · place 2 · priority 0" in shown
    assert "Requested: it ends when what is in flight is finished." in shown
    keys = {button.key for button in app.button}
    # A running one can be told to go on; none is deleted while it runs.
    assert "resume runs" in keys
    assert "delete runs" not in keys


def test_the_buttons_do_what_they_say_and_the_audit_has_who_did_it(pages: Pages, open_app: Open) -> None:
    pages.add("mine")
    pages.sign_in("ada")
    app = fine(open_app(pages.url, "queue"))
    for verb, status in (("pause", Status.PAUSED), ("resume", Status.QUEUED), ("cancel", Status.CANCELLED)):
        app = fine(app.button(key=f"{verb} mine").click().run())
        assert pages.status("mine") is status
        assert app.success[0].value.replace("\\", "") == f"mine is {status.value}."
    fine(app.button(key="resume mine").click().run())
    fine(app.button(key="priority mine").click().run())
    app.number_input(key="new priority mine").set_value(-7)
    app = fine(app.button(key="do priority mine").click().run())
    assert pages.ledger.summary("mine").terms == Terms(priority=-7, owner="ada")
    assert not app.number_input
    lines = [(line.who, line.action) for line in audit.lines(pages.ledger, 20)]
    assert sorted(lines) == sorted([("ada", verb) for verb in ("pause", "resume", "cancel", "resume", "prioritize")])


def test_nothing_is_deleted_without_a_second_click(pages: Pages, open_app: Open) -> None:
    pages.add("mine")
    pages.add("other")
    pages.sign_in("ada")
    app = fine(open_app(pages.url, "queue"))
    app = fine(app.button(key="delete mine").click().run())
    assert "Delete mine with all its trials?" in said(app)
    app = fine(app.button(key="keep mine").click().run())
    assert not app.warning
    app = fine(app.button(key="delete mine").click().run())
    # The list changes meanwhile: the question stays what it was.
    pages.add("before", priority=100)
    app = fine(app.run())
    assert "Delete mine with all its trials?" in said(app)
    app = fine(app.button(key="do delete mine").click().run())
    assert {each.name for each in pages.ledger.summaries()} == {"other", "before"}
    assert app.success[0].value == r"mine was deleted\."


def test_an_experiment_that_was_deleted_is_no_longer_chosen(pages: Pages, open_app: Open) -> None:
    pages.add("mine")
    pages.add("other")
    pages.sign_in("ada")
    app = open_app(pages.url, "queue", experiment="mine")
    app = fine(app.button(key="delete mine").click().run())
    app = fine(app.button(key="do delete mine").click().run())
    assert app.session_state["experiment"] == "other"
    assert app.query_params["experiment"] in ("other", ["other"])


def test_a_question_about_an_experiment_is_not_asked_about_its_namesake(pages: Pages, open_app: Open) -> None:
    pages.add("mine")
    pages.sign_in("ada")
    app = open_app(pages.url, "queue")
    app = fine(app.button(key="delete mine").click().run())
    assert app.warning
    pages.ledger.delete("mine")
    pages.add("mine")
    assert not fine(app.run()).warning


@pytest.mark.parametrize("name", ["reader", None])
def test_who_may_only_read_has_no_buttons(pages: Pages, open_app: Open, name: str | None) -> None:
    pages.add("one")
    pages.sign_in(name)
    app = fine(open_app(pages.url, "queue"))
    assert buttons(app) == ["Duplicate"]
    app = fine(app.button(key="duplicate one").click().run())
    assert any("--name one-2" in code.value for code in app.code)


def test_a_token_to_submit_changes_its_own_alone(pages: Pages, open_app: Open) -> None:
    pages.add("of ada")
    pages.add("of bob", owner="bob")
    pages.add("of nobody", owner="")
    pages.sign_in("bob")
    app = fine(open_app(pages.url, "queue"))
    changes = {button.key for button in app.button if button.label in ACTS}
    assert changes == {f"{verb} of bob" for verb in ("pause", "cancel", "priority", "delete")}
    assert "you can change your own experiments" in said(app)


def test_a_server_that_only_this_machine_reaches_lets_its_user_act(pages: Pages, open_app: Open) -> None:
    pages.add("of ada")
    acting.offer(acting.Offered(Service(pages.ledger, pages.url), replace(pages.visitors, open=True)))
    pages.sign_in(None)
    app = fine(open_app(pages.url, "queue"))
    fine(app.button(key="pause of ada").click().run())
    assert pages.status("of ada") is Status.PAUSED


def test_the_dashboard_that_only_reads_says_so(pages: Pages, open_app: Open) -> None:
    pages.add("one")
    acting.offer(None)
    pages.sign_in("root")
    app = fine(open_app(pages.url, "queue"))
    assert buttons(app) == ["Duplicate"]
    assert "This dashboard is read-only." in said(app)
    assert any("cooldown pause NAME" in code.value for code in app.code)


def test_a_click_on_an_old_page_is_checked_again(pages: Pages, open_app: Open) -> None:
    """The page was drawn while its reader could act; when they click, they can no more."""
    pages.add("mine")
    pages.sign_in("ada")
    app = fine(open_app(pages.url, "queue"))
    pages.ledger.tokens.revoke("ada")
    app = fine(app.button(key="pause mine").click().run())
    assert pages.status("mine") is Status.QUEUED
    assert app.error[0].value.replace("\\", "") == "your session is over: sign in again."
    assert buttons(app) == ["Duplicate"]
    assert not audit.lines(pages.ledger, 20)


def test_a_button_of_an_experiment_that_is_gone_says_so(pages: Pages, open_app: Open) -> None:
    pages.add("mine")
    pages.sign_in("ada")
    app = fine(open_app(pages.url, "queue"))
    pages.ledger.delete("mine")
    app = fine(app.button(key="pause mine").click().run())
    told = app.error[0].value.replace("\\", "")
    assert "'mine'" in told
    assert "/" not in told, "it does not say where the ledger is"
    assert not audit.lines(pages.ledger, 20)


@pytest.mark.parametrize("name", ["reader", "bob", None])
def test_an_action_that_nobody_offered_is_refused(pages: Pages, name: str | None) -> None:
    """As if a reader with a connection of their own had found a way to call it."""
    pages.add("mine")
    pages.sign_in(name)
    for action in (
        lambda service, who: actions.control(service, who, "mine", "cancel").value,
        lambda service, who: str(actions.delete(service, who, "mine")),
        lambda service, who: str(actions.prioritize(service, who, "mine", 3)),
        lambda service, who: actions.resume(service, who, "no such").value,
    ):
        acting.act(action)
        outcome = acting.outcome()
        assert outcome is not None
        assert not outcome.done
    assert pages.ledger.summary("mine").terms == Terms(owner="ada")
    assert pages.status("mine") is Status.QUEUED
    assert not audit.lines(pages.ledger, 20)


@pytest.mark.parametrize("priority", [1001, -1001])
def test_a_priority_out_of_bounds_is_refused(pages: Pages, priority: int) -> None:
    pages.add("mine")
    pages.sign_in("ada")
    acting.act(lambda service, who: str(actions.prioritize(service, who, "mine", priority)))
    outcome = acting.outcome()
    assert outcome is not None
    assert outcome.said.startswith("priority: should be a whole number from -1,000 to 1,000")
    assert pages.ledger.summary("mine").terms.priority == 0


def test_owner_and_tag_are_filters_in_the_address(pages: Pages, open_app: Open) -> None:
    pages.add("one", tags=("x", "y"))
    pages.add("two", tags=("y",))
    pages.add("three", owner="bob", tags=("y",))
    pages.sign_in("reader")

    def shown(app: Any) -> set[str]:
        return {button.key.removeprefix("duplicate ") for button in fine(app).button}

    assert shown(open_app(pages.url, "queue")) == {"one", "two", "three"}
    app = open_app(pages.url, "queue", owner="ada", tag="x")
    assert shown(app) == {"one"}
    assert shown(app.selectbox(key="queue tag").set_value("y").run()) == {"one", "two"}
    assert shown(open_app(pages.url, "queue", owner="nobody", tag="<script>")) == {"one", "two", "three"}


def test_names_owners_tags_and_notes_are_shown_as_text(pages: Pages, open_app: Open) -> None:
    pages.add(ODD, owner=ODD, tags=("*t*",), notes="# no heading\n<b>second</b> line")
    pages.sign_in("root")
    app = fine(open_app(pages.url, "queue"))
    app = fine(app.button(key=f"delete {ODD}").click().run())
    assert ODD in said(app)
    assert "<script>" not in words(app)
    app = fine(open_app(pages.url, "budget", experiment=ODD))
    assert f"owner {ODD} · tags *t*" in said(app)
    assert "# no heading  \n<b>second</b> line" in said(app)
    assert "<b>" not in words(app)


def test_a_long_queue_is_shown_bit_by_bit(pages: Pages, open_app: Open) -> None:
    for number in range(MOST + 3):
        pages.add(f"e{number}")
    pages.sign_in("reader")
    app = fine(open_app(pages.url, "queue"))
    assert buttons(app).count("Duplicate") == MOST
    app = fine(app.button(key="more Queued").click().run())
    assert buttons(app).count("Duplicate") == MOST + 3


def test_an_empty_ledger_says_how_to_begin(url: str, open_app: Open) -> None:
    app = fine(open_app(url, "queue"))
    assert any(code.value.startswith("cooldown submit digits") for code in app.code)
