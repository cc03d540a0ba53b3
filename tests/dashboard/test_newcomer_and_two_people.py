"""On a server that others can reach, in a real browser: a newcomer's way from a file to a model; two people at once;
and a user who signs in, reads, acts, and is out when the token is revoked.
"""

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from browser import opened, served, settled
from playwright.sync_api import Browser, Locator, Page, expect
from search_runs import run_in_threads, spec

from cooldown import load, load_model
from cooldown.objectives import TrainConfig
from cooldown.search.cli import main
from cooldown.search.service.worker import Worker
from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger, Queue, Status
from cooldown.storage.terms import Terms
from cooldown.storage.tokens import Role

pytestmark = pytest.mark.browser

ROWS = "length;colour;kind\n" + "".join(f"{i},5;{'red' if i % 3 else 'blue'};{'ab'[i > 30]}\n" for i in range(60))

SMALL = {
    "Epochs": "--epochs",
    "Seeds per trial": "--seeds",
    "Finalists per study": "--finalists",
    "Fresh seeds of a winner": "--confirm-seeds",
}
"""Labels and options of the settings that are 1 in a small experiment."""


@dataclass(frozen=True)
class Shared:
    """A server of a ledger without a worker, with a token to submit and one of an admin."""

    address: str
    url: str
    ledger: Ledger
    tokens: dict[str, str]

    @contextmanager
    def signed_in(self, browser: Browser, name: str, page: str, *, alone: bool = False) -> Iterator[Page]:
        """Somebody at a page of the dashboard; alone: beside others who have signed in."""
        with opened(browser, alone=alone) as found:
            found.goto(f"{self.address}/{page}")
            found.get_by_label("Token").fill(self.tokens[name])
            found.get_by_role("button", name="Sign in").click()
            expect(found.get_by_label("Token")).to_have_count(0)
            expect(found.get_by_role("heading", level=1)).to_be_visible()
            settled(found)
            yield found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    url = f"sqlite:///{tmp_path_factory.mktemp('shared')}/cooldown.db"
    ledger = Ledger(url)
    tokens = {name: ledger.tokens.create(name, role) for name, role in (("ada", Role.SUBMIT), ("root", Role.ADMIN))}
    options = "--no-worker", "--allow-host", "cooldown.example.org"
    with served(url, *options, verb="serve") as address:
        yield Shared(address, url, ledger, tokens)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The `cooldown` command in this process, which succeeds: what it prints."""

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["cooldown", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        assert not ended.value.code, told.err
        return told.out

    return run


def status(page: Page) -> Locator:
    """How the experiment of a page stands."""
    return page.locator(".stMarkdownBadge").first


def test_a_newcomers_way_from_a_file_to_a_model(
    shared: Shared, browser: Browser, command: Callable[..., str], tmp_path: Path
) -> None:
    with shared.signed_in(browser, "ada", "") as page:
        # An empty ledger leads there, and so does the menu.
        page.get_by_test_id("stMain").get_by_role("link", name="New experiment").click()
        expect(page.get_by_role("heading", name="New experiment")).to_be_visible()
        settled(page)
        # Ask for a small one, on a file of one's own.
        page.get_by_test_id("stMain").get_by_text("My own file").click()
        expect(page.locator("input[type=file]").first).to_be_attached()
        settled(page)
        file = {"name": "flowers.csv", "mimeType": "text/csv", "buffer": ROWS.encode()}
        page.locator("input[type=file]").first.set_input_files([file])  # type: ignore[list-item]
        expect(page.get_by_text(re.compile("classification of kind, 60 rows"))).to_be_visible()
        settled(page)
        # The command beside the form says what the page has understood: a page that is quiet may not have heard yet.
        shown = page.get_by_test_id("stCode")
        page.get_by_role("radio", name="Quick").click()
        expect(shown).to_contain_text("--trials=8")
        settled(page)
        page.get_by_text("Advanced: metric").click()
        for label, option in SMALL.items():
            field = page.get_by_label(label, exact=True)
            field.fill("1")
            field.press("Enter")
            expect(shown).to_contain_text(re.compile(rf"{option}=1\b"))
        for _ in range(2):
            before = shown.inner_text()
            # Takes the last chip away.
            page.get_by_label("Arms", exact=True).press("Backspace")
            expect(shown).not_to_have_text(before)
        settled(page)
        asked = shown.inner_text()
        page.get_by_role("button", name="Start").click()

        # Watch it; pause and resume it while it runs.
        page.wait_for_url(re.compile(r"/live\?experiment=flowers-"))
        (summary,) = shared.ledger.summaries()
        assert (summary.status, summary.terms.owner, summary.spec["epochs"]) == (Status.QUEUED, "ada", 1)
        expect(page.get_by_text("It waits for a worker, in place 1.")).to_be_visible()
        queue = Queue(shared.ledger)
        with queue.claimed() as writer:
            assert writer is not None
            expect(status(page)).to_contain_text("running")
            page.get_by_role("button", name="Pause").click()
            expect(page.get_by_text("Requested: it pauses when what is in flight is finished.")).to_be_visible()
        expect(status(page)).to_contain_text("paused")
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_text("It waits for a worker, in place 1.")).to_be_visible()
        Worker(shared.url, workers=1, exit_when_idle=True).work()

        # Read the answer.
        expect(page.get_by_role("heading", name="What next")).to_be_visible()
        result = load(summary.name, db=shared.url)
        assert result.status is Status.DONE
        expect(page.get_by_text(re.compile("Go on to 10 repeats"))).to_be_visible()
        settled(page)
        page.get_by_role("link", name="Read the answer").click()
        expect(page.get_by_text(result.answer.sentence)).to_be_visible()
        settled(page)

        # Take the model home: the config as a file, and the command that trains the model.
        page.get_by_role("link", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download json").click()
        download.value.save_as(tmp_path / "config.json")
        config = TrainConfig.from_json(json.loads((tmp_path / "config.json").read_text()))
        assert config in [trial.config for study in result.record.studies for trial in study.trials]
    model = tmp_path / "model.joblib"
    command("export", summary.name, "-o", str(model), "--db", shared.url)
    rows = pd.DataFrame({"length": ["2,5", "50,5"], "colour": ["red", "blue"]})
    assert set(load_model(model).predict(rows)) <= {"a", "b"}
    # The command beside the form makes the same experiment: it is there already.
    made = command(*shlex.split(asked)[1:], "--token", shared.tokens["ada"], "--json")
    assert json.loads(made) == {"name": summary.name, "status": "done", "new": False}


def test_two_people_see_what_the_other_does(shared: Shared, browser: Browser) -> None:
    asked = spec()
    shared.ledger.create("both", asked.to_json(), "data", planned(asked), terms=Terms(owner="ada"), queued=True)
    with (
        shared.signed_in(browser, "ada", "live?experiment=both") as ada,
        shared.signed_in(browser, "root", "queue", alone=True) as root,
    ):
        expect(ada.get_by_text(re.compile("It waits for a worker, in place"))).to_be_visible()
        card = root.get_by_test_id("stVerticalBlock").filter(has_text="task iris").last
        expect(card.get_by_role("button", name="Pause")).to_be_visible()
        settled(root)
        card.get_by_role("button", name="Pause").click()
        expect(status(ada)).to_contain_text("paused")
        ada.get_by_role("button", name="Notes").click()
        ada.get_by_label("Notes", exact=True).fill("do not delete")
        ada.get_by_role("button", name="Save").click()
        expect(ada.get_by_text("the tags and notes of both are saved.")).to_be_visible()
        root.goto(f"{shared.address}/queue?find=do+not+delete")
        expect(root.get_by_role("button", name="Duplicate")).to_have_count(1)
        settled(root)
        root.get_by_role("button", name="Delete").click()
        root.get_by_role("button", name="Delete it").click()
        expect(root.get_by_text("both was deleted.")).to_be_visible()
        expect(ada.get_by_text("The experiment both has been deleted.")).to_be_visible()
        assert "both" not in [summary.name for summary in shared.ledger.summaries()]


def test_a_user_signs_in_acts_and_is_out_again(shared: Shared, browser: Browser) -> None:
    run_in_threads(shared.url, spec(), name="first steps")
    ledger, asked = shared.ledger, spec(seed=1)
    for name, owner in (("mine", "eve"), ("of bob", "bob")):
        ledger.create(name, asked.to_json(), "data", planned(asked), terms=Terms(owner=owner), queued=True)
    token = ledger.tokens.create("eve", Role.SUBMIT)
    with opened(browser) as page:
        page.goto(f"{shared.address}/verdict?experiment=first+steps")
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
        page.goto(f"{shared.address}/queue")
        expect(page.get_by_text("Signed in as eve: you can change your own experiments.")).to_be_visible()
        expect(page.get_by_role("button", name="Pause")).to_have_count(1)
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("mine is paused.")).to_be_visible()
        assert (ledger.summary("mine").status, ledger.summary("of bob").status) == (Status.PAUSED, Status.QUEUED)
        ledger.tokens.revoke("eve")
        page.reload()
        expect(page.get_by_label("Token")).to_be_visible()
