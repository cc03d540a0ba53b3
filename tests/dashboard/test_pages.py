"""Every page in every state of a ledger, without a browser: no page ever fails, and each says what it should."""

import re
import sqlite3
from collections.abc import Callable, Hashable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from covering import covering, in_short
from linked import linked, listed
from search_runs import run_in_threads, spec

from cooldown.dashboard import data
from cooldown.dashboard.pages import pages
from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger, Status

PAGES = sorted(page.name for page in pages())
ABOUT_ONE = [page.name for page in pages() if page.section == "This experiment"]
Open = Callable[..., Any]
ODD = "<script>alert(1)</script> *a* `b` $x$ :red[c] 🙂"


@dataclass(frozen=True)
class Ledgers:
    """Ledgers that are made once: a finished experiment among others, one that failed, one that was interrupted."""

    done: str
    stopped: str


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> Ledgers:
    folder = tmp_path_factory.mktemp("dashboard")
    done, stopped = f"sqlite:///{folder}/done.db", f"sqlite:///{folder}/stopped.db"
    cube = ("momentum", "momentum+cosine", "adam", "adam+sgdr")
    run_in_threads(done, spec(arms=cube, epochs=3, trials=6), name="whole")
    run_in_threads(done, spec(arms=("momentum,adam+cosine,sgdr",), repeats=1, epochs=2), name="one joint arm")
    run_in_threads(done, spec(epochs=2), name=ODD)
    half = run_in_threads(stopped, spec(epochs=2), name="half")
    Ledger(stopped).extend("half", spec(epochs=2, trials=12).to_json(), planned(spec(epochs=2)), [{"trials": 4}])
    Ledger(stopped).create("nothing yet", spec().to_json(), half.task_fingerprint, planned(spec()))
    Ledger(stopped).create("failed", spec().to_json(), half.task_fingerprint, planned(spec()))
    with pytest.raises(ZeroDivisionError), Ledger(stopped).hold("failed"):
        raise ZeroDivisionError("a model that *divides* by zero")
    return Ledgers(done, stopped)


def words(app: Any) -> str:
    """All that stands on the page."""
    kinds = (
        app.title,
        app.header,
        app.subheader,
        app.markdown,
        app.caption,
        app.info,
        app.warning,
        app.error,
        app.code,
    )
    # No line ends before a %.
    return "\n".join(str(each.value) for kind in kinds for each in kind).replace("\N{NO-BREAK SPACE}", " ")


def said(app: Any) -> str:
    """All that stands on the page, without what escapes it in Markdown."""
    return words(app).replace("\\", "")


def of_one(row: tuple[str, str]) -> list[Hashable]:
    """What is to be covered of a page and an experiment: both together where the page is about it."""
    return [row] if row[0] in ABOUT_ONE else list(row)


def fine(app: Any) -> Any:
    """The page, which shows neither an exception nor the words that stand in for one."""
    assert not app.exception
    assert "cannot be shown" not in words(app)
    return app


def with_numbers(app: Any) -> Any:
    """The page with the tables below its charts opened."""
    for numbers in _numbers(app):
        # Streamlit's identity of a widget ends with our key.
        app.session_state[numbers.proto.id.split("-", 2)[2]] = True
    return app.run()


def _numbers(app: Any) -> list[Any]:
    return [each for each in app.expander if each.label == "The numbers"]


FINISHED = [(page, name) for name in ("one joint arm", ODD, "whole") for page in PAGES]


# A page about one experiment with one arm and with several, another page with one of them.
SHOWN = [row for row in FINISHED if row[1] == "one joint arm" or (row[1] == ODD) == (PAGES.index(row[0]) % 2 == 0)]


@pytest.mark.parametrize(("page", "name"), in_short(FINISHED, covering(SHOWN, of_one)))
def test_a_finished_experiment(ledgers: Ledgers, open_app: Open, page: str, name: str) -> None:
    app = fine(open_app(ledgers.done, page, experiment=name))
    assert app.title
    assert not app.error
    assert app.session_state["experiment"] == name
    closed = len(app.dataframe)
    assert not fine(with_numbers(app)).error
    assert len(app.dataframe) == closed + len(_numbers(app))


UNFINISHED = [(page, name) for name in ("half", "nothing yet", "failed") for page in PAGES]
# One with nothing on every page about one; the others in turn: `half` is on each of them while it runs, below.
IN_TURN = [row for row in UNFINISHED if row[1] == ("half", "failed")[PAGES.index(row[0]) % 2]]


@pytest.mark.parametrize(
    ("page", "name"), in_short(UNFINISHED, [*IN_TURN, *((page, "nothing yet") for page in ABOUT_ONE)])
)
def test_an_unfinished_experiment(ledgers: Ledgers, open_app: Open, page: str, name: str) -> None:
    app = fine(open_app(ledgers.stopped, page, experiment=name))
    if page in ABOUT_ONE:
        assert "cooldown resume" in words(app)
        assert bool(app.error) == (name == "failed")
        if name == "failed":
            assert "divides" in app.error[0].value
            assert r"\*divides\*" in app.error[0].value


