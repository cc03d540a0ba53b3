"""`cooldown migrate` and `cooldown merge`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from search_runs import print_of, run_in_threads, spec

from cooldown.search.evidence.view import View
from cooldown.storage import Ledger, Status

Run = Callable[..., tuple[int, str, str]]


def test_there_and_back_with_the_same_fingerprints(
    url: str, postgresql_url: str, run_here: Run, tmp_path: Path
) -> None:
    record = run_in_threads(url, spec(), name="first")
    run_in_threads(url, spec(trials=2), name="second")
    code, out, err = run_here("migrate", "--from", url, "--to", postgresql_url)
    assert (code, err) == (0, "")
    assert out == "first: copied.\nsecond: copied.\n2 experiments copied, 0 there already, 0 not copied.\n"
    back = str(tmp_path / "back.db")
    assert run_here("migrate", "--from", postgresql_url, "--to", back)[0] == 0
    copied = Ledger(back).load("first")
    assert View(copied).fingerprint == View(record).fingerprint == print_of(record)
    code, out, _ = run_here("merge", back, "--db", postgresql_url)
    assert code == 0
    assert (
        out == "first: already there.\nsecond: already there.\n0 experiments copied, 2 there already, 0 not copied.\n"
    )
    password = postgresql_url.partition("tester:")[2].partition("@")[0]
    code, out, err = run_here("show", "first", "--db", postgresql_url)
    assert code == 0
    assert password not in out + err


def test_a_colleagues_experiment_is_merged_beside_ones_own(
    url: str, run_here: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    laptop = "laptop.db"
    run_in_threads(url, spec(), name="tiny")
    run_in_threads(laptop, spec(seed=1), name="tiny")
    code, out, _ = run_here("merge", laptop)
    assert (code, out.splitlines()[0]) == (0, "tiny: copied as tiny-2; another experiment there has that name.")
    code, out, _ = run_here("merge", laptop)
    assert (code, out.splitlines()[0]) == (0, "tiny: already there as tiny-2.")
    assert {summary.name for summary in Ledger(url).summaries()} == {"tiny", "tiny-2"}
    assert [summary.name for summary in Ledger(laptop).summaries()] == ["tiny"]


def test_what_cannot_be_copied_is_told_and_the_rest_is_copied(url: str, run_here: Run, tmp_path: Path) -> None:
    for name in ("held", "free"):
        run_in_threads(url, spec(trials=2, repeats=1), name=name)
    target = str(tmp_path / "target.db")
    with Ledger(url).hold("held"):
        code, out, err = run_here("migrate", "--from", url, "--to", target)
    assert (code, out) == (1, "free: copied.\n1 experiment copied, 0 there already, 1 not copied.\n")
    assert "Not copied: held: the experiment 'held' is being run by process" in err
    assert Ledger(target).load("free").status is Status.DONE


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("{url}", "{url}", "nothing to copy"),
        ("none.db", "other.db", "there is no ledger at none.db"),
        ("{url}", "postgresql+psycopg://me:secret@127.0.0.1:1/x", "cannot be reached"),
        ("{url}", "postgresql://me:secret@h/x", r"--db 'postgresql://me:…@h/x' is not the address of a ledger"),
        ("{url}", "postgresql+psycopg://me:secret@h/", "is not the address of a ledger"),
    ],
)
def test_what_is_no_ledger_is_refused(
    url: str, run_here: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, target: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Ledger(url)
    addresses: list[Any] = ["--from", source.format(url=url), "--to", target.format(url=url)]
    code, out, err = run_here("migrate", *addresses)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
    assert "secret" not in err
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".db")] == ["cooldown.db"]
