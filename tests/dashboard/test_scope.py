"""The dashboard says when an answer speaks of certain test rows only, and its commands name the test set."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from search_runs import run_in_threads, spec

SAID = "All repeats were measured on the rows of new.csv: test losses and intervals are about these rows only."


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    for n, name in ((40, "houses.csv"), (10, "new.csv")):
        size = np.random.default_rng(n).normal(size=n)
        pd.DataFrame({"size": size, "price": 2 * size + 1}).to_csv(name, index=False)
    return {"task": "houses.csv", "target": "price", "test": "new.csv"}


def test_it_stands_below_the_answer(given: dict[str, Any], url: str, open_app: Callable[..., Any]) -> None:
    run_in_threads(url, spec(**given), name="houses")
    run_in_threads(url, spec(**{**given, "test": None}), name="drawn")
    for name, said in (("houses", 1), ("drawn", 0)):
        app = open_app(url, "verdict", experiment=name)
        assert not app.exception
        assert [caption.value.replace("\\", "") for caption in app.caption].count(SAID) == said


def test_a_command_for_one_arm_names_the_files(given: dict[str, Any], url: str, open_app: Callable[..., Any]) -> None:
    run_in_threads(url, spec(**given, arms=("adam",)), name="houses")
    app = open_app(url, "verdict", experiment="houses")
    commands = [code.value for code in app.code]
    wanted = "cooldown compare houses.csv --target=price --test=new.csv --arm adam --arm momentum+cosine"
    assert any(command.startswith(wanted) for command in commands), commands
