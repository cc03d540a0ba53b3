"""The three budgets at which a claim is checked."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from cooldown.objectives.catalog import unknown_name

Budget = Literal["small", "standard", "full"]
BUDGETS: tuple[Budget, ...] = get_args(Budget)

SETTINGS: Mapping[Budget, Mapping[str, Any]] = {
    "small": {
        "trials": 8,
        "repeats": 5,
        "epochs": 15,
        "seeds": 2,
        "finalists": 2,
        "finalist_seeds": 3,
        "confirm_seeds": 3,
    },
    "standard": {"trials": 16, "repeats": 10, "epochs": 30},
    "full": {"trials": 32, "repeats": 20, "epochs": 60},
}
"""The settings of every experiment of a claim; what is left out is the spec's default."""


def read_budget(text: object) -> Budget:
    """The budget called `text`; raises InputError for another name."""
    for budget in BUDGETS:
        if text == budget:
            return budget
    raise unknown_name("budget", str(text), BUDGETS)
