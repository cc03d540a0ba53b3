"""The pages about an experiment whose arms have settings: labels where there is little room, whole names in full."""

from collections.abc import Callable
from typing import Any

import pytest
from covering import in_short
from search_runs import run_in_threads, spec
from test_pages import ABOUT_ONE, PAGES

PLAIN, BN = "momentum+cosine", "bn=momentum+cosine[dropout=0:0.5, batch_norm=true]"
LONG = "long=momentum+cosine[epochs=3]"


@pytest.fixture(scope="module")
def settings_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('settings')}/cooldown.db"
    run_in_threads(url, spec(arms=(PLAIN, BN, LONG), epochs=2), name="settings")
    run_in_threads(url, spec(arms=(BN,), repeats=1, epochs=2), name="alone")
    return url


def words(app: Any) -> str:
    kinds = (app.title, app.header, app.markdown, app.caption, app.info, app.warning, app.error, app.code)
    return "\n".join(str(each.value) for kind in kinds for each in kind).replace("\\", "")


SHOWN = [(page, name) for name in ("settings", "alone") for page in PAGES]


@pytest.mark.parametrize(("page", "name"), in_short(SHOWN, [(page, "settings") for page in ABOUT_ONE]))
def test_no_page_fails(settings_url: str, open_app: Callable[..., Any], page: str, name: str) -> None:
    app = open_app(settings_url, page, experiment=name)
    assert not app.exception
    assert not app.error
    assert "cannot be shown" not in words(app)


def test_the_verdict_explains_its_labels(settings_url: str, open_app: Callable[..., Any]) -> None:
    shown = words(open_app(settings_url, "verdict", experiment="settings"))
    assert "bn: momentum+cosine[dropout=0:0.5, batch_norm=true]; long: momentum+cosine[epochs=3]." in shown
    assert "long trains for 3 epochs, momentum+cosine and bn for 2" in shown


def test_an_arm_is_chosen_by_its_label_and_shown_in_full(settings_url: str, open_app: Callable[..., Any]) -> None:
    app = open_app(settings_url, "search", experiment="settings")
    (arms,) = [each for each in app.selectbox if each.label == "Arm"]
    assert arms.options == [PLAIN, "bn", "long"]
    arms.set_value(BN).run()
    assert "bn=momentum + cosine[dropout=0:0.5, batch_norm=true]" in words(app)


def test_one_arm_with_settings_is_compared_with_another(settings_url: str, open_app: Callable[..., Any]) -> None:
    shown = words(open_app(settings_url, "verdict", experiment="alone"))
    assert f"--arm '{BN}' --arm adam" in shown
