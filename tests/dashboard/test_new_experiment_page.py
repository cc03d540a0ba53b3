"""The page that asks for a new experiment: what it submits, its command, what it says of mistakes, and to whom."""

import shlex
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import streamlit as st
from patience import PATIENCE
from search_runs import run_in_threads, spec
from served_pages import Pages
from test_pages import fine, said

from cooldown.dashboard import acting
from cooldown.search.cli.asked import asked
from cooldown.search.cli.frame import command_line
from cooldown.search.experiments.preparing import prepared
from cooldown.search.experiments.terms import agreed
from cooldown.search.service.asking import OF_RUN
from cooldown.search.service.service import Limits, Service
from cooldown.storage import ExperimentRecord, Status
from cooldown.storage.terms import USUAL, Terms

Open = Callable[..., Any]

ROWS = b"length;width;colour;kind\n" + b"".join(
    b"%d,5;%d;%s;%s\n" % (i, i % 7, b"red" if i % 3 else b"blue", b"ab"[i % 2 :][:1]) for i in range(60)
)
TEST = ROWS.replace(b"\n1", b"\n2")


def opened(pages: Pages, open_app: Open, name: str | None = "ada") -> Any:
    pages.sign_in(name)
    pages.monkeypatch.setattr(type(st.context), "url", "https://cooldown.example.org/lab/new")
    return fine(open_app(pages.url, "new"))


def shown_command(app: Any) -> str:
    (command,) = (code.value for code in app.code if code.value.startswith("cooldown submit"))
    return str(command)


def arguments_of(command: str) -> Mapping[str, Any]:
    """The arguments of `submit` that the command line reads from a command."""
    words = shlex.split(command)
    assert words[:2] == ["cooldown", "submit"]
    group = command_line()
    context = group.commands["submit"].make_context("submit", words[2:])
    given = asked(context.params, {})
    return {name: value for name, value in given.items() if name != "db" and value is not None}


SERVER = "--server https://cooldown.example.org/lab"


def submitted(pages: Pages) -> ExperimentRecord:
    (summary,) = pages.ledger.summaries()
    return pages.ledger.load(summary.name)


def start(pages: Pages, app: Any) -> ExperimentRecord:
    """Start the experiment, which the command that stands beside it would have made too."""
    command = shown_command(app)
    fine(app.button(key="start").click().run())
    record = submitted(pages)
    given = arguments_of(command)
    settings = {name: value for name, value in given.items() if name not in OF_RUN}
    task = settings.pop("task")
    asked_for, _ = prepared(task, given.get("name"), pages.url, 1, settings)
    assert record.spec == asked_for.to_json()
    terms = {name: value for name, value in given.items() if name in OF_RUN and name != "name"}
    assert record.terms == agreed(**terms, owner="ada")(USUAL)
    return record


def put(app: Any, kind: str, field: str, value: Any) -> None:
    """What a reader gives in the widget for a field."""
    next(widget for widget in app.get(kind) if widget.key == f"new {field}").set_value(value)


def test_it_starts_the_usual_comparison_and_goes_to_its_page(pages: Pages, open_app: Open) -> None:
    app = opened(pages, open_app)
    assert shown_command(app) == f"cooldown submit digits {SERVER}"
    record = start(pages, app)
    assert (record.name, record.status, record.spec["task"]) == ("digits", Status.QUEUED, "digits")
    assert record.spec["looks"] == [5, 10]
    assert record.terms == Terms(owner="ada")
    assert app.title[0].value == "Live"
    assert app.session_state["experiment"] == "digits"


