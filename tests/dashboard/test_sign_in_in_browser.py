"""A user of a server that others can reach signs in, reads, acts, and is out when the token is revoked."""

import re
from pathlib import Path

import pytest
from browser import chromium, chromium_path, opened, served, settled
from playwright.sync_api import expect
from search_runs import run_in_threads, spec

from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger, Status
from cooldown.storage.terms import Terms
from cooldown.storage.tokens import Role

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium_path() is None, reason="there is no Chromium"),
]


def test_a_user_signs_in_acts_and_is_out_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cooldown.db"
    run_in_threads(url, spec(), name="first steps")
    ledger, asked = Ledger(url), spec(seed=1)
    for name, owner in (("mine", "ada"), ("of bob", "bob")):
        ledger.create(name, asked.to_json(), "data", planned(asked), terms=Terms(owner=owner), queued=True)
    tokens = ledger.tokens
    token = tokens.create("ada", Role.SUBMIT)
    options = "--no-worker", "--allow-host", "cooldown.example.org"
    with served(url, *options, verb="serve") as address, chromium() as browser, opened(browser) as page:
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
        page.goto(f"{address}/queue")
        expect(page.get_by_text("Signed in as ada: you can change your own experiments.")).to_be_visible()
        expect(page.get_by_role("button", name="Pause")).to_have_count(1)
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("mine is paused.")).to_be_visible()
        assert (ledger.summary("mine").status, ledger.summary("of bob").status) == (Status.PAUSED, Status.QUEUED)
        tokens.revoke("ada")
        page.reload()
        expect(page.get_by_label("Token")).to_be_visible()
