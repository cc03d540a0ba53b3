"""The report in a real browser: opened from its file, in both themes, on paper, and without a request to anybody."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from browser import findings, opened
from covering import in_short
from playwright.sync_api import Browser
from report_pages import ARMS, HOSTILE, STATES

from cooldown.search.report import report
from cooldown.storage import ExperimentRecord

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def record(small_record: ExperimentRecord) -> ExperimentRecord:
    return small_record


@pytest.fixture(scope="module")
def text(record: ExperimentRecord) -> str:
    return report(record)


Show = Callable[..., AbstractContextManager[Any]]


@contextmanager
def watched(browser: Browser, folder: Path, text: str, **look: Any) -> Iterator[tuple[Any, list[str]]]:
    """The page opened from its file, all of its figures drawn, and what goes wrong or is asked of anybody."""
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    with opened(browser, **look) as page:
        wrong: list[str] = []
        page.on("console", lambda message: wrong.append(message.text) if "GL Driver" not in message.text else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url) if not own(request.url) else None)
        page.goto(path.as_uri())
        page.get_by_role("button", name="Open all sections").click()
        page.wait_for_function(f"[...{PLOTS}].every((plot) => plot.querySelector('.main-svg'))")
        yield page, wrong


@pytest.fixture(scope="module")
def looks(browser: Browser, text: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """The report in a look, opened once, and what went wrong on it."""
    with ExitStack() as stack:

        @cache
        def found(dark: bool, width: int) -> tuple[Any, list[str]]:
            folder = tmp_path_factory.mktemp("look")
            return stack.enter_context(watched(browser, folder, text, dark=dark, width=width))

        yield found


@pytest.fixture
def shown(looks: Callable[..., Any]) -> Show:
    """The report in a look, which a test leaves as it was; nothing may go wrong."""

    @contextmanager
    def show(dark: bool, width: int) -> Iterator[Any]:
        page, wrong = looks(dark, width)
        yield page
        assert wrong == []

    return show


PLOTS = "document.querySelectorAll('.plot:not(.later .plot)')"


def own(url: str) -> bool:
    return url.startswith(("file:", "data:", "blob:"))


LOOKS = [(dark, width) for dark in (False, True) for width in (360, 1440)]
PHONE, SCREEN = (False, 360), (True, 1440)


@pytest.mark.parametrize(("dark", "width"), in_short(LOOKS, [PHONE, SCREEN]))
def test_every_figure_is_drawn_in_both_themes(shown: Show, dark: bool, width: int) -> None:
    with shown(dark, width) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        # What is drawn for a trace with points, in each figure.
        assert page.evaluate(f"[...{PLOTS}].every((plot) => plot.querySelector('.point, .lines, .bars'))")
        assert page.evaluate(f"[...{PLOTS}].every((plot) => plot.getBoundingClientRect().right <= innerWidth)")
        text_colour = page.evaluate("getComputedStyle(document.querySelector('.plot .xtick text')).fill")
        assert (text_colour == "rgb(227, 232, 236)") == dark
        # The theme changes while the page is open.
        page.emulate_media(color_scheme="light" if dark else "dark")
        page.wait_for_function(
            f"getComputedStyle(document.querySelector('.plot .xtick text')).fill !== '{text_colour}'"
        )
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.wait_for_function(
            f"getComputedStyle(document.querySelector('.plot .xtick text')).fill === '{text_colour}'"
        )


def test_what_is_drawn_on_demand_is_drawn_and_put_away(shown: Show) -> None:
    with shown(*SCREEN) as page:
        summaries = page.locator(".later > summary")
        assert summaries.count() == len(ARMS)
        for number in range(summaries.count()):
            summaries.nth(number).click()
            page.wait_for_function(
                f"document.querySelectorAll('.later')[{number}].querySelector('.plot .parcoords') !== null"
            )
            page.wait_for_function("document.querySelectorAll('.later .plot .parcoords').length === 1")
        summaries.last.click()
        page.wait_for_function("document.querySelectorAll('.later .plot .parcoords').length === 0")


def test_on_paper_figures_fit_and_details_are_closed(shown: Show) -> None:
    with shown(*SCREEN) as page:
        details = page.locator("summary:not(.fold > summary)").first
        details.click()
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        widths = page.evaluate(
            f"[...{PLOTS}].map((plot) => Number(plot.querySelector('.main-svg').getAttribute('width')))"
        )
        assert max(widths) <= 680
        assert page.evaluate("getComputedStyle(document.querySelector('.plot .xtick text')).fill") == "rgb(15, 20, 25)"
        assert page.locator("details:not(.fold):visible").count() == 0
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen")
        page.wait_for_function(
            "getComputedStyle(document.querySelector('.plot .xtick text')).fill === 'rgb(227, 232, 236)'"
        )
        if details.evaluate("summary => summary.parentElement.open"):
            details.click()


PAPER = {"width": 703, "height": 1032}
"""Of an A4 page between margins of 12 mm, in pixels."""


def test_the_first_printed_page_is_answer_table_chart_and_config(text: str, browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8")
    with opened(browser, width=PAPER["width"], height=PAPER["height"]) as page:
        page.goto(path.as_uri())
        page.wait_for_function("document.querySelector('#answer .plot .main-svg')")
        pages = page.pdf(format="A4")
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pages)) <= 8
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        for part in (".answer", "table", ".plot", ".config"):
            box = page.locator(f"#answer {part}").first.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= PAPER["height"], f"{part} is on the first page"
        assert page.locator("main > section:visible h2").all_inner_texts() == ["Answer", "Alarms"]


def test_a_link_opens_the_section_that_it_leads_to(text: str, browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8")
    with opened(browser) as page:
        page.goto(f"{path.as_uri()}#sensitivity")
        page.wait_for_function("document.querySelector('#sensitivity > .fold').open")
        page.wait_for_function("document.querySelector('#sensitivity .plot .main-svg')")
        page.get_by_role("link", name="Budget").click()
        page.wait_for_function("document.querySelector('#budget > .fold').open")
        assert page.locator(".fold[open]").count() == 2


@pytest.mark.parametrize(("dark", "width"), in_short(LOOKS, [PHONE, SCREEN]))
def test_axe_finds_nothing(shown: Show, dark: bool, width: int) -> None:
    with shown(dark, width) as page:
        found = findings(page)
        assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize("state", ["running", "empty"])
def test_an_unfinished_one_opens_too(record: ExperimentRecord, browser: Browser, tmp_path: Path, state: str) -> None:
    made = replace(STATES[state](record), name=HOSTILE[0])
    with watched(browser, tmp_path, report(made)) as (page, wrong):
        assert page.title().startswith(HOSTILE[0])
        assert page.get_by_text("still running").count() == 1
        assert wrong == []
