"""The survey's claims, checked on a task: `claim` for one, `claims` for all of them.

`survey/` is the catalog, one file for each claim (`entry.Claim`): its statement, the experiments that it takes, and its
parts, effects that `statistics.claims` judges. `budgets` has the settings of three budgets, `planning` names the
experiments, `service` runs what the ledger lacks of them, and `standing` reads what it has.
"""

from cooldown.search.claims.budgets import BUDGETS
from cooldown.search.claims.result import ClaimResult
from cooldown.search.claims.service import claim, claims
from cooldown.search.claims.survey import every

__all__ = ["BUDGETS", "ClaimResult", "claim", "claims", "every"]
