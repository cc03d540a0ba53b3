"""The experiments of a claim: their specs, and their names, which follow from spec and data.

Two claims that need the same experiment thereby find the same one, and a run that was interrupted is continued.
"""

from hashlib import sha256

from cooldown.objectives.canonical import canonical_json
from cooldown.search.claims.budgets import Budget
from cooldown.search.claims.entry import Claim
from cooldown.search.spec.experiment import Experiment, read_spec
from cooldown.storage.names import name_after

PREFIX = "survey-"
"""How the names of all these experiments begin."""


def specs(claim: Claim, task: str, target: str | None, budget: Budget) -> list[Experiment]:
    """The specs of the experiments that a claim takes on a task. task, target: as a spec names them."""
    return [read_spec(task=task, target=target, **study.settings(budget)) for study in claim.studies]


def name_of(spec: Experiment, fingerprint: str) -> str:
    """The name of the experiment with this spec, on data of this fingerprint."""
    digest = sha256(canonical_json(spec.to_json()) + fingerprint.encode()).hexdigest()
    return f"{name_after(PREFIX + spec.task)}-{digest[:8]}"
