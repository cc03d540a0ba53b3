"""Trials: history, loss against a hyperparameter, parallel coordinates, importance."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from charts import ARMS, INF, check, named, parameters_of

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.records import Outcome
from cooldown.search.evidence.sensitivity import sensitivities
from cooldown.search.evidence.view import View
from cooldown.search.figures.importance import importance, importance_table
from cooldown.search.figures.layout import wide
from cooldown.search.figures.points import repeat_trials
from cooldown.search.figures.trials import (
    WARNING,
    history,
    history_table,
    parallel,
    parallel_table,
    slice_,
    slice_table,
)
from cooldown.search.spec.space import Parameter
from cooldown.storage import ExperimentRecord, Purpose, StudyRecord, TrialRecord


def test_history_has_every_trial_and_the_best_so_far(record: ExperimentRecord) -> None:
    for arm in ARMS:
        studies = record.of(arm)
        figure, table = history(list(reversed(studies))), history_table(studies).frame()
        for study in studies:
            numbers = [trial.number for trial in study.trials]
            losses = [trial.validation_loss for trial in study.trials]
            pruned = [trial.pruned for trial in study.trials]
            (points,) = named(figure, f"repeat {study.repeat}")
            assert (list(points.x), list(points.y)) == (numbers, losses)
            assert [tuple(each) for each in points.customdata] == [(study.repeat, number) for number in numbers]
            assert [symbol.endswith("-open") for symbol in points.marker.symbol] == pruned
            (steps,) = named(figure, f"best of repeat {study.repeat}")
            whole = [INF if gone else loss for loss, gone in zip(losses, pruned, strict=True)]
            np.testing.assert_array_equal(steps.y, np.minimum.accumulate(whole))
            assert (steps.line.shape, steps.line.color) == ("hv", points.marker.color)
            part = table[table["Repeat"] == study.repeat]
            assert part["Trial"].tolist() == numbers
            assert part["Validation loss"].tolist() == losses
            assert part["Best so far"].tolist() == list(steps.y)
            assert part["Pruned"].tolist() == pruned
        assert bool([t for t in figure.data if t.name == "pruned"]) == table["Pruned"].any()
    assert len({named(history(record.of("adam")), f"repeat {r}")[0].marker.color for r in (0, 1)}) == 2


def diverged(trial: TrialRecord) -> TrialRecord:
    lost = tuple(replace(curve, outcome=Outcome.DIVERGED) for curve in trial.curves[Purpose.SEARCH])
    loss = float(np.mean([curve.final_loss for curve in lost]))
    return replace(trial, validation_loss=loss, curves={Purpose.SEARCH: lost})


def test_trials_that_did_no_better_than_guessing_are_crosses_at_its_line(record: ExperimentRecord) -> None:
    parameter = parameters_of(record, "adam")[0]
    studies = [
        replace(s, trials=(diverged(s.trials[0]), *(t for t in s.trials[1:] if t.validation_loss < 1)))
        for s in record.of("adam")
    ]
    for figure in (
        history(studies, log=False),
        slice_(studies, parameter),
        history(studies),
    ):
        (line,) = [shape for shape in figure.layout.shapes if shape.type == "rect"]
        losses = [study.trials[0].validation_loss for study in studies]
        assert (line.y0, line.y1) == pytest.approx((min(losses), max(losses)))
        (note,) = figure.layout.annotations
        assert note.text == "no better than guessing"
        log = figure.layout.yaxis.type == "log"
        assert note.y == pytest.approx(math.log10(max(losses)) if log else max(losses))
        for study in studies:
            (points,) = named(figure, f"repeat {study.repeat}")
            assert [symbol == "x" for symbol in points.marker.symbol].index(True) == 0
            assert list(points.marker.symbol).count("x") == 1
        assert [trace.name for trace in figure.data if trace.name == "no better than guessing"]
    clean = [replace(study, trials=study.trials[1:]) for study in studies]
    assert not history(clean).layout.shapes
    assert not slice_(clean, parameter).layout.annotations


def test_the_legend_has_each_repeats_own_symbol_though_its_first_trial_won(record: ExperimentRecord) -> None:
    study = record.of("adam")[0]
    assert study.winner is not None
    first = [replace(study, trials=(study.winner,))]
    for figure in (history(first), slice_(first, parameters_of(record, "adam")[0])):
        (entry,) = [trace for trace in figure.data if trace.name == "repeat 0" and trace.showlegend is not False]
        assert entry.marker.symbol == "circle"
        assert (figure.layout.xaxis.dtick == 1) == (figure.layout.xaxis.title.text == "Trial")


def test_losses_are_logarithmic_as_asked_where_they_can_be(record: ExperimentRecord) -> None:
    studies = record.of("adam")
    assert history(studies, log=True).layout.yaxis.type == "log"
    assert history(studies, log=False).layout.yaxis.type is None
    low = [replace(study, trials=(replace(study.trials[0], validation_loss=-1.0),)) for study in studies]
    assert history(low, log=True).layout.yaxis.type is None


def test_before_a_whole_trial_there_is_no_best_so_far(record: ExperimentRecord) -> None:
    study = next(study for study in record.studies if any(trial.pruned for trial in study.trials))
    first = next(trial for trial in study.trials if trial.pruned)
    (own,) = repeat_trials([replace(study, trials=(first,))])
    assert np.isnan(own.best).all()
    assert own.winner == -1
    check(history([replace(study, trials=(first,))]))


@pytest.mark.parametrize(
    ("losses", "is_wide"), [([0.1, 3.1], True), ([0.1, 2.9], False), ([0.0, 9.0], False), ([], False)]
)
def test_losses_spread_widely_have_a_logarithmic_axis(losses: list[float], is_wide: bool) -> None:
    assert wide(np.array(losses)) == is_wide


def test_a_slice_has_every_trial_that_chose_a_value(record: ExperimentRecord) -> None:
    for arm in ARMS:
        for parameter in parameters_of(record, arm):
            check_slice(record.of(arm), parameter)


def check_slice(studies: list[StudyRecord], parameter: Parameter) -> None:
    figure, table = slice_(studies, parameter), slice_table(studies, parameter).frame()
    layout, flipped = figure.layout, parameter.hyperparameter.scale is Scale.ONE_MINUS_LOG
    rows = []
    for study in studies:
        chosen = [trial for trial in study.trials if parameter.key in trial.parameters]
        values = [trial.parameters[parameter.key] for trial in chosen]
        points = named(figure, f"repeat {study.repeat}")
        if not chosen:
            assert points == []
            continue
        assert list(points[0].y) == [trial.validation_loss for trial in chosen]
        np.testing.assert_allclose(points[0].x, [1 - value if flipped else value for value in values], rtol=1e-12)
        assert [tuple(each) for each in points[0].customdata] == [
            (study.repeat, trial.number, value) for trial, value in zip(chosen, values, strict=True)
        ]
        stars = [symbol == "star" for symbol in points[0].marker.symbol]
        assert stars == [trial is study.winner for trial in chosen]
        rows += [(study.repeat, t.number, v, t.validation_loss) for t, v in zip(chosen, values, strict=True)]
    assert [tuple(row) for row in table.iloc[:, :4].itertuples(index=False)] == rows
    # Its range is what the axis shows, with the ends as lines, rising with the natural value.
    ends = [1 - end if flipped else end for end in (parameter.low, parameter.high)]
    lines_ = [shape for shape in layout.shapes if shape.type == "line"]
    assert [line.x0 for line in lines_] == [line.x1 for line in lines_] == pytest.approx(ends)
    log = parameter.hyperparameter.scale is not Scale.LINEAR
    assert (layout.xaxis.type == "log") == log
    low, high = layout.xaxis.range
    places = np.log10(ends) if log else ends
    assert (low < places[0] < places[1] < high) if not flipped else (low > places[0] > places[1] > high)
    if log:
        assert len(layout.xaxis.tickvals) >= 2
        natural = [float(text) for text in layout.xaxis.ticktext]
        np.testing.assert_allclose([1 - at if flipped else at for at in layout.xaxis.tickvals], natural, rtol=1e-9)
        assert min(natural) >= parameter.low * (1 - 1e-9)
        assert max(natural) <= parameter.high * (1 + 1e-9)


@pytest.mark.parametrize("name", ["learning_rate", "beta1"])
@pytest.mark.parametrize("edge", ["low", "high"])
def test_the_edge_that_an_alarm_names_is_in_a_warning_colour(record: ExperimentRecord, name: str, edge: Any) -> None:
    (parameter,) = [each for each in parameters_of(record, "adam") if each.key == f"adam.{name}"]
    figure = slice_(record.of("adam"), parameter, edge)
    end = parameter.low if edge == "low" else parameter.high
    at = 1 - end if name == "beta1" else end
    warned = [line for line in figure.layout.shapes if line.line.color == WARNING]
    assert [line.x0 for line in warned] == [at]
    (note,) = [note for note in figure.layout.annotations if "best values" in note.text]
    assert note.x == pytest.approx(math.log10(at))
    # Its words are inside the range.
    assert note.xanchor == ("left" if edge == "low" else "right")
    plain = slice_(record.of("adam"), parameter)
    assert not [note for note in plain.layout.annotations if "best values" in note.text]


def test_parallel_coordinates_are_positions_with_natural_ticks(record: ExperimentRecord) -> None:
    for arm in ARMS:
        studies, parameters = record.of(arm), parameters_of(record, arm)
        table = parallel_table(studies, parameters).frame()
        whole = {(s.repeat, t.number): t for s in studies for t in s.trials if not t.pruned}
        assert list(zip(table["Repeat"], table["Trial"], strict=True)) == list(whole)
        for _, own in table.groupby("Repeat"):
            assert own["Rank"].rank().tolist() == own["Validation loss"].rank().tolist()
            assert ((own["Rank"] > 0) & (own["Rank"] < 1)).all()
        (drawn,) = parallel(studies, parameters).data
        assert list(drawn.line.color) == sorted(table["Rank"], reverse=True)
        table = table.sort_values("Rank", ascending=False, kind="stable")
        *dimensions, loss = drawn.dimensions
        for parameter, dimension in zip(parameters, dimensions, strict=True):
            assert dimension.label == parameter.key
            chosen = table[parameter.key].to_numpy(float)
            missing = np.isnan(chosen)
            assert missing.any() == ("–" in dimension.ticktext)
            assert (np.array(dimension.values)[missing] < 0).all()
            back = [parameter.at(at) for at in np.array(dimension.values)[~missing]]
            np.testing.assert_allclose(back, chosen[~missing], rtol=1e-9, atol=1e-12)
            ticks = dict(zip(dimension.tickvals, dimension.ticktext, strict=True))
            if parameter.low < parameter.high:
                assert float(ticks[1.0]) == pytest.approx(parameter.high, rel=0.01)
        losses = table["Validation loss"].to_numpy()
        np.testing.assert_allclose(10 ** np.array(loss.values) if wide(losses) else loss.values, losses)
        assert float(loss.ticktext[-1]) == pytest.approx(losses.max(), rel=0.01)


def test_near_1_a_tick_has_as_many_digits_as_it_takes() -> None:
    h = Hyperparameter("beta2", 0.999, 0.9, 0.99999, Scale.ONE_MINUS_LOG, maximum=1, open_maximum=True)
    parameter = Parameter("adam.beta2", h, 0.9, 0.99999)
    assert list(slice_([StudyRecord(1, "adam", 0, {}, ())], parameter).layout.xaxis.ticktext) == [
        "0.99999",
        "0.9999",
        "0.999",
        "0.99",
        "0.9",
    ]


def test_importance_has_a_bar_for_each_hyperparameter_the_largest_on_top(record: ExperimentRecord) -> None:
    found = [each for each in sensitivities(View(record)) if each.arm != "first=adam"]
    assert any(each.importance is not None for each in found)
    figure, table = importance(found), importance_table(found).frame()
    labels, rows = list(figure.layout.yaxis.ticktext), []
    for bars in figure.data:
        header = labels[bars.y[0] - 1]
        assert header == f"<b>{bars.name}</b>"
        rows += [(bars.name, labels[row], value) for row, value in zip(bars.y, bars.x, strict=True)]
        known = [value for value in bars.x if not math.isnan(value)]
        assert known == sorted(known, reverse=True)
    shares = {(each.arm, each.key): each.importance for each in found}
    # The chart is in percent.
    drawn = {(arm, key): None if math.isnan(value) else value for arm, key, value in rows}
    assert drawn == {key: None if share is None else 100 * share for key, share in shares.items()}
    assert list(zip(table["Arm"], table["Hyperparameter"], strict=True)) == [row[:2] for row in rows]
    np.testing.assert_array_equal(100 * table["Importance"].to_numpy(float), [row[2] for row in rows])
    # Of one arm alone the name is not said again.
    alone = importance([each for each in found if each.arm == "adam"])
    assert "<b>adam</b>" not in alone.layout.yaxis.ticktext
    rate = next(each for each in found if each.key == "adam.learning_rate")
    assert any(f"{rate.width:.2f} of {rate.range_width:.2f} decades" in text for _, text in alone.data[0].customdata)
