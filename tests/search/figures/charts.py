"""What the tests of figures share: arms of every kind, and what is true of every chart."""

import json
from functools import partial
from itertools import cycle
from typing import Any, get_args

import numpy as np
import plotly.graph_objects as go
import pytest

from cooldown.search.evidence.budgets import budget_curves, pair_crossover
from cooldown.search.evidence.learning import AMOUNTS, winners_curves
from cooldown.search.evidence.losses import means, test_losses
from cooldown.search.evidence.sensitivity import sensitivities
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.figures.budget import Budget, budget
from cooldown.search.figures.importance import importance
from cooldown.search.figures.learning import learning
from cooldown.search.figures.schedules import rates
from cooldown.search.figures.trials import history, parallel, slice_
from cooldown.search.figures.verdict import credit, forest, repeats
from cooldown.search.spec.experiment import read_spec
from cooldown.search.spec.space import Parameter, search_space
from cooldown.search.statistics.intervals import Interval
from cooldown.storage import ExperimentRecord

INF, NAN = float("inf"), float("nan")
JOINT_ARM = "momentum,nag+cosine,sgdr"
ARMS = ("momentum+cosine", "adam", JOINT_ARM, "first=adam")


def parameters_of(record: ExperimentRecord, arm: str) -> list[Parameter]:
    given = read_spec(**record.spec)
    (parsed,) = [each for each in given.parsed_arms if each.name == arm]
    return [each for each in search_space(given, parsed, 3).by_key.values() if isinstance(each, Parameter)]


def check(figure: go.Figure) -> None:
    """What is true of every chart: JSON that a browser can read, titles on axes, the page's colours."""
    json.loads(figure.to_json(), parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    layout = figure.layout
    assert layout.height
    assert layout.title.text is None
    assert layout.paper_bgcolor is None
    assert layout.plot_bgcolor is None
    assert layout.font.color is None
    if isinstance(next(iter(figure.data), None), go.Parcoords):
        assert all(dimension.label for dimension in figure.data[0].dimensions)
        return
    used = {(trace.xaxis or "x", trace.yaxis or "y") for trace in figure.data}
    for x, y in used:
        assert layout[x.replace("x", "xaxis")].title.text
        vertical = layout[y.replace("y", "yaxis")]
        # Rows with labels need no title.
        assert vertical.title.text or vertical.tickmode == "array"


def named(figure: go.Figure, name: str) -> list[Any]:
    """The traces of this name that have points."""
    return [trace for trace in figure.data if trace.name == name and len(trace.x) and trace.x[0] is not None]


def figures_of(record: ExperimentRecord) -> dict[str, go.Figure]:
    """Every chart of an experiment."""
    result = Result(record)
    pair = (record.spec["arms"][0], "adam")
    curves, budgets = winners_curves(View(record)), budget_curves(View(record))
    made = {
        "forest": forest(result.verdicts),
        "repeats": repeats({arm: means(each) for arm, each in test_losses(View(record)).items()}, "Test loss"),
        "credit": credit({"optimizer": Interval(-0.1, -0.3, 0.1, 0.1, 4, 5)}),
        "importance": importance(sensitivities(View(record))),
        "rates": rates({"mine": np.array([0.1, 0.2])}),
    }
    for losses in ("validation", "training"):
        for log, x in zip(cycle((True, False)), AMOUNTS, strict=False):
            drawn = partial(learning, curves, losses=losses, x=x, log_loss=log, log_x=not log)
            made |= {f"learning {losses} {x} {each}": drawn(replicates=each) for each in (True, False)}
    for x in get_args(Budget):
        made[f"budget {x}"] = budget(budgets, pair_crossover(View(record), *pair), pair, x, x != "seconds")
    for arm in record.spec["arms"]:
        made[f"history {arm}"] = history(record.of(arm))
        made[f"parallel {arm}"] = parallel(record.of(arm), parameters_of(record, arm))
        for each in parameters_of(record, arm):
            made[f"slice {arm} {each.key}"] = slice_(record.of(arm), each)
    return made
