"""What a reader has chosen is in the address: the page shows it, writes what is chosen, and ignores the rest."""

from collections.abc import Callable
from typing import Any

import pytest
from linked import linked
from search_runs import run_in_threads, spec
from test_pages import PAGES, fine, words

from cooldown import load
from cooldown.dashboard.brushing import DIGITS
from cooldown.dashboard.ranging import of_losses

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    found = f"sqlite:///{tmp_path_factory.mktemp('addresses')}/cooldown.db"
    run_in_threads(found, spec(arms=("momentum+cosine", "adam"), epochs=2, trials=6), name="one")
    run_in_threads(found, spec(arms=("adam", "sgd"), epochs=2), name="two")
    return found


SHOWN: list[tuple[str, dict[str, Any], str, str, Any]] = [
    ("curves", {"arms": "adam"}, "multiselect", "curves arms", ["adam"]),
    ("curves", {"arms": ""}, "multiselect", "curves arms", []),
    ("curves", {"loss": "training"}, "segmented_control", "curves loss", "training"),
    ("curves", {"log": "0"}, "toggle", "curves log", False),
    ("budget", {"against": "seconds"}, "segmented_control", "budget against", "seconds"),
    ("search", {"arm": "adam"}, "selectbox", "search arm", "adam"),
    ("search", {"top": "3"}, "number_input", "search top", 3),
    (
        "search",
        {"charts": ["Importance", "Distribution"]},
        "multiselect",
        "search charts",
        ["Importance", "Distribution"],
    ),
    ("trial", {"arm": "adam", "repeat": "1", "trial": "4"}, "selectbox", "trial trial", 4),
    ("export", {"format": "toml"}, "selectbox", "export format", "toml"),
    ("schedules", {"schedules": "sgdr", "sgdr.period": "7"}, "number_input", "schedules sgdr.period", 7.0),
    ("surfaces", {"surface": "saddle", "steps": "50"}, "number_input", "surfaces steps", 50),
    ("workers", {"method": "easgd"}, "selectbox", "workers method", "easgd"),
]


@pytest.mark.parametrize(("page", "query", "kind", "key", "value"), SHOWN)
def test_a_page_shows_what_its_address_says(
    url: str, open_app: Open, page: str, query: dict[str, Any], kind: str, key: str, value: Any
) -> None:
    app = fine(open_app(url, page, experiment="one", **query))
    assert widget(app, kind, key).value == value
    assert not noted(app)
    assert address(app) == {"experiment": "one", **query}


HOSTILE = [
    "nonsense",
    "-1",
    "nan",
    "inf",
    "1e400",
    "<script>alert(1)</script>",
    "a" * 5000,
    "'; DROP TABLE x; --",
    "é\x00",
]
NAMES = ["arm", "arms", "repeat", "trial", "trials", "against", "between", "states", "top", "charts", "x", "y", "sort"]
NAMES += ["part", "log", "loss", "format", "schedules", "rate", "epochs", "surface", "steps", "optimizers", "method"]


WITHOUT = ("experiments", "generalization", "live", "new", "queue", "survey", "tasks", "verdict", "walk")
"""Pages that show none of these."""


@pytest.mark.parametrize("page", PAGES)
def test_what_an_address_cannot_mean_is_ignored_with_a_note(url: str, open_app: Open, page: str) -> None:
    compared = page in ("curves", "budget", "trial", "workers")
    as_it_is = words(fine(open_app(url, page, experiment="one"))) if compared else ""
    for value in HOSTILE[:: 3 if page in ("search", "trial") else 8]:
        app = fine(open_app(url, page, experiment="one", **dict.fromkeys(NAMES, value)))
        assert not app.error
        told = noted(app)
        assert page in WITHOUT or told
        assert all(len(each) < 3000 for each in told)
        if compared:
            shown = [line for line in words(app).split("\n") if not line.startswith("Ignored in the address")]
            assert shown == as_it_is.split("\n"), "as without it"


def test_of_several_values_those_that_there_are_are_used(url: str, open_app: Open) -> None:
    app = fine(open_app(url, "curves", experiment="one", arms=["adam", "lion"]))
    assert app.multiselect(key="curves arms").value == ["adam"]
    assert noted(app) == ["Ignored in the address, as it is not available here: arms = “lion”."]


