"""The page Answer says what to type next, whether or not the question is answered."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from search_runs import run_in_threads, spec

from cooldown.search import experiments
from cooldown.search.experiments.result import Result


def test_an_answered_question_leads_to_the_export_of_the_best_config(
    url: str, open_app: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_in_threads(url, spec(), name="mine")
    found = experiments.load("mine", db=url).answer
    assert found.next is not None
    (command,) = (code.value for code in open_app(url, "verdict", experiment="mine").code)
    assert command == found.next.command
    monkeypatch.setattr(Result, "answer", replace(found, next=None))
    app = open_app(url, "verdict", experiment="mine")
    (command,) = (code.value for code in app.code)
    assert shlex.split(command)[:5] == ["cooldown", "export", "mine", "-o", "best.toml"]
    assert "To use the best config:" in [caption.value for caption in app.caption]