def test_the_command_does_the_same_with_everything_that_can_be_asked(pages: Pages, open_app: Open) -> None:
    app = opened(pages, open_app)
    app = fine(app.button(key="task iris").click().run())
    arms = ["momentum+cosine", "adam", "bn=adam+cosine[batch_norm=true, dropout=0:0.5]"]
    put(app, "multiselect", "arms", arms)
    put(app, "segmented_control", "sure", "Thorough")
    put(app, "text_input", "metric", "f1_macro")
    put(app, "text_input", "hidden", "16,8")
    put(app, "selectbox", "sampler", "random")
    for field, value in {
        "epochs": 2,
        "batch_size": 16,
        "seeds": 2,
        "finalists": 2,
        "confirm_seeds": 3,
        "seed": 7,
    }.items():
        put(app, "number_input", field, value)
    put(app, "number_input", "priority", -5)
    put(app, "number_input", "max_gradient_evaluations", 10**9)
    put(app, "text_input", "time_limit", "2h")
    put(app, "text_input", "name", "it's mine")
    put(app, "multiselect", "tags", ["--odd", "two words"])
    put(app, "text_area", "notes", "first line\n$HOME `x` 'quoted'")
    app = fine(app.run())
    put(app, "selectbox", "first arm", "adam")
    put(app, "selectbox", "second arm", "momentum+cosine")
    app = fine(app.run())
    assert not app.error
    record = start(pages, app)
    assert record.name == "it's mine"
    assert record.terms == Terms(
        priority=-5,
        time_limit=7200.0,
        max_gradient_evaluations=10**9,
        owner="ada",
        tags=("--odd", "two words"),
        notes="first line\n$HOME `x` 'quoted'",
    )
    assert record.spec["primary"] == ["adam", "momentum+cosine"]
    assert record.spec["trials"] == 32
    assert record.spec["arms"][:2] == arms[:2]
    assert record.spec["arms"][2].startswith("bn=adam+cosine[")


def test_the_best_config_is_searched_by_one_joint_arm(pages: Pages, open_app: Open) -> None:
    app = opened(pages, open_app)
    put(app, "segmented_control", "question", "Find the best config")
    app = fine(app.run())
    next(toggle for toggle in app.toggle if toggle.key == "new all schedules").set_value(False)
    next(toggle for toggle in app.toggle if toggle.key == "new all optimizers").set_value(False)
    app = fine(app.run())
    put(app, "multiselect", "optimizers", ["momentum", "adam"])
    put(app, "multiselect", "schedules", ["cosine", "sgdr"])
    put(app, "segmented_control", "sure", "Quick")
    record = start(pages, fine(app.run()))
    assert record.spec["arms"] == ["momentum,adam+cosine,sgdr"]
    assert (record.spec["repeats"], record.spec["trials"]) == (1, 16)


def with_file(pages: Pages, app: Any, content: bytes = ROWS, name: str = "flowers.csv") -> Any:
    put(app, "segmented_control", "kind of data", "My own file")
    app = fine(app.run())
    put(app, "file_uploader", "upload file", (name, content, "text/csv"))
    return fine(app.run())


def test_a_file_is_uploaded_and_shown_as_it_is_read(pages: Pages, open_app: Open) -> None:
    app = with_file(pages, opened(pages, open_app))
    (data,) = pages.ledger.datasets.list("ada")
    assert (data.file, pages.ledger.datasets.content(data.digest)) == ("flowers.csv", ROWS)
    assert "classification of kind, 60 rows" in said(app)
    read = next(frame.value for frame in app.dataframe if "Read as" in frame.value)
    assert dict(zip(read["Column"], read["Holds"], strict=True)) == {
        "length": "numbers",
        "width": "numbers",
        "colour": "categories",
        "kind": "target, categories",
    }
    assert f"cooldown submit dataset:{data.digest} --target=kind" in shown_command(app)
    # Another target: it is read again, and what was wrong is said.
    put(app, "selectbox", f"target of {data.digest[:8]}", "colour")
    put(app, "multiselect", f"drop of {data.digest[:8]}", ["width"])
    app = fine(app.run())
    assert "classification of colour, 60 rows" in said(app)
    record = start(pages, app)
    assert (record.spec["target"], record.spec["drop"]) == ("colour", ["width"])


