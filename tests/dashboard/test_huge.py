"""A ledger that has grown large: every page still shows itself, with what it shows bounded."""

import sqlite3
from contextlib import closing

import pytest
from covering import in_short
from linked import linked
from search_runs import run_in_threads, spec
from test_pages import PAGES, Open, fine, with_numbers, words

from cooldown import load
from cooldown.dashboard.linked_tables import PER_PAGE
from cooldown.dashboard.parts import MOST_STYLED

FARTHER = 1_000_000
"""Each copy of a row has its number so much further on."""

TIMES = 60
"""Trials of each search, as many times as were run."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An experiment of thousands of trials, and many small ones."""
    path = tmp_path_factory.mktemp("huge") / "cooldown.db"
    url = f"sqlite:///{path}"
    arms = ("momentum+cosine", "adam", "momentum,adam+cosine,sgdr")
    run_in_threads(url, spec(arms=arms, trials=10, generation=5, epochs=3), name="huge")
    with closing(sqlite3.connect(path)) as connection:
        for copy in range(1, TIMES):
            step = copy * FARTHER
            _copy(connection, "cooldown_trials", {"id": step, "number": copy * 10})
            _copy(connection, "cooldown_curves", {"id": step, "trial_id": step})
        for copy in range(1, 200):
            _copy(connection, "cooldown_experiments", {"id": copy, "created_at": -copy}, f"small {copy}")
        connection.commit()
    assert sum(len(study.trials) for study in load("huge", db=url).record.studies) == 3 * 2 * 10 * TIMES
    return url


def _copy(connection: sqlite3.Connection, table: str, further: dict[str, int], name: str = "") -> None:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    values = [f"{each} + {further[each]}" if each in further else each for each in columns]
    if name:
        values[columns.index("name")] = f"'{name}'"
    most = 1 if name else FARTHER - 1
    connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} WHERE id <= {most}"
    )


BELOW = ("search", "budget", "schedules")
"""Pages of tests of their own."""


# The page of surfaces shows nothing of a ledger.
@pytest.mark.parametrize("page", in_short(PAGES, [page for page in PAGES if page not in ("surfaces", *BELOW)]))
def test_every_page_shows_itself(url: str, open_app: Open, page: str) -> None:
    app = fine(open_app(url, page, experiment="huge"))
    assert not app.error
    assert not fine(with_numbers(app)).error


def test_all_trials_of_an_arm_are_listed(url: str, open_app: Open) -> None:
    app = fine(open_app(url, "search", experiment="huge"))
    app.main.selectbox(key="search arm").select("momentum,adam+cosine,sgdr").run()
    assert f"{2 * 10 * TIMES:,} trials" in words(fine(app))
    (table,) = linked(app)
    assert len(table["rows"]) == PER_PAGE
    assert not fine(with_numbers(app)).error
    app.query_params["part"] = str(2 * 10 * TIMES // PER_PAGE)
    (last,) = linked(fine(app.run()))
    assert len(last["rows"]) == PER_PAGE
    assert last["rows"][-1]["cells"][:2] == ["1", f"{10 * TIMES - 1}"]


def test_a_table_too_large_to_be_set_number_by_number_is_shown(url: str, open_app: Open) -> None:
    """What the reader opens are all trials in all their numbers."""
    app = fine(open_app(url, "budget", experiment="huge"))
    app.main.multiselect(key="budget arms").set_value(["momentum+cosine", "adam", "momentum,adam+cosine,sgdr"]).run()
    assert max(table.value.size for table in fine(with_numbers(app)).dataframe) > 3 * 10 * TIMES
    assert MOST_STYLED < 10**6


def test_of_trials_eight_at_most_are_on_top_of_each_other(url: str, open_app: Open) -> None:
    app = fine(open_app(url, "schedules", experiment="huge"))
    for number in range(9):
        app.main.selectbox(key="schedules arm").select("adam").run()
        app.main.selectbox(key="schedules repeat").select(0).run()
        app.main.selectbox(key="schedules trial").select(number).run()
        if not app.main.button[0].disabled:
            app.main.button[0].click().run()
        fine(app)
    assert len(app.main.multiselect(key="schedules trials").value) == 8
