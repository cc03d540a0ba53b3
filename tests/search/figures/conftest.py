"""One experiment of which all charts are drawn."""

from typing import Any

import pytest
from charts import ARMS
from search_runs import run_in_threads, spec

from cooldown.storage import ExperimentRecord


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    """Pruned, with a joint arm and two arms of the same choices."""
    url = f"sqlite:///{tmp_path_factory.mktemp('figures')}/cooldown.db"
    settings: dict[str, Any] = {"trials": 12, "generation": 4, "epochs": 4, "pruner": "median"}
    made = run_in_threads(url, spec(arms=ARMS, **settings))
    assert any(trial.pruned for study in made.studies for trial in study.trials)
    return made
