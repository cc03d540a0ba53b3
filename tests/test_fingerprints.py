"""A fresh experiment on every built-in task leaves behind what it always did."""

import json
from pathlib import Path
from typing import Any

import fingerprints
import pytest
from covering import in_short

from cooldown.objectives import tasks

KNOWN: dict[str, dict[str, Any]] = json.loads(fingerprints.RECORDED.read_text())


@pytest.fixture(autouse=True)
def _no_ledger_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COOLDOWN_DB", raising=False)


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("downloads")
    fingerprints.cached_downloads(folder)
    return folder


EVERY = [(name, protocol) for name in tasks.names() for protocol in fingerprints.PROTOCOLS]
BY_PROTOCOL_1 = ("diabetes", "quadratic", "wine")
"""A regression, a model and a classification. What the protocols differ in is the same for all tasks of a kind."""


@pytest.mark.parametrize(
    ("name", "protocol"), in_short(EVERY, [row for row in EVERY if row[1] == 2 or row[0] in BY_PROTOCOL_1])
)
def test_a_fresh_experiment_has_the_recorded_fingerprint(
    name: str, protocol: int, tmp_path: Path, downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(downloads))
    here = KNOWN.get(fingerprints.arithmetic())
    recorded = next(iter(KNOWN.values())) if here is None else here
    assert name in recorded, f"fingerprints.json has no task {name!r}: run python tests/fingerprints.py"
    found = fingerprints.outcome(name, protocol, f"sqlite:///{tmp_path}/cooldown.db")
    if here is not None:
        assert found == here[name][str(protocol)]
    # On a machine of another arithmetic, a loss is the recorded one but for rounding, which training amplifies.
    for arm, loss in recorded[name][str(protocol)]["test_losses"].items():
        assert found["test_losses"][arm] == pytest.approx(loss, rel=0.05), arm
