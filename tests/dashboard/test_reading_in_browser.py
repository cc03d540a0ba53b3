"""Links, history, tabs and keys, which only a browser has: what an address shows it shows again."""

import re
from collections.abc import Iterator

import pytest
from browser import opened, settled, turn_to
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The dashboard in a high window."""
    with opened(browser, height=1800) as found:
        found.goto(address)
        yield found


def row(page: Page, name: str) -> None:
    """Click a row of a linked table far from its first cell."""
    link = page.get_by_role("link", name=name, exact=True)
    expect(link).to_be_visible()
    settled(page)
    link.scroll_into_view_if_needed()
    box = link.locator("xpath=ancestor::tr").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_a_row_is_a_link_for_mouse_keys_and_another_tab(address: str, page: Page) -> None:
    turn_to(page, address)
    row(page, "first steps")
    page.wait_for_url(re.compile(r"/verdict\?experiment=first\+steps$"))
    expect(page).to_have_title("Answer · first steps · Cooldown")
    settled(page)
    page.go_back()
    link = page.get_by_role("link", name="first steps", exact=True)
    expect(link).to_be_visible()
    settled(page)
    # The second row is reached, and opened, by keys alone.
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(link).to_be_focused()
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="another", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/verdict\?experiment=another$"))
    page.go_back()
    expect(link).to_be_visible()
    settled(page)
    with page.context.expect_page() as other:
        link.click(button="middle")
    other.value.wait_for_url(re.compile(r"/verdict\?experiment=first\+steps$"))
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()


def test_what_is_chosen_is_there_after_back_reload_and_in_another_tab(address: str, page: Page) -> None:
    turn_to(page, f"{address}/curves?experiment=first+steps")
    expect(page.get_by_text("Log x-axis")).to_be_visible()
    settled(page)
    page.get_by_text("Log x-axis").click()
    page.wait_for_url(re.compile("log_x=1"))
    settled(page)
    page.get_by_text("Individual replicates").click()
    page.wait_for_url(re.compile("replicates=1"))
    settled(page)
    page.go_back()
    switches = {name: page.get_by_role("switch", name=name) for name in ("Log x-axis", "Individual replicates")}
    expect(switches["Individual replicates"]).not_to_be_checked()
    expect(switches["Log x-axis"]).to_be_checked()
    settled(page)
    page.go_forward()
    expect(switches["Individual replicates"]).to_be_checked()
    page.reload()
    expect(switches["Individual replicates"]).to_be_checked()
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("switch", name="Log x-axis")).to_be_checked()
    # The tabs have states of their own.
    settled(other)
    other.get_by_text("Log x-axis").click()
    other.wait_for_url(re.compile(r"experiment=first\+steps&replicates=1$"))
    expect(switches["Log x-axis"]).to_be_checked()


def test_trials_are_chosen_by_dragging_and_stepped_through_by_keys(address: str, page: Page) -> None:
    turn_to(page, f"{address}/search?experiment=first+steps&arm=adam")
    expect(page.get_by_role("heading", name="Trials")).to_be_visible()
    chart = page.locator(".js-plotly-plot .nsewdrag").first
    expect(chart).to_be_visible()
    settled(page)
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    # The left half: the first four trials of both repeats, and no others.
    page.mouse.move(box["x"] + 1, box["y"] + 1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 2, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile("between=trial"))
    expect(page.get_by_text("8 of 16 trials chosen")).to_be_visible()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(8)
    settled(page)
    page.reload()
    expect(page.get_by_text("8 of 16 trials chosen")).to_be_visible()
    row(page, "repeat 1, trial 2")
    page.wait_for_url(re.compile(r"/trial\?experiment=first\+steps&arm=adam&repeat=1&trial=2$"))
    expect(page.get_by_role("heading", name="adam, repeat 1, trial 2")).to_be_visible()
    settled(page)
    page.keyboard.press("j")
    page.wait_for_url(re.compile("trial=3$"))
    expect(page.get_by_role("heading", name="adam, repeat 1, trial 3")).to_be_visible()
    settled(page)
    page.keyboard.press("k")
    page.wait_for_url(re.compile("trial=2$"))
    expect(page.get_by_role("heading", name="adam, repeat 1, trial 2")).to_be_visible()
    settled(page)
    page.go_back()
    expect(page.get_by_role("heading", name="adam, repeat 1, trial 3")).to_be_visible()
