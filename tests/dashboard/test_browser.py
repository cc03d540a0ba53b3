"""A newcomer's way through the dashboard, in a real browser: open, choose, read, filter, open a trial, take it home.

And what only a browser shows: that a page follows a run without being loaded again, and who is let in.
"""

import json
import re
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from browser import free_port, opened, settled, turn_to
from patience import PATIENCE
from playwright.sync_api import Browser, Page, expect
from search_runs import run_in_threads, spec, wait_until

from cooldown import load
from cooldown.objectives import TrainConfig
from cooldown.search.cli import main
from cooldown.storage import Ledger, Status

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with opened(browser) as found:
        yield found


def test_a_newcomers_way(address: str, shown_url: str, page: Page, tmp_path: Path) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()
    # What draws charts is loaded while the list is read.
    expect(page.locator(".js-plotly-plot")).to_have_count(1)
    page.get_by_role("link", name="first steps").click()
    page.wait_for_url(re.compile(r"/verdict\?experiment=first[+%20]+steps"))
    answer = load("first steps", db=shown_url).answer.sentence
    expect(page.get_by_text(answer)).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    # All arms, the references, what tuning gained, and both costs; below a chart only what the reader opens.
    expect(page.get_by_test_id("stDataFrame")).to_have_count(5)
    page.get_by_text("The numbers").first.click()
    expect(page.get_by_test_id("stDataFrame")).to_have_count(6)

    page.get_by_role("link", name="Search").click()
    expect(page.get_by_role("heading", name="Trials")).to_be_visible()
    page.wait_for_url(re.compile(r"/search\?experiment=first"))
    settled(page)
    page.get_by_role("button", name="winner").click()
    # A row for each of two repeats is left.
    expect(page.locator("tbody tr")).to_have_count(2)
    won = load("first steps", db=shown_url).record.of("momentum+cosine")[0].winner
    assert won is not None
    page.get_by_role("link", name=f"repeat 0, trial {won.number}").click()
    expect(page.get_by_role("heading", name=f"momentum+cosine, repeat 0, trial {won.number}")).to_be_visible()

    settled(page)
    page.get_by_role("link", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download json").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    config = TrainConfig.from_json(json.loads(file.read_text()))
    assert config in [
        trial.config for study in load("first steps", db=shown_url).record.studies for trial in study.trials
    ]


def test_a_link_leads_to_its_experiment(address: str, shown_url: str, page: Page) -> None:
    page.goto(f"{address}/verdict?experiment=another")
    expect(page.get_by_text(load("another", db=shown_url).answer.sentence)).to_be_visible()
    settled(page)
    page.get_by_role("link", name="Budget", exact=True).click()
    expect(page.get_by_role("heading", name="Budget")).to_be_visible()
    page.wait_for_url(re.compile(r"/budget\?experiment=another$"))
    expect(page).to_have_title("Budget · another · Cooldown")
    settled(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Answer")).to_be_visible()
    expect(page.get_by_text(load("another", db=shown_url).answer.sentence)).to_be_visible()


class StoppedError(KeyboardInterrupt):
    """As by Ctrl-C."""


def test_a_running_experiment_is_followed_without_a_reload(address: str, shown_url: str, page: Page) -> None:
    ledger, steps, ends = Ledger(shown_url), threading.Semaphore(0), threading.Event()

    def step(_: object) -> None:
        steps.acquire()
        if ends.is_set():
            raise StoppedError

    def train() -> None:
        with suppress(StoppedError):
            run_in_threads(shown_url, spec(trials=400), name="on the way", report=step)

    thread = threading.Thread(target=train)
    thread.start()
    try:
        steps.release(4)
        wait_until(lambda: any(each.name == "on the way" and each.trials for each in ledger.summaries()), "it trains")
        turn_to(page, f"{address}/verdict?experiment=on+the+way")
        progress = page.get_by_text(re.compile(r"[\d,]+ of 1,600 trials"))
        expect(progress).to_be_visible()
        page.evaluate("window.never_loaded_again = true")
        first = _trials(progress.inner_text())
        steps.release(4)
        page.wait_for_function(
            "before => { const found = document.body.innerText.match(/([\\d,]+) of 1,600 trials/);"
            " return found && Number(found[1].replaceAll(',', '')) > before }",
            arg=first,
        )
        assert page.evaluate("window.never_loaded_again")
    finally:
        ends.set()
        steps.release(4)
        thread.join()
    assert ledger.load("on the way").status is Status.INTERRUPTED
    # It is told that it runs no more.
    expect(page.get_by_text("interrupted").first).to_be_visible()
    assert page.evaluate("window.never_loaded_again")
    ledger.delete("on the way")


def _trials(text: str) -> int:
    return int(text.split(" of ")[0].replace(",", ""))


@pytest.mark.parametrize(("host", "status"), [("elsewhere.example", 403), ("127.0.0.1", 101)])
def test_another_host_name_is_not_let_in(address: str, host: str, status: int) -> None:
    """As a page elsewhere would come that has its own name lead here."""
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
    ]
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=PATIENCE) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        assert connection.recv(64).startswith(f"HTTP/1.1 {status} ".encode())


def test_what_cannot_be_served_is_told_at_once(
    address: str, shown_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.db"
    text.write_text("no ledger, but a text that is long enough to be taken for something\n" * 20)
    port = address.rpartition(":")[2]
    for arguments, words in (
        (["--db", shown_url, "--port", port], f"port {port} is in use; try --port {int(port) + 1}"),
        (["--db", shown_url, "--port", "0"], "0 is less than 1"),
        (["--db", shown_url, "--host", "192.0.2.1", "--port", str(free_port())], "cannot listen on --host 192.0.2.1"),
        (["--db", f"sqlite:///{text}"], "not a SQLite database"),
    ):
        monkeypatch.setattr(sys, "argv", ["cooldown", "dashboard", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        assert (ended.value.code, told.out) == (2, "")
        assert words in told.err
        assert "Traceback" not in told.err