def test_a_svmlight_file_has_no_columns_to_choose(pages: Pages, open_app: Open) -> None:
    rows = b"".join(b"%d qid:%d 1:%d %d:1\n" % (i % 2, i // 4, i + 1, i % 3 + 2) for i in range(40))
    app = with_file(pages, opened(pages, open_app), rows, "words.svm")
    (data,) = pages.ledger.datasets.list("ada")
    assert "--groups qid keeps the rows of a query together" in app.error[0].value.replace("\\", "")
    put(app, "checkbox", f"queries of {data.digest[:8]}", True)
    app = fine(app.run())
    assert not app.error
    assert "classification, 40 rows" in said(app)
    record = start(pages, app)
    assert (record.spec["target"], record.spec["groups"]) == (None, "qid")


def test_a_second_file_is_the_test_set(pages: Pages, open_app: Open) -> None:
    app = with_file(pages, opened(pages, open_app))
    (data,) = pages.ledger.datasets.list("ada")
    put(app, "file_uploader", f"upload test of {data.digest[:8]}", ("later.csv", TEST, "text/csv"))
    app = fine(app.run())
    assert "60 rows and 60 test rows" in said(app)
    record = start(pages, app)
    test = next(data for data in pages.ledger.datasets.list("ada") if data.file == "later.csv")
    assert record.spec["test"] == f"dataset:{test.digest}"


@pytest.mark.parametrize("header", [b";length;kind\n", b"x;length;length;kind\n", b"x;length;x;kind\n"])
def test_columns_without_a_name_of_their_own_can_be_left_out(pages: Pages, open_app: Open, header: bytes) -> None:
    rows = b"".join(b"%d;%s%d,5;%s\n" % (i, b"7;" * (header.count(b";") - 2), i, b"ab"[i % 2 :][:1]) for i in range(60))
    app = with_file(pages, opened(pages, open_app), header + rows)
    wrong = "" if header.startswith(b";") else "length" if header.count(b"length") == 2 else "x"
    assert any("in the header" in error.value or "has no name" in error.value for error in app.error)
    (data,) = pages.ledger.datasets.list("ada")
    put(app, "multiselect", f"drop of {data.digest[:8]}", [wrong])
    app = fine(app.run())
    assert "classification of kind, 60 rows" in said(app)
    assert arguments_of(shown_command(app))["drop"] == [wrong]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"a;b\n1,2;3\n1.2.3;x\n", "data set"),
        (b"\x00\xff\xfe" * 9, "data set"),
        (ROWS.replace(b"blue", b"1.2"), "colour"),
    ],
)
def test_a_file_that_is_no_table_is_told(pages: Pages, open_app: Open, content: bytes, told: str) -> None:
    app = with_file(pages, opened(pages, open_app), content)
    if content == ROWS.replace(b"blue", b"1.2"):
        # Numbers among labels: they are read as labels.
        assert not app.error
        return
    assert any(told in error.value.replace("\\", "") for error in app.error)


def test_a_file_that_is_too_large_is_refused(pages: Pages, open_app: Open) -> None:
    acting.offer(acting.Offered(Service(pages.ledger, pages.url, Limits(dataset=100)), pages.visitors))
    app = with_file(pages, opened(pages, open_app))
    assert "a file has at most 100 bytes" in app.error[0].value.replace("\\", "")
    assert not pages.ledger.datasets.list()


def test_a_file_of_somebody_else_is_not_offered(pages: Pages, open_app: Open) -> None:
    pages.ledger.datasets.add(ROWS, "bob", "of bob.csv")
    app = opened(pages, open_app)
    put(app, "segmented_control", "kind of data", "My own file")
    app = fine(app.run())
    assert "of bob" not in said(app)
    assert "task" not in shown(app)


def shown(app: Any) -> str:
    """The command, or nothing where there is none yet."""
    return "\n".join(code.value for code in app.code)


def test_mistakes_stand_by_their_fields_and_nothing_is_lost(pages: Pages, open_app: Open) -> None:
    app = opened(pages, open_app)
    put(app, "multiselect", "arms", ["momentum+cosine", "adm"])
    put(app, "text_input", "time_limit", "soon")
    put(app, "text_input", "name", "kept")
    put(app, "text_input", "hidden", "many")
    app = fine(app.run())
    errors = [error.value.replace("\\", "") for error in app.error]
    assert any("adm" in error and "adam" in error for error in errors)
    assert any("a length of time such as 90s" in error for error in errors)
    assert len(errors) == 3
    # Submitted all the same: nothing is made, and everything that was typed is still there.
    app = fine(app.button(key="start").click().run())
    assert not pages.ledger.summaries()
    assert next(each for each in app.text_input if each.key == "new name").value == "kept"
    app.switch_page("app_pages/queue.py").run()
    app = fine(app.switch_page("app_pages/new.py").run())
    assert next(each for each in app.text_input if each.key == "new name").value == "kept"
    assert next(each for each in app.multiselect if each.key == "new arms").value == ["momentum+cosine", "adm"]