def test_what_is_chosen_is_written_and_a_default_is_left_out(url: str, open_app: Open) -> None:
    app = fine(open_app(url, "curves", experiment="one"))
    app.toggle(key="curves log_x").set_value(True).run()
    app.multiselect(key="curves arms").set_value([]).run()
    assert address(app) == {"experiment": "one", "log_x": "1", "arms": ""}
    fine(app.toggle(key="curves log_x").set_value(False).run())
    assert address(app) == {"experiment": "one", "arms": ""}


def test_back_shows_what_was_there_before(url: str, open_app: Open) -> None:
    app = fine(open_app(url, "curves", experiment="one", log_x="1"))
    del app.query_params["log_x"]
    assert app.run().toggle(key="curves log_x").value is False
    app.query_params["log_x"] = "1"
    assert app.run().toggle(key="curves log_x").value is True


def test_what_widgets_still_show_when_the_history_leads_elsewhere_is_no_choice(
    url: str, open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser sends it if a reader goes back twice before the first answer is there."""
    app = fine(open_app(url, "curves", experiment="one", log_x="1"))
    monkeypatch.setattr("cooldown.dashboard.addressed.by_history", lambda: True)
    app.toggle(key="curves log_x").set_value(False)
    app.sidebar.selectbox(key="experiment").select("two")
    fine(app.run())
    assert address(app) == {"experiment": "one", "log_x": "1"}
    assert app.toggle(key="curves log_x").value is True
    assert app.sidebar.selectbox(key="experiment").value == "one"


def test_another_experiment_begins_anew(url: str, open_app: Open) -> None:
    app = fine(open_app(url, "search", experiment="one", arm="momentum+cosine", states="winner"))
    app.sidebar.selectbox(key="experiment").select("two").run()
    assert address(fine(app)) == {"experiment": "two"}
    assert not noted(app)


def test_another_arm_has_other_trials(url: str, open_app: Open) -> None:
    app = fine(open_app(url, "trial", experiment="one", arm="adam", repeat="1", trial="4"))
    app.selectbox(key="trial arm").select("momentum+cosine").run()
    assert set(address(fine(app))) <= {"experiment", "arm"}
    assert not noted(app)


def test_a_trial_has_an_address_of_its_own(url: str, open_app: Open) -> None:
    record = load("one", db=url).record
    study = next(study for study in record.of("adam") if study.repeat == 1)
    app = fine(open_app(url, "trial", experiment="one", arm="adam", repeat="1", trial="4"))
    assert "adam, repeat 1, trial 4" in words(app).replace("\\", "")
    told = words(app).replace("\\", "")
    assert f"validation loss {study.trials[4].validation_loss:.4f}" in told
    settings = dict(app.dataframe[0].value.values.tolist())
    assert settings["Optimizer"] == "adam"
    assert float(settings["learning_rate"]) == pytest.approx(
        study.trials[4].config.optimizer.hyperparameters["learning_rate"], rel=1e-4
    )
    assert "learning_rate" in app.code[0].value


def test_one_trial_after_the_other(url: str, open_app: Open) -> None:
    app = fine(open_app(url, "trial", experiment="one", arm="adam", repeat="0", trial="4"))
    before, after = app.main.button[:2]
    after.click().run()
    assert address(fine(app))["trial"] == "5"
    assert app.main.button[1].disabled, "the last one"
    app.main.button[0].click().run()
    assert address(fine(app))["trial"] == "4"
    assert before.label == "Previous trial"


def test_two_trials_side_by_side(url: str, open_app: Open) -> None:
    app = open_app(url, "trial", experiment="one", arm="adam", repeat="0", trial="4", against="momentum+cosine/1/2")
    table = fine(app).dataframe[0].value
    assert list(table.columns) == ["Setting", "adam, repeat 0, trial 4", "momentum+cosine, repeat 1, trial 2"]
    assert not noted(app)
    app = open_app(url, "trial", experiment="one", arm="adam", repeat="0", trial="4", against="adam/0/99")
    assert "against" in noted(fine(app))[0]
    assert len(app.dataframe[0].value.columns) == 2


def test_one_choice_holds_for_charts_table_and_curves(url: str, open_app: Open) -> None:
    study = load("one", db=url).record.of("adam")
    losses = sorted(trial.validation_loss for each in study for trial in each.trials)
    between = f"loss:{losses[0]}:{losses[4]}"
    app = fine(open_app(url, "search", experiment="one", arm="adam", between=between))
    assert "5 of 12 trials chosen" in words(app)
    assert "Curves of the chosen trials" in words(app)
    (table,) = linked(app)
    assert len(table["rows"]) == 5
    app.number_input(key="search top").set_value(1).run()
    (table,) = linked(fine(app))
    assert 1 <= len(table["rows"]) <= 2
    next(button for button in app.main.button if button.label == "Choose all").click().run()
    assert address(fine(app)) == {"experiment": "one", "arm": "adam"}
    assert len(linked(app)[0]["rows"]) == 12


def test_rows_are_links_in_the_order_of_the_address(url: str, open_app: Open) -> None:
    app = fine(open_app(url, "search", experiment="one", arm="adam", sort="-Validation loss"))
    (table,) = linked(app)
    titles = [column["title"] for column in table["columns"]]
    losses = [float(row["cells"][titles.index("Validation loss")]) for row in table["rows"]]
    assert losses == sorted(losses, reverse=True)
    assert table["sorted"] == {"column": titles.index("Validation loss"), "down": True}
    repeat, number = table["rows"][0]["cells"][:2]
    assert table["rows"][0]["href"] == f"trial?experiment=one&arm=adam&repeat={repeat}&trial={number}"


@pytest.mark.parametrize("name", ["History", "Hyperparameter", "Two hyperparameters", "All hyperparameters"])
def test_every_chart_can_be_shown_of_a_choice(url: str, open_app: Open, name: str) -> None:
    app = fine(open_app(url, "search", experiment="one", charts=name, top="1"))
    assert [header.value for header in app.header] == [name, "Trials", "Curves of the chosen trials"]
    assert not app.error


def address(app: Any) -> dict[str, Any]:
    """The parameters of the address; a list for one that is there several times."""
    said = {name: each if isinstance(each, list) else [each] for name, each in app.query_params.items()}
    return {name: each[0] if len(each) == 1 else each for name, each in said.items()}


def widget(app: Any, kind: str, key: str) -> Any:
    return next(each for each in app.get(kind) if each.key == key)


def noted(app: Any) -> list[str]:
    notes = [each.value.replace("\\", "") for each in app.info]
    return [note for note in notes if note.startswith("Ignored in the address")]


def test_sliders_choose_ranges_that_are_kept_in_the_address(url: str, open_app: Open) -> None:
    name, query = "adam.learning_rate", {"experiment": "one", "arm": "adam", "charts": "All hyperparameters"}
    app = fine(open_app(url, "search", **query, between=f"{name}:0.0012:0.04"))
    slider = widget(app, "select_slider", f"range of {name}")
    low, high = map(float, slider.value)
    assert low < 0.0012 < 0.04 < high, "ends between two values are shown by those around them"
    chosen = len(linked(app)[0]["rows"])
    assert 0 < chosen < 12
    slider.set_value((low, 0.1)).run()
    kept = address(fine(app))["between"].removeprefix(f"{name}:").split(":")
    assert kept == ["0.0012", "0.1"], "an end that was not moved stays"
    assert len(linked(app)[0]["rows"]) >= chosen
    widget(app, "select_slider", f"range of {name}").set_value((1e-4, 0.1)).run()
    assert "between" not in address(fine(app))
    losses = widget(app, "select_slider", "range of loss")
    losses.set_value((float(losses.options[0]), float(losses.options[3]))).run()
    assert address(fine(app))["between"].startswith("loss:")


def test_sliders_end_where_the_trials_do_and_their_steps_look_different() -> None:
    slider = of_losses([0.0123456, 0.5, 1.09, float("nan")])
    assert (slider.values[0], slider.values[-1]) == (0.0123, 1.09)
    close = of_losses([1.0001, 1.0102])
    assert (close.values[0], close.values[-1]) == (1.0, 1.02)
    for each in (slider, close, of_losses([-2.0, 3.0]), of_losses([0.0, 3.0])):
        texts = [each.text(value) for value in each.values]
        assert len(set(texts)) == len(texts) > 1
        assert list(each.values) == sorted(each.values)
        assert [float(f"{value:.{DIGITS}g}") for value in each.values] == each.values, "an address keeps them"
    assert of_losses([2.0, 2.0]).values == [2.0]
