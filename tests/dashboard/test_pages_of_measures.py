"""The pages about experiments with an objective, a metric that is an error, and a transformed target."""

from collections.abc import Callable
from typing import Any

import pytest
from covering import covering, in_short
from search_runs import run_in_threads, spec
from test_pages import PAGES, of_one


@pytest.fixture(scope="module")
def measures_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('measures')}/cooldown.db"
    arms = ("momentum+cosine", "adam")
    objective = spec(task="breast_cancer", arms=arms, objective="roc_auc", class_weight="balanced", epochs=2)
    logarithm = spec(task="diabetes", arms=arms, metric="mae", target_transform="log", epochs=2)
    alone = spec(task="breast_cancer", arms=("adam",), repeats=1, objective="roc_auc")
    for name, one in (("objective", objective), ("logarithm", logarithm), ("alone", alone)):
        run_in_threads(url, one, name=name)
    return url


def words(app: Any) -> str:
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
    return "\n".join(str(each.value) for kind in kinds for each in kind).replace("\\", "")


NAMES = ("objective", "logarithm", "alone")
SHOWN = [(page, name) for name in NAMES for page in PAGES]
# Of a task for classes and of one for numbers; a page about no experiment, in turn.
TWO = [row for row in SHOWN if row[1] == "logarithm" or row[1] == NAMES[PAGES.index(row[0]) % 2 * 2]]


@pytest.mark.parametrize(("page", "name"), in_short(SHOWN, covering(TWO, of_one)))
def test_no_page_fails(measures_url: str, open_app: Callable[..., Any], page: str, name: str) -> None:
    app = open_app(measures_url, page, experiment=name)
    assert not app.exception
    assert "cannot be shown" not in words(app)


def test_the_first_screen_says_what_is_measured(measures_url: str, open_app: Callable[..., Any]) -> None:
    assert "1 − roc_auc" in words(open_app(measures_url, "verdict", experiment="objective"))
    assert "on the log scale. Score: mae." in words(open_app(measures_url, "verdict", experiment="logarithm"))
    assert "--objective=roc_auc" in words(open_app(measures_url, "verdict", experiment="alone"))
