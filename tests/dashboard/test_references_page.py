"""The first page of an experiment shows its references, and a regression in the target's own units."""

from collections.abc import Callable
from typing import Any

from search_runs import run_in_threads, spec


def test_references_and_errors_stand_below_the_arms(url: str, open_app: Callable[..., Any]) -> None:
    run_in_threads(url, spec(task="diabetes"), name="sugar")
    run_in_threads(url, spec(), name="iris")
    run_in_threads(url, spec(protocol=1), name="older")
    shown = {}
    for name in ("sugar", "iris", "older"):
        app = open_app(url, "verdict", experiment=name)
        assert not app.exception
        shown[name] = [set(frame.value.columns) for frame in app.dataframe]
    assert {"Reference", "Test loss", "Score"} < shown["sugar"][1]
    assert {"Arm or reference", "RMSE", "MAE"} < shown["sugar"][2]
    assert "Reference" in shown["iris"][1]
    assert not any("RMSE" in columns for columns in shown["iris"])
    assert not any("Reference" in columns for columns in shown["older"])
