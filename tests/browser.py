"""A dashboard in a process of its own, and Debian's Chromium to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.patience import PATIENCE

COOLDOWN = str(Path(sys.executable).with_name("cooldown"))

expect.set_options(timeout=PATIENCE * 1000)

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    # A third less work than with a process of its own.
    "--in-process-gpu",
    # All pages of a server in one process, which compiles Streamlit's and Plotly's programs once.
    "--process-per-site",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

STILL = """
const still = new CSSStyleSheet();
still.replaceSync("*, ::before, ::after { animation: none !important; transition: none !important; }");
document.adoptedStyleSheets.push(still);
"""
"""Without Streamlit's animations, whose frames are most of what Chromium draws here."""

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first has no windows, and so a sixth less to do."""


def chromium_path() -> str | None:
    """Debian's Chromium, or whatever there is of it."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def served(url: str, *options: str, verb: str = "dashboard") -> Iterator[str]:
    """The address of a dashboard of the ledger `url`, as `cooldown dashboard` starts it with these options. verb:
    another command that does, such as `serve`.
    """
    port = free_port()
    process = subprocess.Popen(
        [COOLDOWN, verb, "--port", str(port), "--db", url, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(process, address)
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium, with a first context, in which what one page has loaded is there for the next."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        try:
            context_of(browser)
            yield browser
        finally:
            browser.close()


def context_of(browser: Browser) -> BrowserContext:
    """A new context, in which nothing moves."""
    context = browser.new_context()
    context.add_init_script(STILL)
    return context


_SHARED = ExitStack()


@cache
def shared_chromium() -> Browser:
    """One Chromium for all tests, until `close_shared_chromium`."""
    return _SHARED.enter_context(chromium())


def close_shared_chromium() -> None:
    """Close it, if it is open: until then Playwright has the event loop of this thread, and no other can run here."""
    shared_chromium.cache_clear()
    _SHARED.close()


@contextmanager
def opened(
    browser: Browser, *, dark: bool = False, width: int = 1280, height: int = 900, alone: bool = False
) -> Iterator[Page]:
    """A page of a browser, closed at the end with all that it has opened. alone: with a cache and cookies
    of its own; others find what a page before them has loaded, but nothing that it has stored.
    """
    context = context_of(browser) if alone else browser.contexts[0]
    context.set_default_timeout(PATIENCE * 1000)
    others = set(context.pages)
    try:
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        yield page
        if page.url.startswith("http"):
            # Streamlit keeps there whether the menu is open.
            page.evaluate("localStorage.clear()")
    finally:
        context.clear_cookies()
        for each in {*context.pages} - others:
            each.close()
        if alone:
            context.close()


def turn_to(page: Page, address: str) -> None:
    """Show another page of the dashboard, which is loaded only where it is not open yet: as Back and links of the menu
    do.
    """
    if not page.url.startswith("http"):
        page.goto(address)
        return
    page.evaluate("to => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')) }", address)


def findings(page: Page) -> list[dict[str, Any]]:
    """What axe-core finds wrong with a page. Without what it finds right it takes a third of the time."""
    found: list[dict[str, Any]] = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return found


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(process: "subprocess.Popen[str]", address: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError(f"the dashboard ended: {process.communicate()[1]}")
        try:
            with urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("the dashboard does not answer")


def settled(page: Page) -> None:
    """Wait until the page is whole: what is clicked while Streamlit replaces it does not hear of it.

    Streamlit may not have begun yet: first wait, with `expect`, for something that only the new page has.
    """
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
