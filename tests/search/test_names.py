"""Names of experiments: chosen in one transaction, typed in every command that is printed, found by a file's name."""

import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cli_examples import QUICK
from hypothesis import example, given
from hypothesis import strategies as st

from cooldown.objectives.plain_text import visible
from cooldown.search.cli.frame import command_line
from cooldown.search.evidence.commands import command
from cooldown.storage import Ledger, StudyKey
from cooldown.storage.names import check_new_name, first_free, name_after

GROUP: Any = command_line()


def read_back(line: str) -> dict[str, Any]:
    """What the command line makes of a printed command."""
    program, verb, *words = shlex.split(line)
    assert program == "cooldown"
    parsed: dict[str, Any] = GROUP.commands[verb].make_context(verb, words).params
    return parsed


@example("-.", "show")
@example("..\0", "show")
@given(st.text(), st.sampled_from(["show", "trials", "export", "report", "resume", "delete"]))
def test_a_name_after_any_task_is_accepted_by_every_command(task: str, verb: str) -> None:
    name = name_after(task)
    check_new_name(name)
    check_new_name(first_free(name, {name}))
    printed = command(verb, name, db="sqlite:///it's here/#1 (100%).db")
    assert visible(printed) == printed
    assert len(printed.splitlines()) == 1
    parsed = read_back(printed)
    assert (parsed["name"], parsed["db"]) == (name, "sqlite:///it's here/#1 (100%).db")


@given(st.from_regex(r"-[a-z -]{0,9}", fullmatch=True))
def test_a_name_of_an_older_ledger_may_begin_with_a_dash(name: str) -> None:
    parsed = read_back(command("resume", name, "--trials", "5", db="x.db"))
    assert (parsed["name"], parsed["trials"], parsed["db"]) == (name, 5, "x.db")


def test_the_first_argument_is_the_name() -> None:
    assert read_back("cooldown show -x pairs --db y.db")["name"] == "-x"
    assert read_back("cooldown show -x pairs --db y.db")["section"] == "pairs"
    assert read_back("cooldown export -f toml it")["format"] == "toml"
    elsewhere = {"server": None, "token": None}
    assert read_back("cooldown delete -y it") == {"name": "it", "yes": True, "db": None, **elsewhere}


@pytest.mark.parametrize("file", ["-x.csv", "--db.csv", "a\tb.csv", 'it\'s "mine".csv', "\x1b[31m\u202e.csv", " .csv"])
def test_every_printed_command_is_accepted(
    file: str, run_here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cooldown.search.experiments.running.worker_count", lambda spec, workers: 1)
    Path(file).write_text("a,y\n" + "".join(f"{i // 2 % 10},{i % 2}\n" for i in range(40)))
    arguments = [*QUICK, "--workers", "1", "--quiet", "--db", "odd name.db"]
    code, out, err = run_here("compare", f"./{file}", "--target", "y", *arguments)
    assert (code, err) == (0, "")
    assert visible(out) == out
    (name,) = (summary.name for summary in Ledger("odd name.db").summaries())
    printed = [line.strip() for line in out.splitlines() if line.startswith("  cooldown ")]
    assert {line.split()[1] for line in printed} >= {"show", "trials", "export", "report"}
    for line in printed:
        # Not done, which would take long, but read.
        assert read_back(line)["name"] == name
        assert read_back(line)["db"] == "odd name.db"
    (show,) = (line for line in printed if line.split()[1] == "show")
    assert run_here(*shlex.split(show)[1:])[0] == 0
    if file == "-x.csv":
        assert run_here("show", "-x", "--db", "odd name.db")[1] == run_here("show", "x", "--db", "odd name.db")[1]
    report = run_here("report", name, "-o", "-", "--db", "odd name.db")[1]
    text = re.sub("<script.*?</script>", "", report, flags=re.DOTALL)
    assert visible(text) == text
    assert not re.search(r"cooldown (resume|report) [^\n]*(?<!--db &#39;odd name.db&#39;)</code>", text)


def test_two_that_start_at_the_same_time_get_two_names(url: str) -> None:
    """Each process asks with a name that was free when it looked: the transaction decides."""
    Ledger(url)

    def create(number: int) -> str:
        return Ledger(url).create("digits", {"number": number}, "", [StudyKey("adam", 0)], numbered=True)

    with ThreadPoolExecutor(4) as several:
        names = list(several.map(create, range(4)))
    assert sorted(names) == ["digits", "digits-2", "digits-3", "digits-4"]
    assert [Ledger(url).load(name).spec["number"] for name in names] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "db", ["why?.db", "a#b.db", "100%.db", "100%41.db", "it's.db", "sqlite:///a#b.db", "./plain.db"]
)
def test_a_path_is_kept_as_it_is(db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Ledger(db).create("it", {}, "", [StudyKey("adam", 0)])
    names = {path.name for path in tmp_path.iterdir() if path.suffix == ".db"}
    assert names == {Path(db.removeprefix("sqlite:///")).name}
    assert Ledger(db, create=False).load("it").db == db
