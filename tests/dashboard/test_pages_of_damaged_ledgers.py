"""Every page on a damaged ledger: a message with ledger, experiment and fault, and the other experiments stay."""

import shutil
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

import pytest
from damages import damage
from linked import listed as listed_in
from search_runs import sound_ledger
from test_pages import ABOUT_ONE, PAGES, Open, fine, words

FAULTS = [
    ("experiments", "spec = '['", "its row: spec is not JSON", "spec is not JSON"),
    ("experiments", "spec = '{}'", "spec: task: is missing", "trials should be a whole number"),
    ("curves", "kept_epoch = 9", "kept_epoch is 9, of 2 epochs", "by "),
]
SEEDS = 20


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with two finished experiments, `one` and `two`, in one file without a log."""
    return sound_ledger(tmp_path_factory.mktemp("sound") / "sound.db")


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    """A copy of that ledger."""
    return Path(shutil.copy(sound, tmp_path / "cooldown.db"))


@pytest.mark.parametrize(("table", "change", "fault", "listed"), FAULTS)
def test_a_damaged_experiment_has_a_message_and_another_is_shown(
    path: Path, open_app: Open, table: str, change: str, fault: str, listed: str
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"UPDATE cooldown_{table} SET {change} WHERE id = 1")
    url = f"sqlite:///{path}"
    for page in ABOUT_ONE:
        app = open_app(url, page, experiment="one")
        assert not app.exception
        (error,) = [each.value.replace("\\", "") for each in app.error]
        assert error.startswith(f"experiment 'one' in the ledger {path} cannot be read: ")
        assert fault in error
    fine(open_app(url, "verdict", experiment="two"))
    fine(open_app(url, "schedules", experiment="two"))
    rows = listed_in(fine(open_app(url)))
    assert rows["two"]["Status"] == "done"
    assert rows["one"]["Status"] == ("damaged" if table == "experiments" else "done")
    assert listed in rows["one"]["Leader"]


@pytest.mark.parametrize("seed", [pytest.param(n, marks=[pytest.mark.full] if n >= SEEDS else []) for n in range(500)])
def test_no_page_fails_on_a_damaged_ledger(path: Path, open_app: Open, seed: int) -> None:
    done = damage(path, seed)
    with warnings.catch_warnings():
        # A value such as 1e300 may overflow in a mean.
        warnings.simplefilter("ignore", RuntimeWarning)
        app = open_app(f"sqlite:///{path}", PAGES[seed % len(PAGES)], experiment="one")
    assert not app.exception, done
    assert "See the terminal" not in words(app), done
    assert not [each.value for each in app.error if "See the terminal" in each.value], done
