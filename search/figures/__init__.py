"""Pictures: pure functions from data to a Plotly figure, one module per picture.

Nothing here reads a ledger or writes a file: a command, a report and the dashboard show the same figures.
"""

FIGURES = ("verdict", "repeats", "curves", "budget", "difference", "credit", "sensitivity", "generalization")
"""The names of the figures of an experiment, in `named`: here, so that a command's help does not load them."""
