"""Learning curves: medians, quartiles, replicates, and the learning rate as it was executed."""

from typing import Any

import numpy as np
import pytest
from charts import INF, NAN

from cooldown.search.evidence.learning import AMOUNTS, ArmCurves, band, winners_curves
from cooldown.search.evidence.view import View
from cooldown.search.figures.layout import area
from cooldown.search.figures.learning import learning, learning_table
from cooldown.storage import ExperimentRecord


def curves_of(arm: str, validation: list[list[float]], rate: list[list[float]], diverged: list[bool]) -> ArmCurves:
    loss = np.array(validation)
    count = np.arange(1.0, loss.shape[1] + 1)
    return ArmCurves(
        arm=arm,
        repeat=np.arange(len(loss)),
        seed=np.arange(len(loss)) + 10,
        validation=loss,
        train=loss / 2,
        rate=np.array(rate),
        diverged=np.array(diverged),
        uninformed_loss=2.0,
        staleness=0 * count,
        axes={amount: count * 10**place for place, amount in enumerate(AMOUNTS)},
    )


BY_HAND = curves_of(
    "adam", [[1.0, 0.5, 0.25], [2.0, 1.0, 0.5], [4.0, 50.0, NAN]], [[0.1, 0.1, 0.0]] * 3, [False, False, True]
)


@pytest.mark.parametrize("losses", ["validation", "training"])
@pytest.mark.parametrize("x", AMOUNTS)
def test_learning_draws_medians_and_quartiles(losses: Any, x: Any) -> None:
    figure = learning({"adam": BY_HAND}, losses=losses, x=x, log_loss=False)
    filled, loss, rate = figure.data
    values = BY_HAND.validation if losses == "validation" else BY_HAND.train
    median, low, high = band(values, BY_HAND.diverged)
    np.testing.assert_array_equal(loss.x, BY_HAND.axes[x])
    np.testing.assert_array_equal(loss.y, median)
    np.testing.assert_array_equal(loss.customdata, np.stack([low, high], axis=-1))
    assert np.isinf(high[-1])
    np.testing.assert_array_equal(filled.y[2:4], [filled.y[2], low[-1]])
    assert filled.y[2] > figure.layout.yaxis.range[1]
    np.testing.assert_array_equal(filled.y[:2], high[:2])
    assert (filled.fill, filled.legendgroup) == ("toself", loss.legendgroup)
    np.testing.assert_array_equal(rate.y, [0.1, 0.1, 0.0])
    assert (loss.yaxis, rate.yaxis, figure.layout.yaxis2.type) == (None, "y2", "log")
    assert figure.layout.yaxis.title.text == f"{losses.capitalize()} loss"
    # What is worse than to have learned nothing leaves the picture, and all else is in it.
    assert figure.layout.yaxis.range[1] < 5
    assert figure.layout.yaxis.range[1] > values[:, 0].min()


def test_replicates_are_lines_of_their_own_with_gaps_between() -> None:
    figure = learning({"adam": BY_HAND}, replicates=True)
    single, median, _ = figure.data
    np.testing.assert_array_equal(np.reshape(single.y, (3, 4))[:, :3], BY_HAND.validation)
    np.testing.assert_array_equal(np.reshape(single.x, (3, 4))[:, :3], [BY_HAND.axes["epochs"]] * 3)
    assert np.isnan(np.reshape(single.y, (3, 4))[:, 3]).all()
    assert [tuple(each) for each in single.customdata[::4]] == [(0, 10), (1, 11), (2, 12)]
    assert single.connectgaps is None
    np.testing.assert_array_equal(median.y, band(BY_HAND.validation, BY_HAND.diverged)[0])


def test_the_axes_of_learning_are_as_asked() -> None:
    for log_loss in (True, False):
        layout = learning({"adam": BY_HAND}, log_loss=log_loss, log_x=not log_loss).layout
        assert (layout.yaxis.type == "log") == log_loss
        assert (layout.xaxis.type == "log") != log_loss
        low, high = (10 ** np.array(layout.yaxis.range)) if log_loss else layout.yaxis.range
        assert low <= 0.25
        assert 4 >= high >= 3


@pytest.mark.parametrize(("lowest", "step"), [(0.02, "D2"), (1e-4, 1)])
def test_a_short_axis_of_rates_has_ticks_between_powers_of_ten(lowest: float, step: Any) -> None:
    curves = curves_of("adam", [[1.0, 0.5]], [[0.2, lowest]], [False])
    assert learning({"adam": curves}).layout.yaxis2.dtick == step


def test_of_one_epoch_there_are_markers() -> None:
    figure = learning({"adam": curves_of("adam", [[1.0], [2.0]], [[0.1]] * 2, [False] * 2)})
    assert {trace.mode for trace in figure.data} == {"markers"}
    assert [trace.y[0] for trace in figure.data] == [1.5, 0.1]


def test_the_learning_table_has_all_that_is_drawn(record: ExperimentRecord) -> None:
    curves = winners_curves(View(record))
    table = learning_table(curves, "training").frame()
    assert table["Arm"].unique().tolist() == list(curves)
    for arm, own in curves.items():
        part = table[table["Arm"] == arm]
        for amount in AMOUNTS:
            np.testing.assert_array_equal(part[amount.capitalize()], own.axes[amount])
        drawn = band(own.train, own.diverged)
        for name, values in zip(("Median loss", "Lower quartile", "Upper quartile"), drawn, strict=True):
            np.testing.assert_array_equal(part[name], values)
        np.testing.assert_array_equal(part["Mean staleness"], own.staleness)
        np.testing.assert_array_equal(part["Learning rate"], own.rate[own.typical])
        # Of the replicate whose loss is the median one.
        last = np.where(own.diverged, INF, own.validation[:, -1])
        assert (last < last[own.typical]).sum() <= (len(last) - 1) // 2 < (last <= last[own.typical]).sum()


def test_an_area_is_drawn_where_both_its_curves_are_known() -> None:
    x = np.arange(7.0)
    low, high = np.array([0.0, 0, NAN, 0, 0, 0, NAN]), np.array([1.0, 1, 1, INF, 1, 1, 1])
    assert [(list(each.x), list(each.y)) for each in area(x, low, high)] == [
        ([0, 1, 1, 0], [1, 1, 0, 0]),
        ([4, 5, 5, 4], [1, 1, 0, 0]),
    ]
