"""Where a search may have looked in the wrong place: best values at an edge of a range, or better ones beyond it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cooldown.objectives.config import TrainConfig
from cooldown.search.evidence.losses import mean_selection_loss
from cooldown.search.evidence.view import View, once
from cooldown.search.spec.space import Parameter
from cooldown.search.statistics.doubts import Side, edge_reached
from cooldown.search.statistics.intervals import mean_interval


@dataclass(frozen=True)
class Edge:
    """A side of a parameter's range at which an arm's best values cluster, or beyond which a better one is known.

    wider: the range widened there.
    """

    arm: str
    parameter: Parameter
    side: Side
    wider: tuple[float, float]


@once
def edges(view: View) -> list[Edge]:
    """Where the best values cluster at an edge beyond which there are others, or where one beyond is known that does
    better: that of the arm's default config.

    The best are the winners of the repeats; where there is one repeat, its finalists.
    """
    return [edge for arm in view.arms for edge in _edges_of_arm(view, arm)]


def _edges_of_arm(view: View, arm: str) -> Iterator[Edge]:
    studies = [study for study in view.searches(arm) if study.winner and study.evaluations]
    best = [study.winner for study in studies if study.winner]
    if len(studies) == 1:
        best = list(studies[0].best(view.spec.finalists))
    ranked = [(trial, rank) for study in studies for rank, trial in enumerate(study.best(len(study.trials)))]
    default = _better_default(view, arm)
    for key, parameter in view.space(arm).by_key.items():
        # A warm-up's end is no edge.
        if not isinstance(parameter, Parameter) or key.endswith(".warmup_steps"):
            continue
        with_key = [(trial, rank) for trial, rank in ranked if key in trial.parameters]
        side = edge_reached(
            np.array([parameter.position(t.parameters[key]) if key in t.parameters else np.nan for t in best]),
            np.array([parameter.position(trial.parameters[key]) for trial, _ in with_key]),
            np.array([rank for _, rank in with_key], np.float64),
        )
        reach = (parameter.low, parameter.high)
        if side is None and default is not None:
            value = _value(default, key)
            # Down or up to it, and at least by a decade.
            reach = (min(value, parameter.low), max(value, parameter.high))
            side = "low" if value < parameter.low else "high" if value > parameter.high else None
        wider = parameter.wider(side) if side else None
        if side is not None and wider is not None:
            yield Edge(arm, parameter, side, (min(wider[0], reach[0]), max(wider[1], reach[1])))


@once
def worse_than_default(view: View, arm: str) -> bool:
    """Whether what an arm's searches found has a higher validation loss than its default config, as the 95 % t interval
    of the repeats' differences says.
    """
    tuned = {study.repeat: study.selection_loss for study in view.searches(arm) if study.evaluations}
    default = {study.repeat: study.selection_loss for study in view.defaults(arm)}
    common = set(tuned) & set(default)
    differences = [(tuned[repeat] or 0.0) - (default[repeat] or 0.0) for repeat in sorted(common)]
    return len(differences) > 1 and mean_interval(np.array(differences)).low > 0


def _better_default(view: View, arm: str) -> TrainConfig | None:
    """The arm's default config, where its mean validation loss is lower than that of what the searches found."""
    default, tuned = view.defaults(arm), [study for study in view.searches(arm) if study.evaluations]
    untuned_loss, tuned_loss = mean_selection_loss(default), mean_selection_loss(tuned)
    if untuned_loss is None or tuned_loss is None or untuned_loss >= tuned_loss:
        return None
    return default[0].trials[0].config


def _value(config: TrainConfig, key: str) -> float:
    """A config's value of an entry's hyperparameter, or of a strategy."""
    owner, _, name = key.rpartition(".")
    for choice in config.entries:
        if choice.name == owner:
            return float(choice.hyperparameters[name])
    # A strategy that is off has no value that could lie outside a range.
    value = getattr(config, name)
    return float("nan") if value is None else float(value)
