"""All tasks: the page in each state of a ledger, and what its address says."""

from collections.abc import Callable
from typing import Any

import pytest
from search_runs import run_in_threads, spec

from cooldown.search.evidence.across.comparison import Asked, compared
from cooldown.search.experiments.across import read
from cooldown.storage import Ledger

Open = Callable[..., Any]
ARMS = ("momentum+cosine", "adam")
ODD = "<b>*odd* $x$"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('tasks')}/all.db"
    run_in_threads(url, spec(task="iris", arms=ARMS, epochs=2), name=ODD)
    run_in_threads(url, spec(task="wine", arms=ARMS, epochs=2), name="wine")
    return url


def told(app: Any) -> str:
    assert not app.exception
    assert not app.error
    return " ".join(
        str(each.value) for kind in (app.subheader, app.header, app.caption, app.info) for each in kind
    ).translate({ord("\\"): None, ord("\N{NO-BREAK SPACE}"): " "})


def test_the_page_says_what_the_comparison_says(open_app: Open, ledger: str) -> None:
    app = open_app(ledger, "tasks")
    assert compared(read(db=ledger), Asked()).across.sentence in told(app)
    table = app.dataframe[0].value
    assert table["Task"].tolist() == ["iris", "wine", "All tasks"]
    assert [header.value for header in app.header][1:] == ["All arms"]


def test_the_address_says_what_is_compared(open_app: Open, ledger: str) -> None:
    app = open_app(ledger, "tasks", first="adam", second="momentum+cosine", kind="classification", rows="below 300")
    asked = Asked(primary=("adam", "momentum+cosine"))
    assert compared(read(db=ledger), asked).across.sentence in told(app)
    app = open_app(ledger, "tasks", kind="regression")
    assert "no task has a finished experiment" in told(app)


def test_ticked_experiments_lie_over_each_other(open_app: Open, ledger: str) -> None:
    app = open_app(ledger, "tasks", overlay=[ODD, "wine", "nothing"])
    assert "Ticked experiments" in [header.value for header in app.header]
    assert len(told(app)) > 0
    config = app.dataframe[-1].value
    assert list(config) == ["Setting", *(f"{name}: {arm}" for name in (ODD, "wine") for arm in ARMS)]


def test_an_empty_ledger(open_app: Open, url: str) -> None:
    assert "no experiments yet" in told(open_app(url, "tasks"))
    Ledger(url)
    assert "no experiments yet" in told(open_app(url, "tasks"))


def test_a_ledger_with_one_task(open_app: Open, url: str) -> None:
    run_in_threads(url, spec(arms=ARMS, epochs=1), name="only")
    app = open_app(url, "tasks")
    assert "only one task has a finished experiment" in told(app)
