"""Pictures: pure functions from data to a Plotly figure, one module per picture.

Nothing here reads a ledger or writes a file: a command, a report and the dashboard show the same figures.
"""

PICTURES: dict[str, tuple[str, ...]] = {"asynchronous": ("timelines", "loss")}
"""The names of pictures that belong to no experiment, by what they are about: the first is that which is meant without
a name. They are drawn in `experiments.pictures`.
"""

FIGURES = ("verdict", "repeats", "curves", "budget", "difference", "credit", "sensitivity", "workers", "generalization")
"""The names of the figures of an experiment, in `named`: here, so that a command's help does not load them."""
