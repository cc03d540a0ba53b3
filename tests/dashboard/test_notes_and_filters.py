"""Tags and notes are changed by those who may; owner, tag and a text say which experiments a list shows."""

from collections.abc import Callable
from typing import Any

import pytest
from search_runs import run_in_threads, spec
from served_pages import Pages
from test_pages import fine, words

from cooldown.dashboard import acting
from cooldown.dashboard.filters import Choices, Filter, choices
from cooldown.search.service import actions
from cooldown.storage import audit
from cooldown.storage.terms import Terms

Open = Callable[..., Any]


def test_tags_and_notes_are_saved_and_the_audit_says_who_did_it(pages: Pages, open_app: Open) -> None:
    pages.add("mine", tags=("x",), priority=3)
    pages.sign_in("ada")
    app = fine(open_app(pages.url, "queue"))
    app = fine(app.button(key="notes mine").click().run())
    (tags,) = app.multiselect
    assert tags.value == ["x"]
    tags.set_value(["x", "large *rates*"])
    app.text_area[0].set_value("after the move")
    app = fine(next(button for button in app.button if button.label == "Save").click().run())
    terms = pages.ledger.summary("mine").terms
    assert terms == Terms(priority=3, owner="ada", tags=("x", "large *rates*"), notes="after the move")
    assert app.success[0].value.replace("\\", "") == "the tags and notes of mine are saved."
    (line,) = audit.lines(pages.ledger, 20)
    assert (line.who, line.action, line.subject) == ("ada", "annotate", "mine")


@pytest.mark.parametrize(
    ("changes", "field"), [({"tags": ["a" * 51]}, "tags"), ({"tags": [" "]}, "tags"), ({"notes": "\x1b[2J"}, "notes")]
)
def test_what_is_no_tag_and_no_note_is_refused(pages: Pages, changes: dict[str, Any], field: str) -> None:
    pages.add("mine")
    pages.sign_in("ada")
    acting.act(lambda service, who: str(actions.annotate(service, who, "mine", **changes)))
    outcome = acting.outcome()
    assert outcome is not None
    assert outcome.said.startswith(f"{field}: ")
    assert pages.ledger.summary("mine").terms == Terms(owner="ada")
    assert not audit.lines(pages.ledger, 20)


@pytest.mark.parametrize("name", ["reader", "bob", None])
def test_nobody_else_changes_tags_and_notes(pages: Pages, open_app: Open, name: str | None) -> None:
    pages.add("mine")
    pages.sign_in(name)
    app = fine(open_app(pages.url, "queue"))
    assert "Notes" not in [button.label for button in app.button]
    acting.act(lambda service, who: str(actions.annotate(service, who, "mine", notes="theirs")))
    outcome = acting.outcome()
    assert outcome is not None
    assert not outcome.done
    assert pages.ledger.summary("mine").terms == Terms(owner="ada")


def test_a_list_can_be_filtered(pages: Pages) -> None:
    pages.add("one", tags=("x", "y"), notes="After the Move")
    pages.add("two", owner="bob", tags=("y",))
    pages.add("three", owner="")
    summaries = pages.ledger.summaries()
    assert choices(summaries) == Choices(("ada", "bob"), ("x", "y"))

    def kept(**wanted: Any) -> set[str]:
        return {summary.name for summary in summaries if Filter(**wanted)(summary)}

    assert kept() == {"one", "two", "three"}
    assert kept(owner="ada") == kept(tag="x") == kept(text="the MOVE") == {"one"}
    assert kept(tag="y", text="TW") == {"two"}
    assert kept(text="iris") == {"one", "two", "three"}
    assert kept(owner="bob", tag="x") == set()


def test_the_queue_is_filtered_by_a_text_of_the_address(pages: Pages, open_app: Open) -> None:
    pages.add("one", notes="After the move")
    pages.add("two")
    pages.sign_in("reader")
    app = fine(open_app(pages.url, "queue", find="move"))
    assert [button.key for button in app.button] == ["duplicate one"]


def test_the_hint_to_continue_lifts_the_limit_that_was_reached(pages: Pages, open_app: Open) -> None:
    pages.add("limited", max_gradient_evaluations=1)
    run_in_threads(pages.url, spec(), name="limited")
    app = fine(open_app(pages.url, "budget", experiment="limited"))
    (hint,) = (code.value for code in app.code if "resume" in code.value)
    assert hint.startswith("cooldown resume limited --max-gradient-evaluations none")
    assert "the limit of 1 gradient evaluations is reached" in words(app).replace("\\", "")
