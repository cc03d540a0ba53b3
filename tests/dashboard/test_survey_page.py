"""The Survey page: verdicts of the ledger's claims in a word and a colour, and what a selected cell rests on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cooldown import claim

TINY = {"trials": 2, "repeats": 2, "epochs": 1, "seeds": 1, "finalists": 1, "finalist_seeds": 1, "confirm_seeds": 1}


def text(app: Any) -> str:
    return "\n".join(str(each.value) for kind in (app.header, app.markdown, app.caption, app.code) for each in kind)


@pytest.fixture
def checked(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("cooldown.search.claims.entry.SETTINGS", dict.fromkeys(("small", "standard", "full"), TINY))
    found = claim("C3", "iris", db=url, workers=1)
    assert found.verdict == "open"
    return found.experiments[0]


def test_claims_on_tasks_and_surfaces(url: str, open_app: Callable[..., Any], checked: str) -> None:
    app = open_app(url, "survey")
    assert not app.exception
    words = app.dataframe[0].value
    assert list(words.columns) == ["Claim", "iris", "ravine", "saddle", "Statement"]
    of = {str(row.Claim): row for row in words.itertuples()}
    assert (of["C3"].iris, of["C1"].iris, of["C5"].iris) == ("open", "not run", "not applicable")
    assert (of["C8"].ravine, of["C11"].saddle) == ("supported", "supported")
    assert "C3 on iris" not in text(app)
    app = open_app(url, "survey", cell="C3 iris")
    assert not app.exception
    assert "C3 on iris: open" in text(app)
    assert "test loss of adam\\+cosine over that of adam" in text(app)
    assert len(app.dataframe) == 2, "its parts"
    links = [link.proto for link in app.main.get("page_link")]
    assert [link.query_string for link in links if link.page == "verdict"] == [f"experiment={checked}"]
    assert "cooldown claim C1 iris" in text(open_app(url, "survey", cell="C1 iris"))
    for cell in ("C1", "C99 iris", "C3 wine"):
        app = open_app(url, "survey", cell=cell)
        assert not app.exception
        assert not app.header
        assert "cell" in app.info[0].value


def test_the_walk_through_the_survey(url: str, open_app: Callable[..., Any]) -> None:
    links = [link.proto for link in open_app(url, "survey").main.get("page_link")]
    assert [link.page for link in links] == ["walk"]
    app = open_app(url, "walk")
    assert not app.exception
    assert app.title[0].value == "A walk through the survey"
    (shown,) = (each.value for each in app.markdown if "cooldown claim" in each.value)
    assert "    cooldown claim C3 iris" in shown
    assert "The survey's claims has the results" in shown
    assert ".md)" not in shown, "the other pages of the documentation are not here"


def test_a_ledger_without_claims(url: str, open_app: Callable[..., Any], tmp_path: Path) -> None:
    app = open_app(url, "survey")
    assert not app.exception
    assert list(app.dataframe[0].value.columns) == ["Claim", "ravine", "saddle", "Statement"]
    assert not list(tmp_path.iterdir()), "nothing is written"
