"""`result.plot`: the figures of an experiment."""

import plotly.graph_objects as go

from cooldown.search.evidence.view import View
from cooldown.search.figures.named import figure


class Plots:
    """The figures of an experiment, each a Plotly figure, which a notebook shows and `show()` opens.

    Each raises InputError where there is not yet what it shows.
    """

    def __init__(self, view: View) -> None:
        self._view = view

    def verdict(self) -> go.Figure:
        """Every pair of arms: the ratio of their test losses with its intervals."""
        return figure(self._view, "verdict")

    def repeats(self) -> go.Figure:
        """The test loss of every repeat of every arm."""
        return figure(self._view, "repeats")

    def curves(self) -> go.Figure:
        """The winners' validation loss by epoch, and the learning rate as executed."""
        return figure(self._view, "curves")

    def budget(self) -> go.Figure:
        """The expected best validation loss after a number of trials."""
        return figure(self._view, "budget")

    def difference(self) -> go.Figure:
        """The ratio of the expected best losses of the compared pair, after a number of trials."""
        return figure(self._view, "difference")

    def credit(self) -> go.Figure:
        """What optimizer, schedule and tuning contributed to the gain."""
        return figure(self._view, "credit")

    def sensitivity(self) -> go.Figure:
        """How much each hyperparameter matters, arm by arm."""
        return figure(self._view, "sensitivity")

    def workers(self) -> go.Figure:
        """Which worker trained what, and when."""
        return figure(self._view, "workers")

    def generalization(self) -> go.Figure:
        """How the winners' training accuracy falls while hidden units are clamped to 0; trains them again."""
        return figure(self._view, "generalization")
