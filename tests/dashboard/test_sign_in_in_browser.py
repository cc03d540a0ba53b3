"""A reader of a dashboard that others can reach signs in, reads, and is out when the token is revoked."""

import re
from pathlib import Path

import pytest
from browser import chromium, chromium_path, opened, served, settled
from playwright.sync_api import expect
from search_runs import run_in_threads, spec

from cooldown.storage import Ledger
from cooldown.storage.tokens import Role

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium_path() is None, reason="there is no Chromium"),
]


def test_a_reader_signs_in_and_is_out_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cooldown.db"
    run_in_threads(url, spec(), name="first steps")
    tokens = Ledger(url).tokens
    token = tokens.create("ada", Role.READ)
    with served(url, "--allow-host", "cooldown.example.org") as address, chromium() as browser, opened(browser) as page:
        page.goto(f"{address}/verdict?experiment=first+steps")
        page.get_by_label("Token").fill("nonsense")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("The token is unknown, or was revoked.")
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Sign in").click()
        # Where the reader wanted to go; the page itself comes through a websocket.
        expect(page).to_have_url(re.compile(r"/verdict\?experiment=first"))
        settled(page)
        expect(page.get_by_role("heading", name="Cost", exact=True)).to_be_visible()
        (cookie,) = (each for each in page.context.cookies() if each["name"] == "cooldown_session")
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert page.evaluate("document.cookie.includes('cooldown_session')") is False
        tokens.revoke("ada")
        page.reload()
        expect(page.get_by_label("Token")).to_be_visible()
