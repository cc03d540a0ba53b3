"""The charts of the answer: the forest of pairs, all repeats, and the contributions to the gain."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from charts import NAN
from verdict_examples import made_verdict

from cooldown.search.evidence.credit import CreditSplit, spoken_effects, total_sentence
from cooldown.search.evidence.numbers import Form, formatted
from cooldown.search.evidence.tables import effects_table, pairs_table
from cooldown.search.figures.layout import GREY
from cooldown.search.figures.lines import colour_of_arm
from cooldown.search.figures.verdict import credit, forest, repeats, repeats_table
from cooldown.search.statistics.intervals import Interval

UNKNOWN = dict.fromkeys(("equal", "ratio", "low", "high", "equal_low", "equal_high", "difference"))
VERDICTS = [
    made_verdict("adam", "sgd", "undecided", high=1.5),
    made_verdict("momentum+cosine", "adam", "b_better", ratio=2.0, low=1.25, high=4.0, primary=True),
    made_verdict("nag", "sgd", "tie", ratio=1.0, low=0.75, high=1.5, equal_low=0.875, equal_high=1.125),
    made_verdict("nag", "adam", "undecided", **UNKNOWN),
]


def test_the_forest_has_a_row_for_each_pair_with_its_numbers() -> None:
    figure = forest(VERDICTS)
    axis = figure.layout.yaxis
    assert list(axis.ticktext) == [
        "<b>momentum+cosine<br>vs adam</b><br><i>adam is better</i>",
        "adam<br>vs sgd<br><i>adam ahead, undecided</i>",
        "nag<br>vs sgd<br><i>practically equal</i>",
        "nag<br>vs adam<br><i>not compared yet</i>",
    ]
    assert list(axis.tickvals) == [0, 1, 2, 3]
    # The first row is on top.
    assert axis.range[0] > axis.range[1]
    dots, narrow = figure.data[::2], figure.data[1::2]
    drawn = [(t.y[0], t.x[0], t.x[0] - t.error_x.arrayminus[0], t.x[0] + t.error_x.array[0]) for t in dots]
    assert drawn == [(0, 2.0, 1.25, 4.0), (1, 0.5, 0.25, 1.5), (2, 1.0, 0.75, 1.5)]
    assert [t.x for t in narrow] == [(0.375, 0.625), (0.375, 0.625), (0.875, 1.125)]
    assert [set(t.y) for t in narrow] == [{0}, {1}, {2}]
    assert [t.marker.color for t in dots] == [colour_of_arm("adam"), colour_of_arm("adam"), GREY]
    assert [t.marker.symbol for t in dots] == ["circle", "circle-open", "circle-open"]
    *margins, line = figure.layout.shapes
    assert [(box.x0, box.x1, (box.y0 + box.y1) / 2) for box in margins] == [(0.8, 1.25, row) for row in (0, 1, 2)]
    assert (line.x0, line.x1) == (1, 1)
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.height == 4 * 56 + 120
    assert "ratio 0.500<br>95 % interval [0.250, 1.500]<br>90 % interval [0.375, 0.625]" in dots[1].hovertemplate
    assert [(note.x, note.xanchor, note.text) for note in figure.layout.annotations] == [
        (0, "right", "← first"),
        (0, "left", "second →"),
    ]
    assert not forest(VERDICTS[3:]).layout.annotations


def test_differences_are_drawn_on_a_linear_axis_around_0() -> None:
    numbers = {"low": -1.0, "high": 0.5, "equal_low": -0.75, "equal_high": 0.25, "margin_low": -0.1, "margin_high": 0.1}
    pair = made_verdict("adam", "sgd", "undecided", scale="difference", ratio=None, difference=-0.25, **numbers)
    figure = forest([pair])
    assert figure.layout.xaxis.type is None
    assert figure.layout.xaxis.zeroline
    assert [(box.x0, box.x1) for box in figure.layout.shapes] == [(-0.1, 0.1)]
    assert figure.data[0].x == (-0.25,)
    assert "difference" in figure.layout.xaxis.title.text
    assert pairs_table([pair]).titles[1] == "Difference"
    assert pairs_table([pair]).rows[0][1] == -0.25


def test_a_better_arm_that_hardly_matters_is_slightly_better() -> None:
    pair = made_verdict("adam", "sgd", "a_better", equal=True)
    assert forest([pair]).layout.yaxis.ticktext[0].endswith("<i>adam is slightly better</i>")
    assert pairs_table([pair]).values("First is") == ["slightly better"]


def test_the_table_of_the_pairs() -> None:
    frame = pairs_table(VERDICTS).frame()
    assert len(frame) == len(VERDICTS)
    for place, pair in enumerate(VERDICTS):
        row = frame.iloc[place]
        assert row["Pair"] == f"{pair.a} vs {pair.b}"
        for title, value in (("Ratio", pair.ratio), ("Interval from", pair.low)):
            assert row[title] == value or value is None
    assert pairs_table(VERDICTS).values("Ahead") == ["4 of 5", "4 of 5", "4 of 5", None]
    assert frame["First is"].tolist() == ["undecided", "worse", "practically equal", "undecided"]
    assert pairs_table(VERDICTS).strong == {place for place, pair in enumerate(VERDICTS) if pair.primary}


VALUES: Mapping[str, Mapping[int, float]] = {
    "adam": {0: 0.5, 2: 0.25},
    "momentum+sgdr": {0: 0.25, 1: 0.125},
    "sgd": {},
    "nag": {1: 1.0},
}


@pytest.mark.parametrize(
    ("best", "ranked"),
    [("lowest", ["momentum+sgdr", "adam", "nag", "sgd"]), ("highest", ["nag", "adam", "momentum+sgdr", "sgd"])],
)
def test_repeats_are_dots_and_their_mean_a_tick(best: Any, ranked: list[str]) -> None:
    figure, table = repeats(VALUES, "Test loss", best=best), repeats_table(VALUES, "Test loss", best=best).frame()
    assert list(figure.layout.yaxis.ticktext) == ranked == table["Arm"].tolist()
    for row, (arm, dots, tick) in enumerate(zip(ranked, figure.data[::2], figure.data[1::2], strict=True)):
        assert {repeat: x for (repeat, _), x in zip(dots.customdata, dots.x, strict=True)} == VALUES[arm]
        form = Form.LOSS if best == "lowest" else Form.SCORE
        assert [shown for _, shown in dots.customdata] == [formatted(value, form) for value in VALUES[arm].values()]
        assert set(dots.y) | set(tick.y) == {row}
        expected = np.mean(list(VALUES[arm].values())) if VALUES[arm] else NAN
        np.testing.assert_equal([tick.x[0], table["Mean test loss"][row]], [expected] * 2)
        assert {r: table[f"Repeat {r}"][row] for r in VALUES[arm]} == VALUES[arm]
    assert "Test loss" in figure.layout.xaxis.title.text
    assert table[[f"Repeat {repeat}" for repeat in range(3)]].isna().sum().sum() == 12 - 5


def test_the_axis_of_a_single_value_is_around_it() -> None:
    assert repeats({"adam": {0: 0.2}}, "Test loss").layout.xaxis.range == pytest.approx((0.1, 0.3))
    assert repeats({"adam": {0: -0.2}}, "Test score", best="highest").layout.xaxis.range == pytest.approx((-0.3, -0.1))
    for values in ({"adam": {0: 0.2, 1: 0.3}}, {"adam": {}}, {"adam": {0: 0.0}}):
        assert repeats(values, "Test loss").layout.xaxis.range is None


def test_credit_is_bars_with_their_intervals() -> None:
    shares = {
        "optimizer": Interval(0.25, -0.125, 0.75, 0.1, 4, 5),
        "tuning": Interval(-0.5, -1.0, -0.25, 0.1, 4, 5),
        "total": Interval(-0.25, -0.5, 0.5, 0.1, 4, 5),
    }
    figure, table = credit(shares), effects_table(shares).frame()
    drawn = [(b.x[0], b.x[0] - b.error_x.arrayminus[0], b.x[0] + b.error_x.array[0]) for b in figure.data]
    assert drawn == [(each.estimate, each.low, each.high) for each in shares.values()]
    assert [tuple(row) for row in table[["Change", "95 % interval from", "95 % interval to"]].to_numpy()] == drawn
    assert table["Effect"].tolist() == list(shares)
    assert list(figure.layout.yaxis.ticktext) == ["Optimizer", "Tuning", "<b>Total</b>"]
    assert figure.data[1].hovertemplate.startswith("−0.5000<br>95 % interval [−1.0000, −0.2500]")
    colours = [bar.marker.color for bar in figure.data]
    assert colours[0] != colours[1] == colours[2]


def test_the_effects_that_are_drawn_are_those_of_the_sentence() -> None:
    known = {name: Interval(place, place - 1, place + 1, 0.1, 4, 5) for place, name in enumerate(("tuning", "total"))}
    tuned = {"optimizer": Interval(0.5, 0, 1, 0.1, 4, 5), "schedule": Interval(-0.5, -1, 0, 0.1, 4, 5)}
    split = CreditSplit("default adam", "tuned nag+cosine", ("adam", "nag"), {}, known, tuned, ())
    effects = spoken_effects(split)
    assert list(effects.values()) == [known["tuning"], tuned["optimizer"], tuned["schedule"]]
    assert list(credit(effects).layout.yaxis.ticktext) == [
        "Tuning",
        "Nag over adam,<br>all tuned",
        "Annealing,<br>all tuned",
    ]
    assert total_sentence(split) == "From default adam to tuned nag+cosine: +1.0000 [0.0000, +2.0000]."
    without = replace(split, effects={}, tuned={})
    assert (spoken_effects(without), total_sentence(without)) == ({}, "")
