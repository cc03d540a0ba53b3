"""The survey's claims, checked on a task: `claim` for one, `claims` for all of them.

`survey/` is the catalog, one file for each claim (`entry.Claim`): its statement, the experiments that it takes at three
budgets, and its parts, effects that `statistics.claims` judges. `planning` names its experiments, `service` runs what is
missing of them in the ledger, and `standing` reads what the ledger has.
"""

from cooldown.search.claims.budgets import BUDGETS
from cooldown.search.claims.result import ClaimResult
from cooldown.search.claims.service import claim, claims
from cooldown.search.claims.survey import every

__all__ = ["BUDGETS", "ClaimResult", "claim", "claims", "every"]
