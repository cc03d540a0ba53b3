"""What is asked for as a command, and the command line that reads it back."""

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooldown.search.cli.asked import asked
from cooldown.search.cli.frame import command_line
from cooldown.search.report.submission import submission_command

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["C", "Z"]), min_size=1)


def read_back(command: str) -> dict[str, Any]:
    words = shlex.split(command)
    assert words[:2] == ["cooldown", "submit"]
    group: Any = command_line()
    context = group.commands["submit"].make_context("submit", words[2:])
    return {name: value for name, value in asked(context.params, {}).items() if value is not None}


@pytest.mark.parametrize(
    "fields",
    [
        {"task": "digits"},
        {"task": "digits", "arms": ["momentum+cosine", "bn=adam[batch_norm=true, dropout=0:0.5]"], "repeats": 5},
        {"task": "iris", "until_decided": True, "max_repeats": 40, "primary": ("adam", "nag")},
        {"task": "iris", "hidden": (), "sampler": "random", "seed": 3, "time_limit": "2h", "priority": -5},
        {"task": "dataset:" + "0" * 64, "target": "--kind", "drop": ["a b", "$c"], "missing": ["-999"], "decimal": ","},
    ],
)
def test_a_command_asks_for_the_same(fields: dict[str, Any]) -> None:
    listed = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    found = {name: tuple(value) if isinstance(value, list) else value for name, value in read_back_all(fields).items()}
    assert found == listed


def read_back_all(fields: dict[str, Any]) -> dict[str, Any]:
    return read_back(submission_command(fields))


@given(target=TEXT, name=TEXT, tags=st.lists(TEXT, max_size=3), notes=TEXT)
def test_any_text_is_read_back_as_it_was(target: str, name: str, tags: list[str], notes: str) -> None:
    fields = {"task": "iris", "target": target, "name": name, "notes": notes, **({"tags": tags} if tags else {})}
    assert read_back(submission_command(fields)) == fields


def test_a_server_and_a_ledger_are_named_last() -> None:
    command = submission_command({"task": "digits", "epochs": None}, "--server", "http://a:1")
    assert command == "cooldown submit digits --server http://a:1"
    assert submission_command({"task": "digits"}, db="team.db") == "cooldown submit digits --db team.db"
