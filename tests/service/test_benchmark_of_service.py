"""The load of `benchmarks.service`, tiny: nothing is lost and nothing runs twice, with pages open and in turn."""

import pytest

from benchmarks.service.__main__ import main

pytestmark = [pytest.mark.processes, pytest.mark.full]


def test_a_tiny_load(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = (
        "--experiments=3",
        "--clients=2",
        "--rounds=6",
        "--pause=0",
        "--dashboards=1",
        "--queued=12",
        "--minutes=0",
    )
    assert main(sizes) == 0
    said = capsys.readouterr().out
    assert "Faults: none" in said
    assert "4 experiments accepted; 1 cancelled" in said
    assert "1 dashboards at once" in said