# All pages find in one place that there is nothing: half of them where there is no ledger, half where it is empty.
@pytest.mark.parametrize("page", in_short(PAGES, PAGES[::2]))
def test_no_ledger_yet(url: str, open_app: Open, page: str) -> None:
    app = fine(open_app(url, page))
    if page in (*ABOUT_ONE, "experiments"):
        assert "cooldown compare digits" in words(app)
    assert not app.error
    assert not Path(url.removeprefix("sqlite:///")).exists()


@pytest.mark.parametrize("page", in_short(PAGES, PAGES[1::2]))
def test_an_empty_ledger(url: str, open_app: Open, page: str) -> None:
    Ledger(url)
    app = fine(open_app(url, page))
    if page in (*ABOUT_ONE, "experiments"):
        assert "cooldown compare digits" in words(app)


@contextmanager
def spoilt(kind: str, folder: Path) -> Iterator[str]:
    """Something that is no ledger."""
    path = folder / "other.db"
    if kind == "foreign":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE mine (a)")
            connection.commit()
    elif kind == "text":
        path.write_text("no database at all, but a text of some length\n" * 100)
    else:
        path.mkdir()
    yield f"sqlite:///{path}"


SPOILT = [(page, kind) for page in PAGES for kind in ("foreign", "text", "folder")]


@pytest.mark.parametrize(("page", "kind"), in_short(SPOILT, covering(SPOILT, parts=lambda row: row)))
def test_what_is_no_ledger_is_told_in_one_message(tmp_path: Path, open_app: Open, page: str, kind: str) -> None:
    with spoilt(kind, tmp_path) as url:
        app = fine(open_app(url, page))
        assert len(app.error) == 1
        assert "other" in app.error[0].value


@pytest.mark.parametrize("page", in_short(PAGES, [*ABOUT_ONE, "experiments"]))
def test_one_that_runs(ledgers: Ledgers, open_app: Open, page: str) -> None:
    """Held by this process, which is alive."""
    with Ledger(ledgers.stopped).hold("half"):
        assert Ledger(ledgers.stopped).load("half").status is Status.RUNNING
        app = fine(open_app(ledgers.stopped, page, experiment="half"))
        if page in ABOUT_ONE:
            assert "running" in words(app)
            assert "resume" not in words(app)
            assert not app.error


def test_a_link_to_an_experiment_that_is_not_there(ledgers: Ledgers, open_app: Open) -> None:
    """Nothing is shown in its place."""
    app = fine(open_app(ledgers.done, "verdict", experiment="elsewhere"))
    assert [error.value for error in app.error] == ["This ledger has no experiment “elsewhere”."]
    assert not app.dataframe
    assert app.query_params["experiment"] == "elsewhere"
    app.query_params["experiment"] = "whole"
    assert fine(app.run()).dataframe, "as after Back"


