"""The figures of an experiment by name: for `cooldown figure`, and for `result.plot`."""

from collections.abc import Callable

import plotly.graph_objects as go

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.budgets import budget_curves, pair_comparison, pair_crossover
from cooldown.search.evidence.credit import credit_split
from cooldown.search.evidence.learning import winners_curves
from cooldown.search.evidence.losses import mean_test_losses
from cooldown.search.evidence.sensitivity import sensitivities
from cooldown.search.evidence.verdict import compared_pair, pair_verdicts
from cooldown.search.evidence.view import View
from cooldown.search.figures import budget as budgets
from cooldown.search.figures import importance, learning
from cooldown.search.figures import verdict as verdicts
from cooldown.search.figures import workers as timeline


def verdict(view: View) -> go.Figure | None:
    """Every pair of arms: the ratio of their test losses with its intervals."""
    pairs = pair_verdicts(view)
    return verdicts.forest(pairs) if any(pair.difference is not None for pair in pairs) else None


def repeats(view: View) -> go.Figure | None:
    """The test loss of every repeat of every arm."""
    losses = mean_test_losses(view)
    return verdicts.repeats(losses, "Test loss") if any(losses.values()) else None


def curves(view: View) -> go.Figure | None:
    """The winners' validation loss by epoch, and the learning rate as executed."""
    of_arms = winners_curves(view)
    return learning.learning(of_arms) if of_arms else None


def budget(view: View) -> go.Figure | None:
    """The expected best validation loss after a number of trials."""
    of_arms, pair = budget_curves(view), compared_pair(view)
    crossover = pair_crossover(view, *pair) if pair else None
    return budgets.budget(of_arms, crossover, pair, log=True) if of_arms else None


def difference(view: View) -> go.Figure | None:
    """The ratio of the expected best losses of the compared pair, after a number of trials."""
    pair = compared_pair(view)
    paired = pair_comparison(view, *pair) if pair else None
    return budgets.budget_comparison(paired, pair) if pair and paired else None


def credit(view: View) -> go.Figure | None:
    """What optimizer, schedule and tuning contributed to the gain."""
    pair = compared_pair(view)
    split = credit_split(view, pair) if pair else None
    return verdicts.credit({**split.shares, "total": split.effects["total"]}) if split and split.shares else None


def sensitivity(view: View) -> go.Figure | None:
    """How much each hyperparameter matters, arm by arm."""
    of_arms = sensitivities(view)
    return importance.importance(of_arms) if of_arms else None


def workers(view: View) -> go.Figure | None:
    """Which worker trained what, and when."""
    return timeline.workers(view)


def generalization(view: View) -> go.Figure | None:
    """How the winners' training accuracy falls while hidden units are clamped to 0; trains them again."""
    # No other figure trains, and loads the engine.
    from cooldown.search.evidence.generalization import generalization as probed
    from cooldown.search.figures.generalization import ablation

    arms = probed(view)
    return ablation(arms) if any(len(arm.ablation[0]) for arm in arms) else None


DRAWN: dict[str, Callable[[View], go.Figure | None]] = {
    each.__name__: each
    for each in (verdict, repeats, curves, budget, difference, credit, sensitivity, workers, generalization)
}


def figure(view: View, name: str) -> go.Figure:
    """The figure called `name`; InputError for an unknown one, and where there is not yet what it shows."""
    if name not in DRAWN:
        raise unknown_name("figure", name, DRAWN)
    drawn = DRAWN[name](view)
    if drawn is None:
        about = (DRAWN[name].__doc__ or "").splitlines()[0].rstrip(".")
        raise InputError(f"experiment {view.name!r} has nothing to draw yet for figure {name!r}: {about}")
    return drawn
