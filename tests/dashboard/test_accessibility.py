"""Nothing of ours keeps anybody from reading a page: axe-core in both themes, on a large screen and on a phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium, opened, served, settled
from covering import in_short
from playwright.sync_api import Browser, expect
from search_runs import run_in_threads, spec

from cooldown.dashboard.pages import pages

pytestmark = pytest.mark.browser

STREAMLITS = {
    "scrollable-region-focusable": (
        '[data-testid="stCode"] pre',
        "Streamlit's code blocks scroll, but cannot be focused; their copy buttons can",
    ),
    "color-contrast": (
        '[data-testid="stBaseButton-header"]',
        "Streamlit's button Stop, which is there while a page is being made and fades with it",
    ),
}
"""What is Streamlit's own, by axe's rule: where, and why it stays."""

LOOKS = [(dark, width) for dark in (False, True) for width in (1440, 390)]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url = f"sqlite:///{tmp_path_factory.mktemp('access')}/all.db"
    for task in ("iris", "wine"):
        run_in_threads(url, spec(task=task, arms=("momentum+cosine", "adam"), epochs=2), name=task)
    with served(url) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.mark.parametrize(("dark", "width"), in_short(LOOKS, [(False, 1440), (True, 390)]))
def test_axe_finds_nothing(address: str, browser: Browser, dark: bool, width: int) -> None:
    found = {}
    with opened(browser, dark=dark, width=width) as page:
        for each in pages():
            page.goto(f"{address}/{each.name}?experiment=iris&overlay=wine")
            settled(page)
            # What is stale is faded until it is replaced.
            page.wait_for_function("document.querySelectorAll('[data-stale=true]').length === 0")
            for violation in Axe().run(page).response["violations"]:
                if nodes := [node for node in violation["nodes"] if not _is_streamlits(page, violation["id"], node)]:
                    found[each.name, violation["id"]] = [(node["html"][:200], node["failureSummary"]) for node in nodes]
    assert found == {}


def _is_streamlits(page: Any, rule: str, node: Any) -> bool:
    """Whether a finding is one of the exceptions."""
    where = STREAMLITS.get(rule, ("", ""))[0]
    return bool(where) and page.evaluate(
        "([at, where]) => document.querySelector(at).matches(where)", [node["target"][0], where]
    )


def test_whatever_the_keyboard_comes_to_can_be_seen(address: str, browser: Browser) -> None:
    with opened(browser) as page:
        page.goto(f"{address}/tasks?experiment=iris")
        settled(page)
        page.locator(".js-plotly-plot").first.wait_for()
        reached = []
        for _ in range(40):
            page.keyboard.press("Tab")
            name, role, style, width = page.evaluate(
                "(() => { const at = document.activeElement, style = getComputedStyle(at);"
                "return [at.tagName, at.getAttribute('role'), style.outlineStyle, parseFloat(style.outlineWidth)] })()"
            )
            if name in ("BODY", "CANVAS"):
                # The page's end; or a table, which draws the focus of its cells itself.
                break
            reached.append(name)
            assert (style, width) == ("solid", 2), f"{name}, {role}"
        assert {"A", "BUTTON", "INPUT"} <= set(reached)


def test_on_a_phone_the_menu_closes_behind_a_link(address: str, browser: Browser) -> None:
    with opened(browser, width=390) as page:
        page.goto(f"{address}/tasks?experiment=iris")
        settled(page)
        page.get_by_test_id("stExpandSidebarButton").click()
        link = page.get_by_role("link", name="Budget", exact=True)
        expect(link).to_be_in_viewport()
        link.click()
        expect(page.get_by_role("heading", name="Budget", level=1)).to_be_visible()
        expect(link).not_to_be_in_viewport()


def test_on_paper_a_page_has_its_charts_and_tables(address: str, browser: Browser, tmp_path: Path) -> None:
    with opened(browser, width=1280) as page:
        page.goto(f"{address}/tasks?experiment=iris")
        settled(page)
        page.locator(".js-plotly-plot .main-svg").first.wait_for(state="attached")
        page.emulate_media(media="print")
        box = page.locator('[data-testid="stMain"]').bounding_box()
        inside = page.locator('[data-testid="stMainBlockContainer"]').bounding_box()
        assert box is not None
        assert inside is not None
        assert box["height"] >= inside["height"] > 900, "nothing scrolls inside the page"
        assert page.locator('[data-testid="stSidebar"]').is_hidden()
        for part in page.locator('[data-testid="stPlotlyChart"], [data-testid="stDataFrame"]').all():
            assert part.is_visible()
