"""How to read each chart of an experiment, in words: the same on the dashboard's pages and in a report."""

from collections.abc import Sequence
from typing import Literal

from cooldown.objectives import tasks
from cooldown.search.evidence.budgets import independent
from cooldown.search.evidence.credit import Credit
from cooldown.search.figures.points import guessed
from cooldown.storage import ExperimentRecord, StudyRecord

PAIRS = (
    "A dot left of 0 speaks for the first arm of a pair. A pair is decided where its whole interval lies beyond the "
    "shaded band, and a tie where it lies inside. Many pairs are corrected for their number."
)
CURVES = (
    "The winners of all repeats with their further seeds: the line is the median, the band holds the middle half. "
    "Below, the learning rate as it was executed, on the same axis."
)
_HISTORY = (
    "Every trial's validation loss in the order of the search; the steps are the best so far of each repeat. Open "
    "markers are trials that were pruned."
)
SLICE = "A dot is a trial, a star a study's winner. The dashed lines are the ends of the range."
PARALLEL = (
    "A line is a trial, coloured by its rank within its study: the best stand out where they agree. Drag along an axis "
    "to keep a part of the lines."
)
IMPORTANCE = (
    "Importance by PED-ANOVA: the share of each hyperparameter in what tells the good trials of an arm from all."
)
GUESSES = {"classification": "class frequencies", "regression": "the mean target"}
"""What who has learned nothing knows, by the kind of a task."""

GAINS = "Test loss of each arm untuned and tuned: a negative difference is what the search gained."
COST = "In gradient evaluations, where one row's gradient is 1; diverged and pruned runs are included."


def history(record: ExperimentRecord, studies: Sequence[StudyRecord]) -> str:
    """Of the `studies` of one arm, some of whose trials may have learned nothing."""
    if not any(guessed(trial) for study in studies for trial in study.trials):
        return _HISTORY
    task = record.spec["task"]
    # Only of a built-in task the kind is known without its data.
    guess = GUESSES[tasks.get(task).kind] if task in tasks.names() else " or ".join(GUESSES.values())
    return f"{_HISTORY} Crosses did no better than {guess}, with all seeds: they diverged, or are capped."


def repeats(best: Literal["lowest", "highest"]) -> str:
    """Of the repeats' means, of which the `best` are good."""
    return (
        f"A dot is one repeat, an independent tuning: the mean of its winner over fresh seeds; the {best} is best. The "
        "tick is the mean of the repeats."
    )


def credit(split: Credit) -> str:
    """Of the shares of a credit split."""
    return (
        f"The way from {split.first} to {split.other}, divided among the three things that change; below 0 the loss "
        "falls. The bars add up to the whole; the whiskers are 95 % intervals."
    )


def budget(record: ExperimentRecord) -> str:
    """Of the budget curves, which depend on the sampler."""
    how = (
        "the mean minimum over all subsets of so many trials"
        if independent(record)
        else "the best so far, as the search found it"
    )
    return (
        f"Expected best validation loss of a search that ends there: {how}. The line is the mean over repeats, the "
        "band its 95 % interval at each point. A best of many is lucky: curves compare searches, not results."
    )
