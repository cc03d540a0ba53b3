"""Pictures that belong to no experiment, with the small runs that they show."""

from collections.abc import Callable

import plotly.graph_objects as go

from cooldown.objectives import asynchronous, tasks, train
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.cost import simulated
from cooldown.search.figures import asynchronous as figures

METHODS = {"hogwild": {}, "downpour": {"push_every": 2}, "easgd": {"exchange_every": 3}}
WORKERS = (1, 2, 4, 8, 16)


def timelines() -> go.Figure:
    """Three workers of each method, with exponentially distributed times of gradients, and messages on their way."""
    planned = {}
    for name, own in METHODS.items():
        method = asynchronous.get(name)
        planned[name] = method.plan(
            method.complete({"workers": 3, "compute": "exponential", "delay": 0.25, **own}), updates=20, seed=0
        )
    return figures.timelines(planned)


def loss() -> go.Figure:
    """Momentum on digits with 1 to 16 workers of Hogwild!, by simulated time."""
    problem = tasks.get("digits").search_problem()
    configs = [
        TrainConfig.from_json(
            {
                "optimizer": {"name": "momentum", "learning_rate": 0.01, "momentum": 0.9},
                "epochs": 10,
                "asynchronous": {"name": "hogwild", "workers": workers, "compute": "exponential"},
            }
        )
        for workers in WORKERS
    ]
    by_workers = {}
    for workers, config, [curve] in zip(WORKERS, configs, train(problem, configs, [0]), strict=True):
        time, _ = simulated(config, config.plan(len(problem.train)).starts, curve.seed)
        by_workers[workers] = figures.Timed(time[: len(curve.held_out_loss)], curve.held_out_loss)
    return figures.losses(by_workers)


DRAWN: dict[str, dict[str, Callable[[], go.Figure]]] = {"asynchronous": {"timelines": timelines, "loss": loss}}
"""By what they are about, and by their own names."""
