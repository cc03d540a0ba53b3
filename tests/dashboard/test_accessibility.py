"""Nothing of ours keeps anybody from reading a page: axe-core in both themes, on a large screen and on a phone."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from browser import findings, opened, settled, turn_to
from covering import in_short
from playwright.sync_api import Browser, Page, expect

from cooldown.dashboard.pages import FOLDER, pages

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

STYLED = "[...document.querySelectorAll('style')].some(each => each.textContent.includes('stCaptionContainer'))"
"""Whether our style is there."""

TITLES = {page.name: page.title for page in pages()}
PLACES = [(page.name, dark, width) for page in pages() for dark in (False, True) for width in (1440, 390)]
IN_SHORT = [(page.name, *((False, 1440), (True, 390))[number % 2]) for number, page in enumerate(pages())]
"""Every page once: on a large light screen and on a dark phone in turn."""


@dataclass
class Look:
    """A page of a browser that is turned from page to page of the dashboard. asked: whom it has asked for something."""

    page: Page
    address: str
    asked: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def at(self, name: str) -> Page:
        """The page of this name, when it is whole."""
        turn_to(self.page, f"{self.address}/{name}?experiment=first+steps&overlay=another")
        expect(self.page).to_have_title(re.compile(rf"^{re.escape(TITLES[name])}\b"))
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()
        settled(self.page)
        return self.page


@pytest.fixture(scope="module")
def look(address: str, browser: Browser) -> Iterator[Callable[[bool, int], Look]]:
    """The page of a theme and a width."""
    with ExitStack() as stack:

        @cache
        def found(dark: bool, width: int) -> Look:
            page = stack.enter_context(opened(browser, dark=dark, width=width))
            look = Look(page, address)
            page.on("request", lambda request: look.asked.add(re.sub(r"^(\w+:(//)?[^/]*).*", r"\1", request.url)))
            page.on("pageerror", lambda error: look.errors.append(str(error)))
            return look

        yield found


@pytest.mark.parametrize(("name", "dark", "width"), in_short(PLACES, IN_SHORT))
def test_a_page_shows_itself_and_axe_finds_nothing(
    look: Callable[[bool, int], Look], name: str, dark: bool, width: int
) -> None:
    """And nobody else is asked for anything."""
    at = look(dark, width)
    page = at.at(name)
    if "    chart(\n" in (FOLDER / f"{name}.py").read_text("utf-8"):
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
    # Our style comes by a part of Streamlit that a browser loads when it is first needed.
    page.wait_for_function(STYLED)
    # Streamlit fades what is stale until it is replaced, which a page that follows a run does again and again.
    page.add_style_tag(content="[data-stale] { opacity: 1 !important; transition: none !important; }")
    expect(page.get_by_text("could not be shown")).to_have_count(0)
    for violation in findings(page):
        nodes = [node for node in violation["nodes"] if not _is_streamlits(page, violation["id"], node)]
        assert nodes == [], violation["id"]
    assert {each for each in at.asked if not each.startswith(("data:", "blob:"))} == {at.address}
    assert at.errors == []


def _is_streamlits(page: Any, rule: str, node: Any) -> bool:
    """Whether a finding is one of the exceptions."""
    where = STREAMLITS.get(rule, ("", ""))[0]
    return bool(where) and page.evaluate(
        "([at, where]) => document.querySelector(at).matches(where)", [node["target"][0], where]
    )


def test_whatever_the_keyboard_comes_to_can_be_seen(address: str, browser: Browser) -> None:
    with opened(browser) as page:
        page.goto(f"{address}/tasks?experiment=first+steps")
        page.locator(".js-plotly-plot").first.wait_for()
        settled(page)
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
    with opened(browser, dark=True, width=390) as page:
        page.goto(f"{address}/tasks?experiment=first+steps")
        page.locator(".js-plotly-plot").first.wait_for()
        page.get_by_test_id("stExpandSidebarButton").click()
        link = page.get_by_role("link", name="Budget", exact=True)
        expect(link).to_be_in_viewport()
        link.click()
        expect(page.get_by_role("heading", name="Budget", level=1)).to_be_visible()
        expect(link).not_to_be_in_viewport()


def test_on_paper_a_page_has_its_charts_and_tables(look: Callable[[bool, int], Look]) -> None:
    page = look(False, 1440).at("tasks")
    page.locator(".js-plotly-plot .main-svg").first.wait_for(state="attached")
    settled(page)
    page.emulate_media(media="print")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    box = page.locator('[data-testid="stMain"]').bounding_box()
    inside = page.locator('[data-testid="stMainBlockContainer"]').bounding_box()
    assert box is not None
    assert inside is not None
    assert box["height"] >= inside["height"] > 900, "nothing scrolls inside the page"
    for part in page.locator('[data-testid="stPlotlyChart"], [data-testid="stDataFrame"]').all():
        assert part.is_visible()
    page.emulate_media(media="screen")