def test_an_experiment_that_is_deleted_meanwhile_leads_back_to_the_others(
    ledgers: Ledgers, open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked at once for the page, and again for what is on it."""
    open_app(ledgers.done, "verdict", experiment="whole")
    looks = iter([data.summary("whole")])
    monkeypatch.setattr(data, "summary", lambda _: next(looks, None))
    app = fine(open_app(ledgers.done, "verdict", experiment="whole"))
    assert "has been deleted" in words(app)
    assert app.get("page_link")


def test_names_are_shown_as_they_are(ledgers: Ledgers, open_app: Open) -> None:
    app = fine(open_app(ledgers.done, "verdict", experiment=ODD))
    shown = words(app)
    assert r"\<script\>" in shown
    # A command is shown as code, in which nothing is markup, as it is typed.
    for command in app.code:
        shown = shown.replace(command.value, "")
    assert "<script>" not in shown


def test_the_verdict_says_what_the_command_says(ledgers: Ledgers, open_app: Open) -> None:
    from cooldown import load

    found = load("whole", db=ledgers.done)
    shown = words(fine(open_app(ledgers.done, "verdict", experiment="whole"))).replace("\\", "")
    assert found.answer.sentence in shown
    assert found.answer.why in shown
    assert all(alarm.message in shown for alarm in found.alarms)


def test_all_experiments_are_listed_with_who_leads_and_after_how_long(ledgers: Ledgers, open_app: Open) -> None:
    app = fine(open_app(ledgers.done))
    rows = list(listed(app).values())
    assert [row["Experiment"] for row in rows] == [ODD, "one joint arm", "whole"]
    assert re.fullmatch(r"best: [\d.]+\s% accuracy", rows[1]["Leader"])
    assert all(re.fullmatch(r"\S+ by \d+\s%", rows[place]["Leader"]) for place in (0, 2))
    assert all(re.fullmatch(r"\d+ s", row["Took"]) for row in rows)
    assert [row["Trials"] for row in rows] == [1.0, 1.0, 1.0]
    hrefs = [row["href"] for row in linked(app)[0]["rows"]]
    assert hrefs[1:] == ["verdict?experiment=one+joint+arm", "verdict?experiment=whole"]


def test_another_experiment_is_another_subject(ledgers: Ledgers, open_app: Open) -> None:
    app = fine(open_app(ledgers.done, "export", experiment="whole"))
    first = app.code[0].value
    app.sidebar.selectbox(key="experiment").select(ODD).run()
    assert fine(app).code[0].value != first


def test_controls_of_the_curves(ledgers: Ledgers, open_app: Open) -> None:
    app = fine(open_app(ledgers.done, "curves", experiment="whole"))
    for toggle in range(len(app.toggle)):
        app.toggle[toggle].set_value(not app.toggle[toggle].value).run()
        fine(app)
    for x in ("updates", "gradient evaluations", "seconds"):
        app.main.selectbox[0].select(x).run()
        fine(app)
    app.multiselect[0].set_value([]).run()
    assert "at least one arm" in words(fine(app))


def test_every_hyperparameter_of_every_arm_is_drawn(ledgers: Ledgers, open_app: Open) -> None:
    app = fine(open_app(ledgers.done, "search", experiment="whole"))
    seen = set()
    for arm in ("momentum", "momentum+cosine", "adam", "adam+sgdr"):
        app.main.selectbox(key="search arm").select(arm).run()
        for key in app.main.selectbox(key="search hyperparameter").options:
            app.main.selectbox(key="search hyperparameter").select(key).run()
            fine(app)
            seen.add(key)
    assert {"momentum.learning_rate", "adam.beta2", "sgdr.period", "cosine.warmup_steps"} <= seen


def test_every_schedule_can_be_played_with(open_app: Open, url: str) -> None:
    from cooldown.objectives import schedules

    app = fine(open_app(url, "schedules"))
    for name in schedules.names():
        app.multiselect(key="schedules schedules").set_value([name]).run()
        fine(app)
        assert not app.error, name


def test_a_schedule_that_makes_no_sense_is_told(open_app: Open, url: str) -> None:
    app = fine(open_app(url, "schedules"))
    app.multiselect(key="schedules schedules").set_value(["sgdr"]).run()
    app.number_input(key="schedules sgdr.period").set_value(0.0).run()
    assert "period must be greater than 0" in words(fine(app)).replace("\\", "")
    assert len(app.error) == 1


def test_one_arm_is_promised_nothing_that_never_comes(ledgers: Ledgers, open_app: Open) -> None:
    app = fine(open_app(ledgers.done, "verdict", experiment="one joint arm"))
    told = words(app)
    assert " yet" not in told
    assert "cooldown compare iris --arm momentum,adam+cosine,sgdr --arm adam" in told
    assert "Where the gain came from" not in told
    assert "How many trials until it pays" not in told
    for page in ABOUT_ONE:
        fine(open_app(ledgers.done, page, experiment="one joint arm"))
    assert not open_app(ledgers.done, "budget", experiment="one joint arm").multiselect


def test_the_verdict_is_told_at_a_glance(ledgers: Ledgers, open_app: Open) -> None:
    from cooldown import load

    found = load("whole", db=ledgers.done).answer
    app = fine(open_app(ledgers.done, "verdict", experiment="whole"))
    assert app.header[0].value.replace("\\", "").replace("\N{NO-BREAK SPACE}", " ") == found.sentence
    told = words(app).replace("\\", "")
    assert found.question in told
    assert list(app.dataframe[0].value.columns) == ["Arm", "Test loss", "Score", "Best in", "± repeats", "Cost"]
    losses = app.dataframe[0].value["Test loss"].tolist()
    assert losses == sorted(losses)
    assert app.header[1].value == "Best config"


def test_before_anything_is_evaluated_no_axis_is_empty(ledgers: Ledgers, open_app: Open) -> None:
    told = words(fine(open_app(ledgers.stopped, "verdict", experiment="nothing yet")))
    assert "No pair can be compared yet" in told
    assert "there is no verdict on tuned" in told.replace("\\", "")


def test_while_winners_are_missing_the_curves_say_whose_they_are(
    ledgers: Ledgers, open_app: Open, tmp_path: Path
) -> None:
    part = tmp_path / "part.db"
    part.write_bytes(Path(ledgers.done.removeprefix("sqlite:///")).read_bytes())
    with closing(sqlite3.connect(part)) as connection:
        connection.execute(
            "DELETE FROM cooldown_curves WHERE purpose IN ('finalist', 'evaluation') AND trial_id IN (SELECT t.id FROM "
            "cooldown_trials t JOIN cooldown_studies s ON s.id = t.study_id WHERE s.repeat = 1 AND s.arm = 'adam')"
        )
        connection.commit()
    app = fine(open_app(f"sqlite:///{part}", "curves", experiment="whole"))
    app.multiselect(key="curves arms").set_value(["momentum", "adam"]).run()
    told = words(fine(app))
    assert "the winners in 1 of 2 repeats and the best trial so far, with the search's seeds, in 1 of 2 repeats" in told
    assert "momentum: " not in told


def test_of_a_finished_experiment_the_curves_are_the_winners(ledgers: Ledgers, open_app: Open) -> None:
    assert "The winners of all repeats" in words(open_app(ledgers.done, "curves", experiment="whole"))