def test_what_only_the_data_show_is_told_after_the_start(pages: Pages, open_app: Open) -> None:
    app = opened(pages, open_app)
    put(app, "text_input", "metric", "mae")
    app = fine(app.run())
    assert not app.error
    app = fine(app.button(key="start").click().run())
    assert not pages.ledger.summaries()
    assert any("mae" in error.value for error in app.error)
    put(app, "text_input", "metric", "f1_macro")
    assert not fine(app.run()).error


def test_no_arm_at_all_is_told(pages: Pages, open_app: Open) -> None:
    app = opened(pages, open_app)
    put(app, "multiselect", "arms", [])
    app = fine(app.run())
    assert any("at least one arm" in error.value for error in app.error)
    fine(app.button(key="start").click().run())
    assert not pages.ledger.summaries()


def test_a_module_is_refused_and_not_imported(pages: Pages, open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "user_module", None)
    app = opened(pages, open_app)
    put(app, "multiselect", "arms", ["user_module:Lion", "adam"])
    app = fine(app.run())
    (error,) = (error.value.replace("\\", "") for error in app.error)
    assert error == "names the module 'user_module'; a service uses entries of the catalog alone"
    fine(app.button(key="start").click().run())
    assert not pages.ledger.summaries()


def test_each_level_has_its_price(pages: Pages, open_app: Open) -> None:
    run_in_threads(pages.url, spec(arms=("momentum+cosine", "adam"), repeats=4), name="before")
    app = opened(pages, open_app)
    app = fine(app.button(key="task iris").click().run())
    put(app, "multiselect", "arms", ["momentum+cosine", "adam"])
    for field in ("epochs", "seeds", "confirm_seeds"):
        put(app, "number_input", field, 1)
    app = fine(app.run())
    levels = next(frame.value for frame in app.dataframe if "Level" in frame.value)
    assert list(levels) == ["Level", "Repeats", "Trials"]
    app = fine(app.button(key="estimate").click().run())
    # The page does not wait for it.
    deadline = time.monotonic() + PATIENCE
    while "Timing a small experiment" in said(app) and time.monotonic() < deadline:
        time.sleep(0.1)
        app = fine(app.run())
    assert not app.error
    levels = next(frame.value for frame in app.dataframe if "Level" in frame.value)
    assert list(levels["Level"]) == ["Quick", "Standard", "Thorough"]
    assert list(levels["Repeats"]) == ["5", "5 to 40", "5 to 40"]
    assert all("s" in time for time in levels["Time"])
    assert all(text.endswith(" % lower loss") for text in levels["Finds"])
    assert "as in 4 short repeats of this estimate, weighted with those in 4 repeats of before" in said(app)
    assert len(pages.ledger.summaries()) == 1
    # Other settings have another price.
    put(app, "number_input", "epochs", 2)
    app = fine(app.run())
    assert "Time" not in next(frame.value for frame in app.dataframe if "Level" in frame.value)


@pytest.mark.parametrize("name", ["reader", None])
def test_who_may_not_submit_gets_the_command_alone(pages: Pages, open_app: Open, name: str | None) -> None:
    app = opened(pages, open_app, name)
    assert shown_command(app) == f"cooldown submit digits {SERVER}"
    assert not [button for button in app.button if button.key in ("start", "estimate")]
    assert not app.file_uploader
    assert "sign in with a token that may submit" in said(app)


def test_a_dashboard_that_only_reads_gives_the_command_for_its_ledger(pages: Pages, open_app: Open) -> None:
    acting.offer(None)
    app = opened(pages, open_app, None)
    assert arguments_of(shown_command(app)) == {"task": "digits"}
    assert not [button for button in app.button if button.key == "start"]
    assert "This dashboard is read-only." in said(app)


def test_a_click_on_an_old_page_is_checked_again(pages: Pages, open_app: Open) -> None:
    app = opened(pages, open_app)
    pages.ledger.tokens.revoke("ada")
    app = fine(app.button(key="start").click().run())
    assert not pages.ledger.summaries()
